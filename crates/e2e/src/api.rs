//! A blocking client for the few requests that journeys make.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The API as one caller sees it.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    bearer: Option<String>,
    agent: ureq::Agent,
}

/// Status and JSON body of an answer; the body is `null` when it is no JSON.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Api {
    /// A caller without credential; `base` is such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Self { base: base.to_owned(), bearer: None, agent: config.into() }
    }

    /// The same server seen with a key or an access token.
    #[must_use]
    pub fn with_bearer(&self, credential: &str) -> Self {
        Self { bearer: Some(credential.to_owned()), ..self.clone() }
    }

    /// Does the server say that it is ready? Anything else, silence included, is no.
    pub fn is_ready(&self) -> bool {
        self.get("/health/ready").is_ok_and(|answer| answer.status == 200)
    }

    /// Sends a GET.
    ///
    /// # Errors
    /// When no answer arrives.
    pub fn get(&self, path: &str) -> Result<Answer> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.header("Authorization", format!("Bearer {bearer}"));
        }
        read(request.call()?)
    }

    /// Sends a POST with a JSON body.
    ///
    /// # Errors
    /// When no answer arrives.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.header("Authorization", format!("Bearer {bearer}"));
        }
        read(request.send_json(body)?)
    }

    /// Uses the set-up link: makes the first tenant and its owner, signs in, returns the owner's view.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn set_up(&self, link: &str) -> Result<Self> {
        let token = link.rsplit(['=', '/', '#']).next().context("the set-up link carries a token")?;
        let mut person = json!({ "username": "ana", "password": "seven otters swim upstream" });
        person["setup_token"] = json!(token);
        person["tenant_name"] = json!("home");
        let answer = self.post("/api/v1/setup", &person)?;
        ensure!(answer.status == 201, "set-up was refused: {answer:?}");
        let credentials = json!({
            "username": person["username"],
            "password": person["password"],
            "tenant_id": person["tenant_name"],
        });
        let answer = self.post("/auth/login", &credentials)?;
        ensure!(answer.status == 200, "sign-in was refused: {answer:?}");
        let access = answer.body["access_token"].as_str();
        Ok(self.with_bearer(access.context("the answer carries an access token")?))
    }

    /// Makes an API key with these scopes.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_key(&self, scopes: &[&str]) -> Result<String> {
        let answer = self.post("/auth/api-keys", &json!({ "scopes": scopes, "name": "journey" }))?;
        ensure!(answer.status == 201, "the key was refused: {answer:?}");
        let key = answer.body["api_key"].as_str().context("the answer carries the key")?;
        Ok(key.to_owned())
    }

    /// Records one message per `(client_event_id, text)` in one request.
    ///
    /// # Errors
    /// When no answer arrives; a refusal is an answer.
    pub fn record(&self, session: &str, events: &[(String, String)]) -> Result<Answer> {
        let events: Vec<Value> = events.iter().map(|(id, text)| message(session, id, text)).collect();
        self.post("/api/v1/events/batch", &json!({ "events": events }))
    }
}

fn message(session: &str, id: &str, text: &str) -> Value {
    json!({
        "session_id": session,
        "channel": "private",
        "kind": "message",
        "actor": { "type": "human", "id": "ana" },
        "content": { "text": text },
        "client_event_id": id,
    })
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer> {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
}
