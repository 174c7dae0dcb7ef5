//! Words of blocks.

use kernel::{Error, ErrorKind, FieldError, Micros, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::check_name;

/// Longest text of any block, in characters.
pub(crate) const MAX_TEXT: i64 = 20_000;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 1_000;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Block {
    /// `blk_…`.
    pub block_id: String,
    /// Its name, unique for its owner and agent.
    pub label: String,
    /// The text as it is now.
    pub text: String,
    /// Characters that it may hold.
    pub limit_chars: i64,
    /// Whether agents may only read it.
    pub read_only: bool,
    /// What it is for.
    pub description: String,
    /// Owner.
    pub user_id: String,
    /// The one agent that it is for; null when all agents of the owner share it.
    pub agent_id: Option<String>,
    /// Counts from 1; every change makes a new one.
    pub version: i64,
    /// When this version was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
}

/// A block to make.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// Its name, 1–256 characters. One that begins with `/` is a file of the memory tool, such as `/memories/notes.md`.
    pub label: String,
    /// The text.
    #[serde(default)]
    pub text: String,
    /// Characters that it may hold, 1–20,000; 20,000 when absent.
    #[schema(minimum = 1, maximum = 20000)]
    pub limit_chars: Option<i64>,
    /// Whether agents may only read it.
    #[serde(default)]
    pub read_only: bool,
    /// What it is for, up to 1,000 characters.
    #[serde(default)]
    pub description: String,
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// The one agent that it is for; all agents of the owner share it when absent.
    pub agent_id: Option<String>,
}

/// Which block is meant. An agent sees its own block of a name, or else the one that all agents share.
#[derive(Clone, Debug, Default)]
pub struct BlockPlace {
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// The agent that looks.
    pub agent_id: Option<String>,
    /// The block's name.
    pub label: String,
}

/// Text to put between two lines.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InsertText {
    /// The line after which it goes; 0 is before the first.
    #[schema(minimum = 0)]
    pub line: i64,
    /// One line or more.
    pub text: String,
}

/// Text to put in the place of other text.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceText {
    /// What is there now, exactly once.
    pub old: String,
    /// What is to be there.
    pub new: String,
}

/// A change of a block: at most one of `insert`, `replace` and `rethink`; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockChange {
    /// The version that was read; a later one is answered with 409 and the block as it is.
    pub expected_version: i64,
    /// Puts text between two lines.
    pub insert: Option<InsertText>,
    /// Puts text in the place of other text.
    pub replace: Option<ReplaceText>,
    /// The whole text anew.
    pub rethink: Option<String>,
    /// Characters that it may hold, 1–20,000.
    #[schema(minimum = 1, maximum = 20000)]
    pub limit_chars: Option<i64>,
    /// Whether agents may only read it; for people to say.
    pub read_only: Option<bool>,
    /// What it is for, up to 1,000 characters.
    pub description: Option<String>,
}

/// A version of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockVersion {
    /// Counts from 1.
    pub version: i64,
    /// The text then; empty where the block was deleted.
    pub text: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
    /// Who made it: `usr_…` or `key_…`.
    pub actor: String,
}

impl NewBlock {
    pub(super) fn check(&self) -> Result<()> {
        check_name("label", Some(&self.label))?;
        check_name("user_id", self.user_id.as_deref())?;
        check_name("agent_id", self.agent_id.as_deref())?;
        check_limit(self.limit_chars)?;
        check_description(Some(&self.description))
    }
}

impl BlockPlace {
    pub(super) fn check(&self) -> Result<()> {
        check_name("label", Some(&self.label))?;
        check_name("user_id", self.user_id.as_deref())?;
        check_name("agent_id", self.agent_id.as_deref())
    }
}

impl BlockChange {
    pub(super) fn check(&self) -> Result<()> {
        let named = [
            ("insert", self.insert.is_some()),
            ("replace", self.replace.is_some()),
            ("rethink", self.rethink.is_some()),
        ];
        let named: Vec<&str> =
            named.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
        if named.len() > 1 {
            let message = "only one of insert, replace and rethink at a time";
            let mut error = Error::field(named[0], message);
            let others = named[1..].iter().map(|name| (*name).to_owned());
            error.fields.extend(others.map(|field| FieldError {
                field,
                message: message.to_owned(),
                index: None,
            }));
            return Err(error);
        }
        check_limit(self.limit_chars)?;
        check_description(self.description.as_deref())
    }

    /// The text after the change.
    ///
    /// # Errors
    /// `validation_failed` when the text to be replaced is not there exactly once, or the line is beyond the end.
    pub(super) fn apply(&self, text: &str) -> Result<String> {
        if let Some(ReplaceText { old, new }) = &self.replace {
            return replace_once(text, old, new);
        }
        if let Some(InsertText { line, text: inserted }) = &self.insert {
            return insert_after(text, *line, inserted).ok_or_else(|| {
                Error::field(
                    "insert.line",
                    format!("is 0 to {}, the lines of the block", text.lines().count()),
                )
            });
        }
        Ok(self.rethink.clone().unwrap_or_else(|| text.to_owned()))
    }
}

fn replace_once(text: &str, old: &str, new: &str) -> Result<String> {
    let times = if old.is_empty() { 0 } else { text.matches(old).count() };
    if times != 1 {
        let what = format!("must be in the block exactly once; it is there {times} times");
        return Err(Error::field("replace.old", what));
    }
    Ok(text.replacen(old, new, 1))
}

/// Puts text after a line, on lines of its own; `None` for a line beyond the end.
pub(crate) fn insert_after(text: &str, line: i64, inserted: &str) -> Option<String> {
    let after = usize::try_from(line).ok().filter(|line| *line <= text.lines().count())?;
    let at: usize = text.split_inclusive('\n').take(after).map(str::len).sum();
    let (head, tail) = text.split_at(at);
    let open = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    let close = if inserted.ends_with('\n') || tail.is_empty() { "" } else { "\n" };
    Some(format!("{head}{open}{inserted}{close}{tail}"))
}

pub(super) fn too_large(limit_chars: i64) -> Error {
    let text = format!("this block holds at most {limit_chars} characters; nothing was stored");
    Error::new(ErrorKind::TooLarge, "too_large", text)
}

fn check_limit(limit: Option<i64>) -> Result<()> {
    match limit {
        Some(limit) if !(1..=MAX_TEXT).contains(&limit) => Err(Error::field("limit_chars", "is 1 to 20,000")),
        _ => Ok(()),
    }
}

fn check_description(text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.chars().count() > MAX_DESCRIPTION => {
            Err(Error::field("description", "is at most 1,000 characters"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_between_lines_and_never_joins_them() {
        assert_eq!(insert_after("", 0, "a").as_deref(), Some("a"));
        assert_eq!(insert_after("one\ntwo\n", 1, "x").as_deref(), Some("one\nx\ntwo\n"));
        assert_eq!(insert_after("one\ntwo", 2, "x").as_deref(), Some("one\ntwo\nx"));
        assert_eq!(insert_after("one", 0, "x\n").as_deref(), Some("x\none"));
        assert_eq!(insert_after("one", 2, "x"), None);
        assert_eq!(insert_after("one", -1, "x"), None);
    }

    #[test]
    fn what_is_replaced_is_there_exactly_once() {
        assert_eq!(replace_once("a b c", "b", "x").unwrap(), "a x c");
        for (text, old) in [("a b b", "b"), ("a", "b"), ("a", "")] {
            assert_eq!(replace_once(text, old, "x").unwrap_err().fields[0].field, "replace.old");
        }
    }
}
