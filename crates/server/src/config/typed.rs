//! The typed settings that the rest of the server reads.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use httpkit::limits::RateConfig;
use httpkit::shed::Range;
use ipnet::IpNet;
use kernel::{Secret, TenantId};
use store::StoreConfig;
use store::blob::S3Config;

use super::backup::BackupConfig;
use super::checks::{Finding, is_production};
use super::limits::{rate, redis_url};
use super::models::{ChatSettings, DeriveConfig, EmbeddingConfig, embedding};
use super::reference::{Shown, shown};
use super::values::Values;

/// Which rules hold at start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Development and test.
    Development,
    /// Production and staging.
    Production,
}

/// What the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunMode {
    /// Serves HTTP beyond health and metrics.
    pub serves: bool,
    /// Runs jobs.
    pub works: bool,
}

/// The database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Address and pool.
    pub store: StoreConfig,
    /// Whether it is embedded in this process.
    pub is_embedded: bool,
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Least level.
    pub level: String,
    /// JSON lines instead of text.
    pub is_json: bool,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// Who may read metrics.
#[derive(Clone, Debug)]
pub struct MetricsAccess {
    /// Whether the routes exist.
    pub is_enabled: bool,
    /// Networks that need no credential.
    pub allow: Vec<IpNet>,
    /// Bearer token or basic password.
    pub token: Option<Secret>,
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Doubts that did not keep the server from starting.
    pub warnings: Vec<Finding>,
    /// Every setting as it may be shown.
    pub shown: Vec<Shown>,
    /// Rules of start-up.
    pub environment: Environment,
    /// Addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// What the process does.
    pub run_mode: RunMode,
    /// Directory of everything that is kept in files.
    pub data_dir: PathBuf,
    /// Name in health answers.
    pub service_name: String,
    /// The database.
    pub database: DatabaseConfig,
    /// Access tokens: secret (made when absent) and the one before a rotation.
    pub jwt_secret: Option<Secret>,
    /// See [`Config::jwt_secret`].
    pub jwt_secret_previous: Option<Secret>,
    /// The `iss` claim.
    pub jwt_issuer: String,
    /// Life of an access token, µs.
    pub access_ttl: i64,
    /// Life of a refresh token, µs.
    pub refresh_ttl: i64,
    /// Pepper of stored hashes (made when absent).
    pub api_key_secret: Option<Secret>,
    /// Key of sealed values (made when absent).
    pub encryption_key: Option<Secret>,
    /// The key before it, which still opens.
    pub encryption_key_previous: Option<Secret>,
    /// Whether callers need a credential.
    pub require_authentication: bool,
    /// Who may make an account.
    pub registration: identity::Registration,
    /// Whose administrators are the server's operators.
    pub operator_tenant: Option<TenantId>,
    /// Origins of other sites' pages.
    pub cors_origins: Vec<HeaderValue>,
    /// Proxies whose word counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at once.
    pub max_connections: usize,
    /// Of those, of one address.
    pub max_connections_per_address: usize,
    /// The pair to serve TLS with.
    pub tls: Option<TlsFiles>,
    /// How long connections are taken once told to stop.
    pub drain_grace: Duration,
    /// Longest drain after that.
    pub drain_limit: Duration,
    /// Limit per caller; `None` switches it off.
    pub rate: Option<RateConfig>,
    /// How many requests may run at once; `None` lets everything in.
    pub at_once: Option<Range>,
    /// What servers share beside the database.
    pub redis_url: Option<Secret>,
    /// Answers are kept for the next who asks.
    pub enable_cache: bool,
    /// Where vectors come from.
    pub embedding: EmbeddingConfig,
    /// RAM for recall indexes.
    pub index_bytes: u64,
    /// What derives memories.
    pub derive: DeriveConfig,
    /// The chat model.
    pub chat: Option<ChatSettings>,
    /// Objects on S3 instead of disk.
    pub s3: Option<S3Config>,
    /// Backups.
    pub backup: BackupConfig,
    /// Logs.
    pub log: LogConfig,
    /// Who may read metrics.
    pub metrics: MetricsAccess,
    /// Slower requests are logged.
    pub slow_request: Duration,
}

