//! Probes made from the description: every kind of caller against every place of a request that names a thing.
//!
//! Whatever a caller may not see must answer like what never was, byte for byte apart from ids and times. A place of a new
//! route is found by its name; a name that is not known fails until [`Things`] has one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::{Reach, execute};

use crate::answer::Answer;
use crate::bad_bodies::{fields, schema_of, with};
use crate::principals::{Person, SignedIn, fresh_session, key, signed_in};
use crate::routes_table::{Access, ROUTES, Route, World, bundle, capsule, erased, exported, fresh_name};
use crate::support::*;

/// Where a request names a thing.
#[derive(Clone, Debug)]
enum Place {
    /// All that the path names.
    Path,
    Query(String),
    Body(Vec<String>),
}

/// One place of one route, and what kind of thing is named there; in a path, the last.
struct Position {
    route: &'static Route,
    place: Place,
    kind: &'static str,
}

impl Position {
    fn said(&self) -> String {
        format!("{} {} at {:?}", self.route.method, self.route.path, self.place)
    }
}

/// Routes of the server's operators, who see all tenants; here those are the administrators of `acme`.
const OPERATED: &str = "/api/v1/admin/";

/// Fields that name several things.
const LISTS: [&str; 4] = ["refs", "decisions", "chunks", "artifacts"];

/// The names between braces of a path.
fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// What a parameter of this name names; `None` for what names nothing.
fn kind(path: &str, name: &str) -> Option<&'static str> {
    Some(match name {
        "event_id" | "refs" => "event",
        "chunk_id" => "chunk",
        "artifact_id" => "artifact",
        "supersedes" if path == "/api/v1/decisions" => "decision",
        "memory_id" | "target_id" | "supersedes" => "memory",
        "label" => "block",
        "entity" => "entity",
        "rule_id" => "rule",
        "capsule_id" => "capsule",
        "decisions" if path == "/api/v1/capsules" => "decision",
        "chunks" if path == "/api/v1/capsules" => "chunk",
        "artifacts" if path == "/api/v1/capsules" => "artifact",
        "decision_id" => "decision",
        "task_id" | "blocked_by" | "subject_id" => "task",
        "edit_id" => "edit",
        "acb_id" => "bundle",
        "erasure_id" => "erasure",
        "hold_id" => "hold",
        "export_id" => "export",
        "key_id" => "key",
        "user_id" => "user",
        "agent_id" | "author_agent_id" | "app_id" => "agent",
        "client_event_id" => "client",
        "tenant_id" => "tenant",
        "session_id" | "run_id" => "talk",
        "sid" => "session",
        "id" if path.starts_with("/api/v1/users/") => "user",
        "id" if path.starts_with("/auth/sessions/") => "session",
        "id" if path.starts_with("/api/v1/invitations/") => "invitation",
        _ if path.starts_with(OPERATED) => "job",
        _ if name == "id" || name.ends_with("_id") => {
            panic!("{path} names a {name}: say here what it is, and give Things::of one of it")
        }
        _ => return None,
    })
}

/// Every place of every route that looks at credentials; reading ones first.
fn positions() -> Vec<Position> {
    let api = serde_json::to_value(server::api::description()).unwrap();
    let mut all = Vec::new();
    for route in ROUTES.iter().filter(|route| matches!(route.access, Access::Caller(_))) {
        let mut add = |place: Place, name: &str| {
            if let Some(kind) = kind(route.path, name) {
                all.push(Position { route, place, kind });
            }
        };
        let operation = &api["paths"][route.path][route.method.to_lowercase()];
        if let Some(name) = in_path(route.path).last() {
            add(Place::Path, name);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && !route.path.starts_with(OPERATED) {
                let name = parameter["name"].as_str().unwrap();
                add(Place::Query(name.to_owned()), name);
            }
        }
        let mut body = Vec::new();
        fields(&api, &schema_of(&api, route), &[], &mut body);
        for field in body {
            let name = field.path.last().unwrap().clone();
            // Who acted is the caller's own word.
            if field.path.iter().all(|step| step != "actor") {
                add(Place::Body(field.path), &name);
            }
        }
    }
    // What is written in the name of a stranger's id is the prober's own, and would be found by what comes after.
    let reads = |route: &Route| {
        let lists = ["/mem0/v2/memories/", "/mem0/v3/memories/", "/api/v1/acb/build", "/api/v1/context"];
        route.method == "GET" || route.path.contains("/search") || lists.contains(&route.path)
    };
    all.sort_by_key(|position| !reads(position.route));
    all
}

