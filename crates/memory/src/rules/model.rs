//! Words of rules.

use kernel::{Error, ErrorKind, Micros, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{Channel, check_name};
use crate::words::words;

/// Longest text of a rule, in characters.
const MAX_CONTENT: usize = 8_000;

words! {
    /// For whom a rule is.
    RuleScope {
        /// Everybody of the tenant; for administrators to say.
        Org = "org",
        /// The owner, in what they work on.
        Project = "project",
        /// The owner, always.
        User = "user",
    }
}

words! {
    /// Whether a rule is in force.
    RuleState {
        /// It is.
        Active = "active",
        /// It is kept and not followed.
        Disabled = "disabled",
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rule {
    /// `rul_…`.
    pub rule_id: String,
    /// Owner; null for rules of the whole tenant.
    pub user_id: Option<String>,
    /// `org`, `project` or `user`.
    pub scope: String,
    /// Where it may be shown.
    pub channel: String,
    /// Larger comes first.
    pub priority: i64,
    /// What is to be done or left.
    pub content: String,
    /// Estimated tokens of the text.
    pub token_est: i64,
    /// `active` or `disabled`.
    pub state: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
}

/// A rule to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// What is to be done or left, 1–8,000 characters.
    pub content: String,
    /// `user` when absent; `org` is for administrators.
    pub scope: Option<RuleScope>,
    /// Where it may be shown; `private` when absent. `public` holds in every answer.
    pub channel: Option<Channel>,
    /// −100 to 100, 0 when absent; larger comes first.
    #[schema(minimum = -100, maximum = 100)]
    pub priority: Option<i64>,
    /// Owner; the credential's own person or principal when absent. Rules of the tenant have none.
    pub user_id: Option<String>,
}

/// Changes to a rule; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RulePatch {
    /// What is to be done or left, 1–8,000 characters.
    pub content: Option<String>,
    /// Where it may be shown.
    pub channel: Option<Channel>,
    /// −100 to 100; larger comes first.
    #[schema(minimum = -100, maximum = 100)]
    pub priority: Option<i64>,
    /// Whether it is in force.
    pub state: Option<RuleState>,
}

impl NewRule {
    pub(super) fn check(&self) -> Result<()> {
        check_name("user_id", self.user_id.as_deref())?;
        if self.scope == Some(RuleScope::Org) && self.user_id.is_some() {
            return Err(Error::field("user_id", "rules of the tenant have no owner; leave it out"));
        }
        check_content(Some(&self.content))?;
        check_priority(self.priority)
    }
}

impl RulePatch {
    pub(super) fn check(&self) -> Result<()> {
        check_content(self.content.as_deref())?;
        check_priority(self.priority)
    }

    pub(super) fn apply(self, rule: &mut Rule) {
        rule.priority = self.priority.unwrap_or(rule.priority);
        if let Some(content) = self.content {
            rule.content = content;
        }
        if let Some(channel) = self.channel {
            channel.as_str().clone_into(&mut rule.channel);
        }
        if let Some(state) = self.state {
            state.as_str().clone_into(&mut rule.state);
        }
    }
}

fn check_content(text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.trim().is_empty() => {
            Err(Error::field("content", "says what is to be done or left and may not be empty"))
        }
        Some(text) if text.chars().count() > MAX_CONTENT => {
            let text = format!("a rule holds at most {MAX_CONTENT} characters; nothing was stored");
            Err(Error::new(ErrorKind::TooLarge, "too_large", text))
        }
        _ => Ok(()),
    }
}

fn check_priority(priority: Option<i64>) -> Result<()> {
    match priority {
        Some(priority) if !(-100..=100).contains(&priority) => {
            Err(Error::field("priority", "is -100 to 100"))
        }
        _ => Ok(()),
    }
}
