//! Sixty more ways to forge a token or to show a real one where it does not belong.

use crate::support::*;
use httpkit::Credentials;
use jsonwebtoken::crypto::sign as raw_sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use kernel::{ErrorKind, Role, Secret};
use serde_json::{Value, json};

/// Base 64 for tokens, as the header and the payload stand in them.
fn part(text: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(text.as_bytes())
}

/// A token of any header and any payload, signed with our own secret: only the form is wrong.
fn signed(header: &str, payload: &str) -> String {
    let message = format!("{}.{}", part(header), part(payload));
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let signature = raw_sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Headers that are none of ours, over a payload that is.
const HEADERS: [&str; 14] = [
    r#"{"alg":"none"}"#,
    r#"{"alg":"nOnE"}"#,
    r#"{"alg":"RS256"}"#,
    r#"{"alg":"ES256"}"#,
    r#"{"alg":"EdDSA"}"#,
    r#"{"alg":"HS512"}"#,
    r#"{"alg":"hs256"}"#,
    r#"{"alg":"HS256 "}"#,
    r#"{"alg":["HS256"]}"#,
    r#"{"alg":null}"#,
    r#"{"typ":"JWT"}"#,
    "[]",
    "null",
    "",
];

/// Changes of the payload that no rule lets pass, though the signature is right.
fn payloads(claims: &Value, now: i64, other: &str) -> Vec<String> {
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims.to_string()
    };
    let text = claims.to_string();
    let twice = |name: &str, value: &str| format!("{}\"{name}\":{value}}}", text.replace('}', ","));
    vec![
        with("nbf", json!(now + 3_600)),
        with("nbf", json!("soon")),
        with("aud", json!("elsewhere")),
        with("aud", json!(["hearth", "elsewhere"])),
        with("exp", json!(i64::MAX)),
        with("exp", json!(now + 10 * 366 * 86_400)),
        with("exp", json!(-1)),
        with("exp", json!(true)),
        with("exp", json!([now + 60])),
        with("iat", json!(i64::MAX)),
        with("iat", json!("now")),
        with("iat", Value::Null),
        with("sub", json!(["usr_a"])),
        with("sub", json!({"id": other})),
        with("sub", json!(format!("{other}\u{0}"))),
        with("tid", json!("ACME")),
        with("tid", json!("*")),
        with("tid", json!("acme\u{0}")),
        with("tid", json!("acme' OR '1'='1")),
        with("sid", json!(7)),
        with("sid", json!("")),
        with("sid", json!("ses_")),
        with("iss", json!("HEARTH")),
        with("iss", json!({"hearth": true})),
        twice("sub", &json!(other).to_string()),
        twice("exp", "9999999999"),
        twice("tid", "\"acme\""),
        "[]".to_owned(),
        "\"text\"".to_owned(),
        "null".to_owned(),
        String::new(),
        "{".to_owned(),
        text.replace("\"sub\"", "\"Sub\""),
        json!(signed(HS256, &text)).to_string(),
    ]
}

/// The same bytes written in another way.
fn rewritten(real: &str) -> Vec<String> {
    let parts: Vec<&str> = real.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    vec![
        format!("{payload}.{header}.{signature}"),
        format!("{header}.{signature}.{payload}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}==.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
        format!("{}.{payload}.{signature}", &header[1..]),
        format!("{header}. {payload}.{signature}"),
        format!("{header}.{payload}.{signature}\n"),
        format!("{header}\u{2024}{payload}\u{2024}{signature}"),
        format!("\u{feff}{real}"),
        format!("{real}\u{200b}"),
        real.to_uppercase(),
        format!("{real}{real}"),
        format!("Bearer {real}"),
        real.replace('.', "%2E"),
    ]
}

#[tokio::test]
async fn sixty_six_more_forged_tokens_are_refused() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let other = world.user("acme", "eve", Some(Role::Owner)).await;
        let real = world.sign_in("acme", "ada").await.access_token;
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&real).unwrap().claims;
        let text = claims.to_string();
        let now = claims["iat"].as_i64().unwrap();
        let mut forged: Vec<String> = HEADERS.iter().map(|header| signed(header, &text)).collect();
        forged.extend(payloads(&claims, now, &other).iter().map(|payload| signed(HS256, payload)));
        forged.extend(rewritten(&real));
        assert_eq!(forged.len(), 66);
        let mut accepted = Vec::new();
        for token in &forged {
            match world.identity.authenticate(bearer(token)).await {
                Err(error) if error.kind == ErrorKind::Unauthenticated => {}
                Err(error) => accepted.push(format!("{token}: {error}")),
                Ok(_) => accepted.push(token.clone()),
            }
            assert!(!world.identity.validate(token).await.unwrap().valid, "{token}");
        }
        assert!(accepted.is_empty(), "{accepted:#?}");
        assert_eq!(world.code(bearer(&real)).await, "ok", "the control");
        assert_eq!(world.code(bearer(&signed(HS256, &text))).await, "ok", "the forger's tool works");
        // A name of a key is not looked at, so it leads nowhere.
        let named = signed(r#"{"alg":"HS256","kid":"../../dev/null"}"#, &text);
        assert_eq!(world.code(bearer(&named)).await, "ok");
    }
}

