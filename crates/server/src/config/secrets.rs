//! What is no secret: published values, placeholders, weak ones, and one value with two uses.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::checks::Finding;
use super::table::SETTINGS;
use super::values::Values;

/// Values that guides and example files print; whoever copies them shares them with everybody. Compared without case and
/// without anything but letters and digits.
const PUBLISHED: &[&str] = &[
    "admin",
    "apikey",
    "astringsecretatleast256bitslong",
    "default",
    "devsecret",
    "jwtsecret",
    "jwtsecretkey",
    "keyboardcat",
    "letmein",
    "minioadmin",
    "minio123",
    "mysecret",
    "mysecretkey",
    "password",
    "password123",
    "postgres",
    "root",
    "s3cr3t",
    "secret",
    "secretkey",
    "supersecret",
    "supersecretjwtkey",
    "supersecretkey",
    "test",
    "your256bitsecret",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz123456",
    "thisisasecretkey",
];

/// Parts that no secret holds by chance, and placeholders always do.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "changethis",
    "changeinproduction",
    "donotuse",
    "notforproduction",
    "placeholder",
    "replaceme",
    "replacethis",
    "replacewith",
    "developmentsecret",
    "djangoinsecure",
    "yourapikey",
    "yourjwt",
    "yourpassword",
    "yoursecret",
    "yoursupersecret",
    "yourtoken",
];

fn is_placeholder(text: &str) -> bool {
    let low = text.to_ascii_lowercase();
    let bare: String = low.chars().filter(char::is_ascii_alphanumeric).collect();
    (low.starts_with('<') && low.ends_with('>'))
        || (bare.starts_with("your") && bare.ends_with("here"))
        || PLACEHOLDERS.iter().any(|part| bare.contains(part))
}

fn is_published(text: &str) -> bool {
    let bare: String = text.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    is_placeholder(text) || PUBLISHED.contains(&bare.as_str())
}

/// What a shell, a compose file or a template engine should have filled in.
pub(super) fn is_unexpanded(text: &str) -> bool {
    let bare_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    text.contains("${")
        || text.contains("$(")
        || text.contains("{{")
        || text.strip_prefix('$').is_some_and(bare_name)
}

/// The password inside an address, decoded; empty when there is none.
pub(super) fn password_of(url: &str) -> String {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?']).next().unwrap_or("");
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    decoded(password.map_or("", |(_, password)| password))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Secrets that this server makes when nobody gives them, and the one that reads metrics.
const OURS: &[&str] = &[
    "JWT_SECRET",
    "JWT_SECRET_PREVIOUS",
    "API_KEY_SECRET",
    "ENCRYPTION_KEY",
    "ENCRYPTION_KEY_PREVIOUS",
    "METRICS_TOKEN",
];

/// Checks every secret that is set, and that those are set which servers must share.
pub(super) fn check_secrets(values: &Values, production: bool, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret && values.is_set(setting.name)) {
        let (used, text) = (values.used_name(setting.name), values.text(setting.name).unwrap_or_default());
        findings.extend(check_secret(setting.name, &used, text, production));
        // Several addresses may well lead to one server, with one password.
        let (own, is_address) = match password_of(text) {
            _ if !text.contains("://") => (text.to_owned(), false),
            password if password.is_empty() => continue,
            password => (password, true),
        };
        match seen.entry(own) {
            Entry::Vacant(place) => {
                place.insert(if is_address { format!("the password in {used}") } else { used });
            }
            Entry::Occupied(other) if !(is_address && other.get().starts_with("the password")) => {
                let what = format!(
                    "has the same value as {}, so one leak opens both; give each its own",
                    other.get()
                );
                findings.push(Finding::by_environment(&used, what, production));
            }
            Entry::Occupied(_) => {}
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

/// Refuses what is no secret at all, and what is too weak for one of ours.
fn check_secret(name: &str, used: &str, text: &str, production: bool) -> Option<Finding> {
    let password = password_of(text);
    if is_unexpanded(text) {
        return Some(Finding::refusal(used, "holds an unexpanded ${…} or {{…}}; set the value itself"));
    }
    if name == "JWT_SECRET" && is_published(text) {
        let what = format!("{used} is using default value!; generate one: openssl rand -base64 32");
        return Some(Finding::refusal(used, what));
    }
    let is_address = text.contains("://");
    if (!is_address && is_published(text)) || text.contains("user:pass@") || text.contains("user:password@") {
        let what = "is a published example; generate one: openssl rand -base64 32";
        return Some(Finding::refusal(used, what));
    }
    if is_placeholder(&password) {
        let what = "has a placeholder for a password, a published example; set the real one";
        return Some(Finding::refusal(used, what));
    }
    if is_published(&password) {
        let what = "has a password that guides publish; choose another: openssl rand -base64 32";
        return Some(Finding::by_environment(used, what, production));
    }
    if OURS.contains(&name) && is_weak(text) {
        let what = "is shorter than 32 characters or has fewer than 8 different ones; generate one: openssl rand -base64 32";
        return Some(Finding::by_environment(used, what, production));
    }
    None
}

fn is_weak(text: &str) -> bool {
    let mut letters: Vec<char> = text.chars().collect();
    let length = letters.len();
    letters.sort_unstable();
    letters.dedup();
    length < 32 || letters.len() < 8
}
