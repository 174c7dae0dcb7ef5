//! Secrets that are planted in a server must not be found where people look: logs, answers, process list, database, backup.
//!
//! Each place is also searched for a word that stands there by right, so that a search which sees nothing fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::{Engine, Hearth, Server, run_to_end};
use serde_json::{Value, json};

/// Secrets of settings; each is long and mixed enough for production.
const JWT: &str = "planted-jwt-Zq7Xv2Lm9Rt4Wc8Yb3Nd6";
const API_KEY: &str = "planted-key-Hf5Gk1Js8Da3Pq7We2Ui9";
const SEAL: &str = "planted-seal-Tz4Ux9Bn2Mv7Cy5Rk8Lw";
const METRICS: &str = "planted-metrics-Ea6Qs3Df9Gh2Jk5Zx";
const DATABASE: &str = "planted-database-Vb8Nm4Kl7Op2Iu6";
const REDIS: &str = "planted-redis-Yt5Re9Wq3As7Fg1Hj4";
const MODEL: &str = "planted-model-Cv2Bx8Nz6Ml4Kp9Oj3";
/// Secrets of people.
const PASSWORD: &str = "planted-password-Lk3Jh8Gf5Ds2Ap7";
const WRONG: &str = "planted-wrong-Mn6Bv1Cx9Zl4Kj8Hg3";

/// Stands in the database by right.
const PERSON: &str = "visible-person";
/// Stands in the log by right.
const REQUEST: &str = "visible-request";

/// What must not be found, and where it was looked for.
struct Search {
    secrets: Vec<String>,
    places: Vec<(String, Vec<u8>)>,
}

impl Search {
    fn new() -> Self {
        let planted = [JWT, API_KEY, SEAL, METRICS, DATABASE, REDIS, MODEL, PASSWORD, WRONG];
        Self { secrets: planted.map(str::to_owned).to_vec(), places: Vec::new() }
    }

    /// A secret that the server made. Its beginning may be shown, so that people know it again.
    fn add_secret(&mut self, secret: &str) {
        self.secrets.push(secret.chars().skip(secret.chars().count().saturating_sub(20)).collect());
    }

    /// A place where `visible` stands by right.
    fn add_place(&mut self, name: &str, visible: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let bytes = bytes.into();
        ensure!(holds(&bytes, visible), "the search does not see {name}: there is no `{visible}`");
        self.places.push((name.to_owned(), bytes));
        Ok(())
    }

