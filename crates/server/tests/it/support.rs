//! A whole server in this process, on either engine, listening for real.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use kernel::Clock;
use reqwest::{Client, Method, RequestBuilder};
use server::App;
use server::config::{Config, Flags, load};
use store::sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::answer::Answer;

/// Signs the access tokens of these servers, so that tests can forge with the right key.
pub(crate) const JWT_SECRET: &str = "dGhlIG90dGVyIHN3aW1zIHVwc3RyZWFtIGF0IGRhd24";
const PEPPER: &str = "cGVwcGVyIGdyb3dzIHdoZXJlIHRoZSByaXZlciBiZW5k";
const SEAL: &str = "5b1f0c7e9a3d48f26e70b9c4d2a8135f";

/// Where rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Makes one test on each engine out of a claim that takes the engine.
macro_rules! on_both_engines {
    ($(#[$doc:meta])* async fn $name:ident($engine:ident: Engine) $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn holds($engine: Engine) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                holds(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                holds(Engine::Postgres).await;
            }
        }
    };
}
pub(crate) use on_both_engines;

/// A server that listens on a free port of loopback until the end of its test.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    client: Client,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    dir: TempDir,
    database: String,
    settings: Vec<(String, String)>,
}

impl Server {
    /// A ready server without a limit on requests.
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_with(engine, &[]).await
    }

    /// A ready server with other settings.
    pub(crate) async fn start_with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let server = Self::start_unready(&database(engine).await, settings).await;
        server.app.become_ready().await.unwrap();
        server
    }

    /// A server that listens and has not looked at its database yet. `database` is empty for one of its own on disk.
    pub(crate) async fn start_unready(database: &str, settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), database, settings);
        let app = App::build(config, Clock::system())
            .await
            .map_err(|error| format!("{}: {}", error.variable, error.text))
            .unwrap();
        let listeners = app.bind().await.map_err(|error| error.text).unwrap();
        let address = listeners[0].local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = {
            let app = app.clone();
            tokio::spawn(async move { app.serve(listeners, stopped).await })
        };
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let (database, settings) = (database.to_owned(), settings.iter().map(text).collect());
        Self { app, address, client, stop, serving, dir, database, settings }
    }

    /// The server's settings read again, with changes.
    pub(crate) fn settings_again(&self, changes: &[(&str, &str)]) -> Config {
        let own = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = own.chain(changes.iter().copied()).collect();
        config(self.dir.path(), &self.database, &all)
    }

    /// The address of the database for another process.
    pub(crate) fn database_url(&self) -> String {
        let embedded = || format!("sqlite:{}", self.dir.path().join("data/hearth.db").display());
        if self.database.is_empty() { embedded() } else { self.database.clone() }
    }

    /// Tells the server to stop; it drains.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.send(true).unwrap();
    }

    /// Waits until a stopped server has let go of everything.
    pub(crate) async fn ended(&mut self) {
        tokio::time::timeout(Duration::from_secs(20), &mut self.serving)
            .await
            .expect("a told server ends within its drain limit")
            .unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request that is not sent yet.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.url(path))
    }

    /// Sends a request and checks what every answer must carry.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let said = format!("{} {}", request.method(), request.url().path());
        let head_only = request.method() == Method::HEAD;
        let answer = Answer::read(said, client.execute(request).await.unwrap()).await;
        if head_only {
            assert!(answer.bytes.is_empty(), "{}: HEAD answers have no body", answer.said);
        } else {
            answer.check_form();
        }
        answer
    }

    /// `GET` without a credential.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// `GET` with a key or token as bearer.
    pub(crate) async fn get_as(&self, bearer: &str, path: &str) -> Answer {
        self.send(self.request("GET", path).bearer_auth(bearer)).await
    }

    /// `POST` of JSON with a key or token as bearer.
    pub(crate) async fn post_as(&self, bearer: &str, path: &str, body: &serde_json::Value) -> Answer {
        self.send(self.request("POST", path).bearer_auth(bearer).json(body)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.serving.abort();
    }
}

/// The settings of a test's server: everything named, so that nothing of the machine shines through.
fn config(dir: &Path, database: &str, settings: &[(&str, &str)]) -> Config {
    let file = dir.join("hearth.toml");
    std::fs::write(&file, "").unwrap();
    let data = dir.join("data");
    let base = [
        ("DATA_DIR", data.to_str().unwrap()),
        ("DATABASE_URL", database),
        ("PORT", "0"),
        ("DATABASE_POOL_MIN", "0"),
        ("DATABASE_CONNECT_TIMEOUT_MS", "20000"),
        ("EMBEDDING_BASE_URL", "none"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("JWT_SECRET", JWT_SECRET),
        ("API_KEY_SECRET", PEPPER),
        ("ENCRYPTION_KEY", SEAL),
        ("OPERATOR_TENANT", "acme"),
    ];
    let variables: BTreeMap<String, String> =
        base.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let flags = Flags { config: Some(file), ..Flags::default() };
    let loaded = load(&flags, &variables);
    let refused: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
    loaded.config.unwrap_or_else(|| panic!("{refused:?}"))
}

/// The address of an empty database of its own; empty for SQLite in the data directory.
pub(crate) async fn database(engine: Engine) -> String {
    if engine == Engine::Sqlite {
        return String::new();
    }
    let server = postgres_server();
    let name = format!("hearth_test_{}", &kernel::random::token()[..20]);
    let mut conn = PgConnection::connect(&server).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    store::sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

/// The PostgreSQL server of the tests.
pub(crate) fn postgres_server() -> String {
    std::env::var("HEARTH_TEST_POSTGRES_URL").expect(
        "HEARTH_TEST_POSTGRES_URL must name a PostgreSQL superuser, such as postgres://postgres@127.0.0.1:5432/postgres",
    )
}

/// A port of loopback on which nobody listens.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks again until an answer is the wanted one, and fails after `seconds` with the last.
pub(crate) async fn eventually<F, Fut>(seconds: u64, mut ask: F, wanted: impl Fn(&Answer) -> bool) -> Answer
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Answer>,
{
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut every = tokio::time::interval(Duration::from_millis(50));
    loop {
        every.tick().await;
        let answer = ask().await;
        if wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "still {} {} after {seconds} s", answer.status, answer.text());
    }
}
