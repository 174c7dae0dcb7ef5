//! Every route of the API, what each kind of caller gets, and a request that each answers with success.

use kernel::{Role, Secret};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::principals::{PASSWORD, Person, SignedIn, fresh_session, key, signed_in};
use crate::support::{Server, eventually};

/// Callers with a valid credential, in the order of the columns below: sessions by role, keys that are bound to nobody by
/// scope, the member's own key, an administrator's key of another tenant, and another member of the same tenant.
pub(crate) const CALLERS: [&str; 9] = [
    "viewer",
    "member",
    "admin",
    "owner",
    "reader key",
    "writer key",
    "member's key",
    "stranger",
    "foreigner",
];

/// What a route answers.
pub(crate) enum Access {
    /// Everybody gets this; credentials are not looked at.
    Public(u16),
    /// 401 without a credential, else by the columns of [`CALLERS`].
    Caller([u16; 9]),
}

pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Contract routes ignore unknown fields, native ones refuse them.
    pub(crate) is_contract: bool,
    pub(crate) access: Access,
}

const fn contract(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, is_contract: true, access }
}

const fn native(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, is_contract: false, access }
}

const READS: Access = Access::Caller([200, 200, 200, 200, 200, 403, 200, 200, 200]);
const READS_ONE: Access = Access::Caller([404, 200, 404, 404, 200, 403, 200, 404, 404]);
const READS_LATER: Access = Access::Caller([202, 202, 202, 202, 202, 403, 202, 202, 202]);
/// Who asked for it, and the administrators of the tenant.
const READS_ASKED: Access = Access::Caller([404, 200, 200, 200, 404, 403, 200, 404, 404]);
const WRITES: Access = Access::Caller([403, 201, 201, 201, 403, 201, 201, 201, 201]);
/// Writes that older clients expect 200 of.
const WRITES_HERE: Access = Access::Caller([403, 200, 200, 200, 403, 200, 200, 200, 200]);
const WRITES_ONE: Access = Access::Caller([403, 200, 404, 404, 403, 200, 200, 404, 404]);
const REMOVES_ONE: Access = Access::Caller([403, 204, 404, 404, 403, 204, 204, 404, 404]);
const ADDS_TO_ONE: Access = Access::Caller([403, 201, 404, 404, 403, 201, 201, 404, 404]);
/// The owner of what an edit changes, and the administrators of the tenant.
const DECIDES: Access = Access::Caller([403, 200, 200, 200, 403, 200, 200, 404, 404]);
const ADMINISTERS: Access = Access::Caller([403, 403, 200, 200, 403, 403, 403, 200, 403]);
const ADMINISTERS_ONE: Access = Access::Caller([403, 403, 200, 200, 403, 403, 403, 404, 403]);
const ADMINISTERS_ONE_LATER: Access = Access::Caller([403, 403, 202, 202, 403, 403, 403, 404, 403]);
const ADMINISTERS_ONE_AWAY: Access = Access::Caller([403, 403, 204, 204, 403, 403, 403, 404, 403]);
/// The tenant `acme` is the operators'; the stranger administers another.
const OPERATES: Access = Access::Caller([403, 403, 200, 200, 403, 403, 403, 403, 403]);
const OPERATES_LATER: Access = Access::Caller([403, 403, 202, 202, 403, 403, 403, 403, 403]);
const OPERATES_SILENTLY: Access = Access::Caller([403, 403, 204, 204, 403, 403, 403, 403, 403]);
const SIGNED_IN: Access = Access::Caller([200; 9]);
const OWN_KEYS: Access = Access::Caller([201, 201, 201, 201, 403, 403, 201, 201, 201]);

const IMPORTS: Access = Access::Caller([403, 200, 200, 200, 403, 200, 200, 200, 200]);