    fn found(&self) -> Vec<String> {
        let in_place = |(name, bytes): &(String, Vec<u8>)| {
            let found = self.secrets.iter().filter(|secret| holds(bytes, secret));
            found.map(|secret| format!("{secret} in {name}")).collect::<Vec<_>>()
        };
        self.places.iter().flat_map(in_place).collect()
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn planted_secrets_are_found_nowhere_on_sqlite_with_text_logs() -> Result<()> {
    planted(Engine::Sqlite, "text")
}

#[test]
fn planted_secrets_are_found_nowhere_on_postgres_with_json_logs() -> Result<()> {
    planted(Engine::Postgres, "json")
}

fn planted(engine: Engine, log_format: &str) -> Result<()> {
    let aside = tempfile::tempdir()?;
    let key_file = aside.path().join("api_key_secret");
    std::fs::write(&key_file, API_KEY)?;
    let mut hearth = Hearth::new(engine)?
        .set("LOG_FORMAT", log_format)
        .set("LOG_LEVEL", "debug")
        .set("SLOW_REQUEST_THRESHOLD_MS", "1")
        .set("JWT_SECRET", JWT)
        .set("API_KEY_SECRET_FILE", key_file.to_str().context("a path of letters")?)
        .set("ENCRYPTION_KEY", SEAL)
        .set("METRICS_TOKEN", METRICS)
        .set("REDIS_URL", &format!("redis://:{REDIS}@127.0.0.1:1"))
        .set("EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1")
        .set("OPENAI_API_KEY", MODEL);
    if let Some(url) = hearth.database().url() {
        let (scheme, rest) = url.split_once("://").context("an address")?;
        let (user, host) = rest.split_once('@').context("a user")?;
        hearth = hearth.set("DATABASE_URL", &format!("{scheme}://{user}:{DATABASE}@{host}"));
    }
    let server = hearth.start()?;
    let mut search = Search::new();
    drive(&hearth, &server, &mut search)?;
    look_at_commands(&hearth, aside.path(), &mut search)?;
    let line = std::fs::read(format!("/proc/{}/cmdline", server.pid()))?;
    search.add_place("the process list", "serve", line)?;
    server.signal("HUP")?;
    server.said("reloaded")?;
    search.add_place("the log", REQUEST, server.log())?;
    if engine == Engine::Sqlite {
        search.add_place("the data directory", PERSON, files(&hearth.data_dir())?)?;
    }
    server.terminate()?;

    let found = search.found();
    ensure!(found.is_empty(), "{engine:?}: {found:#?}");
    search.add_place("a place with a secret", "x", format!("x{PASSWORD}"))?;
    ensure!(search.found().len() == 1, "the search finds nothing at all");
    Ok(())
}

/// Signs in rightly and wrongly, with every kind of credential in every place for one.
fn drive(hearth: &Hearth, server: &Server, search: &mut Search) -> Result<()> {
    let at = hearth.address();
    let link = server.setup_link()?;
    let token = link.rsplit('=').next().context("the link carries a token")?.to_owned();
    let person =
        json!({"username": PERSON, "password": PASSWORD, "setup_token": token, "tenant_name": "home"});
    let mut answers = vec![post(at, "/api/v1/setup", &[], &person.to_string())?];

    let sign_in = |password: Value| {
        let body = json!({"username": PERSON, "password": password, "tenant_id": "home"}).to_string();
        post(at, "/auth/login", &[], &body)
    };
    let tokens = body_of(&sign_in(json!(PASSWORD))?)?;
    let text = |value: &Value, name: &str| {
        let found = value[name].as_str().map(str::to_owned);
        found.with_context(|| format!("no {name} in {value}"))
    };
    let (access, refresh) = (text(&tokens, "access_token")?, text(&tokens, "refresh_token")?);
    let bearer = format!("Bearer {access}");
    let own = [("Authorization", bearer.as_str())];
    let key = json!({"name": "planted", "scopes": ["memory:read", "memory:write"]}).to_string();
    let key = text(&body_of(&post(at, "/auth/api-keys", &own, &key)?)?, "api_key")?;
    for made in [&access, &refresh, &key] {
        search.add_secret(made);
    }

    for wrong in
        [json!(WRONG), json!([WRONG]), json!({ WRONG: WRONG }), json!(format!("{WRONG}\r\n\u{1b}[31m"))]
    {
        answers.push(sign_in(wrong)?);
    }
    answers.push(post(at, "/auth/login", &[], &format!(r#"{{"username":"{PERSON}","password":"{WRONG}""#))?);
    answers.push(post(at, "/auth/token/refresh", &[], &json!({ "refresh_token": WRONG }).to_string())?);
    let (cookie, basic) = (format!("hearth_session={WRONG}"), format!("Basic {WRONG}"));
    let (false_bearer, false_key) = (format!("Bearer {WRONG}"), format!("{key}{WRONG}"));
    for header in [
        ("Authorization", bearer.as_str()),
        ("Authorization", false_bearer.as_str()),
        ("Authorization", basic.as_str()),
        ("X-API-Key", key.as_str()),
        ("X-API-Key", false_key.as_str()),
        ("Cookie", cookie.as_str()),
    ] {
        for path in ["/auth/sessions", "/api/v1/admin/configuration", "/api/v1/audit", "/metrics"] {
            answers.push(get(at, path, &[header])?);
        }
    }
    answers.push(get(at, &format!("/auth/sessions?api_key={WRONG}&token={WRONG}"), &[])?);
    answers.push(post(at, "/api/v1/events", &[("X-API-Key", &key)], &format!("{{\"{WRONG}"))?);
    answers.push(get(at, "/openapi.json", &[])?);
    answers.push(get(at, "/health", &[])?);
    let metrics = get(at, "/metrics", &[("Authorization", &format!("Bearer {METRICS}"))])?;
    search.add_place("the metrics", "hearth_", metrics)?;
    answers.push(post(at, "/auth/token/revoke", &[], &json!({ "token": refresh }).to_string())?);
    search.add_place("the answers", "credential_missing", answers.join("\n"))
}

/// What commands print, and what a backup holds once it is unpacked.
fn look_at_commands(hearth: &Hearth, aside: &Path, search: &mut Search) -> Result<()> {
    for (arguments, visible) in [
        (["config", "show"].as_slice(), "JWT_SECRET"),
        (&["doctor"], "configuration"),
        (&["audit", "verify"], "home"),
    ] {
        let ended = run_to_end(&mut hearth.command(arguments))?;
        search.add_place(
            &format!("`hearth {}`", arguments.join(" ")),
            visible,
            ended.stdout + &ended.stderr,
        )?;
    }
    let made = run_to_end(&mut hearth.command(&["backup", "create"]))?;
    let file = made.stdout.trim().strip_prefix("Backup successful: ").with_context(|| format!("{made:?}"))?;
    let into = format!("sqlite:{}", aside.join("restored.db").display());
    let restored = run_to_end(&mut hearth.command(&["backup", "restore", file, "--into", &into]))?;
    ensure!(restored.code == Some(0), "{restored:?}");
    std::fs::remove_file(aside.join("api_key_secret"))?;
    search.add_place("a restored backup", PERSON, files(aside)?)
}

/// The bytes of all files of a folder, except those that hold secrets by right.
fn files(folder: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("secrets") {
            bytes.extend(files(&path)?);
        } else if path.is_file() {
            bytes.extend(std::fs::read(&path)?);
        }
    }
    Ok(bytes)
}

fn get(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<String> {
    exchange(at, &format!("GET {path}"), headers, "")
}

fn post(at: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Result<String> {
    exchange(at, &format!("POST {path}"), headers, body)
}

fn exchange(at: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> Result<String> {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let mut stream = TcpStream::connect(at)?;
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: hearth\r\nConnection: close\r\nX-Request-ID: {REQUEST}\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn body_of(answer: &str) -> Result<Value> {
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer")?;
    serde_json::from_str(body).with_context(|| answer.to_owned())
}
