//! A service on each engine, with a clock that stands still.

use std::sync::Arc;
use store::Reach;

use httpkit::Credentials;
use identity::{Config, Identity, Origin, Registering, Registration, SignedIn, SigningIn};
use kernel::{Clock, Ctx, Micros, Role, Secret};
use store::sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Store, StoreConfig, fetch_all};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const JWT_SECRET: &str = "the signing key of these tests, 32+";

/// One engine with a migrated, empty database.
pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    _dir: tempfile::TempDir,
}

/// Both engines with the defaults of development.
pub(crate) async fn worlds() -> [World; 2] {
    worlds_with(|_| {}).await
}

/// Both engines with other settings.
pub(crate) async fn worlds_with(change: impl Fn(&mut Config)) -> [World; 2] {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", dir.path().join("hearth.db").display());
    let postgres = postgres_database().await;
    [world(sqlite, dir, &change).await, world(postgres, tempfile::tempdir().unwrap(), &change).await]
}

async fn world(url: String, dir: tempfile::TempDir, change: &impl Fn(&mut Config)) -> World {
    let mut settings = StoreConfig::new(url);
    settings.pool_min = 0;
    settings.connect_timeout = std::time::Duration::from_secs(20);
    let store = Store::open(&settings).await.unwrap();
    let clock = Clock::fixed(Micros::parse("2026-01-31T12:00:00Z").unwrap());
    store::migrate::up(&store, &clock).await.unwrap();
    let mut config = Config::development(Secret::new(JWT_SECRET), Secret::new("the pepper of these tests"));
    change(&mut config);
    World { identity: Identity::new(store.clone(), clock.clone(), config), store, clock, _dir: dir }
}

/// Makes a database of its own on the server of the tests.
async fn postgres_database() -> String {
    let server = std::env::var("HEARTH_TEST_POSTGRES_URL").expect(
        "HEARTH_TEST_POSTGRES_URL must name a PostgreSQL superuser, such as postgres://postgres@127.0.0.1:5432/postgres",
    );
    let name = format!("hearth_test_{}", &kernel::random::token()[..20]);
    let mut conn = PgConnection::connect(&server).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    store::sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

pub(crate) fn origin() -> Origin {
    Origin {
        request_id: "req_test".into(),
        address: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some("tests".to_owned()),
    }
}

pub(crate) fn origin_at(address: &str) -> Origin {
    Origin { address: Some(address.parse().unwrap()), ..origin() }
}

pub(crate) fn no_credentials() -> Credentials {
    Credentials {
        bearer: None,
        api_keys: Vec::new(),
        cookie: None,
        csrf: None,
        is_safe_method: true,
        request_id: Arc::from("req_test"),
        address: Some("192.0.2.7".parse().unwrap()),
    }
}

pub(crate) fn bearer(token: &str) -> Credentials {
    Credentials { bearer: Some(Secret::new(token)), ..no_credentials() }
}

pub(crate) fn registering(tenant: &str, username: &str) -> Registering {
    Registering {
        username: username.to_owned(),
        password: Secret::new(PASSWORD),
        tenant: tenant.to_owned(),
        email: None,
        invitation: None,
        setup_token: None,
    }
}

pub(crate) fn signing_in(tenant: &str, username: &str, password: &str) -> SigningIn {
    SigningIn { username: username.to_owned(), password: Secret::new(password), tenant: tenant.to_owned() }
}

impl World {
    /// Makes an account at the command line.
    pub(crate) async fn user(&self, tenant: &str, username: &str, role: Option<Role>) -> String {
        let password = Secret::new(PASSWORD);
        self.identity.create_user(tenant, username, role, password).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, tenant: &str, username: &str) -> SignedIn {
        self.identity.sign_in(signing_in(tenant, username, PASSWORD), origin()).await.unwrap()
    }

    /// Makes an account and answers with its context.
    pub(crate) async fn ctx(&self, tenant: &str, username: &str, role: Option<Role>) -> Ctx {
        self.user(tenant, username, role).await;
        let signed_in = self.sign_in(tenant, username).await;
        self.identity.authenticate(bearer(&signed_in.access_token)).await.unwrap()
    }

    pub(crate) async fn code(&self, credentials: Credentials) -> &'static str {
        self.identity.authenticate(credentials).await.map_or_else(|error| error.code, |_| "ok")
    }

    /// `action resource outcome` of every audit row in the order they were written.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let mut conn = self.store.read(Reach::Everyone).await.unwrap();
        let rows = fetch_all!(
            &mut conn,
            (String, String, String),
            "SELECT action, principal_kind, outcome FROM audit_log ORDER BY at, action"
        );
        let line = |(a, p, o): (String, String, String)| format!("{a} {p} {o}");
        rows.unwrap().into_iter().map(line).collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.store.read(Reach::Everyone).await.unwrap();
        fetch_all!(&mut conn, (i64,), sql).unwrap()[0].0
    }
}

pub(crate) fn closed(config: &mut Config) {
    config.registration = Registration::Closed;
}

pub(crate) fn code<T>(result: kernel::Result<T>) -> &'static str {
    result.map_or_else(|error| error.code, |_| "ok")
}
