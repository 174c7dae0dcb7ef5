//! What a server refuses to start with, and what it only warns of.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use super::table::SETTINGS;
use super::values::Values;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Said and logged.
    Warn,
    /// The server does not start.
    Refuse,
}

/// Something wrong or doubtful in the configuration. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The variable or flag as the operator wrote it.
    pub variable: String,
    /// `what is wrong; cure`.
    pub text: String,
}

impl Finding {
    /// Something that the server refuses.
    pub fn refusal(variable: &str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Refuse, variable: variable.to_owned(), text: text.into() }
    }

    /// Something that development tolerates and production refuses.
    fn by_environment(variable: &str, text: impl Into<String>, is_production: bool) -> Self {
        let severity = if is_production { Severity::Refuse } else { Severity::Warn };
        Self { severity, variable: variable.to_owned(), text: text.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hearth: {}: {}", self.variable, self.text)
    }
}

/// Whether production's rules hold.
pub(super) fn is_production(values: &Values) -> bool {
    let word = values.text("ENVIRONMENT").unwrap_or_default().to_ascii_lowercase();
    word == "production" || word == "staging"
}

/// Checks what needs only the values, all of it, so that an operator sees every problem at once.
pub(super) fn check_values(values: &Values, findings: &mut Vec<Finding>) {
    let production = is_production(values);
    check_secrets(values, production, findings);
    check_exposure(values, production, findings);
    check_database(values, production, findings);
    if !values.text("JWT_ALGORITHM").is_some_and(|text| text.eq_ignore_ascii_case("HS256")) {
        findings.push(Finding::refusal("JWT_ALGORITHM", "is not HS256; remove it or set HS256"));
    }
    if values.flag("MIGRATIONS_RESET") {
        let text = "would drop the schema at start-up; remove it and use `hearth migrate`";
        findings.push(Finding::refusal("MIGRATIONS_RESET", text));
    }
}

/// Values that guides and example files print; whoever copies them shares them with everybody.
const PUBLISHED: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "your-secret-key",
    "your_secret_key",
    "supersecret",
    "dev-secret",
    "default",
    "test",
    "admin",
    "minioadmin",
    "your-secret-key-change-in-production",
    "your-super-secret-jwt-key-change-this-in-production",
    "change-this-secret-in-production",
    "development-secret-key-change-in-production",
    "jwt-secret-key",
    "super-secret-key",
    "postgres",
];

fn is_published(text: &str) -> bool {
    let low = text.to_ascii_lowercase();
    let placeholder = (low.starts_with('<') && low.ends_with('>'))
        || (low.starts_with("your-") && low.ends_with("-here"))
        || (low.starts_with("your_") && low.ends_with("_here"))
        || low.contains("changeme")
        || low.contains("change-this");
    placeholder || PUBLISHED.contains(&low.as_str())
}

fn check_secrets(values: &Values, production: bool, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret && values.is_set(setting.name)) {
        let (used, text) = (values.used_name(setting.name), values.text(setting.name).unwrap_or_default());
        let keys_of_ours =
            ["JWT_SECRET", "JWT_SECRET_PREVIOUS", "API_KEY_SECRET", "ENCRYPTION_KEY", "METRICS_TOKEN"];
        if text.contains("${") {
            findings.push(Finding::refusal(&used, "holds an unexpanded ${…}; set the value itself"));
        } else if is_published(text) || text.contains("user:pass") {
            let what = if setting.name == "JWT_SECRET" {
                format!("{used} is using default value!; generate one: openssl rand -base64 32")
            } else {
                "is a published example; generate one: openssl rand -base64 32".to_owned()
            };
            findings.push(Finding::refusal(&used, what));
        } else if keys_of_ours.contains(&setting.name) && is_weak(text) {
            let what = "is shorter than 32 characters or has fewer than 8 different ones; generate one: openssl rand -base64 32";
            findings.push(Finding::by_environment(&used, what, production));
        }
        if setting.name != "DATABASE_URL"
            && let Some(other) = seen.insert(text, used.clone())
        {
            let what = format!("has the same value as {other}, so one leak opens both; give each its own");
            findings.push(Finding::by_environment(&used, what, production));
        }
    }
    let shared = values.text("DATABASE_URL").is_some_and(|url| !url.starts_with("sqlite:"));
    for name in ["JWT_SECRET", "API_KEY_SECRET", "ENCRYPTION_KEY"] {
        if shared && !values.is_set(name) {
            let what = "is not set, and servers that share a database must share it; generate one: openssl rand -base64 32";
            findings.push(Finding::by_environment(name, what, production));
        }
    }
}

fn is_weak(text: &str) -> bool {
    let mut letters: Vec<char> = text.chars().collect();
    let length = letters.len();
    letters.sort_unstable();
    letters.dedup();
    length < 32 || letters.len() < 8
}

fn check_exposure(values: &Values, production: bool, findings: &mut Vec<Finding>) {
    let loopback = binds_loopback(values, production);
    for (name, must_be) in [("REQUIRE_AUTHENTICATION", true), ("ALLOW_X_USER_ID_AUTH", false)] {
        if values.flag(name) == must_be || (!production && loopback) {
            continue;
        }
        let what = if must_be {
            "is false, so everybody would be owner; set it to true, or listen on 127.0.0.1 in development"
        } else {
            "is true, and a header is no proof; use an API key that may act for people"
        };
        findings.push(Finding::refusal(&values.used_name(name), what));
    }
    let origins = values.used_name("CORS_ORIGINS");
    for origin in values.list("CORS_ORIGINS") {
        if let Some(what) = bad_origin(&origin, production) {
            findings.push(Finding::by_environment(&origins, format!("holds `{origin}`, {what}"), production));
        }
    }
    for proxy in values.list("TRUSTED_PROXIES") {
        if ["0.0.0.0/0", "::/0", "*"].contains(&proxy.as_str()) {
            let what = "trusts the whole world, so anybody could forge an address; name your proxies";
            findings.push(Finding::by_environment("TRUSTED_PROXIES", what, production));
        }
    }
}

