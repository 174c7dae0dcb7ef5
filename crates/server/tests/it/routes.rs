//! Who may do what: every route of the description against every kind of caller.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::routes_table::{Access, BESIDE, CALLERS, ROUTES, World, event};
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
        let mut wrong = Vec::new();
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
                check(said(who), &server.send(request).await, status, "");
            }
        }
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
        // The last row was for sessions: they are over, and keys are not.
        server.get_as(&world.member.access, "/auth/sessions").await.expect(401);
        server.get_as(world.caller("reader key"), "/auth/sessions").await.expect(200);
    }
}

/// The answer without what differs from request to request, and with both ids under one name.
fn masked(answer: &Answer, id: &str) -> (u16, String, Vec<(String, String)>) {
    let mut body = answer.text();
    if let Some(request_id) = answer.json["request_id"].as_str() {
        body = body.replace(request_id, "<request>");
    }
    let own = ["x-request-id", "x-response-time", "date", "content-length"];
    let mut headers = pairs(&answer.headers);
    headers.retain(|(name, _)| !own.contains(&name.as_str()));
    (answer.status, body.replace(id, "<id>"), headers)
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

/// Ids of one owner's things.
struct Ids {
    user: String,
    event: String,
    chunk: String,
    artifact: String,
    session: String,
    key: String,
}

impl Ids {
    /// Things that exist, of the person behind an access token.
    async fn of(world: &World, access: &str) -> Self {
        let server = &world.server;
        let long = event(&format!("lighthouse {}", "keeper ".repeat(15_000)));
        let made = server.post_as(access, "/api/v1/events", &long).await.expect(201).json;
        let key = json!({"name": "own", "scopes": ["memory:read"]});
        let key = server.post_as(access, "/api/v1/api-keys", &key).await.expect(201).json;
        let session = server.get_as(access, "/api/v1/session").await.expect(200).json;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            user: text(&session["user"]["user_id"]),
            event: text(&made["event_id"]),
            chunk: text(&made["chunk_ids"][0]),
            artifact: text(&made["artifact_id"]),
            session: world.current_session(access).await,
            key: text(&key["key_id"]),
        }
    }

    /// Things that never were.
    fn absent() -> Self {
        let now = kernel::Clock::system().now();
        let id = |prefix: &str| kernel::id::new_id(prefix, now);
        Self {
            user: id("usr"),
            event: id("evt"),
            chunk: id("chk"),
            artifact: id("art"),
            session: id("ses"),
            key: id("key"),
        }
    }

    /// Requests that name one of the things: method, path, body, the id.
    fn requests(&self) -> Vec<(&'static str, String, Value, String)> {
        let with = |mut body: Value, name: &str, value: Value| {
            body[name] = value;
            body
        };
        let none = Value::Null;
        let search = json!({"query": "lighthouse"});
        let role = json!({"role": "viewer"});
        let referring = with(event("x"), "refs", json!([self.event]));
        let owned = with(event("x"), "user_id", json!(self.user));
        let mint = json!({"user_id": self.user});
        let session = &self.session;
        vec![
            ("GET", format!("/api/v1/events/{}", self.event), none.clone(), self.event.clone()),
            ("GET", format!("/api/v1/chunks/{}", self.chunk), none.clone(), self.chunk.clone()),
            ("GET", format!("/api/v1/artifacts/{}", self.artifact), none.clone(), self.artifact.clone()),
            ("DELETE", format!("/api/v1/api-keys/{}", self.key), none.clone(), self.key.clone()),
            ("DELETE", format!("/auth/sessions/{session}"), none.clone(), session.clone()),
            ("PUT", format!("/api/v1/users/{}/role", self.user), role, self.user.clone()),
            ("GET", format!("/api/v1/users/{}/sessions", self.user), none.clone(), self.user.clone()),
            (
                "DELETE",
                format!("/api/v1/users/{}/sessions/{session}", self.user),
                none.clone(),
                session.clone(),
            ),
            (
                "GET",
                format!("/api/v1/events?session_id=talk&user_id={}", self.user),
                none.clone(),
                self.user.clone(),
            ),
            (
                "GET",
                format!("/api/v1/memory/timeline?user_id={}", self.user),
                none.clone(),
                self.user.clone(),
            ),
            ("GET", format!("/api/v1/memory/stats?user_id={}", self.user), none.clone(), self.user.clone()),
            ("GET", format!("/api/v1/sessions?user_id={}", self.user), none, self.user.clone()),
            (
                "POST",
                "/api/v1/memories/search".into(),
                with(search, "user_id", json!(self.user)),
                self.user.clone(),
            ),
            ("POST", "/api/v1/events".into(), referring.clone(), self.event.clone()),
            ("POST", "/api/v1/events".into(), owned.clone(), self.user.clone()),
            (
                "POST",
                "/api/v1/events/batch".into(),
                json!({"events": [event("mine"), referring]}),
                self.event.clone(),
            ),
            (
                "POST",
                "/api/v1/events/batch".into(),
                json!({"events": [event("mine"), owned]}),
                self.user.clone(),
            ),
            ("POST", "/auth/token".into(), mint, self.user.clone()),
        ]
    }
}

