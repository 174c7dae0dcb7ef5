//! Everything that is no credential of ours is refused.

use crate::support::*;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::Secret;
use serde_json::{Value, json};

fn sign(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The claims with one of them changed, or removed by null.
fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    let fields = claims.as_object_mut().unwrap();
    match value {
        Value::Null => fields.remove(name),
        value => fields.insert(name.to_owned(), value),
    };
    claims
}

/// Claims of a real session.
fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

#[tokio::test]
async fn thirty_kinds_of_forged_tokens_are_refused() {
    for world in worlds().await {
        let mine = world.user("acme", "ada", None).await;
        let other = world.user("acme", "eve", Some(kernel::Role::Owner)).await;
        let signed_in = world.sign_in("acme", "ada").await;
        let real = signed_in.access_token.clone();
        let claims = claims(&real);
        assert_eq!(claims["sub"], json!(mine));
        let (now, hs256) = (claims["iat"].as_i64().unwrap(), Algorithm::HS256);
        let forge = |name: &str, value: Value| sign(&with(&claims, name, value), hs256, JWT_SECRET);
        let parts: Vec<&str> = real.split('.').collect();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let upper_none = "eyJhbGciOiJOT05FIn0";
        let other_body = sign(&with(&claims, "sub", json!(other)), hs256, "x");
        let other_body = other_body.split('.').nth(1).unwrap();
        let forged = [
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{upper_none}.{}.", parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{other_body}.{}", parts[0], parts[2]),
            format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
            format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{real}.{}", parts[2]),
            format!(" {real}"),
            sign(&claims, hs256, "another secret of more than 32 characters"),
            sign(&claims, hs256, ""),
            sign(&claims, Algorithm::HS384, JWT_SECRET),
            sign(&claims, Algorithm::HS512, JWT_SECRET),
            forge("iss", json!("elsewhere")),
            forge("iss", Value::Null),
            forge("iss", json!(["hearth", "elsewhere"])),
            forge("exp", json!(now)),
            forge("exp", json!(now - 86_400)),
            forge("exp", Value::Null),
            forge("exp", json!("9999999999")),
            forge("exp", json!(1e300)),
            forge("iat", json!(now + 3_600)),
            forge("sub", json!(other)),
            forge("sub", json!("")),
            forge("sub", Value::Null),
            forge("tid", json!("other-tenant")),
            forge("tid", Value::Null),
            forge("sid", json!("ses_00000000000000000000000000")),
            forge("sid", json!("' OR 1=1 --")),
            forge("sid", Value::Null),
            signed_in.refresh_token.clone(),
            String::new() + "..",
            "Bearer".to_owned(),
            "' OR '1'='1".to_owned(),
            "x".repeat(16_384),
        ];
        assert!(forged.len() >= 20);
        assert_eq!(world.code(bearer(&real)).await, "ok", "the control");
        for token in &forged {
            let refused = world.identity.authenticate(bearer(token)).await.unwrap_err();
            assert_eq!(refused.kind, kernel::ErrorKind::Unauthenticated, "{token}");
            assert!(!world.identity.validate(token).await.unwrap().valid, "{token}");
        }
        assert_eq!(
            world.code(bearer(&sign(&claims, hs256, JWT_SECRET))).await,
            "ok",
            "the forger's tool works"
        );
    }
}

#[tokio::test]
async fn an_access_token_ends_after_its_life() {
    for world in worlds().await {
        world.user("acme", "ada", None).await;
        let tokens = world.sign_in("acme", "ada").await;
        world.clock.advance(kernel::Micros::DAY - 1);
        assert_eq!(world.code(bearer(&tokens.access_token)).await, "ok");
        world.clock.advance(1);
        assert_eq!(world.code(bearer(&tokens.access_token)).await, "invalid_access_token");
    }
}

#[tokio::test]
async fn tokens_signed_before_a_rotation_are_good_until_the_old_secret_goes() {
    let new = "a new signing key of these tests, 32+";
    let rotated = worlds_with(|config| {
        config.jwt_secret = Secret::new(new);
        config.jwt_secret_previous = Some(Secret::new(JWT_SECRET));
    });
    for world in rotated.await {
        world.user("acme", "ada", None).await;
        let fresh = world.sign_in("acme", "ada").await.access_token;
        let claims = claims(&fresh);
        let mut only_new = world.identity.config().clone();
        only_new.jwt_secret_previous = None;
        let later = identity::Identity::new(world.store.clone(), world.clock.clone(), only_new);
        assert!(later.authenticate(bearer(&fresh)).await.is_ok(), "the new secret signs");
        let old = sign(&claims, Algorithm::HS256, JWT_SECRET);
        assert_eq!(code(later.authenticate(bearer(&old)).await), "invalid_access_token");
        assert_eq!(world.code(bearer(&sign(&claims, Algorithm::HS256, JWT_SECRET))).await, "ok");
        assert_eq!(
            world.code(bearer(&sign(&claims, Algorithm::HS256, "older"))).await,
            "invalid_access_token"
        );
    }
}

#[tokio::test]
async fn false_keys_and_cookies_are_refused_with_the_contracts_words() {
    for world in worlds().await {
        let missing = world.identity.authenticate(no_credentials()).await.unwrap_err();
        assert_eq!(missing.public, "API key required");
        for guess in ["wrong", "hk_", &format!("hk_{}", kernel::random::token()), "hk_../..", "a b"] {
            for credentials in [
                bearer(guess),
                httpkit::Credentials { api_keys: vec![Secret::new(guess)], ..no_credentials() },
            ] {
                let refused = world.identity.authenticate(credentials).await.unwrap_err();
                assert_eq!(
                    (refused.public.as_str(), refused.code),
                    ("Invalid API key", "invalid_api_key"),
                    "{guess}"
                );
            }
        }
        let cookie = httpkit::Credentials {
            cookie: Some(Secret::new(format!("hs_{}", kernel::random::token()))),
            ..no_credentials()
        };
        assert_eq!(world.code(cookie).await, "session_ended");
    }
}