fn binds_loopback(values: &Values, production: bool) -> bool {
    let is_loopback = |host: &str| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    let listen = values.list("LISTEN");
    if listen.is_empty() {
        return values.text("HOST").map_or(!production, is_loopback);
    }
    listen.iter().all(|address| address.rsplit_once(':').is_some_and(|(host, _)| is_loopback(host)))
}

fn bad_origin(origin: &str, production: bool) -> Option<&'static str> {
    if origin == "*" || origin == "null" {
        return Some("which lets every page call; name each origin");
    }
    let Some((scheme, rest)) = origin.split_once("://") else {
        return Some("which is no origin; write it like https://app.example.com");
    };
    match scheme {
        _ if rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ']) => {
            Some("which is no origin; leave out everything after host and port")
        }
        "http" if production => Some("which is not encrypted; use https"),
        "http" | "https" => None,
        _ => Some("which is no origin; write it like https://app.example.com"),
    }
}

fn check_database(values: &Values, production: bool, findings: &mut Vec<Finding>) {
    let Some(url) = values.text("DATABASE_URL") else {
        return;
    };
    let used = values.used_name("DATABASE_URL");
    if url.starts_with("sqlite:") {
        return;
    }
    let Some(rest) = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"))
        .or_else(|| url.strip_prefix("postgresql+asyncpg://"))
    else {
        findings.push(Finding::refusal(
            &used,
            "is no address of a database; write postgres://user:password@host/name or sqlite:<file>",
        ));
        return;
    };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = authority.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let password = user.split_once(':').map_or("", |(_, password)| password);
    if production && !password.is_empty() && is_weak_password(password) {
        let text =
            "has a password of fewer than 16 characters or 3 kinds of them; choose a longer one".to_owned();
        findings.push(Finding { severity: Severity::Warn, variable: used.clone(), text });
    }
    let tls = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"]
        .iter()
        .any(|mode| query.contains(mode));
    if !tls && !is_near(host) {
        let what = "reaches a remote database without TLS; add sslmode=verify-full";
        findings.push(Finding::by_environment(&used, what, production));
    }
}

fn is_weak_password(password: &str) -> bool {
    let kinds = [
        password.chars().any(char::is_lowercase),
        password.chars().any(char::is_uppercase),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| !c.is_alphanumeric()),
    ];
    password.chars().count() < 16 || kinds.into_iter().filter(|kind| *kind).count() < 3
}

/// Loopback, private networks, sockets, and names without a dot, which only a private resolver knows.
fn is_near(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => name.is_empty() || !name.contains('.'),
    }
}

/// Refuses or warns of a secret's file that others may read. Its group may: that is how a service is given its secrets.
pub(super) fn loose_file(variable: &str, path: &Path, production: bool) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let what = || format!("names {}, which others may read; chmod 600 it", path.display());
    (mode & 0o007 != 0).then(|| Finding::by_environment(variable, what(), production))
}

/// Least room on the data disk: bytes, and share of the disk.
const LEAST_FREE_BYTES: u64 = 200 * 1024 * 1024;
const LEAST_FREE_SHARE: f64 = 0.05;

/// Checks the data directory: writable, not readable by others, on a local disk with room.
pub fn check_place(data_dir: &Path, is_embedded: bool, production: bool) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mut findings = Vec::new();
    let shown = data_dir.display();
    let probe = data_dir.join(".writable");
    if let Err(error) = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        findings.push(Finding::refusal(
            "DATA_DIR",
            format!("cannot write to {shown}: {error}; name a directory of your own"),
        ));
        return findings;
    }
    let mode = std::fs::metadata(data_dir).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        let what = format!("{shown} is open to others; chmod 700 it");
        findings.push(Finding::by_environment("DATA_DIR", what, production));
    }
    let disks = sysinfo::Disks::new_with_refreshed_list();
    let absolute = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    let disk = disks.list().iter().filter(|disk| absolute.starts_with(disk.mount_point()));
    let Some(disk) = disk.max_by_key(|disk| disk.mount_point().as_os_str().len()) else {
        return findings;
    };
    let (free, total) = (disk.available_space(), disk.total_space());
    if free < LEAST_FREE_BYTES || (free as f64) < total as f64 * LEAST_FREE_SHARE {
        let what = format!(
            "has {} MB free on {shown}, less than 200 MB or 5 %; make room or name another disk",
            free / 1_000_000
        );
        findings.push(Finding::by_environment("DATA_DIR", what, production));
    }
    let system = disk.file_system().to_string_lossy().to_ascii_lowercase();
    if is_embedded
        && ["nfs", "cifs", "smb", "9p", "fuse.sshfs"].iter().any(|network| system.starts_with(network))
    {
        let what = format!(
            "{shown} lies on a network file system ({system}), where SQLite cannot lock; use a local disk or PostgreSQL"
        );
        findings.push(Finding::by_environment("DATA_DIR", what, production));
    }
    findings
}
