//! The routes themselves: cookies, CSRF, statuses and bodies.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use httpkit::{Authenticator, Edge, EdgeConfig};
use kernel::Role;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::*;

fn router(world: &World) -> Router {
    let (router, _) = identity::routes().split_for_parts();
    let authenticator: Authenticator = Arc::new(world.identity.clone());
    let router = router.with_state(world.identity.clone()).layer(Extension(authenticator));
    Edge::new(EdgeConfig::default(), |_| {}).around(router)
}

struct Answer {
    status: StatusCode,
    cookies: Vec<String>,
    body: Value,
}

async fn send(router: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let response: Response<Body> = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    let cookies = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, cookies, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

fn setup() -> Value {
    json!({"tenant_name": "acme", "username": "ada", "password": PASSWORD})
}

#[tokio::test]
async fn the_page_sets_up_signs_in_and_out_with_cookies_and_csrf() {
    for world in worlds().await {
        let router = router(&world);
        let state = send(&router, "GET", "/api/v1/setup", &[], Value::Null).await;
        assert_eq!(state.body, json!({"needed": true, "token_required": false}));
        let made = send(&router, "POST", "/api/v1/setup", &[], setup()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.body["user"]["roles"], json!(["owner"]));
        assert_eq!(made.body["user"]["tenant_name"], "acme");
        let (session, csrf) = (&made.cookies[0], made.body["csrf_token"].as_str().unwrap());
        assert!(session.starts_with("hearth_session=hs_") && session.contains("; HttpOnly"), "{session}");
        assert!(
            session.contains("Path=/; Max-Age=604800; SameSite=Lax") && !session.contains("Secure"),
            "{session}"
        );
        assert_eq!(made.cookies[1].split(';').next().unwrap(), format!("hearth_csrf={csrf}"));
        assert!(!made.cookies[1].contains("HttpOnly"));
        let cookie = session.split(';').next().unwrap();
        let seen = send(&router, "GET", "/api/v1/session", &[("cookie", cookie)], Value::Null).await;
        assert_eq!((seen.status.as_u16(), &seen.body["csrf_token"]), (200, &json!(csrf)));
        assert_eq!(seen.cookies[0], *session, "its life is renewed");
        let role = json!({"role": "viewer"});
        for headers in [&[("cookie", cookie)][..], &[("cookie", cookie), ("x-csrf-token", "wrong")]] {
            let refused = send(&router, "POST", "/api/v1/invitations", headers, role.clone()).await;
            assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("csrf_required")));
        }
        assert!(world.audit().await.contains(&"identity.check_csrf user denied".to_owned()));
        let with = [("cookie", cookie), ("x-csrf-token", csrf)];
        let invited = send(&router, "POST", "/api/v1/invitations", &with, role).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let other = send(
            &router,
            "POST",
            "/api/v1/session",
            &[],
            json!({"tenant": "acme", "username": "ada", "password": PASSWORD}),
        )
        .await;
        assert_eq!(other.status, 200, "{}", other.body);
        let foreign = other.body["csrf_token"].as_str().unwrap();
        let mixed = [("cookie", cookie), ("x-csrf-token", foreign)];
        let refused = send(&router, "DELETE", "/api/v1/session", &mixed, Value::Null).await;
        assert_eq!(refused.status, 403, "a token of another session is none");
        let out = send(&router, "DELETE", "/api/v1/session", &with, Value::Null).await;
        assert_eq!((out.status.as_u16(), out.cookies[0].contains("Max-Age=0")), (204, true));
        let gone = send(&router, "GET", "/api/v1/session", &[("cookie", cookie)], Value::Null).await;
        assert_eq!(gone.status, 401);
    }
}

