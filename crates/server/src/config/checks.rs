//! What a server refuses to start with, and what it only warns of.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::secrets::{check_secrets, is_unexpanded, password_of};
use super::values::Values;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Said and logged.
    Warn,
    /// The server does not start.
    Refuse,
}

/// Something wrong or doubtful in the configuration. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    pub(super) fn by_environment(variable: &str, text: impl Into<String>, is_production: bool) -> Self {
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
    check_addresses(values, findings);
    for (name, other) in [("TLS_CERT_FILE", "TLS_KEY_FILE"), ("TLS_KEY_FILE", "TLS_CERT_FILE")] {
        if values.is_set(other) && !values.is_set(name) {
            let what = format!("is not set although {other} is; set it or remove {other}");
            findings.push(Finding::refusal(name, what));
        }
    }
    if !values.text("JWT_ALGORITHM").is_some_and(|text| text.eq_ignore_ascii_case("HS256")) {
        findings.push(Finding::refusal("JWT_ALGORITHM", "is not HS256; remove it or set HS256"));
    }
    if values.flag("MIGRATIONS_RESET") {
        let text = "would drop the schema at start-up; remove it and use `hearth migrate`";
        findings.push(Finding::refusal("MIGRATIONS_RESET", text));
    }
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
    let proxies = values.list("TRUSTED_PROXIES");
    if proxies.iter().filter_map(|proxy| proxy.parse::<IpNet>().ok()).any(|network| is_whole_world(&network))
    {
        let what = "trusts the whole world, so anybody could forge an address; name your proxies";
        findings.push(Finding::by_environment(&values.used_name("TRUSTED_PROXIES"), what, production));
    }
}

/// Half of all addresses or more, also those of IPv4 in IPv6's clothes.
fn is_whole_world(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() <= 1,
        IpNet::V6(network) => {
            network.prefix_len() <= 3
                || (network.prefix_len() <= 97 && network.addr().to_ipv4_mapped().is_some())
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
    for name in ["DATABASE_URL", "DATABASE_URL_REPLICA"] {
        let embeds = |url: &str| name == "DATABASE_URL" && url.starts_with("sqlite:");
        if let Some(url) = values.text(name).filter(|url| !embeds(url)) {
            check_database_url(&values.used_name(name), url, production, findings);
        }
    }
    check_replica(values, production, findings);
    let (least, most) = (values.number("DATABASE_POOL_MIN"), values.number("DATABASE_POOL_MAX"));
    if values.is_set("DATABASE_POOL_MIN") && least > most {
        let what = format!("is {least}, more than DATABASE_POOL_MAX ({most}); lower it or raise the other");
        findings.push(Finding::refusal(&values.used_name("DATABASE_POOL_MIN"), what));
    }
}

fn check_replica(values: &Values, production: bool, findings: &mut Vec<Finding>) {
    let name = "DATABASE_URL_REPLICA";
    if values.text(name).is_none() {
        return;
    }
    let used = values.used_name(name);
    if values.text("DATABASE_URL").is_none_or(|url| url.starts_with("sqlite:")) {
        let what = "is set although DATABASE_URL is no PostgreSQL; name its primary there or remove this";
        findings.push(Finding::refusal(&used, what));
    } else if !values.is_set("REDIS_URL") {
        let what = "needs REDIS_URL, through which servers tell each other who has just written; set it or remove this";
        findings.push(Finding::by_environment(&used, what, production));
    }
}

fn check_database_url(used: &str, url: &str, production: bool, findings: &mut Vec<Finding>) {
    let schemes = ["postgres://", "postgresql://", "postgresql+asyncpg://"];
    let Some(rest) = schemes.iter().find_map(|scheme| url.strip_prefix(scheme)) else {
        let what = "is no address of a database; write postgres://user:password@host/name or sqlite:<file>";
        findings.push(Finding::refusal(used, what));
        return;
    };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = authority.split('/').next().unwrap_or_default();
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let password = password_of(url);
    if production && !password.is_empty() && is_weak_password(&password) {
        let text = "has a password of fewer than 16 characters or 3 kinds of them; choose a longer one";
        findings.push(Finding { severity: Severity::Warn, variable: used.to_owned(), text: text.to_owned() });
    }
    let mut wanted = query.split('&').filter_map(|pair| pair.split_once('='));
    let has_tls = wanted.any(|(name, mode)| {
        ["sslmode", "ssl-mode"].contains(&name) && ["require", "verify-ca", "verify-full"].contains(&mode)
    });
    if !has_tls && !is_near(host) {
        let what = "reaches a remote database without TLS; add sslmode=verify-full";
        findings.push(Finding::by_environment(used, what, production));
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

/// Addresses of other services must be addresses.
fn check_addresses(values: &Values, findings: &mut Vec<Finding>) {
    let is_word = |text: &str| ["none", "local"].iter().any(|word| text.eq_ignore_ascii_case(word));
    for (name, words, cure) in [
        ("EMBEDDING_BASE_URL", true, "write none, local or an address like http://localhost:1234/v1"),
        ("LLM_BASE_URL", true, "write an address like http://localhost:1234/v1, or leave it out"),
        ("S3_ENDPOINT", false, "write it like https://s3.example.com or minio:9000"),
    ] {
        let Some(text) = values.text(name).filter(|text| !(words && is_word(text))) else {
            continue;
        };
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        // Objects may also be named by host and port alone.
        let place = rest.or_else(|| (!words && !text.contains("://")).then_some(text));
        let host = place.unwrap_or_default().split('/').next().unwrap_or_default();
        if host.is_empty() || text.contains(char::is_whitespace) || is_unexpanded(text) {
            findings.push(Finding::refusal(&values.used_name(name), format!("is no address; {cure}")));
        }
    }
}
