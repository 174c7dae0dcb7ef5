//! The settings in words: the reference page, a JSON Schema, and what a server would use.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::setting::{Kind, Setting};
use super::table::SETTINGS;
use super::values::Values;

/// The reference page in Markdown, made from the table.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Made by `cargo xtask gen` from the table in `crates/server/src/config/table.rs`; do not edit.\n\n\
         Layers, weakest first: built in, `/etc/hearth/hearth.toml` or `--config FILE` (keys in lower case), the file that \
         `<NAME>_FILE` names (secrets, marked ◆), `/etc/hearth/hearth.env` and `/etc/ai-endpoint-platform/server.env` (unless \
         `--config` is given), environment variables, flags. Each variable is also read with the prefix \
         `HEARTH_`. Two names of one setting that differ refuse to start; an empty variable counts as unset.\n\n\
         `hearth config check` tests a configuration, `hearth config show` prints what would be used and from where.\n\n\
         | Setting | Older names | Default | Allowed | Meaning |\n|---|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let secret = if setting.is_secret { " ◆" } else { "" };
        let aliases: Vec<String> = setting.aliases.iter().map(|alias| format!("`{}`", alias.name)).collect();
        let default =
            if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
        let _ = writeln!(
            page,
            "| `{}`{secret} | {} | {default} | {} | {} |",
            setting.name,
            if aliases.is_empty() { "–".to_owned() } else { aliases.join(", ") },
            allowed(setting),
            setting.meaning,
        );
    }
    page.push_str(
        "\n`DATABASE_URL` is also put together from `PGHOST PGPORT PGDATABASE PGUSER` and `POSTGRES_PASSWORD` or \
         `PGPASSWORD`, `DATABASE_POOL_MAX` from `POSTGRES_POOL_SIZE` + `POSTGRES_MAX_OVERFLOW`.\n",
    );
    page
}

/// What a setting may be, in a few words.
pub(super) fn allowed(setting: &Setting) -> String {
    match setting.kind {
        Kind::Text => "text".to_owned(),
        Kind::Choice(words) => words.join(", "),
        Kind::Flag => "true, false".to_owned(),
        Kind::Number(least, most) if most == i64::MAX => format!("from {least}"),
        Kind::Number(least, most) => format!("{least}–{most}"),
        Kind::Duration(unit, least, most) => format!("time, {least}–{most} ms; bare numbers in {unit}"),
        Kind::List => "comma list".to_owned(),
    }
}

/// JSON Schema of the configuration file.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for setting in SETTINGS {
        let mut schema = match setting.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Choice(words) => json!({"type": "string", "enum": words}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Kind::Duration(..) => json!({"type": ["string", "integer"]}),
            Kind::List => json!({"type": ["array", "string"], "items": {"type": "string"}}),
        };
        schema["description"] = setting.meaning.into();
        if !setting.default.is_empty() {
            schema["default"] = setting.default.into();
        }
        properties.insert(setting.name.to_ascii_lowercase(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hearth configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// A setting as operators may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Shown {
    /// Canonical name.
    pub name: &'static str,
    /// What would be used: a secret as `set (32 bytes)`, an address without its password; absent when there is none.
    pub value: Option<String>,
    /// Where it came from: `default`, `flag`, or a file or variable by name.
    pub source: String,
    /// Never shown.
    pub is_secret: bool,
    /// One sentence.
    pub meaning: &'static str,
    /// What is used when nothing is set; empty when there is none.
    pub default: &'static str,
    /// Whether a change waits for a restart; the others are taken up on SIGHUP.
    pub needs_restart: bool,
    /// Tells texts apart that look alike when shown; means nothing outside this process.
    #[serde(skip)]
    mark: u64,
}

impl Shown {
    /// Whether both were read with the same text.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.mark == other.mark
    }
}

/// A hash under a key of this process, so that it tells nothing of a secret.
fn mark(text: Option<&str>) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(text)
}

/// Each setting with the value that would be used and its source; secrets as their length, addresses without passwords.
pub(crate) fn shown(values: &Values) -> Vec<Shown> {
    let one = |setting: &Setting| {
        let value = match values.text(setting.name) {
            None => is_made(setting.name).then(|| "made at first run".to_owned()),
            Some(url) if url.contains("://") => Some(without_password(url)),
            Some(url) if url.starts_with("sqlite:") => Some(url.to_owned()),
            Some(text) if setting.is_secret => Some(format!("set ({} bytes)", text.len())),
            Some(text) => Some(text.to_owned()),
        };
        Shown {
            name: setting.name,
            value,
            source: values.source(setting.name).to_string(),
            is_secret: setting.is_secret,
            meaning: setting.meaning,
            default: setting.default,
            needs_restart: !setting.reloads,
            mark: mark(values.text(setting.name)),
        }
    };
    SETTINGS.iter().map(one).collect()
}

/// As `shown`, a line each.
pub fn show(values: &Values) -> String {
    let mut out = String::new();
    for Shown { name, value, source, .. } in shown(values) {
        let source = if source == "default" { String::new() } else { format!("  ({source})") };
        let _ = writeln!(out, "{name:32} {}{source}", value.as_deref().unwrap_or("–"));
    }
    out
}

fn is_made(name: &str) -> bool {
    ["JWT_SECRET", "API_KEY_SECRET", "ENCRYPTION_KEY"].contains(&name)
}

/// An address without the password in it.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // A query may carry passwords too, such as sslpassword, so only its best known word is kept.
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mode = query.split('&').find(|pair| pair.starts_with("sslmode="));
    let mode = mode.map(|pair| format!("?{pair}")).unwrap_or_default();
    let Some((credentials, place)) = rest.rsplit_once('@') else {
        return format!("{scheme}://{rest}{mode}");
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}{mode}")
}
