//! The settings in words: the reference page, a JSON Schema, and what a server would use.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::table::{Kind, SETTINGS, Setting};
use super::values::{Source, Values};

/// The reference page in Markdown, made from the table.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Made by `cargo xtask gen` from the table in `crates/server/src/config/table.rs`; do not edit.\n\n\
         Layers, weakest first: built in, `/etc/hearth/hearth.toml` or `--config FILE` (keys in lower case), the file that \
         `<NAME>_FILE` names (secrets, marked ◆), environment variables, flags. Each variable is also read with the prefix \
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

fn allowed(setting: &Setting) -> String {
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

/// Each setting with the value that would be used and its source; secrets as their length, addresses without passwords.
pub fn show(values: &Values) -> String {
    let mut out = String::new();
    for setting in SETTINGS {
        let text = match values.text(setting.name) {
            None if setting.is_secret && is_made(setting.name) => "made at first run".to_owned(),
            None => "–".to_owned(),
            Some(url) if setting.name == "DATABASE_URL" => without_password(url),
            Some(text) if setting.is_secret => format!("set ({} bytes)", text.len()),
            Some(text) => text.to_owned(),
        };
        let source = match values.source(setting.name) {
            Source::Default => String::new(),
            source => format!("  ({source})"),
        };
        let _ = writeln!(out, "{:32} {text}{source}", setting.name);
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
    let Some((credentials, place)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}