impl Config {
    /// Builds the settings from values whose kinds were checked; what still cannot be read is a finding.
    pub(super) fn build(values: &Values, findings: &mut Vec<Finding>) -> Option<Self> {
        let production = is_production(values);
        let secret = |name: &str| values.text(name).map(Secret::new);
        let before = findings.len();
        let listen = listen(values, production, findings);
        let trusted_proxies = networks(values, "TRUSTED_PROXIES", findings);
        let allow = networks(values, "METRICS_ALLOW", findings);
        let origins =
            values.list("CORS_ORIGINS").into_iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
        let data_dir = PathBuf::from(values.text("DATA_DIR").unwrap_or("./data"));
        let s3 = s3(values, findings);
        let backup = BackupConfig::read(values, &data_dir, s3.as_ref(), findings);
        let operator_tenant = operator_tenant(values, findings);
        let redis_url = redis_url(values, findings);
        let chat = ChatSettings::read(values, findings);
        if findings.len() > before {
            return None;
        }
        Some(Self {
            warnings: Vec::new(),
            shown: shown(values),
            environment: if production { Environment::Production } else { Environment::Development },
            listen,
            run_mode: run_mode(values),
            service_name: values.text("SERVICE_NAME").unwrap_or("hearth").to_owned(),
            database: database(values, &data_dir),
            jwt_secret: secret("JWT_SECRET"),
            jwt_secret_previous: secret("JWT_SECRET_PREVIOUS"),
            jwt_issuer: values.text("JWT_ISSUER").unwrap_or("hearth").to_owned(),
            access_ttl: values.millis("JWT_EXPIRES_IN") as i64 * 1_000,
            refresh_ttl: values.millis("JWT_REFRESH_EXPIRES_IN") as i64 * 1_000,
            api_key_secret: secret("API_KEY_SECRET"),
            encryption_key: secret("ENCRYPTION_KEY"),
            encryption_key_previous: secret("ENCRYPTION_KEY_PREVIOUS"),
            require_authentication: values.flag("REQUIRE_AUTHENTICATION"),
            registration: registration(values, production),
            operator_tenant,
            cors_origins: origins.collect(),
            trusted_proxies,
            max_connections: values.number("MAX_CONNECTIONS") as usize,
            max_connections_per_address: values.number("MAX_CONNECTIONS_PER_ADDRESS") as usize,
            tls: tls(values),
            drain_grace: Duration::from_millis(values.millis("DRAIN_GRACE")),
            drain_limit: Duration::from_millis(values.millis("DRAIN_LIMIT")),
            rate: values.flag("RATE_LIMIT_ENABLED").then(|| rate(values)),
            at_once: values.flag("SHED_ENABLED").then(Range::of_this_machine),
            redis_url,
            enable_cache: values.flag("ENABLE_CACHE"),
            embedding: embedding(values, &data_dir),
            index_bytes: values.number("MEMORY_INDEX_BYTES") as u64,
            derive: DeriveConfig::read(values),
            chat,
            s3,
            backup,
            log: log(values, production),
            metrics: MetricsAccess {
                is_enabled: values.flag("ENABLE_METRICS"),
                allow,
                token: secret("METRICS_TOKEN"),
            },
            slow_request: Duration::from_millis(values.millis("SLOW_REQUEST_THRESHOLD_MS")),
            data_dir,
        })
    }

    /// Settings of `identity`, once the secrets are known.
    pub fn identity(&self, jwt_secret: Secret, api_key_pepper: Secret) -> identity::Config {
        identity::Config {
            jwt_secret_previous: self.jwt_secret_previous.clone(),
            jwt_issuer: self.jwt_issuer.clone(),
            access_ttl: self.access_ttl,
            refresh_ttl: self.refresh_ttl,
            registration: self.registration,
            require_authentication: self.require_authentication,
            production: self.environment == Environment::Production,
            ..identity::Config::development(jwt_secret, api_key_pepper)
        }
    }
}

fn tls(values: &Values) -> Option<TlsFiles> {
    let path = |name: &str| values.text(name).map(PathBuf::from);
    Some(TlsFiles { certificate: path("TLS_CERT_FILE")?, key: path("TLS_KEY_FILE")? })
}

fn listen(values: &Values, production: bool, findings: &mut Vec<Finding>) -> Vec<SocketAddr> {
    let fallback = if production { "0.0.0.0" } else { "127.0.0.1" };
    let host = values.text("HOST").unwrap_or(fallback);
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    // A port out of range was refused under its own name.
    let port = values.number("PORT").clamp(0, 65_535);
    let (texts, used) = match values.list("LISTEN") {
        list if !list.is_empty() => (list, "LISTEN".to_owned()),
        _ if host.contains(':') && !host.starts_with('[') => {
            (vec![format!("[{host}]:{port}")], values.used_name("HOST"))
        }
        _ => (vec![format!("{host}:{port}")], values.used_name("HOST")),
    };
    let mut addresses = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => findings.push(Finding::refusal(
                &used,
                format!("`{text}` is no address to listen on; write it like 127.0.0.1:8080"),
            )),
        }
    }
    addresses
}