#[tokio::test]
async fn contract_routes_keep_their_shapes() {
    for world in worlds().await {
        let router = router(&world);
        let ada = json!({"username": "ada", "password": PASSWORD, "an_extra": true});
        let made = send(&router, "POST", "/auth/register", &[], ada.clone()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut names = keys(&made.body);
        names.sort_unstable();
        assert_eq!(
            names,
            ["access_token", "expires_in", "refresh_expires_in", "refresh_token", "token_type", "user"]
        );
        assert_eq!(
            (&made.body["token_type"], &made.body["user"]["tenant_id"]),
            (&json!("Bearer"), &json!("default"))
        );
        let login = send(&router, "POST", "/auth/login", &[], ada).await;
        assert_eq!(login.status, 200);
        let token = login.body["access_token"].as_str().unwrap();
        let valid = send(&router, "POST", "/auth/validate", &[], json!({"token": token})).await;
        assert_eq!(
            (&valid.body["valid"], &valid.body["user_id"]),
            (&json!(true), &login.body["user"]["user_id"])
        );
        assert_eq!(valid.body["error"], Value::Null);
        let authorization = format!("Bearer {token}");
        let with = [("authorization", authorization.as_str())];
        let key = send(&router, "POST", "/auth/api-keys", &with, json!({"scopes": ["memory:read"]})).await;
        assert_eq!(
            (key.status.as_u16(), &key.body["tenant_id"], &key.body["scopes"]),
            (201, &json!("default"), &json!(["memory:read"]))
        );
        let api_key = key.body["api_key"].as_str().unwrap();
        for header in ["x-api-key", "api-key"] {
            let seen = send(&router, "GET", "/auth/sessions", &[(header, api_key)], Value::Null).await;
            assert_eq!((seen.status.as_u16(), &seen.body["count"]), (200, &json!(0)));
        }
        let sessions = send(&router, "GET", "/auth/sessions", &with, Value::Null).await;
        assert_eq!(sessions.body["count"], 2);
        let refresh = json!({"refresh_token": made.body["refresh_token"]});
        assert_eq!(send(&router, "POST", "/auth/token/refresh", &[], refresh.clone()).await.status, 200);
        assert_eq!(send(&router, "POST", "/auth/token/refresh", &[], refresh.clone()).await.status, 403);
        assert_eq!(send(&router, "POST", "/auth/token/revoke", &[], refresh).await.status, 200);
        let unknown = json!({"refresh_token": "unknown"});
        assert_eq!(send(&router, "POST", "/auth/token/refresh", &[], unknown).await.status, 401);
        let list = sessions.body["sessions"].as_array().unwrap();
        let current = list.iter().find(|session| session["current"] == true).unwrap();
        let id = current["session_id"].as_str().unwrap();
        let ended = send(&router, "DELETE", &format!("/auth/sessions/{id}"), &with, Value::Null).await;
        assert!(ended.status == 204, "{}", ended.body);
        let gone = send(&router, "GET", "/auth/sessions", &with, Value::Null).await;
        assert_eq!(gone.status, 401);
    }
}

#[tokio::test]
async fn callers_without_or_with_wrong_credentials_read_the_contracts_words() {
    for world in worlds().await {
        world.user("acme", "ada", Some(Role::Owner)).await;
        let router = router(&world);
        for (headers, status, detail) in [
            (&[][..], 401, "API key required"),
            (&[("x-test-auth", "admin"), ("x-user-id", "usr_1")], 401, "API key required"),
            (&[("x-api-key", "wrong")], 401, "Invalid API key"),
            (&[("api-key", "wrong")], 401, "Invalid API key"),
            (&[("authorization", "Bearer hk_wrong")], 401, "Invalid API key"),
        ] {
            for path in ["/auth/sessions", "/api/v1/users", "/api/v1/api-keys", "/api/v1/audit"] {
                let refused = send(&router, "GET", path, headers, Value::Null).await;
                assert_eq!(
                    (refused.status.as_u16(), &refused.body["detail"]),
                    (status, &json!(detail)),
                    "{path}"
                );
            }
        }
        let two = [("x-api-key", "one"), ("authorization", "Bearer two")];
        assert_eq!(send(&router, "GET", "/auth/sessions", &two, Value::Null).await.status, 400);
        let native = json!({"tenant": "acme", "username": "ada", "password": PASSWORD, "extra": 1});
        assert_eq!(send(&router, "POST", "/api/v1/session", &[], native).await.status, 400);
    }
}

#[test]
fn every_route_is_documented() {
    let (_, api) = identity::routes().split_for_parts();
    let paths: Vec<&str> = api.paths.paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/api-keys",
            "/api/v1/api-keys/{key_id}",
            "/api/v1/audit",
            "/api/v1/audit/export",
            "/api/v1/audit/verify",
            "/api/v1/invitations",
            "/api/v1/invitations/{id}",
            "/api/v1/session",
            "/api/v1/setup",
            "/api/v1/users",
            "/api/v1/users/{id}/disable",
            "/api/v1/users/{id}/enable",
            "/api/v1/users/{id}/role",
            "/api/v1/users/{id}/sessions",
            "/api/v1/users/{id}/sessions/{sid}",
            "/auth/api-keys",
            "/auth/login",
            "/auth/register",
            "/auth/sessions",
            "/auth/sessions/{id}",
            "/auth/token",
            "/auth/token/refresh",
            "/auth/token/revoke",
            "/auth/validate",
        ]
    );
    for (path, item) in &api.paths.paths {
        for operation in [&item.get, &item.post, &item.put, &item.delete].into_iter().flatten() {
            assert_eq!(operation.tags.as_deref(), Some(&["identity".to_owned()][..]), "{path}");
        }
    }
}
