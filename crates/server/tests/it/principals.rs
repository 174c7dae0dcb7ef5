//! Callers of every kind.

use identity::{Origin, SigningIn};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::{Role, Secret};
use serde_json::{Value, json};

use crate::support::{JWT_SECRET, Server};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// An account to be.
pub(crate) struct Person {
    pub(crate) tenant: &'static str,
    pub(crate) name: &'static str,
    pub(crate) role: Option<Role>,
}

/// A person who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) user_id: String,
    pub(crate) access: String,
    /// The same token as it would be after its end, signed with the right key.
    pub(crate) expired: String,
}

/// Makes an account at the command line and signs it in.
pub(crate) async fn signed_in(server: &Server, person: &Person) -> SignedIn {
    let identity = &server.app.identity;
    let password = Secret::new(PASSWORD);
    let user_id = identity.create_user(person.tenant, person.name, person.role, password).await.unwrap();
    let signed = fresh_session(server, person.tenant, person.name).await;
    let access = signed["access_token"].as_str().unwrap().to_owned();
    let mut claims: Value = jsonwebtoken::dangerous::insecure_decode::<Value>(&access).unwrap().claims;
    let past = claims["iat"].as_i64().unwrap() - 7_200;
    claims["iat"] = json!(past);
    claims["exp"] = json!(past + 3_600);
    let secret = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    SignedIn { user_id, access, expired: encode(&Header::new(Algorithm::HS256), &claims, &secret).unwrap() }
}

/// Signs a person in once more; answers with the session body.
pub(crate) async fn fresh_session(server: &Server, tenant: &str, name: &str) -> Value {
    let request =
        SigningIn { username: name.to_owned(), password: Secret::new(PASSWORD), tenant: tenant.to_owned() };
    let origin = Origin { request_id: "req_test".into(), address: None, user_agent: None };
    let signed = server.app.identity.sign_in(request, origin).await.unwrap();
    serde_json::to_value(signed).unwrap()
}

/// Makes a key at the command line, bound to a person if one is named.
pub(crate) async fn key(server: &Server, tenant: &str, scopes: &[&str], person: Option<&str>) -> String {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let made = server.app.identity.create_operator_key(tenant, &scopes, person);
    made.await.unwrap().api_key.expose().to_owned()
}
