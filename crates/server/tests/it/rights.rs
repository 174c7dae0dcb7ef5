//! What is erased is gone: from every table, file, log and new backup, and again after a restore.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kernel::{Micros, TenantId};
use serde_json::{Value, json};
use server::rights::DOMAINS;
use store::backup::{self, Archive, Create, Progress, content_hash};
use store::retention::Act;
use store::rights::{self, Certificate, Domain, Eraser, ErasureList, Report, Subject, Who};
use store::{Reach, Store, StoreConfig, fetch_one};
use testkit::{fill_every_table, homes, on_both};

use crate::routes_table::{World, event};
use crate::support::*;

/// A word that is in no table by itself.
const PLANTED: &str = "xylophonequince";

/// Tables of the schema that no domain speaks of, and names that more than one or none of the schema has.
async fn unnamed(store: &Store, domains: &[&Domain]) -> Vec<String> {
    let mut conn = store.read(Reach::Everyone).await.unwrap();
    let tables: BTreeSet<String> =
        backup::tables(&mut conn).await.unwrap().into_iter().map(|table| table.name).collect();
    let named: Vec<String> =
        domains.iter().flat_map(|domain| domain.areas).map(|area| area.table.to_owned()).collect();
    let set: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(set.len(), named.len(), "a table is named twice");
    tables.symmetric_difference(&set).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_says_what_of_it_belongs_to_whom() {
    for home in homes().await {
        assert_eq!(unnamed(&home.store, DOMAINS).await, Vec::<String>::new());
        assert_ne!(unnamed(&home.store, &DOMAINS[1..]).await, Vec::<String>::new(), "the check can fail");
    }
}

fn tenant(number: usize) -> TenantId {
    TenantId::parse(&format!("tenant_id-{number}")).unwrap()
}

/// Rows of a tenant in tables that no domain keeps on purpose.
async fn rows_left(store: &Store, tenant: &TenantId) -> Vec<(String, i64)> {
    let kept = ["audit_log", "audit_heads", "erasures", "legal_holds"];
    let mut conn = store.read(Reach::Everyone).await.unwrap();
    let mut left = Vec::new();
    for table in backup::tables(&mut conn).await.unwrap() {
        let has_tenant = table.columns.iter().any(|column| column.name == "tenant_id");
        if !has_tenant || kept.contains(&table.name.as_str()) {
            continue;
        }
        let sql = format!("SELECT COUNT(*) FROM {} WHERE tenant_id = $1", table.name).leak();
        let (rows,): (i64,) = fetch_one!(&mut conn, (i64,), &*sql, tenant.as_str()).unwrap();
        if rows > 0 {
            left.push((table.name, rows));
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_erased_from_every_table_and_nobody_elses_rows_are_touched() {
    on_both(|home| async move {
        let (store, blobs) = (&home.store, home.blobs());
        fill_every_table(store, &blobs, 0, 3).await;
        let alone = testkit::homes().await;
        let other = alone.iter().find(|other| other.engine == home.engine).unwrap();
        fill_every_table(&other.store, &other.blobs(), 0, 1).await;
        fill_every_table(&other.store, &other.blobs(), 2, 1).await;
        let subject = Subject { tenant: tenant(1), who: Who::Tenant };
        let before = rows_left(store, &subject.tenant).await;
        assert!(before.len() > 15, "{before:?}");

        // The control: with one domain forgotten the same look finds what it left.
        let forgetful = Eraser { store, blobs: &blobs, domains: &DOMAINS[..2] };
        let now = testkit::clock().now();
        forgetful.erase(&subject, Report::default(), None, now).await.unwrap();
        assert_ne!(rows_left(store, &subject.tenant).await, vec![]);

        let eraser = Eraser { store, blobs: &blobs, domains: DOMAINS };
        let report = eraser.erase(&subject, Report::default(), None, now).await.unwrap();
        assert_eq!(rows_left(store, &subject.tenant).await, vec![]);
        assert!(report.tables.values().all(|counts| counts.after == 0), "{report:?}");
        for kept in ["audit_log", "erasures", "legal_holds", "audit_heads"] {
            let sql = format!("DELETE FROM {kept} WHERE tenant_id = 'tenant_id-1'").leak();
            let clear = store
                .write("test.clear", Reach::Everyone, |tx| Box::pin(async move { Ok(tx.batch(sql).await?) }));
            clear.await.unwrap();
        }
        let left = content_hash(store, &Progress::default()).await.unwrap();
        let wanted = content_hash(&other.store, &Progress::default()).await.unwrap();
        let differing: Vec<String> = left
            .differences(&wanted)
            .into_iter()
            .filter(|line| {
                !["leases", "schedules", "paused_job_kinds", "setup_tokens", "sign_in_failures"]
                    .iter()
                    .any(|name| line.starts_with(name))
            })
            .collect();
        assert_eq!(differing, Vec::<String>::new());
        assert!(
            !files(&home.blob_root()).iter().any(|path| path.display().to_string().contains("tenant_id-1"))
        );
    })
    .await;
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Files below `folder` whose bytes hold the word.
fn holding(folder: &Path, word: &str) -> Vec<String> {
    let holds = |path: &PathBuf| {
        std::fs::read(path).unwrap().windows(word.len()).any(|bytes| bytes == word.as_bytes())
    };
    files(folder).into_iter().filter(holds).map(|path| path.display().to_string()).collect()
}

pub(crate) fn said(text: &str, session: &str, channel: &str) -> Value {
    let mut said = event(text);
    said["session_id"] = json!(session);
    said["channel"] = json!(channel);
    said
}

/// A backup of the server, unpacked into a database of its own; returns its folder.
async fn unpacked(server: &Server, name: &str, repeat: bool) -> (tempfile::TempDir, StoreConfig, usize) {
    let app = &server.app;
    let folder = app.config.backup.folder.clone();
    let scratch = tempfile::tempdir().unwrap();
    let target = StoreConfig::new(format!("sqlite:{}", scratch.path().join("hearth.db").display()));
    let blobs = store::Blobs::disk(scratch.path().join("blobs"));
    let archive = Archive::open(&folder.join(name)).unwrap();
    let made_at = archive.manifest().created_at;
    let mut repeated = 0;
    let finish = async |store: &Store| {
        if repeat {
            let eraser = Eraser { store, blobs: &blobs, domains: DOMAINS };
            let list = ErasureList::beside(&folder);
            repeated = list.repeat(&eraser, made_at, app.clock.now()).await?;
            store.empty_log().await?;
        }
        Ok::<(), backup::BackupError>(())
    };
    backup::restore(archive, &target, &blobs, &app.clock, &Progress::default(), finish).await.unwrap();
    (scratch, target, repeated)
}

async fn back_up(server: &Server) -> String {
    let app = &server.app;
    let folder = &app.config.backup.folder;
    let blobs = store::Blobs::disk(app.config.data_dir.join("blobs"));
    let what = Create {
        store: &app.store,
        blobs: &blobs,
        folder,
        now: app.clock.now(),
        progress: Progress::default(),
    };
    let (path, _) = backup::create(what).await.unwrap();
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

on_both_engines! {
    async fn an_erased_owner_is_gone_at_once_and_for_good(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let (mary, fred, olga) = (world.caller("member"), world.caller("foreigner"), world.caller("owner"));
        let post = async |who: &str, path: &str, body: Value| server.post_as(who, path, &body).await;
        let long = format!("{PLANTED} {}", "word ".repeat(20_000));
        for (text, channel) in [(PLANTED, "private"), (PLANTED, "team"), (long.as_str(), "private")] {
            post(mary, "/api/v1/events", said(text, "talk", channel)).await.expect(201);
        }
        post(fred, "/api/v1/events", said("the harbour is quiet", "talk", "team")).await.expect(201);
        let search = async |who: &str, text: &str| {
            let body = json!({"query": text, "channel": "team", "mode": "lexical", "neighbours": 0});
            // A hit brings its neighbours along; the questions below are about the word itself.
            let found = post(who, "/api/v1/memories/search", body).await.expect(200).json;
            let has_word = |item: &&Value| item["text"].to_string().contains(text);
            found["items"].as_array().unwrap().iter().filter(has_word).count()
        };
        assert_eq!((search(fred, PLANTED).await, search(fred, "harbour").await), (1, 1));
        let older = back_up(server).await;

        // The job waits, so that what holds is the request alone.
        let kind = "/api/v1/admin/jobs/kinds/rights.erase";
        post(olga, &format!("{kind}/pause"), json!({})).await.expect(204);
        let id = world.member.user_id.as_str();
        let erasures = "/api/v1/memory/erasures";
        post(mary, erasures, json!({"user_id": id, "confirm": "yes"})).await.expect(400);
        post(fred, erasures, json!({"user_id": id, "confirm": id})).await.expect(404);
        let asked = post(mary, erasures, json!({"user_id": id, "confirm": id})).await.expect(202).json;
        assert_eq!((&asked["state"], &asked["kind"]), (&json!("waiting"), &json!("owner")));
        let again = post(mary, erasures, json!({"user_id": id, "confirm": id})).await.expect(202).json;
        assert_eq!(again["erasure_id"], asked["erasure_id"], "asking twice is asking once");
        assert_eq!((search(fred, PLANTED).await, search(fred, "harbour").await), (0, 1));
        assert_eq!(search(mary, PLANTED).await, 0);
        for path in ["/api/v1/memory/timeline", "/api/v1/sessions"] {
            assert_eq!(server.get_as(mary, path).await.expect(200).json["items"], json!([]), "{path}");
        }
        assert_eq!(server.get_as(mary, "/api/v1/memory/stats").await.expect(200).json["events"], 0);
        for path in [format!("/api/v1/events/{}", world.event), format!("/api/v1/chunks/{}", world.chunk),
            format!("/api/v1/artifacts/{}", world.artifact)] {
            server.get_as(mary, &path).await.expect(404);
        }
        let refused = post(mary, "/api/v1/events", said("more", "talk", "private")).await.expect(409);
        assert_eq!(refused.json["code"], "erasure_in_progress");
        let batch = json!({"events": [said("more", "new", "team")]});
        assert_eq!(post(mary, "/api/v1/events/batch", batch).await.expect(409).json["code"], "erasure_in_progress");
        post(fred, "/api/v1/events", said("the harbour is busy", "talk", "team")).await.expect(201);
        let one = format!("{erasures}/{}", asked["erasure_id"].as_str().unwrap());
        server.get_as(mary, &format!("{one}/certificate")).await.expect(409);

        post(olga, &format!("{kind}/resume"), json!({})).await.expect(204);
        let done = eventually(20, || server.get_as(mary, &one), |answer| answer.json["state"] == "done").await.json;
        assert_eq!(done["tables"]["events"], json!({"before": 6, "removed": 6, "after": 0}));
        assert_eq!((&done["user_id"], &done["objects"]), (&Value::Null, &json!(3)), "two long texts and an export");
        let certificate = server.get_as(mary, &format!("{one}/certificate")).await.expect(200);
        let certificate: Certificate = serde_json::from_str(&certificate.text()).unwrap();
        let who = Who::Owner(id.to_owned());
        assert!(certificate.is_genuine() && certificate.is_about(&Subject { tenant: TenantId::parse("acme").unwrap(), who }));
        assert_eq!(certificate.statement.tables["events"].removed, 6);
        assert!(certificate.statement.backups_expire_by > Some(certificate.statement.completed_at));

        // Memory begins anew, and nothing of what was is left in any file, log or new backup.
        post(mary, "/api/v1/events", said("a fresh start", "talk", "private")).await.expect(201);
        assert_eq!(search(fred, PLANTED).await, 0);
        let newer = back_up(server).await;
        if engine == Engine::Sqlite {
            server.app.store.empty_log().await.unwrap();
            assert_eq!(holding(&server.app.config.data_dir, PLANTED), Vec::<String>::new());
            assert!(!holding(&server.app.config.data_dir, "harbour").is_empty(), "the look can find something");
        }
        let (files, _, repeated) = unpacked(server, &newer, true).await;
        assert_eq!((holding(files.path(), PLANTED), repeated), (vec![], 0));

        // The backup from before has it, and a restore takes it away again, without touching others.
        let (files, _, _) = unpacked(server, &older, false).await;
        assert!(!holding(files.path(), PLANTED).is_empty(), "the control: without the list it is back");
        let (files, target, repeated) = unpacked(server, &older, true).await;
        assert_eq!((holding(files.path(), PLANTED), repeated), (vec![], 1));
        let restored = Store::open(&target).await.unwrap();
        let mut conn = restored.read(Reach::Everyone).await.unwrap();
        assert_eq!(fetch_one!(&mut conn, (i64,), "SELECT COUNT(*) FROM events").unwrap().0, 1);
    }
}

on_both_engines! {
    async fn an_erased_person_has_no_account_and_the_audit_log_holds_no_name(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let olga = world.caller("owner");
        let id = world.member.user_id.as_str();
        let path = format!("/api/v1/users/{id}/erase");
        let erase = async |confirm: &str| server.post_as(olga, &path, &json!({ "confirm": confirm })).await;
        erase("mary").await.expect(400);
        let asked = erase(id).await.expect(202).json;
        server.get_as(&world.member.access, "/api/v1/session").await.expect(401);
        server.get_as(world.caller("member's key"), "/api/v1/memory/stats").await.expect(401);
        let one = format!("/api/v1/memory/erasures/{}", asked["erasure_id"].as_str().unwrap());
        let done = eventually(20, || server.get_as(olga, &one), |answer| answer.json["state"] == "done").await.json;
        for table in ["users", "sessions", "api_keys", "events"] {
            let counts = &done["tables"][table];
            assert!(counts["removed"].as_i64() > Some(0) && counts["after"] == 0, "{table}: {counts}");
        }
        let audit = server.get_as(olga, "/api/v1/audit?limit=200").await.expect(200);
        assert!(audit.text().contains(id) && !audit.text().contains("mary"), "ids stay, names do not");
        let verified = server.post_as(olga, "/api/v1/audit/verify", &json!({})).await.expect(200).json;
        assert_eq!(verified["broken"], Value::Null, "{verified}");
        let owner = &world.owner.user_id;
        let last = server.post_as(olga, &format!("/api/v1/users/{owner}/erase"), &json!({ "confirm": owner })).await;
        assert_eq!(last.expect(409).json["code"], "last_owner");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_broken_off_goes_on_and_counts_every_row_once() {
    on_both(|home| async move {
        let (store, blobs) = (&home.store, home.blobs());
        fill_every_table(store, &blobs, 0, 2).await;
        let subject = Subject { tenant: tenant(1), who: Who::Memory };
        let eraser = Eraser { store, blobs: &blobs, domains: DOMAINS };
        let now = testkit::clock().now();
        let first = eraser.erase(&subject, Report::default(), None, now).await.unwrap();
        let again = eraser.erase(&subject, first.clone(), None, now).await.unwrap();
        assert_eq!(again, first, "what is gone is not counted again");
        assert!(first.tables.values().all(|counts| counts.before == counts.removed), "{first:?}");
        let left = ErasureList::beside(home.folder());
        assert_eq!(left.repeat(&eraser, Micros(0), now).await.unwrap(), 0);
    })
    .await;
}

async fn swept(store: &Store, blobs: &store::Blobs) {
    let tenant = TenantId::parse(&format!("sweep-{}", &kernel::random::token()[..12])).unwrap();
    fill_every_table(store, blobs, 0, 2).await;
    let orphan = blobs.put(&tenant, "nobody names these bytes".into()).await.unwrap();
    let named = {
        let mut conn = store.read(Reach::Everyone).await.unwrap();
        fetch_one!(&mut conn, (String,), "SELECT blob_key FROM artifacts WHERE artifact_id = 'artifact_id-1'")
            .unwrap()
            .0
    };
    let real = kernel::Clock::system().now();
    let sweep = async |before: Micros, act| rights::sweep(store, blobs, DOMAINS, before, act).await.unwrap();
    assert_eq!(sweep(real.plus(-60 * Micros::SECOND), Act::Remove).await, 0, "young ones stay");
    let before = real.plus(60 * Micros::SECOND);
    let counted = sweep(before, Act::Count).await;
    assert!(counted >= 1 && blobs.get(&orphan).await.unwrap().is_some(), "counting removes nothing");
    let hold = tenant.clone();
    let held = store.write("test.hold", Reach::Everyone, move |tx| {
        Box::pin(async move { rights::place_hold(tx, &hold, None, "a case", "usr_1", Micros(0)).await })
    });
    let held = held.await.unwrap();
    sweep(before, Act::Remove).await;
    assert!(blobs.get(&orphan).await.unwrap().is_some(), "what is held stays");
    let release = store.write("test.release", Reach::Everyone, move |tx| {
        Box::pin(async move { rights::release_hold(tx, &tenant, &held).await })
    });
    release.await.unwrap();
    assert!(sweep(before, Act::Remove).await >= 1);
    assert_eq!(blobs.get(&orphan).await.unwrap(), None);
    assert!(blobs.get(&named).await.unwrap().is_some(), "what a row names stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_no_row_names_go_when_they_are_old() {
    for home in homes().await {
        swept(&home.store, &home.blobs()).await;
        std::fs::write(home.blob_root().join("tenant_id-1/xx"), "no object").unwrap();
        std::fs::create_dir_all(home.blob_root().join("beside/it/lies")).unwrap();
        std::fs::write(home.blob_root().join("beside/it/lies/a file"), "of somebody").unwrap();
        let before = kernel::Clock::system().now().plus(60 * Micros::SECOND);
        let found = rights::sweep(&home.store, &home.blobs(), DOMAINS, before, Act::Count).await.unwrap();
        assert_eq!(found, 0, "only what has the place of an object is looked at");
    }
}