/// The access table. The last row ends the sessions of its callers.
pub(crate) const ROUTES: &[Route] = &[
    contract("POST", "/auth/register", Access::Public(201)),
    contract("POST", "/auth/login", Access::Public(200)),
    contract("POST", "/auth/token/refresh", Access::Public(200)),
    contract("POST", "/auth/token/revoke", Access::Public(200)),
    contract("POST", "/auth/validate", Access::Public(200)),
    contract("POST", "/auth/token", Access::Caller([403, 403, 403, 403, 403, 403, 200, 403, 403])),
    contract("POST", "/auth/api-keys", OWN_KEYS),
    contract("GET", "/auth/sessions", SIGNED_IN),
    contract("DELETE", "/auth/sessions/{id}", Access::Caller([404, 204, 404, 404, 404, 404, 204, 404, 404])),
    native("GET", "/api/v1/setup", Access::Public(200)),
    native("POST", "/api/v1/setup", Access::Public(409)),
    native("POST", "/api/v1/session", Access::Public(200)),
    native("GET", "/api/v1/session", SIGNED_IN),
    native("GET", "/api/v1/api-keys", Access::Caller([200, 200, 200, 200, 403, 403, 200, 200, 200])),
    native("POST", "/api/v1/api-keys", OWN_KEYS),
    native(
        "DELETE",
        "/api/v1/api-keys/{key_id}",
        Access::Caller([404, 204, 204, 204, 403, 403, 204, 404, 404]),
    ),
    native("GET", "/api/v1/users", ADMINISTERS),
    native("PUT", "/api/v1/users/{id}/role", ADMINISTERS_ONE),
    native("POST", "/api/v1/invitations", Access::Caller([403, 403, 201, 201, 403, 403, 403, 201, 403])),
    native("GET", "/api/v1/invitations", ADMINISTERS),
    native("DELETE", "/api/v1/invitations/{id}", ADMINISTERS_ONE_AWAY),
    native("GET", "/api/v1/users/{id}/sessions", ADMINISTERS_ONE),
    native("DELETE", "/api/v1/users/{id}/sessions/{sid}", ADMINISTERS_ONE_AWAY),
    native("POST", "/api/v1/users/{id}/disable", ADMINISTERS_ONE),
    native("POST", "/api/v1/users/{id}/enable", ADMINISTERS_ONE),
    native("POST", "/api/v1/users/{id}/erase", ADMINISTERS_ONE_LATER),
    native("GET", "/api/v1/audit", ADMINISTERS),
    native("GET", "/api/v1/audit/export", ADMINISTERS),
    native("POST", "/api/v1/audit/verify", ADMINISTERS),
    contract("POST", "/api/v1/events", WRITES),
    native("POST", "/api/v1/events/batch", WRITES),
    contract("GET", "/api/v1/events", READS),
    contract("GET", "/api/v1/events/{event_id}", READS_ONE),
    contract("GET", "/api/v1/chunks/{chunk_id}", READS_ONE),
    contract("GET", "/api/v1/artifacts/{artifact_id}", READS_ONE),
    native("GET", "/api/v1/memory/timeline", READS),
    native("GET", "/api/v1/memory/stats", READS),
    native("GET", "/api/v1/legal-holds", ADMINISTERS),
    native("POST", "/api/v1/legal-holds", Access::Caller([403, 403, 201, 201, 403, 403, 403, 201, 403])),
    native("DELETE", "/api/v1/legal-holds/{hold_id}", ADMINISTERS_ONE_AWAY),
    native("POST", "/api/v1/memory/export", READS_LATER),
    native("POST", "/api/v1/memory/import", IMPORTS),
    native("GET", "/api/v1/memory/export", READS),
    native("GET", "/api/v1/memory/export/{export_id}", READS_ASKED),
    native("GET", "/api/v1/memory/export/{export_id}/file", READS_ASKED),
    native("POST", "/api/v1/memory/erasures", Access::Caller([403, 202, 202, 202, 403, 202, 202, 202, 202])),
    native("GET", "/api/v1/memory/erasures", READS),
    native("GET", "/api/v1/memory/erasures/{erasure_id}", READS_ASKED),
    native("GET", "/api/v1/memory/erasures/{erasure_id}/certificate", READS_ASKED),
    native("GET", "/api/v1/sessions", READS),
    native("POST", "/api/v1/memories/search", READS),
    contract("POST", "/api/v1/acb/build", READS),
    contract("POST", "/api/v1/context", READS),
    native("GET", "/api/v1/acb/{acb_id}", READS_ONE),
    native("GET", "/api/v1/memories", READS),
    native("POST", "/api/v1/memories", WRITES),
    native("GET", "/api/v1/memories/{memory_id}", READS_ONE),
    native("PATCH", "/api/v1/memories/{memory_id}", WRITES_ONE),
    native("DELETE", "/api/v1/memories/{memory_id}", REMOVES_ONE),
    native("GET", "/api/v1/memories/{memory_id}/history", READS_ONE),
    native("GET", "/api/v1/memories/{memory_id}/sources", READS_ONE),
    native("POST", "/api/v1/memories/{memory_id}/pin", WRITES_ONE),
    native("POST", "/api/v1/memories/{memory_id}/restore", WRITES_ONE),
    native("GET", "/api/v1/edits", READS),
    native("POST", "/api/v1/edits", Access::Caller([403, 201, 404, 404, 403, 201, 201, 404, 404])),
    native("POST", "/api/v1/edits/{edit_id}/approve", DECIDES),
    native("POST", "/api/v1/edits/{edit_id}/reject", DECIDES),
    contract("POST", "/api/v1/decisions", WRITES),
    contract("GET", "/api/v1/decisions", READS),
    native("GET", "/api/v1/decisions/{decision_id}", READS_ONE),
    native("GET", "/api/v1/tasks", READS),
    native("POST", "/api/v1/tasks", WRITES),
    native("PATCH", "/api/v1/tasks/{task_id}", Access::Caller([403, 200, 404, 404, 403, 404, 200, 404, 404])),
    native("GET", "/api/v1/blocks", READS),
    native("POST", "/api/v1/blocks", WRITES),
    native("GET", "/api/v1/blocks/{label}", READS_ONE),
    native("PATCH", "/api/v1/blocks/{label}", WRITES_ONE),
    native("DELETE", "/api/v1/blocks/{label}", REMOVES_ONE),
    native("GET", "/api/v1/blocks/{label}/versions", READS_ONE),
    contract("GET", "/mem0/v1/memories/", READS),
    contract("POST", "/mem0/v1/memories/", WRITES_HERE),
    contract("DELETE", "/mem0/v1/memories/", WRITES_HERE),
    contract("GET", "/mem0/v1/memories/{memory_id}/", READS_ONE),
    contract("PUT", "/mem0/v1/memories/{memory_id}/", WRITES_ONE),
    contract("DELETE", "/mem0/v1/memories/{memory_id}/", WRITES_ONE),
    contract("GET", "/mem0/v1/memories/{memory_id}/history/", READS_ONE),
    contract("GET", "/mem0/memories", READS),
    contract("POST", "/mem0/memories", WRITES_HERE),
    contract("DELETE", "/mem0/memories", WRITES_HERE),
    contract("GET", "/mem0/memories/{memory_id}", READS_ONE),
    contract("PUT", "/mem0/memories/{memory_id}", WRITES_ONE),
    contract("DELETE", "/mem0/memories/{memory_id}", WRITES_ONE),
    contract("GET", "/mem0/memories/{memory_id}/history", READS_ONE),
    contract("POST", "/mem0/v1/memories/search/", READS),
    contract("POST", "/mem0/v2/memories/", READS),
    contract("POST", "/mem0/v2/memories/search/", READS),
    contract("POST", "/mem0/v3/memories/", READS),
    contract("POST", "/mem0/v3/memories/search/", READS),
    contract("POST", "/mem0/search", READS),
    contract("POST", "/mem0/v3/memories/add/", WRITES_HERE),
    contract("GET", "/mem0/v1/ping/", SIGNED_IN),
    contract("POST", "/mcp", SIGNED_IN),
    // A session that was never opened.
    contract("DELETE", "/mcp", Access::Caller([400; 9])),
    native("GET", "/api/v1/rules", READS),
    native("POST", "/api/v1/rules", WRITES),
    native("GET", "/api/v1/rules/{rule_id}", READS_ONE),
    native("PATCH", "/api/v1/rules/{rule_id}", WRITES_ONE),
    native("DELETE", "/api/v1/rules/{rule_id}", REMOVES_ONE),
    native("GET", "/api/v1/capsules", READS),
    native("POST", "/api/v1/capsules", WRITES),
    native("GET", "/api/v1/capsules/{capsule_id}", READS_ONE),
    native("POST", "/api/v1/capsules/{capsule_id}/revoke", REMOVES_ONE),
    native("POST", "/api/v1/memory/tool", READS),
    native("GET", "/api/v1/entities", READS),
    native("POST", "/api/v1/entities", WRITES),
    native("GET", "/api/v1/entities/{entity}", READS_ONE),
    native("DELETE", "/api/v1/entities/{entity}", REMOVES_ONE),
    native("POST", "/api/v1/entities/{entity}/relations", ADDS_TO_ONE),
    native("DELETE", "/api/v1/entities/{entity}/relations", REMOVES_ONE),
    native("GET", "/api/v1/admin/dependencies", OPERATES),
    native("GET", "/api/v1/admin/configuration", OPERATES),
    native("GET", "/api/v1/admin/jobs", OPERATES),
    native("GET", "/api/v1/admin/jobs/summary", OPERATES),
    native("POST", "/api/v1/admin/jobs/{id}/retry", OPERATES_SILENTLY),
    native("POST", "/api/v1/admin/jobs/{id}/cancel", OPERATES_SILENTLY),
    native("POST", "/api/v1/admin/jobs/kinds/{kind}/pause", OPERATES_SILENTLY),
    native("POST", "/api/v1/admin/jobs/kinds/{kind}/resume", OPERATES_SILENTLY),
    native("GET", "/api/v1/admin/schedules", OPERATES),
    native("GET", "/api/v1/admin/backups", OPERATES),
    native("POST", "/api/v1/admin/backups", OPERATES_LATER),
    native("POST", "/api/v1/admin/backups/{name}/verify", OPERATES_LATER),
    native("GET", "/api/v1/admin/retention", OPERATES),
    native("DELETE", "/api/v1/session", Access::Caller([204; 9])),
];

