//! One line of ours, checked column by column and cleaned of secrets.

use bytes::Bytes;
use kernel::id::BASE32;
use kernel::{Ctx, Error, Micros, Result, Scope};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use store::Value;

use super::Ids;
use super::columns::{Kind, Role};
use crate::events::check_name;
use crate::redact::{Redactions, Redactor};

/// Prefixes of ids that are given anew with `ids=new`.
const PREFIXES: [&str; 10] = ["evt", "mem", "art", "dec", "tsk", "edt", "blk", "rul", "cap", "ent"];
/// Largest whole number that JSON's readers agree on.
const MOST: i64 = 1 << 53;
/// How far rows may be trusted.
const TRUSTS: [&str; 5] = ["user", "agent", "tool", "external", "import"];

/// What reading a line needs.
pub(super) struct Reading {
    pub(super) ctx: Ctx,
    /// Owner of what names none.
    pub(super) owner: String,
    /// Whether the trust of the file holds.
    pub(super) keeps_trust: bool,
    pub(super) ids: Option<Ids>,
    pub(super) redactor: Redactor,
    pub(super) now: Micros,
}

/// A row on its way into its table; `cells` are in the order of its kind's columns.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: &'static Kind,
    pub(super) line: usize,
    pub(super) cells: Vec<Value>,
    /// The bytes of an artifact.
    pub(super) bytes: Option<Bytes>,
}

impl Row {
    /// A text by its column; empty when it is null or there is no such column.
    pub(super) fn text(&self, column: &str) -> String {
        match self.kind.place(column).map(|at| &self.cells[at]) {
            Some(Value::Text(Some(text))) => text.clone(),
            _ => String::new(),
        }
    }

    /// A whole number by its column; 0 when it is null or there is no such column.
    pub(super) fn number(&self, column: &str) -> i64 {
        match self.kind.place(column).map(|at| &self.cells[at]) {
            Some(Value::Int(Some(number))) => *number,
            _ => 0,
        }
    }

    /// A flag by its column.
    pub(super) fn flag(&self, column: &str) -> bool {
        matches!(self.kind.place(column).map(|at| &self.cells[at]), Some(Value::Bool(Some(true))))
    }

    /// Its own id, if it has one.
    pub(super) fn id(&self) -> Option<String> {
        match self.kind.columns.first() {
            Some((name, Role::Id(_))) => Some(self.text(name)),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, column: &str, value: impl Into<Value>) {
        if let Some(at) = self.kind.place(column) {
            self.cells[at] = value.into();
        }
    }
}

impl Reading {
    /// Checks the fields of a line; what it lacks is null.
    ///
    /// # Errors
    /// `validation_failed` with the field; `not_found` for an owner that the caller may not write as.
    pub(super) fn row(&self, kind: &'static Kind, mut fields: Map<String, Json>) -> Result<Row> {
        let (mut cells, mut seen) = (Vec::with_capacity(kind.columns.len()), Redactions::default());
        for (name, role) in kind.columns {
            let value = fields.remove(*name).unwrap_or_default();
            cells.push(self.cell(name, *role, value, &mut seen)?);
        }
        if let Some(name) = fields.keys().next() {
            return Err(Error::field(printable(name), format!("is no field of a {}", kind.word)));
        }
        let mut row = Row { kind, line: 0, cells, bytes: None };
        if !seen.is_empty() {
            row.set("sensitivity", "secret");
        }
        Ok(row)
    }

