//! The wall between tenants: words of one are never in an answer to another.

use kernel::Role;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::principals::{Person, SignedIn, key, signed_in};
use crate::routes_table::{ROUTES, World};
use crate::support::*;

/// A tenant whose every name holds its canary.
struct Tenant {
    canary: &'static str,
    tenant: &'static str,
    owner: SignedIn,
    admin_key: String,
    key_id: String,
    session_id: String,
    event: String,
    chunk: String,
    artifact: String,
    conversation: String,
}

impl Tenant {
    async fn fill(server: &Server, canary: &'static str, tenant: &'static str) -> Self {
        let owner = Person { tenant, name: canary, role: Some(Role::Owner) };
        let owner = signed_in(server, &owner).await;
        let post =
            async |path: &str, body: Value| server.post_as(&owner.access, path, &body).await.expect(201).json;
        let conversation = format!("talk-{canary}");
        let event = |text: String| {
            json!({"session_id": conversation, "channel": "team", "kind": "message",
            "actor": {"type": "human", "id": format!("id-{canary}"), "name": format!("Name {canary}")},
            "agent_id": format!("agent-{canary}"), "client_event_id": format!("{canary}-{}", text.len()),
            "tags": [format!("tag-{canary}")], "refs": [format!("ref-{canary}")],
            "content": {"text": text, "caption": format!("picture of {canary}")}})
        };
        let public = json!({"channel": "public"});
        let mut open = event(format!("the lighthouse keeper named {canary} in the open"));
        open["channel"] = public["channel"].clone();
        post("/api/v1/events", open).await;
        post("/api/v1/events", event(format!("the lighthouse keeper told {canary} the way"))).await;
        let long = event(format!("{canary} lighthouse {}", format!("{canary} keeper ").repeat(6_000)));
        let made = post("/api/v1/events", long).await;
        let new_key = json!({"name": format!("key of {canary}"), "scopes": ["memory:read"]});
        let made_key = post("/api/v1/api-keys", new_key).await;
        post("/api/v1/invitations", json!({"role": "viewer"})).await;
        let sessions = server.get_as(&owner.access, "/auth/sessions").await.expect(200).json;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            canary,
            tenant,
            admin_key: key(server, tenant, &["admin"], None).await,
            owner,
            key_id: text(&made_key["key_id"]),
            session_id: text(&sessions["sessions"][0]["session_id"]),
            event: text(&made["event_id"]),
            chunk: text(&made["chunk_ids"][0]),
            artifact: text(&made["artifact_id"]),
            conversation,
        }
    }

    /// Paths of the things here under a route's template.
    fn path(&self, template: &str) -> String {
        let user = &self.owner.user_id;
        template
            .replace("users/{id}", &format!("users/{user}"))
            .replace("sessions/{id}", &format!("sessions/{}", self.session_id))
            .replace("{key_id}", &self.key_id)
            .replace("{event_id}", &self.event)
            .replace("{chunk_id}", &self.chunk)
            .replace("{artifact_id}", &self.artifact)
    }

    /// Queries that ask for the things here, for each route that takes one.
    fn queries(&self) -> Vec<String> {
        let (user, talk) = (&self.owner.user_id, &self.conversation);
        let agent = format!("agent-{}", self.canary);
        vec![
            String::new(),
            format!("?session_id={talk}"),
            format!("?user_id={user}"),
            format!("?user_id={user}&session_id={talk}"),
            format!("?user_id=key_other&session_id={talk}&agent_id={agent}"),
            format!("?session_id={talk}&tenant_id={}", self.tenant),
            "?limit=200".to_owned(),
        ]
    }

    /// Bodies that ask for the things here, for `POST`.
    fn bodies(&self) -> Vec<Value> {
        let user = &self.owner.user_id;
        vec![
            json!({"query": "lighthouse keeper", "limit": 200, "neighbours": 3, "explain": true}),
            json!({"query": "lighthouse keeper", "user_id": user}),
            json!({"query": "lighthouse keeper", "channel": "public"}),
            json!({"query": "lighthouse keeper", "channels": ["team", "public"], "session_id": self.conversation}),
            json!({"token": self.owner.access}),
            json!({"role": "viewer"}),
            json!({"user_id": user}),
        ]
    }
}