/// Routes that are no part of the described API: health, metrics, and the description itself.
pub(crate) const BESIDE: [&str; 10] = [
    "/openapi.json",
    "/healthz",
    "/health",
    "/health/live",
    "/health/db",
    "/health/ready",
    "/api/health",
    "/metrics",
    "/metrics/json",
    "/api/v1/metrics",
];

/// A server with people, keys and memories in two tenants.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) member: SignedIn,
    pub(crate) foreigner: SignedIn,
    pub(crate) owner: SignedIn,
    pub(crate) subject: SignedIn,
    pub(crate) event: String,
    pub(crate) chunk: String,
    pub(crate) artifact: String,
    decision: String,
    task: String,
    /// Done, at the wish of the member.
    pub(crate) erasure: String,
    /// Done, at the wish of the member.
    pub(crate) export: String,
    pub(crate) revoked_key: String,
    /// Credentials in the order of [`CALLERS`].
    pub(crate) callers: Vec<String>,
}

fn person(name: &'static str, role: Role) -> Person {
    Person { tenant: "acme", name, role: Some(role) }
}

/// What `worker` hands over to `scout`.
pub(crate) fn capsule() -> Value {
    json!({"author_agent_id": "worker", "audience_agent_ids": ["scout"], "ttl_days": 2,
        "packet": {"goal": "find flowers", "state": "begun", "next_steps": ["look south"]}, "risks": ["rain"]})
}

