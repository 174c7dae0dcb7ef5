//! The second wall: PostgreSQL keeps a connection to the rows of its reach, whatever a statement forgets.

use store::{Engine, Reach, Store};
use testkit::homes;

use crate::support::{change, texts};

const WITHOUT_TENANT: &str = "SELECT tenant_id FROM idempotency_keys ORDER BY tenant_id";

async fn visible(store: &Store, reach: Reach) -> Vec<String> {
    let mut conn = store.read(reach).await.unwrap();
    let rows: Vec<(String,)> = store::fetch_all!(&mut conn, (String,), WITHOUT_TENANT).unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

fn tenant(name: &str) -> Reach {
    Reach::of(&kernel::TenantId::parse(name).unwrap())
}

async fn add(store: &Store, reach: Reach, tenant: &'static str) -> kernel::Result<u64> {
    let sql = "INSERT INTO idempotency_keys (tenant_id, principal_id, route, idempotency_key, request_hash, answer, created_at)
         VALUES ($1, 'p', 'r', 'k', 'h', '{}', 0)";
    store
        .write("test.add", reach, move |tx| Box::pin(async move { Ok(store::execute!(tx, sql, tenant)?) }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_forgets_the_tenant_sees_and_changes_its_own_rows_only() {
    let [_, home] = homes().await;
    assert_eq!(home.engine, Engine::Postgres);
    for name in ["acme", "other"] {
        add(&home.store, tenant(name), name).await.unwrap();
    }
    assert_eq!(visible(&home.store, tenant("acme")).await, ["acme"]);
    assert_eq!(visible(&home.store, tenant("nobody")).await, Vec::<String>::new());
    assert_eq!(visible(&home.store, Reach::Everyone).await, ["acme", "other"]);
    assert!(add(&home.store, tenant("acme"), "third").await.is_err(), "a row for another tenant is refused");
    let removed = home
        .store
        .write("test.remove", tenant("other"), |tx| {
            Box::pin(async move { Ok(store::execute!(tx, "DELETE FROM idempotency_keys")?) })
        })
        .await;
    assert_eq!(removed.unwrap(), 1);
    assert_eq!(visible(&home.store, Reach::Everyone).await, ["acme"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_policy_the_same_statement_would_see_everything() {
    let [_, home] = homes().await;
    for name in ["acme", "other"] {
        add(&home.store, tenant(name), name).await.unwrap();
    }
    change(&home.store, "ALTER TABLE idempotency_keys DISABLE ROW LEVEL SECURITY").await;
    assert_eq!(visible(&home.store, tenant("acme")).await, ["acme", "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_with_a_tenant_is_guarded() {
    let [_, home] = homes().await;
    let open = texts(
        &home.store,
        "SELECT t.relname::TEXT FROM pg_class AS t
         JOIN pg_namespace AS s ON s.oid = t.relnamespace AND s.nspname = 'public'
         JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
         WHERE t.relkind IN ('r', 'p') AND NOT (t.relrowsecurity AND t.relforcerowsecurity
             AND EXISTS (SELECT 1 FROM pg_policy AS p WHERE p.polrelid = t.oid))",
    )
    .await;
    assert_eq!(open, Vec::<String>::new(), "call guard_tenant for them in their migration");
}
