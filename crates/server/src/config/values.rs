//! Texts of settings and where each came from, before anything is made of them.

use std::collections::BTreeMap;

use super::checks::Finding;
use super::setting::{Alias, Kind, Setting};
use super::table::SETTINGS;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// The configuration file.
    File(String),
    /// A file that `<NAME>_FILE` names.
    SecretFile(String),
    /// A variable, under the name that was used.
    Variable(String),
    /// A line of an env file: the name that was used, and the file.
    EnvFile(String, String),
    /// A flag of the command line.
    Flag,
    /// Made at first run and kept in `DATA_DIR/secrets`.
    Made,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::SecretFile(path) => write!(f, "secret file {path}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::EnvFile(name, path) => write!(f, "variable {name} in {path}"),
            Self::Flag => f.write_str("flag"),
            Self::Made => f.write_str("made at first run"),
        }
    }
}

/// The text of every setting that has one.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, (String, Source)>);

impl Values {
    /// Sets a value over what a weaker layer set.
    pub(super) fn set(&mut self, name: &'static str, text: String, source: Source) {
        self.0.insert(name, (text, source));
    }

    /// The text of a setting, its default when nothing was set; `None` when it has none.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some((text, _)) = self.0.get(name) {
            return Some(text);
        }
        let setting = SETTINGS.iter().find(|setting| setting.name == name)?;
        (!setting.default.is_empty()).then_some(setting.default)
    }

    /// Where the value of a setting came from.
    pub fn source(&self, name: &str) -> Source {
        self.0.get(name).map_or(Source::Default, |(_, source)| source.clone())
    }

    /// Whether anybody set it.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The name under which the value came, for messages.
    pub fn used_name(&self, name: &str) -> String {
        match self.source(name) {
            Source::Variable(used) | Source::EnvFile(used, _) => used,
            _ => name.to_owned(),
        }
    }

    /// A flag that passed its check.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).and_then(parse_flag).unwrap_or(false)
    }

    /// A number that passed its check.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// A time that passed its check, in ms.
    pub(super) fn millis(&self, name: &str) -> u64 {
        let setting = SETTINGS.iter().find(|setting| setting.name == name).expect("a name of the table");
        let unit = if let Kind::Duration(unit, ..) = setting.kind { unit } else { "ms" };
        self.text(name).and_then(|text| parse_millis(text, unit)).unwrap_or_default() as u64
    }

    /// Items of a list, without blanks.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

/// Reads a flag's word.
pub(super) fn parse_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Reads a time in ms; a bare number counts in `unit`.
pub(super) fn parse_millis(text: &str, unit: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().ok()?;
    let factor = match if digits == text.len() { unit } else { text[digits..].trim() } {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Turns text under an alias into text under the canonical name: a bare number takes the alias's unit.
pub(super) fn canonical_text(alias: &Alias, text: &str) -> String {
    match alias.unit {
        Some(unit) if text.bytes().all(|b| b.is_ascii_digit()) => format!("{text}{unit}"),
        _ => text.to_owned(),
    }
}

/// Whether two texts mean the same for a setting: `24h` and `1d` do.
pub(super) fn same_meaning(setting: &Setting, a: &str, b: &str) -> bool {
    match setting.kind {
        Kind::Duration(unit, ..) => parse_millis(a, unit) == parse_millis(b, unit),
        Kind::Flag => parse_flag(a) == parse_flag(b),
        Kind::Choice(_) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

/// Checks kind and range of one value.
pub(super) fn check_kind(setting: &Setting, used: &str, text: &str) -> Option<Finding> {
    let refuse = |what: String| Some(Finding::refusal(used, what));
    match setting.kind {
        Kind::Text | Kind::List => None,
        Kind::Choice(words) if words.iter().any(|word| text.eq_ignore_ascii_case(word)) => None,
        Kind::Choice(words) => refuse(format!("is none of {}; use one of them", words.join(", "))),
        Kind::Flag if parse_flag(text).is_some() => None,
        Kind::Flag => refuse("is neither true nor false; use one of them".to_owned()),
        Kind::Number(least, most) => match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => None,
            _ => refuse(format!("is not a whole number from {least} to {most}; use one in that range")),
        },
        Kind::Duration(unit, least, most) => match parse_millis(text, unit) {
            Some(ms) if (least..=most).contains(&ms) => None,
            _ => refuse(format!(
                "is not a time from {least} to {most} ms; write it like 90s or 24h, a bare number counts in {unit}"
            )),
        },
    }
}