/// A name that nobody has given yet.
pub(crate) fn fresh_name() -> String {
    kernel::id::new_id("name", kernel::Clock::system().now())
}

/// A message of one's own.
pub(crate) fn event(text: &str) -> Value {
    json!({"session_id": "talk", "channel": "private", "actor": {"type": "human", "id": "ada", "name": "Ada"},
        "kind": "message", "content": {"text": text}, "tags": ["work"]})
}

/// A wish for a bundle.
pub(crate) fn bundle(intent: &str) -> Value {
    json!({"session_id": "talk", "agent_id": "helper", "channel": "private", "intent": intent, "max_tokens": 4_000,
        "budgets": {"rules": 100}, "include_text": true})
}

/// An erasure that somebody asked for and that is done.
pub(crate) async fn erased(server: &Server, access: &str) -> String {
    let wish = json!({"session_id": "forgotten", "confirm": "forgotten"});
    let asked = server.post_as(access, "/api/v1/memory/erasures", &wish).await.expect(202).json;
    let id = asked["erasure_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/memory/erasures/{id}");
    eventually(20, || server.get_as(access, &path), |answer| answer.json["state"] == "done").await;
    id
}

/// An export that somebody asked for and that is done.
pub(crate) async fn exported(server: &Server, access: &str) -> String {
    let asked =
        server.post_as(access, "/api/v1/memory/export", &json!({"objects": true})).await.expect(202).json;
    let id = asked["export_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/memory/export/{id}");
    eventually(20, || server.get_as(access, &path), |answer| answer.json["state"] == "done").await;
    id
}