async fn ask(
    world: &World,
    bearer: &str,
    asked: &(&str, String, Value, String),
) -> (u16, String, Vec<(String, String)>) {
    let (method, path, body, id) = asked;
    let mut request = world.server.request(method, path).bearer_auth(bearer);
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = world.server.send(request).await;
    assert!(answer.status >= 400, "{method} {path} {body}: {} {}", answer.status, answer.text());
    masked(&answer, id)
}

on_both_engines! {
    async fn what_belongs_to_somebody_else_answers_like_what_never_was(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let stranger = crate::principals::Person { tenant: "other", name: "zoe", role: Some(kernel::Role::Owner) };
        let stranger = crate::principals::signed_in(&world.server, &stranger).await;
        let of_stranger = Ids::of(&world, &stranger.access).await;
        let of_foreigner = Ids::of(&world, &world.foreigner.access).await;
        let mut differing = Vec::new();
        for (who, foreign) in [
            ("member", &of_stranger),
            ("member's key", &of_stranger),
            ("member", &of_foreigner),
            ("member's key", &of_foreigner),
            ("viewer", &of_foreigner),
            ("viewer", &of_stranger),
        ] {
            let bearer = world.caller(who);
            for (theirs, absent) in foreign.requests().iter().zip(Ids::absent().requests()) {
                let (seen, wanted) = (ask(&world, bearer, theirs).await, ask(&world, bearer, &absent).await);
                if seen != wanted {
                    differing.push(format!("{} {} as {who}:\n  {seen:?}\n  {wanted:?}", theirs.0, theirs.1));
                }
            }
        }
        // Administrators see their tenant, and nothing of another.
        let by_path = ["GET", "DELETE", "PUT"];
        for who in ["admin", "owner", "reader key"] {
            let bearer = world.caller(who);
            let (theirs, absent) = (of_stranger.requests(), Ids::absent().requests());
            let pairs = theirs.iter().zip(&absent).take(8);
            for (theirs, absent) in pairs.filter(|(theirs, _)| by_path.contains(&theirs.0)) {
                let (seen, wanted) = (ask(&world, bearer, theirs).await, ask(&world, bearer, absent).await);
                if seen != wanted {
                    differing.push(format!("{} {} as {who}:\n  {seen:?}\n  {wanted:?}", theirs.0, theirs.1));
                }
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
        // Nothing of theirs was touched, and nothing was stored.
        world.server.get_as(&stranger.access, &format!("/api/v1/events/{}", of_stranger.event)).await.expect(200);
        let own = world.server.get_as(&world.foreigner.access, "/api/v1/memory/stats").await.expect(200);
        assert_eq!(own.json["events"], 1);
        let mine = world.server.get_as(&world.member.access, "/api/v1/memory/stats").await.expect(200);
        assert_eq!(mine.json["events"], 1, "a refused batch stores none of its events");
        let session = world.server.get_as(&stranger.access, "/api/v1/session").await.expect(200);
        assert_eq!(session.json["user"]["roles"], json!(["owner"]));
    }
}
