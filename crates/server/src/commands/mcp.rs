//! `hearth mcp`: the Model Context Protocol over stdin and stdout, for clients that start their servers themselves.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kernel::{Clock, Ctx, Principal, PrincipalKind, Scopes, TenantId};
use memory::{Incoming, ToolSets};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::{Failure, configuration, say};
use crate::App;
use crate::config::{Flags, process_environment};

/// Longest wait for one answer of a server.
const PATIENCE: Duration = Duration::from_mins(2);
/// JSON-RPC: the line is no JSON.
const NO_JSON: i64 = -32700;
/// JSON-RPC: the message is no request.
const NO_REQUEST: i64 = -32600;
/// JSON-RPC: the server behind the bridge refused, or is away.
const REFUSED: i64 = -32000;

#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// Address of a server, whose key is read from HEARTH_API_KEY; without it the data of this machine are used
    #[arg(long)]
    url: Option<String>,
    /// Tools to offer: native, graph, files, or several between commas; all when absent
    #[arg(long)]
    toolset: Option<String>,
    /// Tenant, where no server is asked; made when missing
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Owner of what is remembered, where no server is asked
    #[arg(long, default_value = "local")]
    user: String,
}

/// Serves until stdin ends.
pub(super) async fn run(flags: &Flags, command: Mcp) -> Result<(), Failure> {
    let sets = ToolSets::parse(command.toolset.as_deref())?;
    match &command.url {
        Some(url) => Bridge::new(url, command.toolset.as_deref())?.serve().await,
        None => serve_here(flags, &command, &sets).await,
    }
}

/// Lines of stdin, read on a thread of their own.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn answer(message: &Value) -> Result<(), Failure> {
    say(&message.to_string())?;
    std::io::stdout().flush().map_err(|error| Failure::work(format!("hearth: cannot answer: {error}")))
}

fn refusal(id: &Value, code: i64, text: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}})
}

/// Speaks on the data directory itself, beside a running server or without one.
async fn serve_here(flags: &Flags, command: &Mcp, sets: &ToolSets) -> Result<(), Failure> {
    let app = App::build(configuration(flags, false)?, Clock::system()).await?;
    app.become_ready().await?;
    app.identity.create_tenant(&command.tenant).await?;
    let ctx = local(command)?;
    let stop = Arc::new(Notify::new());
    // Without a server nobody else would derive and embed; beside one the jobs are shared out.
    let jobs = tokio::spawn(app.jobs().run(stop.clone()));
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        let id = || serde_json::from_str::<Value>(&line).map_or(Value::Null, |message| message["id"].clone());
        let said = match serde_json::from_str::<Incoming>(&line) {
            Err(error) => Some(refusal(&id(), NO_JSON, &format!("the line is no message: {error}"))),
            Ok(message) => match app.memory.answer_mcp(&ctx, sets, message).await {
                Err(error) => Some(refusal(&id(), NO_REQUEST, &error.public)),
                Ok(said) => said,
            },
        };
        said.as_ref().map_or(Ok(()), answer)?;
    }
    stop.notify_one();
    let _ = jobs.await;
    app.store.close().await;
    Ok(())
}

/// Whoever can read the data directory may do what its agents may.
fn local(command: &Mcp) -> Result<Ctx, Failure> {
    let wrong = |why: String| Failure { code: 2, text: format!("hearth: {why}") };
    let tenant = TenantId::parse(&command.tenant).map_err(wrong)?;
    let principal = Principal {
        kind: PrincipalKind::Operator,
        id: command.user.clone(),
        user_id: Some(command.user.clone()),
        role: None,
        credential_id: "stdio".to_owned(),
    };
    Ok(Ctx {
        tenant,
        principal: Arc::new(principal),
        scopes: Scopes::parse(&["memory:read", "memory:write"]).map_err(wrong)?,
        request_id: "stdio".into(),
        address: None,
    })
}

/// Passes lines on to a server.
struct Bridge {
    client: Client,
    address: String,
    key: String,
    /// The client's own `initialize`, said again when its session has run out.
    opening: Option<Value>,
    session: Option<String>,
    version: Option<String>,
}

impl Bridge {
    fn new(url: &str, toolset: Option<&str>) -> Result<Self, Failure> {
        let missing =
            || Failure { code: 2, text: "hearth: HEARTH_API_KEY holds no key of the server".to_owned() };
        let key = process_environment().remove("HEARTH_API_KEY").ok_or_else(missing)?;
        let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| Failure::work(format!("hearth: no HTTP client: {error}")))?;
        let query = toolset.map(|sets| format!("?toolset={sets}")).unwrap_or_default();
        let address = format!("{}/mcp{query}", url.trim_end_matches('/'));
        Ok(Self { client, address, key, opening: None, session: None, version: None })
    }

    async fn serve(mut self) -> Result<(), Failure> {
        let mut lines = lines();
        while let Some(line) = lines.recv().await {
            let said = match serde_json::from_str::<Value>(&line) {
                Err(error) => Some(refusal(&Value::Null, NO_JSON, &format!("the line is no JSON: {error}"))),
                Ok(message) => self.pass_on(message).await,
            };
            said.as_ref().map_or(Ok(()), answer)?;
        }
        if self.session.is_some() {
            let end = self.with_session(self.client.delete(&self.address));
            let _ = end.send().await;
        }
        Ok(())
    }

    /// The server's answer to one message; none to a notification.
    async fn pass_on(&mut self, message: Value) -> Option<Value> {
        let id = message.get("id").cloned();
        if message["method"] == "initialize" {
            self.opening = Some(message.clone());
            (self.session, self.version) = (None, None);
        }
        let mut said = self.post(&message).await;
        let has_run_out = matches!(&said, Err((StatusCode::NOT_FOUND, _))) && self.session.take().is_some();
        if let (true, Some(opening)) = (has_run_out, self.opening.clone()) {
            said = match self.post(&opening).await {
                Ok(_) => self.post(&message).await,
                refused => refused,
            };
        }
        match (said, id) {
            (Ok(answer), _) => answer,
            (Err((_, text)), Some(id)) => Some(refusal(&id, REFUSED, &text)),
            (Err((_, text)), None) => {
                eprintln!("hearth: {text}");
                None
            }
        }
    }

    async fn post(&mut self, message: &Value) -> Result<Option<Value>, (StatusCode, String)> {
        let away = |error: reqwest::Error| {
            (StatusCode::BAD_GATEWAY, format!("the server does not answer: {}", error.without_url()))
        };
        let request = self.with_session(self.client.post(&self.address)).json(message);
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let session = response.headers().get("mcp-session-id").and_then(|value| value.to_str().ok());
        self.session = session.map(str::to_owned).or(self.session.take());
        let body: Value = response.json().await.unwrap_or_default();
        if !status.is_success() {
            let (code, detail) = (body["code"].as_str().unwrap_or("refused"), body["detail"].as_str());
            return Err((status, format!("{code}: {}", detail.unwrap_or(status.as_str()))));
        }
        if let Some(version) = body["result"]["protocolVersion"].as_str() {
            self.version = Some(version.to_owned());
        }
        Ok((status != StatusCode::ACCEPTED).then_some(body))
    }

    fn with_session(&self, request: RequestBuilder) -> RequestBuilder {
        let mut request = request.bearer_auth(&self.key);
        for (name, value) in [("mcp-session-id", &self.session), ("mcp-protocol-version", &self.version)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }
}