impl World {
    pub(crate) async fn on(server: Server) -> Self {
        let owner = signed_in(&server, &person("olga", Role::Owner)).await;
        let admin = signed_in(&server, &person("anna", Role::Admin)).await;
        let member = signed_in(&server, &person("mary", Role::Member)).await;
        let viewer = signed_in(&server, &person("vera", Role::Viewer)).await;
        let foreigner = signed_in(&server, &person("fred", Role::Member)).await;
        let subject = signed_in(&server, &person("sara", Role::Viewer)).await;
        let long = format!("a long report {}", "word ".repeat(20_000));
        let made = server.post_as(&member.access, "/api/v1/events", &event(&long)).await.expect(201).json;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let decision = json!({"decision": "Keep bees"});
        let decision = server.post_as(&member.access, "/api/v1/decisions", &decision).await.expect(201).json;
        let task = json!({"title": "Build a hive"});
        let task = server.post_as(&member.access, "/api/v1/tasks", &task).await.expect(201).json;
        let erasure = erased(&server, &member.access).await;
        let export = exported(&server, &member.access).await;
        let revoked_key = key(&server, "acme", &["admin"], None).await;
        let listed = server.get_as(&owner.access, "/api/v1/api-keys").await.expect(200).json;
        let id = listed["items"][0]["key_id"].as_str().unwrap();
        let revoke = server.request("DELETE", &format!("/api/v1/api-keys/{id}"));
        server.send(revoke.bearer_auth(&owner.access)).await.expect(204);
        let callers = vec![
            viewer.access,
            member.access.clone(),
            admin.access,
            owner.access.clone(),
            key(&server, "acme", &["memory:read"], None).await,
            key(&server, "acme", &["memory:write"], None).await,
            key(&server, "acme", &["memory:*"], Some("mary")).await,
            key(&server, "other", &["admin"], None).await,
            foreigner.access.clone(),
        ];
        Self {
            event: text("event_id"),
            chunk: made["chunk_ids"][0].as_str().unwrap().to_owned(),
            artifact: text("artifact_id"),
            decision: decision["decision_id"].as_str().unwrap().to_owned(),
            task: task["task_id"].as_str().unwrap().to_owned(),
            erasure,
            export,
            server,
            member,
            foreigner,
            owner,
            subject,
            revoked_key,
            callers,
        }
    }

    /// The credential of a caller by its name.
    pub(crate) fn caller(&self, name: &str) -> &str {
        let at = CALLERS.iter().position(|known| *known == name).unwrap();
        &self.callers[at]
    }

    /// A request of a route that succeeds for whoever may make it, with a target of its own if it destroys one.
    pub(crate) async fn request(&self, route: &Route) -> RequestBuilder {
        let (path, body) = self.example(route.method, route.path).await;
        let request = self.server.request(route.method, &path);
        if body.is_null() { request } else { request.json(&body) }
    }