    fn cell(&self, name: &str, role: Role, value: Json, seen: &mut Redactions) -> Result<Value> {
        let wrong = |message: &str| Error::field(name, message);
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            return Err(wrong("holds U+0000"));
        }
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| wrong("is text"));
        Ok(match role {
            Role::Id(prefix) => {
                let id = text()?;
                if !kernel::id::is_id(prefix, &id) {
                    return Err(wrong(&format!("is {prefix}_ and 26 characters of 0-9 and a-z")));
                }
                self.renamed(id).into()
            }
            Role::MaybeId | Role::MaybeName | Role::MaybeText(_) if value.is_null() => Value::Text(None),
            Role::MaybeId => {
                let id = text()?;
                check_name(name, Some(&id))?;
                self.renamed(id).into()
            }
            Role::Refs => self.refs(name, &text()?, seen)?.into(),
            Role::Owner => self.owner_of(name, &text()?)?.into(),
            Role::Name | Role::MaybeName => {
                let text = text()?;
                check_name(name, Some(&text))?;
                text.into()
            }
            Role::Text(most) | Role::MaybeText(most) => {
                let mut text = text()?;
                if text.chars().count() > most {
                    return Err(wrong(&format!("is longer than {most} characters")));
                }
                self.redactor.clean_text(&mut text, seen);
                text.into()
            }
            Role::Object => self.json(name, "object", Json::is_object, text()?, seen)?.into(),
            Role::List => self.json(name, "list", Json::is_array, text()?, seen)?.into(),
            Role::Texts => self.json(name, "list of texts", is_texts, text()?, seen)?.into(),
            Role::Whole => {
                let number = value.as_i64().filter(|number| (0..=MOST).contains(number));
                number.ok_or_else(|| wrong("is a whole number from 0 on"))?.into()
            }
            Role::MaybeInstant if value.is_null() => Value::Int(None),
            Role::Instant | Role::MaybeInstant => {
                let number = value.as_i64().filter(|number| (-MOST..=MOST).contains(number));
                number.ok_or_else(|| wrong("is a whole number"))?.into()
            }
            Role::Share => {
                let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
                share.ok_or_else(|| wrong("is 0 to 1"))?.into()
            }
            Role::Flag => value.as_bool().ok_or_else(|| wrong("is true or false"))?.into(),
            Role::OneOf(words) => one_of(name, text()?, words)?.into(),
            Role::Trust if self.keeps_trust => one_of(name, text()?, &TRUSTS)?.into(),
            Role::Trust => "import".into(),
            Role::Sha256 => {
                let hash = text()?;
                let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
                if !is_hash {
                    return Err(wrong("is 64 hexadecimal digits"));
                }
                hash.into()
            }
        })
    }

    /// Bound credentials write as their person, administrators as anybody.
    pub(super) fn owner_of(&self, field: &str, named: &str) -> Result<String> {
        check_name(field, Some(named))?;
        if self.ctx.scopes.has(Scope::Admin) {
            return Ok(named.to_owned());
        }
        self.ctx.owner(Some(named))
    }

    /// JSON that is kept as text: as it came, unless a secret was in it.
    fn json(
        &self,
        name: &str,
        what: &str,
        is_so: impl Fn(&Json) -> bool,
        text: String,
        seen: &mut Redactions,
    ) -> Result<String> {
        httpkit::check_shape(text.as_bytes(), httpkit::MAX_KEYS)?;
        let mut value: Json = serde_json::from_str(&text)
            .map_err(|_| Error::field(name, format!("is a {what} as JSON, in a text")))?;
        if !is_so(&value) {
            return Err(Error::field(name, format!("is a {what} as JSON, in a text")));
        }
        if crate::text::sanitise(&mut value) {
            return Err(Error::field(name, "holds U+0000"));
        }
        let mut own = Redactions::default();
        self.redactor.clean(&mut value, &mut own);
        let is_renamed = self.ids == Some(Ids::New) && self.rename_within(&mut value);
        if own.is_empty() && !is_renamed {
            return Ok(text);
        }
        seen.join(own);
        Ok(value.to_string())
    }

    fn refs(&self, name: &str, text: &str, seen: &mut Redactions) -> Result<String> {
        let refs: Vec<String> = serde_json::from_str(text)
            .map_err(|_| Error::field(name, "is a list of texts, written as JSON"))?;
        crate::events::check_list(name, &refs, 256, 200)?;
        let clean = |mut reference: String| {
            self.redactor.clean_text(&mut reference, seen);
            self.renamed(reference)
        };
        let refs: Vec<String> = refs.into_iter().map(clean).collect();
        Ok(serde_json::to_string(&refs).expect("a list of text is JSON"))
    }

    /// The id that another id becomes in this tenant, or itself. The time in it stays, and what has one id with different
    /// prefixes (an event and its decision) still has.
    pub(super) fn renamed(&self, id: String) -> String {
        let Some((prefix, rest)) = id.split_once('_') else { return id };
        let is_ours = PREFIXES.contains(&prefix) && kernel::id::is_id(prefix, &id);
        if self.ids != Some(Ids::New) || !is_ours {
            return id;
        }
        let time = if rest.len() == 26 { &rest[..10] } else { "0000000000" };
        format!("{prefix}_{time}{}", self.drawn(rest))
    }

    /// Gives every text that is an id its new one; tells whether there was any.
    fn rename_within(&self, value: &mut Json) -> bool {
        match value {
            Json::String(text) => {
                let new = self.renamed(text.clone());
                let is_other = new != *text;
                *text = new;
                is_other
            }
            Json::Array(items) => items.iter_mut().fold(false, |any, item| self.rename_within(item) | any),
            Json::Object(map) => map.values_mut().fold(false, |any, item| self.rename_within(item) | any),
            _ => false,
        }
    }

    /// Sixteen base-32 characters that stand for a text in this tenant.
    pub(super) fn drawn(&self, text: &str) -> String {
        let hash = Sha256::digest(format!("{}\n{text}", self.ctx.tenant));
        // Ten bytes are sixteen characters.
        BASE32.encode(&hash[..10])
    }

    /// The bytes of an object, without secrets when they are text.
    pub(super) fn clean_object(&self, bytes: Vec<u8>) -> Bytes {
        let mut seen = Redactions::default();
        match String::from_utf8(bytes) {
            Ok(mut text) => {
                self.redactor.clean_text(&mut text, &mut seen);
                text.into()
            }
            Err(binary) => binary.into_bytes().into(),
        }
    }
}

fn is_texts(value: &Json) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Json::is_string))
}

fn one_of(name: &str, text: String, words: &[&str]) -> Result<String> {
    if words.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(Error::field(name, format!("is one of {}", words.join(", "))))
}

/// The beginning of a name that came from outside, fit for a message.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
