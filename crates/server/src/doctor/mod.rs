//! An examination of the whole installation: each line ok, warn or fail, with the cure. Changes nothing.

mod database;
mod services;

use std::collections::BTreeMap;

use kernel::Clock;
use serde::Serialize;

use crate::config::{Flags, Severity, load};

/// How a line turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// It works and wants attention.
    Warn,
    /// It does not work.
    Fail,
}

impl Status {
    /// The word of a line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// What was looked at.
    pub(crate) name: &'static str,
    /// How it turned out.
    pub(crate) status: Status,
    /// What was found.
    pub(crate) text: String,
    /// What to do; empty when ok.
    pub(crate) cure: String,
}

impl Line {
    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, text: text.into(), cure: String::new() }
    }

    fn warn(name: &'static str, text: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, status: Status::Warn, text: text.into(), cure: cure.into() }
    }

    fn fail(name: &'static str, text: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, status: Status::Fail, text: text.into(), cure: cure.into() }
    }
}

/// Examines what the settings name. Works with the server stopped and beside a running one.
pub(crate) async fn examine(flags: &Flags, environment: &BTreeMap<String, String>) -> Vec<Line> {
    let loaded = load(flags, environment).with_place();
    let mut lines = Vec::new();
    for finding in &loaded.findings {
        let (text, cure) = finding.text.split_once("; ").unwrap_or((&finding.text, ""));
        let text = format!("{} {text}", finding.variable);
        lines.push(match finding.severity {
            Severity::Refuse => Line::fail("configuration", text, cure),
            Severity::Warn => Line::warn("configuration", text, cure),
        });
    }
    let Some(config) = loaded.config else {
        return lines;
    };
    if lines.is_empty() {
        lines.push(Line::ok("configuration", "can be used"));
    }
    lines.push(services::disk(&config));
    lines.push(services::running(&config).await);
    lines.extend(database::examine(&config, &Clock::system()).await);
    lines.extend(services::redis(&config).await);
    lines.extend(services::objects(&config).await);
    lines.push(services::model(&config).await);
    lines.extend(services::certificate(&config, &Clock::system()));
    lines.push(services::backup(&config, &Clock::system()));
    lines
}