#[tokio::test]
async fn no_credential_opens_another_credentials_door() {
    for world in worlds().await {
        world.user("acme", "ada", Some(Role::Member)).await;
        let tokens = world.sign_in("acme", "ada").await;
        let page = world.identity.sign_in_page(signing_in("acme", "ada", PASSWORD), origin()).await.unwrap();
        let second =
            world.identity.sign_in_page(signing_in("acme", "ada", PASSWORD), origin()).await.unwrap();
        let key = world.identity.create_operator_key("acme", &["admin".into()], None).await.unwrap();
        let owner = world.ctx("acme", "olga", Some(Role::Owner)).await;
        let invitation = world.identity.invite(&owner, Role::Admin).await.unwrap();
        let (access, refresh) = (tokens.access_token.as_str(), tokens.refresh_token.as_str());
        let (cookie, key) = (page.cookie.expose(), key.api_key.expose());
        let by_key = |text: &str| Credentials { api_keys: vec![Secret::new(text)], ..no_credentials() };
        let by_cookie = |text: &str| Credentials { cookie: Some(Secret::new(text)), ..no_credentials() };
        let other_end = if key.ends_with('0') { "1" } else { "0" };
        let wrong_seal = format!("{}{other_end}", &key[..key.len() - 1]);
        let misused = [
            ("a refresh token as access", bearer(refresh)),
            ("a cookie as bearer", bearer(cookie)),
            ("an invitation as bearer", bearer(invitation.token.expose())),
            ("an invitation as key", by_key(invitation.token.expose())),
            ("an access token as key", by_key(access)),
            ("a refresh token as key", by_key(refresh)),
            ("a cookie as key", by_key(cookie)),
            ("an access token as cookie", by_cookie(access)),
            ("a refresh token as cookie", by_cookie(refresh)),
            ("a key as cookie", by_cookie(key)),
            ("a key with a wrong seal", bearer(&wrong_seal)),
            ("a key in capitals", bearer(&key.to_uppercase())),
            ("a key with another prefix", bearer(&key.replacen("hk_", "hs_", 1))),
            ("a key and a half", bearer(&format!("{key}{}", &key[3..]))),
        ];
        for (what, credentials) in misused {
            let refused = world.identity.authenticate(credentials).await.map(|_| "ok");
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Unauthenticated, "{what}");
        }
        for text in [access, cookie, key, invitation.token.expose(), "", "hr_"] {
            assert_eq!(code(world.identity.refresh(text, origin()).await), "invalid_refresh_token");
        }
        let unsafe_with = |csrf: Option<&str>| Credentials {
            is_safe_method: false,
            csrf: csrf.map(str::to_owned),
            ..by_cookie(cookie)
        };
        for csrf in [None, Some(""), Some("x"), Some(second.session.csrf_token.as_str()), Some(cookie)] {
            assert_eq!(world.code(unsafe_with(csrf)).await, "csrf_required", "{csrf:?}");
        }
        assert_eq!(world.code(unsafe_with(Some(&page.session.csrf_token))).await, "ok", "the control");
        for both in [
            Credentials { bearer: Some(Secret::new(key)), ..by_cookie(cookie) },
            Credentials { bearer: Some(Secret::new(access)), ..by_key(key) },
        ] {
            assert_eq!(world.code(both).await, "two_credentials");
        }
        assert_eq!(world.code(bearer(access)).await, "ok", "nothing of this ended what is real");
    }
}