fn networks(values: &Values, name: &str, findings: &mut Vec<Finding>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in values.list(name) {
        let single = || text.parse::<IpAddr>().map(IpNet::from);
        match text.parse::<IpNet>().or_else(|_| single()) {
            Ok(network) => networks.push(network),
            Err(_) => findings.push(Finding::refusal(
                name,
                format!("`{text}` is no address or network; write it like 10.0.0.0/8"),
            )),
        }
    }
    networks
}

fn run_mode(values: &Values) -> RunMode {
    match values.text("RUN_MODE").unwrap_or("api").to_ascii_lowercase().as_str() {
        "web" => RunMode { serves: true, works: false },
        "worker" => RunMode { serves: false, works: true },
        _ => RunMode { serves: true, works: true },
    }
}

fn database(values: &Values, data_dir: &std::path::Path) -> DatabaseConfig {
    let embedded = || format!("sqlite:{}", data_dir.join("hearth.db").display());
    let url = values
        .text("DATABASE_URL")
        .map_or_else(embedded, |url| url.replacen("postgresql+asyncpg:", "postgresql:", 1));
    let is_embedded = url.starts_with("sqlite:");
    let time = |name: &str| Duration::from_millis(values.millis(name));
    let replica = values.text("DATABASE_URL_REPLICA");
    let store = StoreConfig {
        url: Secret::new(url),
        replica: replica.map(Secret::new),
        pool_max: values.number("DATABASE_POOL_MAX") as u32,
        pool_min: values.number("DATABASE_POOL_MIN") as u32,
        connect_timeout: time("DATABASE_CONNECT_TIMEOUT_MS"),
        statement_timeout: time("DATABASE_STATEMENT_TIMEOUT_MS"),
        idle_timeout: time("DATABASE_IDLE_TIMEOUT_MS"),
        max_lifetime: time("DATABASE_MAX_LIFETIME_MS"),
    };
    DatabaseConfig { store, is_embedded }
}

fn registration(values: &Values, production: bool) -> identity::Registration {
    match values.text("REGISTRATION").map(str::to_ascii_lowercase).as_deref() {
        Some("closed") => identity::Registration::Closed,
        Some("open") => identity::Registration::Open,
        Some(_) => identity::Registration::Invite,
        None if production => identity::Registration::Invite,
        None => identity::Registration::Open,
    }
}

fn operator_tenant(values: &Values, findings: &mut Vec<Finding>) -> Option<TenantId> {
    let name = "OPERATOR_TENANT";
    let refused = |why| findings.push(Finding::refusal(name, format!("{why}; name an existing tenant")));
    TenantId::parse(values.text(name)?).map_err(refused).ok()
}

fn s3(values: &Values, findings: &mut Vec<Finding>) -> Option<S3Config> {
    let endpoint = values.text("S3_ENDPOINT")?;
    let secure = values.is_set("S3_SECURE") && values.flag("S3_SECURE");
    let endpoint = match endpoint {
        text if text.starts_with("http://") || text.starts_with("https://") => text.to_owned(),
        bare if secure => format!("https://{bare}"),
        bare => format!("http://{bare}"),
    };
    let mut need = |name: &str| {
        if !values.is_set(name) {
            findings.push(Finding::refusal(
                name,
                "is not set although S3_ENDPOINT is; set it or remove S3_ENDPOINT",
            ));
        }
        Secret::new(values.text(name).unwrap_or_default())
    };
    let (access_key, secret_key) = (need("S3_ACCESS_KEY"), need("S3_SECRET_KEY"));
    Some(S3Config {
        endpoint,
        bucket: values.text("S3_BUCKET").unwrap_or("documents").to_owned(),
        access_key,
        secret_key,
    })
}

fn log(values: &Values, production: bool) -> LogConfig {
    let level = values.text("LOG_LEVEL").unwrap_or("info").to_ascii_lowercase();
    let level = if level == "warning" { "warn".to_owned() } else { level };
    let is_json = values.text("LOG_FORMAT").map_or(production, |format| format.eq_ignore_ascii_case("json"));
    LogConfig { level, is_json }
}
