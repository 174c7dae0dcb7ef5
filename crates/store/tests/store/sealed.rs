//! Secrets that are read back: sealed in the table, and moved from key to key without a pause.

use std::sync::Arc;

use kernel::{Secret, TenantId};
use store::seal::Keyring;
use store::{Reach, Store, sealed};
use testkit::{clock, on_both};

use crate::support::{change, code, number, texts};

const OLD: &str = "the old key of 32 characters or so";
const NEW: &str = "the new key of 32 characters or so";

fn keyring(current: &str, previous: Option<&str>) -> Arc<Keyring> {
    Arc::new(Keyring::new(&Secret::new(current), previous.map(Secret::new).as_ref()))
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

async fn put(store: &Store, keyring: &Arc<Keyring>, of: &str, name: &str, text: &str) {
    let (keyring, of, name, secret) = (keyring.clone(), tenant(of), name.to_owned(), Secret::new(text));
    let now = clock().now();
    store
        .write("test.put", Reach::Everyone, move |tx| {
            Box::pin(async move { sealed::put_secret(tx, &keyring, &of, &name, &secret, now).await })
        })
        .await
        .unwrap();
}

async fn find(store: &Store, keyring: &Keyring, of: &str, name: &str) -> kernel::Result<Option<Secret>> {
    let of = tenant(of);
    let mut conn = store.read(&of).await.unwrap();
    sealed::find_secret(&mut conn, keyring, &of, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_read_back_by_its_tenant_and_lies_sealed() {
    on_both(|home| async move {
        let ring = keyring(OLD, None);
        put(&home.store, &ring, "acme", "openai", "sk-first").await;
        put(&home.store, &ring, "acme", "openai", "sk-hunter2").await;
        let found = find(&home.store, &ring, "acme", "openai").await.unwrap();
        assert_eq!(found, Some(Secret::new("sk-hunter2")));
        assert_eq!(find(&home.store, &ring, "other", "openai").await.unwrap(), None);
        assert_eq!(find(&home.store, &ring, "acme", "anthropic").await.unwrap(), None);
        let lying = number(
            &home.store,
            "SELECT COUNT(*) FROM sealed_secrets WHERE LENGTH(sealed) = 1 + 12 + 10 + 16",
        );
        assert_eq!(lying.await, 1);
        // A row that is copied to another tenant behind the server's back opens nothing there.
        change(
            &home.store,
            "INSERT INTO sealed_secrets (tenant_id, name, key_id, sealed, created_at, updated_at)
             SELECT 'other', name, key_id, sealed, created_at, updated_at FROM sealed_secrets",
        )
        .await;
        assert_eq!(code(find(&home.store, &ring, "other", "openai").await), "sealed_value_altered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_nothing_at_any_step_and_may_be_cut_off() {
    on_both(|home| async move {
        let store = &home.store;
        let (old, both, new) = (keyring(OLD, None), keyring(NEW, Some(OLD)), keyring(NEW, None));
        for n in 0..230 {
            put(store, &old, if n % 2 == 0 { "acme" } else { "other" }, &format!("s{n}"), &format!("v{n}"))
                .await;
        }
        assert_eq!(code(find(store, &new, "acme", "s0").await), "sealing_key_missing", "the control");
        assert_eq!(code(sealed::reseal_batch(store, new.clone(), &clock()).await), "sealing_key_missing");
        assert_eq!(find(store, &both, "acme", "s0").await.unwrap(), Some(Secret::new("v0")));
        assert_eq!(sealed::reseal_batch(store, both.clone(), &clock()).await.unwrap(), 100);
        // Cut off here: both kinds open, and the next run goes on.
        let counts = sealed::count_by_key(store).await.unwrap();
        let of = |ring: &Keyring| counts.iter().find(|(id, _)| id == ring.current_id()).map(|(_, n)| *n);
        assert_eq!((of(&old), of(&new)), (Some(130), Some(100)));
        put(store, &both, "acme", "s0", "v0 again").await;
        for expected in [100, 30, 0] {
            assert_eq!(sealed::reseal_batch(store, both.clone(), &clock()).await.unwrap(), expected);
        }
        for n in 1..230 {
            let of = if n % 2 == 0 { "acme" } else { "other" };
            let found = find(store, &new, of, &format!("s{n}")).await.unwrap();
            assert_eq!(found, Some(Secret::new(format!("v{n}"))));
        }
        assert_eq!(find(store, &new, "acme", "s0").await.unwrap(), Some(Secret::new("v0 again")));
        assert_eq!(texts(store, "SELECT DISTINCT key_id FROM sealed_secrets").await, [new.current_id()]);
    })
    .await;
}