/// Answers to `me` over every route that hold `word`. Everything is asked for in the names of `other`'s things.
async fn answers_with(server: &Server, me: &Tenant, other: &Tenant, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |who: &str, answer: &Answer| {
        // A token carries its owner's names: showing it is no leak, and neither is telling what it says.
        if answer.everything().contains(word) {
            found.push(format!("{} as {who} → {}", answer.said, answer.status));
        }
    };
    for (who, bearer) in [("owner", &me.owner.access), ("admin key", &me.admin_key)] {
        for route in ROUTES.iter().filter(|route| route.path != "/api/v1/session" || route.method == "GET") {
            let path = other.path(route.path);
            let asks: Vec<(String, Value)> = if route.method == "GET" || route.method == "DELETE" {
                other.queries().into_iter().map(|query| (format!("{path}{query}"), Value::Null)).collect()
            } else {
                other.bodies().into_iter().map(|body| (path.clone(), body)).collect()
            };
            for (path, body) in asks {
                let is_validation = route.path == "/auth/validate" || route.path == "/auth/register";
                if is_validation {
                    continue;
                }
                let mut request = server.request(route.method, &path).bearer_auth(bearer);
                if !body.is_null() {
                    request = request.json(&body);
                }
                check(who, &server.send(request).await);
            }
        }
        for path in ["/metrics", "/metrics/json", "/api/v1/metrics", "/health", "/openapi.json"] {
            check(who, &server.get_as(bearer, path).await);
        }
    }
    found
}

on_both_engines! {
    async fn no_answer_to_one_tenant_holds_a_word_of_another(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let quokka = Tenant::fill(server, "quokka9vbn", "tenant-quokka9vbn").await;
        let zebra = Tenant::fill(server, "zebrafish7qx", "tenant-zebrafish7qx").await;
        for (me, other) in [(&quokka, &zebra), (&zebra, &quokka)] {
            let leaks = answers_with(server, me, other, other.canary).await;
            assert!(leaks.is_empty(), "{} read {}:\n{}", me.canary, other.canary, leaks.join("\n"));
        }
        for me in [&quokka, &zebra] {
            // Each finds its own, by every way there is.
            let own = |path: &str| me.path(path);
            for path in [
                own("/api/v1/events/{event_id}"), own("/api/v1/chunks/{chunk_id}"), own("/api/v1/artifacts/{artifact_id}"),
                format!("/api/v1/events?session_id={}", me.conversation), "/api/v1/memory/timeline".into(),
                "/api/v1/sessions".into(), "/api/v1/users".into(), "/api/v1/api-keys".into(), "/api/v1/session".into(),
            ] {
                let answer = server.get_as(&me.owner.access, &path).await.expect(200);
                assert!(answer.text().contains(me.canary), "{path} of {}: {}", me.canary, answer.text());
            }
            let search = json!({"query": "lighthouse keeper"});
            let answer = server.post_as(&me.owner.access, "/api/v1/memories/search", &search).await.expect(200);
            assert_eq!(answer.json["items"].as_array().unwrap().iter().filter(|hit|
                hit["event"]["tenant_id"] == me.tenant).count(), answer.json["items"].as_array().unwrap().len());
            assert!(answer.text().contains(me.canary));
            let role = server.get_as(&me.owner.access, "/api/v1/session").await.expect(200);
            assert_eq!(role.json["user"]["roles"], json!(["owner"]), "no other tenant took it");
            let stats = server.get_as(&me.owner.access, "/api/v1/memory/stats").await.expect(200);
            assert_eq!(stats.json["events"], 3, "no other tenant wrote here");
            let keys = server.get_as(&me.owner.access, "/api/v1/api-keys?limit=200").await.expect(200);
            let own = keys.json["items"].as_array().unwrap().iter().find(|key| key["key_id"] == me.key_id.as_str()).unwrap();
            assert_eq!(own["revoked_at"], Value::Null, "no other tenant revoked it");
        }
        // The check itself: a word that is planted on the wrong side of the wall is found.
        let planted = json!({"session_id": "planted", "channel": "private", "kind": "message",
            "actor": {"type": "human", "id": "mole"}, "content": {"text": "the lighthouse keeper hides zebrafish7qx"}});
        server.post_as(&quokka.owner.access, "/api/v1/events", &planted).await.expect(201);
        let leaks = answers_with(server, &quokka, &zebra, zebra.canary).await;
        let over = |path: &str| leaks.iter().any(|leak| leak.contains(path));
        assert!(over("/api/v1/memory/timeline") && over("/api/v1/memories/search"), "{leaks:?}");
    }
}
