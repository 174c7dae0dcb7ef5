//! Who may do what: every route of the description against every kind of caller.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::answer::Answer;
use crate::principals::key;
use crate::routes_table::{Access, BESIDE, CALLERS, ROUTES, World};
use crate::support::*;

/// `METHOD path` of every operation of the description.
pub(crate) fn described() -> BTreeSet<String> {
    let api = serde_json::to_value(server::api::description()).unwrap();
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let mut all = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| methods.contains(&key.as_str())) {
            all.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    all
}

#[test]
fn every_route_of_the_description_has_its_row_and_no_row_is_stale() {
    let rows: Vec<String> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let table: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(table.len(), rows.len(), "a route has two rows");
    let described = described();
    let missing: Vec<&String> = described.difference(&table).collect();
    let stale: Vec<&String> = table.difference(&described).collect();
    assert!(missing.is_empty() && stale.is_empty(), "without a row: {missing:?}; stale: {stale:?}");
    assert_eq!(
        ROUTES.last().map(|route| route.path),
        Some("/api/v1/session"),
        "it ends the sessions of its callers"
    );
}

/// Rooms describe what they serve because `routes!` does both at once. A path that is registered by hand is one of the few
/// that stand beside the description.
#[test]
fn nothing_is_registered_beside_the_description_but_health_and_metrics() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut by_hand = BTreeSet::new();
    for room in ["server", "identity", "memory", "httpkit"] {
        for file in rust_files(&crates.join(room).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for call in [".route(", ".nest(", ".route_service(", ".nest_service("] {
                for rest in code.split(call).skip(1) {
                    let path = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                    by_hand.insert(path.unwrap_or_else(|| panic!("{call} of {}", file.display())).to_owned());
                }
            }
        }
    }
    assert_eq!(by_hand, BESIDE.into_iter().map(str::to_owned).collect());
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_is_served_as_it_is_built() {
    let server = Server::start(Engine::Sqlite).await;
    let served = server.get("/openapi.json").await.expect(200).json;
    assert_eq!(served, serde_json::to_value(server::api::description()).unwrap());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
    let page = server.get("/docs/").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
    let short = server.get("/docs").await;
    assert!([200, 301, 302, 303, 307, 308].contains(&short.status), "{}", short.status);
}

on_both_engines! {
    async fn each_caller_gets_what_the_table_says_and_nothing_else(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let (mut wrong, mut refusals) = (Vec::new(), BTreeMap::new());
        let mut check = |said: String, answer: &Answer, status: u16, code: &str| {
            let code_fits = code.is_empty() || answer.code() == code;
            if answer.status != status || !code_fits {
                wrong.push(format!("{said}: {} {} instead of {status} {code}", answer.status, answer.code()));
            }
        };
        for route in ROUTES {
            let said = |who: &str| format!("{} {} as {who}", route.method, route.path);
            let refused = |status: u16, code: &'static str| match route.access {
                Access::Public(open) => (open, ""),
                Access::Caller(_) => (status, code),
            };
            let strange = [
                ("nobody", None, refused(401, "credential_missing")),
                ("garbage", Some("hk_0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjkm"), refused(401, "invalid_api_key")),
                ("noise", Some("x"), refused(401, "invalid_api_key")),
                ("an expired token", Some(world.member.expired.as_str()), refused(401, "invalid_access_token")),
                ("a revoked key", Some(world.revoked_key.as_str()), refused(401, "invalid_api_key")),
            ];
            for (who, bearer, (status, code)) in strange {
                let mut request = world.request(route).await;
                if let Some(bearer) = bearer {
                    request = request.bearer_auth(bearer);
                }
                check(said(who), &server.send(request).await, status, code);
            }
            let two = world.request(route).await.bearer_auth(&world.owner.access);
            let two = two.header("x-api-key", world.caller("reader key"));
            let (status, code) = refused(400, "two_credentials");
            check(said("two at once"), &server.send(two).await, status, code);
            let cookie = world.request(route).await.bearer_auth(&world.owner.access);
            let cookie = cookie.header("cookie", "hearth_session=hs_something");
            check(said("token and cookie"), &server.send(cookie).await, status, code);
            let claimed = world.request(route).await.header("x-user-id", &world.owner.user_id);
            let claimed = claimed.header("x-test-auth", "owner").header("x-tenant-id", "acme");
            let (status, code) = refused(401, "credential_missing");
            check(said("a header's claim"), &server.send(claimed).await, status, code);
            for (at, who) in CALLERS.into_iter().enumerate() {
                let status = match route.access {
                    Access::Public(status) => status,
                    Access::Caller(statuses) => statuses[at],
                };
                let request = world.request(route).await.bearer_auth(&world.callers[at]);
                let answer = server.send(request).await;
                check(said(who), &answer, status, "");
                if [403, 404].contains(&status) && who != "stranger" {
                    refusals.insert(answer.header("x-request-id").to_owned(), said(who));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
        // What is refused and what is another person's are on record, though the latter looks absent.
        let audit = key(server, "acme", &["admin"], None).await;
        let unrecorded = |rows: &Answer| {
            let rows: Vec<Value> = rows.text().lines().map(|row| serde_json::from_str(row).unwrap()).collect();
            let recorded: BTreeSet<&str> = rows.iter().filter_map(|row| row["request_id"].as_str()).collect();
            refusals.iter().filter(|(id, _)| !recorded.contains(id.as_str())).map(|(_, said)| said.clone()).collect::<Vec<_>>()
        };
        let denied = "/api/v1/audit/export?format=jsonl&outcome=denied";
        let complete = eventually(60, || server.get_as(&audit, denied), |rows| unrecorded(rows).is_empty());
        let _ = tokio::time::timeout(Duration::from_secs(5), complete).await;
        let missing = unrecorded(&server.get_as(&audit, denied).await);
        assert!(missing.is_empty(), "{} refusals are not on record:\n{}", missing.len(), missing.join("\n"));
        assert!(refusals.len() > 100);
        // The last row was for sessions: they are over, and keys are not.
        server.get_as(&world.member.access, "/auth/sessions").await.expect(401);
        server.get_as(world.caller("reader key"), "/auth/sessions").await.expect(200);
    }
}