    /// A path and a body for a route.
    pub(crate) async fn example(&self, method: &str, path: &str) -> (String, Value) {
        let session = || fresh_session(&self.server, "acme", "mary");
        let same = |body: Value| (path.to_owned(), body);
        match (method, path) {
            ("POST", "/auth/register") => {
                let name = &kernel::random::token()[..20];
                same(
                    json!({"username": name, "password": PASSWORD, "tenant_id": "acme", "email": "new@example.org"}),
                )
            }
            ("POST", "/auth/login") => {
                same(json!({"username": "mary", "password": PASSWORD, "tenant_id": "acme"}))
            }
            ("POST", "/auth/token/refresh" | "/auth/token/revoke") => {
                same(json!({"refresh_token": session().await["refresh_token"]}))
            }
            ("POST", "/auth/validate") => same(json!({"token": self.member.access})),
            ("POST", "/auth/token") => same(json!({"user_id": self.member.user_id, "expires_in_hours": 2})),
            ("POST", "/auth/api-keys") => same(json!({"scopes": ["memory:read"], "name": "reader"})),
            ("DELETE", "/auth/sessions/{id}") => {
                let access = session().await["access_token"].as_str().unwrap().to_owned();
                let id = self.current_session(&access).await;
                (format!("/auth/sessions/{id}"), Value::Null)
            }
            ("POST", "/api/v1/setup") => {
                same(json!({"tenant_name": "acme", "username": "eve", "password": PASSWORD}))
            }
            ("POST", "/api/v1/session") => {
                same(json!({"tenant": "acme", "username": "mary", "password": PASSWORD}))
            }
            ("POST", "/api/v1/api-keys") => same(json!({"name": "reader", "scopes": ["memory:read"],
                "expires_at": "2199-01-01T00:00:00Z", "acts_for": "self"})),
            ("DELETE", "/api/v1/api-keys/{key_id}") => {
                let body = json!({"name": "to be revoked", "scopes": ["memory:read"]});
                let made = self.server.post_as(&self.member.access, "/api/v1/api-keys", &body);
                let made = made.await.expect(201).json;
                let id = made["key_id"].as_str().unwrap();
                (format!("/api/v1/api-keys/{id}"), Value::Null)
            }
            ("PUT", "/api/v1/users/{id}/role") => {
                let path = format!("/api/v1/users/{}/role", self.subject.user_id);
                (path, json!({"role": "viewer"}))
            }
            ("POST", "/api/v1/users/{id}/disable" | "/api/v1/users/{id}/enable")
            | ("GET", "/api/v1/users/{id}/sessions") => {
                (path.replace("{id}", &self.subject.user_id), Value::Null)
            }
            ("DELETE", "/api/v1/users/{id}/sessions/{sid}") => {
                let access = session().await["access_token"].as_str().unwrap().to_owned();
                let id = self.current_session(&access).await;
                (format!("/api/v1/users/{}/sessions/{id}", self.member.user_id), Value::Null)
            }
            ("DELETE", "/api/v1/invitations/{id}") => {
                let body = json!({"role": "viewer"});
                let made = self.server.post_as(&self.owner.access, "/api/v1/invitations", &body);
                let made = made.await.expect(201).json;
                (format!("/api/v1/invitations/{}", made["invitation_id"].as_str().unwrap()), Value::Null)
            }
            ("GET", "/api/v1/audit/export") => (format!("{path}?format=csv&action=identity"), Value::Null),
            ("POST", "/api/v1/audit/verify") => same(Value::Null),
            ("POST", "/api/v1/invitations") => same(json!({"role": "viewer"})),
            ("POST", "/api/v1/events") => same(event("a word of one's own")),
            ("POST", "/api/v1/events/batch") => same(json!({"events": [event("first"), event("second")]})),
            ("GET", "/api/v1/events") => (format!("{path}?session_id=talk&limit=5"), Value::Null),
            ("GET", "/api/v1/events/{event_id}") => (format!("/api/v1/events/{}", self.event), Value::Null),
            ("GET", "/api/v1/chunks/{chunk_id}") => (format!("/api/v1/chunks/{}", self.chunk), Value::Null),
            ("GET", "/api/v1/artifacts/{artifact_id}") => {
                (format!("/api/v1/artifacts/{}", self.artifact), Value::Null)
            }
            ("POST", "/api/v1/memories/search") => same(json!({"query": "a long report", "limit": 3,
                "neighbours": 1, "channel": "private", "tags": {"any": ["work"]}, "mode": "auto"})),
            ("POST", "/api/v1/acb/build" | "/api/v1/context") => {
                // What changed since the last bundle is told in the next one alone: this one hears it.
                let last = bundle("continue");
                self.server.post_as(&self.member.access, "/api/v1/acb/build", &last).await.expect(200);
                same(bundle("how goes the long report?"))
            }
            ("GET", "/api/v1/acb/{acb_id}") => {
                let wish = bundle("continue");
                let made = self.server.post_as(&self.member.access, "/api/v1/acb/build", &wish);
                let made = made.await.expect(200).json;
                (path.replace("{acb_id}", made["acb_id"].as_str().unwrap()), Value::Null)
            }
            ("POST", "/api/v1/admin/jobs/{id}/retry" | "/api/v1/admin/jobs/{id}/cancel") => {
                (path.replace("{id}", &self.waiting_job().await), Value::Null)
            }
            ("POST", _) if path.contains("/kinds/{kind}/") => {
                (path.replace("{kind}", "memory.embed"), Value::Null)
            }
            ("POST", "/api/v1/admin/backups") => same(Value::Null),
            ("POST", "/api/v1/admin/backups/{name}/verify") => {
                let folder = &self.server.app.config.backup.folder;
                let name = "backup_20260131_020000.hearth";
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(name), "a stranger's file").unwrap();
                (path.replace("{name}", name), Value::Null)
            }
            ("POST", "/api/v1/memories") => same(
                json!({"text": format!("Ada keeps {}.", kernel::id::new_id("bee", kernel::Clock::system().now())), "type": "fact", "tags": ["work"],
                "metadata": {"n": 1}, "importance": 0.5}),
            ),
            ("PATCH", "/api/v1/memories/{memory_id}") => {
                (self.fresh_memory(path).await, json!({"text": "Ada keeps goats."}))
            }
            ("POST", "/api/v1/memories/{memory_id}/pin") => {
                (self.fresh_memory(path).await, json!({"pinned": true}))
            }
            ("PUT", _) if path.contains("{memory_id}") => {
                (self.fresh_memory(path).await, json!({"text": "Ada keeps goats.", "metadata": {"n": 1}}))
            }
            (_, _) if path.contains("{memory_id}") => (self.fresh_memory(path).await, Value::Null),
            ("DELETE", "/mem0/v1/memories/" | "/mem0/memories") => {
                (format!("{path}?run_id=nobodys"), Value::Null)
            }
            ("POST", _) if path.starts_with("/mem0/") && path.contains("search") => same(
                json!({"query": "a long report", "top_k": 3, "threshold": 0.1, "filters": {"run_id": "r"}}),
            ),
            ("POST", "/mcp") => same(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
                "params": {"protocolVersion": "2025-11-25", "capabilities": {}}})),
            ("POST", "/mem0/v2/memories/" | "/mem0/v3/memories/") => {
                same(json!({"run_id": "r", "filters": {}}))
            }
            ("POST", _) if path.starts_with("/mem0/") => {
                let text = format!("Ada keeps {}.", kernel::id::new_id("bee", kernel::Clock::system().now()));
                same(json!({"infer": false, "run_id": "r", "metadata": {"n": 1},
                    "messages": [{"role": "user", "content": text, "name": "Ada"}]}))
            }
            ("POST", "/api/v1/edits") => {
                let id = self.fresh_memory("{memory_id}").await;
                same(
                    json!({"target_id": id, "op": "amend", "patch": {"text": "Ada keeps goats."}, "reason": "sold"}),
                )
            }
            ("POST", _) if path.contains("{edit_id}") => {
                (path.replace("{edit_id}", &self.fresh_edit().await), json!({"reason": "so it is"}))
            }
            ("POST", "/api/v1/decisions") => {
                same(json!({"decision": "Sell the bees", "rationale": ["stings"]}))
            }
            ("GET", "/api/v1/decisions/{decision_id}") => {
                (path.replace("{decision_id}", &self.decision), Value::Null)
            }
            ("POST", "/api/v1/tasks") => same(json!({"title": "Buy goats", "priority": 1})),
            ("PATCH", "/api/v1/tasks/{task_id}") => {
                (path.replace("{task_id}", &self.task), json!({"status": "doing"}))
            }
            ("POST", "/api/v1/blocks") => same(json!({"label": fresh_name(), "text": "Ada keeps bees.",
                "limit_chars": 2_000, "description": "what she keeps"})),
            ("PATCH", "/api/v1/blocks/{label}") => {
                let change = json!({"old": "bees", "new": "goats"});
                (self.fresh_block(path).await, json!({"expected_version": 1, "replace": change}))
            }
            (_, _) if path.contains("{label}") => (self.fresh_block(path).await, Value::Null),
            ("POST", "/api/v1/rules") => {
                same(json!({"content": "Never sting first.", "scope": "user", "priority": 3}))
            }
            ("PATCH", "/api/v1/rules/{rule_id}") => {
                (self.fresh_rule(path).await, json!({"content": "Never sting.", "state": "disabled"}))
            }
            (_, _) if path.contains("{rule_id}") => (self.fresh_rule(path).await, Value::Null),
            ("GET", "/api/v1/capsules") => (format!("{path}?agent_id=scout"), Value::Null),
            ("POST", "/api/v1/capsules") => same(capsule()),
            (_, _) if path.contains("{capsule_id}") => {
                let wish = capsule();
                let made = self.server.post_as(&self.member.access, "/api/v1/capsules", &wish).await;
                let made = made.expect(201).json;
                let path = path.replace("{capsule_id}", made["capsule_id"].as_str().unwrap());
                (format!("{path}?agent_id=worker"), Value::Null)
            }
            ("POST", "/api/v1/memory/tool") => same(json!({"command": "view", "path": "/memories"})),
            ("POST", "/api/v1/entities") => same(json!({"name": fresh_name(), "entity_type": "hive"})),
            ("POST", "/api/v1/entities/{entity}/relations") => {
                let (path, name) = self.fresh_entity(path).await;
                (path, json!({"to": name, "relation_type": "stands by"}))
            }
            ("DELETE", "/api/v1/entities/{entity}/relations") => {
                let (path, name) = self.fresh_entity(path).await;
                let relation = json!({"to": name, "relation_type": "stands by"});
                self.server.post_as(&self.member.access, &path, &relation).await.expect(201);
                (format!("{path}&to={name}&relation_type=stands%20by"), Value::Null)
            }
            (_, _) if path.contains("{entity}") => (self.fresh_entity(path).await.0, Value::Null),
            ("POST", "/api/v1/memory/erasures") => {
                same(json!({"session_id": "never mind", "confirm": "never mind"}))
            }
            // One line of its own format is a file, too.
            ("POST", "/api/v1/memory/import") => same(json!({"type": "entity", "name": fresh_name(),
                "entityType": "bee", "observations": ["hums"]})),
            ("POST", "/api/v1/memory/export") => same(json!({"objects": true})),
            ("GET", _) if path.contains("{export_id}") => {
                (path.replace("{export_id}", &self.export), Value::Null)
            }
            ("POST", "/api/v1/legal-holds") => same(json!({"user_id": "held", "reason": "a case"})),
            ("DELETE", "/api/v1/legal-holds/{hold_id}") => {
                let wish = json!({"user_id": "held", "reason": "a case"});
                let made = self.server.post_as(&self.owner.access, "/api/v1/legal-holds", &wish);
                let made = made.await.expect(201).json;
                (path.replace("{hold_id}", made["hold_id"].as_str().unwrap()), Value::Null)
            }
            ("POST", "/api/v1/users/{id}/erase") => {
                let name = format!("leaving-{}", &kernel::random::token()[..12]);
                let identity = &self.server.app.identity;
                let made = identity.create_user("acme", &name, Some(Role::Viewer), Secret::new(PASSWORD));
                let id = made.await.unwrap();
                (path.replace("{id}", &id), json!({ "confirm": id }))
            }
            ("GET", _) if path.contains("{erasure_id}") => {
                (path.replace("{erasure_id}", &self.erasure), Value::Null)
            }
            ("GET" | "DELETE", _) if !path.contains('{') => same(Value::Null),
            _ => panic!("no example for {method} {path}"),
        }
    }

    /// A path with a new memory of the member's in it.
    async fn fresh_memory(&self, path: &str) -> String {
        let wish = json!({"text": format!("Ada keeps {} bees.", kernel::random::token())});
        let made = self.server.post_as(&self.member.access, "/api/v1/memories", &wish).await.expect(201).json;
        path.replace("{memory_id}", made["memory"]["memory_id"].as_str().unwrap())
    }

    /// A path with a new rule of the member's in it.
    async fn fresh_rule(&self, path: &str) -> String {
        let wish = json!({"content": "Never sting first."});
        let made = self.server.post_as(&self.member.access, "/api/v1/rules", &wish).await.expect(201).json;
        path.replace("{rule_id}", made["rule_id"].as_str().unwrap())
    }

    /// A path with a new entity of the member's in it, and its name.
    async fn fresh_entity(&self, path: &str) -> (String, String) {
        let name = fresh_name();
        let wish = json!({"name": name, "entity_type": "hive", "observations": ["It hums."]});
        self.server.post_as(&self.member.access, "/api/v1/entities", &wish).await.expect(201);
        (format!("{}?user_id={}", path.replace("{entity}", &name), self.member.user_id), name)
    }

    /// A path with a new block of the member's in it.
    async fn fresh_block(&self, path: &str) -> String {
        let wish = json!({"label": fresh_name(), "text": "Ada keeps bees."});
        let made = self.server.post_as(&self.member.access, "/api/v1/blocks", &wish).await.expect(201).json;
        format!(
            "{}?user_id={}",
            path.replace("{label}", made["label"].as_str().unwrap()),
            self.member.user_id
        )
    }

    /// A proposal to change a new memory of the member's.
    pub(crate) async fn fresh_edit(&self) -> String {
        let wish =
            json!({"target_id": self.fresh_memory("{memory_id}").await, "op": "retract", "propose": true});
        let made = self.server.post_as(&self.member.access, "/api/v1/edits", &wish).await.expect(201).json;
        made["edit"]["edit_id"].as_str().unwrap().to_owned()
    }

    /// A new job of a kind that nobody runs.
    async fn waiting_job(&self) -> String {
        let now = kernel::Clock::system().now();
        let tenant = kernel::TenantId::parse("other").unwrap();
        let key = kernel::random::token();
        let payload = json!({"token": "a-secret-of-the-job", "note": "shown"}).to_string();
        let job = store::NewJob { kind: "test.nobody", key: key.clone(), payload, run_at: now };
        let store = &self.server.app.store;
        store
            .write("test.job", store::Reach::Everyone, move |tx| {
                Box::pin(async move { Ok(store::jobs::enqueue(tx, &tenant, now, job).await?) })
            })
            .await
            .unwrap()
    }

    /// The session behind an access token.
    pub(crate) async fn current_session(&self, access: &str) -> String {
        let listed = self.server.get_as(access, "/auth/sessions").await.expect(200).json;
        let sessions = listed["sessions"].as_array().unwrap().clone();
        let current = sessions.iter().find(|session| session["current"] == true);
        current.unwrap()["session_id"].as_str().unwrap().to_owned()
    }
}