/// What belongs to one person, by kind.
struct Things(BTreeMap<&'static str, String>);

impl Things {
    /// `inviter` may invite into the tenant.
    async fn of(world: &World, tenant: &str, access: &str, inviter: &str) -> Self {
        let server = &world.server;
        let event = json!({"session_id": format!("talk-{tenant}"), "channel": "private", "kind": "message",
            "agent_id": format!("agent-{tenant}"), "client_event_id": format!("client-{tenant}"),
            "actor": {"type": "human", "id": "ada"},
            "content": {"text": format!("lighthouse {}", "keeper ".repeat(15_000))}});
        let made = server.post_as(access, "/api/v1/events", &event).await.expect(201).json;
        let memory = json!({"text": format!("the lighthouse of {tenant} has a keeper")});
        let memory =
            server.post_as(access, "/api/v1/memories", &memory).await.expect(201).json["memory"].clone();
        let edit = json!({"target_id": memory["memory_id"], "op": "retract", "propose": true});
        let edit = server.post_as(access, "/api/v1/edits", &edit).await.expect(201).json["edit"].clone();
        let decision = json!({"decision": "light the lamp"});
        let decision = server.post_as(access, "/api/v1/decisions", &decision).await.expect(201).json;
        let task =
            server.post_as(access, "/api/v1/tasks", &json!({"title": "light it"})).await.expect(201).json;
        let block = json!({"label": fresh_name(), "text": "the keeper sleeps by day"});
        let block = server.post_as(access, "/api/v1/blocks", &block).await.expect(201).json;
        let bundle = server.post_as(access, "/api/v1/acb/build", &bundle("continue")).await.expect(200).json;
        let entity = json!({"name": fresh_name(), "entity_type": "lamp"});
        let entity = server.post_as(access, "/api/v1/entities", &entity).await.expect(201).json;
        let rule = json!({"content": "wake the keeper at dusk"});
        let rule = server.post_as(access, "/api/v1/rules", &rule).await.expect(201).json;
        let capsule = server.post_as(access, "/api/v1/capsules", &capsule()).await.expect(201).json;
        let key = json!({"name": "own", "scopes": ["memory:read"]});
        let key = server.post_as(access, "/api/v1/api-keys", &key).await.expect(201).json;
        let session = server.get_as(access, "/api/v1/session").await.expect(200).json;
        let invitation = json!({"role": "viewer"});
        let invitation = server.post_as(inviter, "/api/v1/invitations", &invitation).await.expect(201).json;
        let hold = json!({"user_id": "held", "reason": "a case"});
        let hold = server.post_as(inviter, "/api/v1/legal-holds", &hold).await.expect(201).json;
        let (job, _) = world.example("POST", "/api/v1/admin/jobs/{id}/cancel").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self(BTreeMap::from([
            ("invitation", text(&invitation["invitation_id"])),
            ("job", job.split('/').find(|part| part.starts_with("job_")).unwrap().to_owned()),
            ("user", text(&session["user"]["user_id"])),
            ("event", text(&made["event_id"])),
            ("memory", text(&memory["memory_id"])),
            ("edit", text(&edit["edit_id"])),
            ("decision", text(&decision["decision_id"])),
            ("task", text(&task["task_id"])),
            ("block", text(&block["label"])),
            ("bundle", text(&bundle["acb_id"])),
            ("entity", text(&entity["name"])),
            ("rule", text(&rule["rule_id"])),
            ("capsule", text(&capsule["capsule_id"])),
            ("chunk", text(&made["chunk_ids"][0])),
            ("artifact", text(&made["artifact_id"])),
            ("erasure", erased(server, access).await),
            ("hold", text(&hold["hold_id"])),
            ("export", exported(server, access).await),
            ("session", world.current_session(access).await),
            ("key", text(&key["key_id"])),
            ("talk", text(&event["session_id"])),
            ("agent", text(&event["agent_id"])),
            ("client", text(&event["client_event_id"])),
            ("tenant", tenant.to_owned()),
        ]))
    }

    /// Things that never were.
    fn absent() -> Self {
        let now = kernel::Clock::system().now();
        let ids = [
            ("user", "usr"),
            ("event", "evt"),
            ("memory", "mem"),
            ("edit", "edt"),
            ("decision", "dec"),
            ("task", "tsk"),
            ("block", "name"),
            ("bundle", "acb"),
            ("entity", "name"),
            ("rule", "rul"),
            ("capsule", "cap"),
            ("chunk", "chk"),
            ("artifact", "art"),
            ("erasure", "era"),
            ("hold", "hld"),
            ("export", "exp"),
            ("session", "ses"),
            ("key", "key"),
            ("talk", "talk"),
            ("agent", "agent"),
            ("client", "client"),
            ("tenant", "ten"),
            ("invitation", "inv"),
            ("job", "job"),
        ];
        Self(ids.into_iter().map(|(kind, prefix)| (kind, kernel::id::new_id(prefix, now))).collect())
    }
}

/// Somebody who probes; nobody without a credential.
struct Prober {
    name: &'static str,
    bearer: Option<String>,
}

fn prober(name: &'static str, bearer: &str) -> Prober {
    Prober { name, bearer: Some(bearer.to_owned()) }
}

/// Names one of the things at its place in a request that would else succeed.
async fn ask(world: &World, position: &Position, things: &Things, bearer: Option<&str>) -> Answer {
    let (route, id) = (position.route, &things.0[position.kind]);
    let is_bare = route.method == "DELETE" && matches!(position.place, Place::Path);
    let (path, body) =
        if is_bare { Default::default() } else { world.example(route.method, route.path).await };
    let (path, body) = match &position.place {
        Place::Path => {
            let named = |path: String, name| {
                let thing = &things.0[kind(route.path, name).expect("a path names things")];
                path.replace(&format!("{{{name}}}"), thing)
            };
            (in_path(route.path).fold(route.path.to_owned(), named), body)
        }
        Place::Query(name) => {
            let mut url = reqwest::Url::parse(&world.server.url(&path)).unwrap();
            let kept: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(known, _)| known != name)
                .map(|(k, v)| (k.into(), v.into()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, id);
            (format!("{}?{}", url.path(), url.query().unwrap()), body)
        }
        Place::Body(field) => {
            let is_list = field.last().is_some_and(|name| LISTS.contains(&name.as_str()));
            (path, with(&body, field, Some(if is_list { json!([id]) } else { json!(id) })))
        }
    };
    let mut request = world.server.request(route.method, &path);
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    world.server.send(request).await
}

/// The answer without what differs from request to request: the id that was asked for, new ids, times.
fn masked(answer: &Answer, things: &Things, kind: &str) -> (u16, String, Vec<(String, String)>) {
    let own = ["x-request-id", "x-response-time", "date", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    (answer.status, masked_text(&answer.text().replace(&things.0[kind], "<id>")), headers.collect())
}

fn masked_text(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !is_word(c)) {
        let (word, end) = word.split_at(word.trim_end_matches(|c: char| !is_word(c)).len());
        let is_id = word.split_once('_').is_some_and(|(prefix, rest)| prefix.len() <= 4 && rest.len() >= 20);
        let is_time = word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
        let is_request = word.len() == 26 && word.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_duration = out.ends_with("\"took_ms\"");
        out.push_str(if is_id || is_time || is_request || is_duration { "<new>" } else { word });
        out.push_str(end);
    }
    out
}

/// Probes every place in the name of others' things and of none; returns where the answers differ.
async fn differences(world: &World, probers: &[Prober], things: &Things, asked: &mut usize) -> Vec<String> {
    let (mut found, absent) = (Vec::new(), Things::absent());
    for position in positions().iter().filter(|position| things.0.contains_key(position.kind)) {
        for prober in probers {
            // An administrator of `acme` operates the server.
            if position.route.path.starts_with(OPERATED) && ["admin", "owner"].contains(&prober.name) {
                continue;
            }
            let bearer = prober.bearer.as_deref();
            let seen = masked(&ask(world, position, things, bearer).await, things, position.kind);
            let wanted = masked(&ask(world, position, &absent, bearer).await, &absent, position.kind);
            *asked += 2;
            if seen != wanted {
                let (seen, wanted) = ((seen.0, &seen.1), (wanted.0, &wanted.1));
                found.push(format!("{} as {}:\n  {seen:?}\n  {wanted:?}", position.said(), prober.name));
            }
        }
    }
    found
}

/// Takes a person out of service.
async fn disable(server: &Server, person: &SignedIn) {
    let id = person.user_id.clone();
    let done = server.app.store.write("test.disable", Reach::Everyone, move |tx| {
        Box::pin(async move {
            execute!(tx, "UPDATE users SET disabled_at = 1 WHERE user_id = $1", &id)?;
            Ok(())
        })
    });
    done.await.unwrap();
}

/// Credentials that once were good.
async fn spent(world: &World) -> Vec<Prober> {
    let server = &world.server;
    let ended = fresh_session(server, "acme", "mary").await["access_token"].as_str().unwrap().to_owned();
    server.send(server.request("DELETE", "/api/v1/session").bearer_auth(&ended)).await.expect(204);
    let gone = Person { tenant: "acme", name: "gone", role: Some(kernel::Role::Owner) };
    let gone = signed_in(server, &gone).await;
    let gone_key = key(server, "acme", &["admin"], Some("gone")).await;
    disable(server, &gone).await;
    vec![
        Prober { name: "nobody", bearer: None },
        prober("an expired token", &world.member.expired),
        prober("a revoked key", &world.revoked_key),
        prober("an ended session", &ended),
        prober("a suspended owner", &gone.access),
        prober("a suspended owner's key", &gone_key),
    ]
}

on_both_engines! {
    async fn every_place_answers_for_foreign_things_as_for_absent_ones(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let stranger = signed_in(server, &Person { tenant: "other", name: "zoe", role: Some(kernel::Role::Owner) }).await;
        let of_stranger = Things::of(&world, "other", &stranger.access, &stranger.access).await;
        let mut of_foreigner = Things::of(&world, "acme", &world.foreigner.access, &world.owner.access).await;
        of_foreigner.0.remove("tenant").expect("it is no secret to those in it");
        let named = |name: &'static str| prober(name, world.caller(name));
        let mut asked = 0;

        // Another tenant's things: nobody of this one sees them, whatever the role.
        let mut here = spent(&world).await;
        here.extend(["viewer", "member", "admin", "owner", "reader key", "writer key", "member's key"].map(named));
        let mut found = differences(&world, &here, &of_stranger, &mut asked).await;

        // Another person's things in the same tenant, and from outside it.
        let mut beside: Vec<Prober> = ["viewer", "member", "member's key"].map(named).into();
        beside.push(prober("an administrator's key of another tenant", world.caller("stranger")));
        beside.push(prober("an owner of another tenant", &stranger.access));
        found.extend(differences(&world, &beside, &of_foreigner, &mut asked).await);
        assert!(found.is_empty(), "{} places tell foreign from absent:\n{}", found.len(), found.join("\n"));
        assert!(here.len() + beside.len() > 12 && asked > 500, "{asked} probes");
        eprintln!("{asked} probes at {} places on {engine:?}", positions().len());

        // Nothing of theirs was touched.
        for (access, things) in [(&stranger.access, &of_stranger), (&world.foreigner.access, &of_foreigner)] {
            server.get_as(access, &format!("/api/v1/events/{}", things.0["event"])).await.expect(200);
            let own = server.get_as(access, "/api/v1/api-keys").await.expect(200);
            assert!(own.text().contains(&things.0["key"]) && own.json["items"][0]["revoked_at"].is_null(), "{}", own.text());
        }
        let session = server.get_as(&stranger.access, "/api/v1/session").await.expect(200);
        assert_eq!(session.json["user"]["roles"], json!(["owner"]));

        // The control: for their owner, as for a server that forgot to ask whose they are, the same check goes red at
        // every path from which a thing can be read.
        let blind = differences(&world, &[prober("their owner", &stranger.access)], &of_stranger, &mut asked).await;
        let reads = |position: &&Position| matches!(position.place, Place::Path) && position.route.method == "GET";
        let unseen: Vec<String> = positions().iter().filter(reads).map(Position::said)
            .filter(|said| !blind.iter().any(|line| line.starts_with(said)))
            .collect();
        assert!(unseen.is_empty() && blind.len() > unseen.len(), "a leak would go unseen at {unseen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spent_are_refused_at_every_place() {
    let world = World::on(Server::start(Engine::Sqlite).await).await;
    let absent = Things::absent();
    for prober in spent(&world).await {
        for position in positions() {
            let answer = ask(&world, &position, &absent, prober.bearer.as_deref()).await;
            assert_eq!(answer.status, 401, "{} as {}: {}", position.said(), prober.name, answer.text());
        }
    }
}
