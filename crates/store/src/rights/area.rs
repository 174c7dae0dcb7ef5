//! What each domain says of its tables, and the statements that follow from it.

use futures::future::BoxFuture;
use kernel::Micros;

use super::{Subject, Who};
use crate::backup::kept_text;
use crate::{Tx, Value};

/// Which rows of a table belong to a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All rows of its tenant.
    All,
    /// Those of its tenant that meet a condition. `$1` is the tenant, `$2` the owner or person, `$3` the conversation.
    Of(&'static str),
    /// None, for this reason.
    Kept(&'static str),
}

/// One table, and what of it belongs to whom.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// The table.
    pub table: &'static str,
    /// The columns of its primary key.
    pub key: &'static str,
    /// Whether its column `blob_key` names objects that go with the rows.
    pub has_objects: bool,
    /// The `type` of its lines in an export; `None` leaves the table out, because what it holds is derived, secret or passing.
    pub exported_as: Option<&'static str>,
    /// Rows of a conversation.
    pub session: Rows,
    /// Rows of an owner of memories.
    pub owner: Rows,
    /// Rows of a person with an account.
    pub person: Rows,
    /// Rows of a tenant's whole memory.
    pub memory: Rows,
    /// Rows of a whole tenant.
    pub tenant: Rows,
}

impl Area {
    /// A table of memory: an owner's rows are also those of the person of the same id.
    pub const fn of_memory(
        table: &'static str,
        key: &'static str,
        owner: &'static str,
        session: Rows,
    ) -> Self {
        let (owner, all) = (Rows::Of(owner), Rows::All);
        let (has_objects, exported_as) = (false, None);
        Self { table, key, has_objects, exported_as, session, owner, person: owner, memory: all, tenant: all }
    }

    /// A table whose rows go with their tenant alone, for this reason.
    pub const fn of_tenant(table: &'static str, key: &'static str, why: &'static str) -> Self {
        Self { key, tenant: Rows::All, ..Self::kept(table, why) }
    }

    /// A table that no erasure touches, for this reason.
    pub const fn kept(table: &'static str, why: &'static str) -> Self {
        let rows = Rows::Kept(why);
        let (session, owner, person, memory, tenant) = (rows, rows, rows, rows, rows);
        let (has_objects, exported_as) = (false, None);
        Self { table, key: "", has_objects, exported_as, session, owner, person, memory, tenant }
    }

    /// The same table, whose rows name objects that go with them.
    #[must_use]
    pub const fn with_objects(self) -> Self {
        Self { has_objects: true, ..self }
    }

    /// The same table, whose rows are lines of this type in an export.
    #[must_use]
    pub const fn exported_as(self, kind: &'static str) -> Self {
        Self { exported_as: Some(kind), ..self }
    }

    fn rows(&self, who: &Who) -> Rows {
        match who {
            Who::Session { .. } => self.session,
            Who::Owner(_) => self.owner,
            Who::Person(_) => self.person,
            Who::Memory => self.memory,
            Who::Tenant => self.tenant,
        }
    }

    /// Which of a list of objects any row names; to be completed by `fetch_by_ids`.
    pub(super) fn named_sql(&self) -> &'static str {
        let table = self.table;
        kept_text(format!("SELECT DISTINCT blob_key FROM {table} WHERE tenant_id = $1 AND blob_key IN"))
    }

    /// What is of `subject` here; `None` when nothing is.
    pub(super) fn part_of(&self, subject: &Subject) -> Option<PartOf> {
        let condition = match self.rows(&subject.who) {
            Rows::All => None,
            Rows::Of(condition) => Some(condition),
            Rows::Kept(_) => return None,
        };
        let mut values = vec![Value::from(subject.tenant.as_str())];
        for (parameter, value) in [("$2", subject.user_id()), ("$3", subject.session_id())] {
            if condition.is_some_and(|condition| condition.contains(parameter)) {
                values.push(Value::from(value.unwrap_or_default()));
            }
        }
        Some(PartOf { area: *self, condition, values })
    }
}

/// The part of a table that is a subject's.
pub(super) struct PartOf {
    pub(super) area: Area,
    condition: Option<&'static str>,
    /// What the condition's parameters stand for.
    pub(super) values: Vec<Value>,
}

/// The texts below are made of names and conditions that stand in the sources, and kept: a few for each table.
impl PartOf {
    fn condition(&self) -> String {
        match self.condition {
            Some(condition) => format!("tenant_id = $1 AND ({condition})"),
            None => "tenant_id = $1".to_owned(),
        }
    }

    pub(super) fn count_sql(&self) -> &'static str {
        kept_text(format!("SELECT COUNT(*) FROM {} WHERE {}", self.area.table, self.condition()))
    }

    /// Removes at most `limit` rows.
    pub(super) fn remove_sql(&self, limit: usize) -> &'static str {
        let Area { table, key, .. } = self.area;
        let condition = self.condition();
        kept_text(format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {limit})"
        ))
    }

    /// The next rows after a key of `after` columns, in the order of the key; the key's values come last.
    pub(super) fn page_sql(&self, columns: &str, after: usize, limit: usize) -> &'static str {
        let Area { table, key, .. } = self.area;
        let (condition, first) = (self.condition(), self.values.len() + 1);
        let places: Vec<String> = (first..first + after).map(|place| format!("${place}")).collect();
        let beyond = match after {
            0 => String::new(),
            _ => format!("AND ({key}) > ({}) ", places.join(", ")),
        };
        kept_text(format!(
            "SELECT {columns} FROM {table} WHERE {condition} {beyond}ORDER BY {key} LIMIT {limit}"
        ))
    }

    /// Keys of at most `limit` objects.
    pub(super) fn objects_sql(&self, limit: usize) -> &'static str {
        let (table, condition) = (self.area.table, self.condition());
        kept_text(format!("SELECT DISTINCT blob_key FROM {table} WHERE {condition} LIMIT {limit}"))
    }

    /// Removes the rows that name the object of the last parameter.
    pub(super) fn remove_object_sql(&self) -> &'static str {
        let (table, condition, last) = (self.area.table, self.condition(), self.values.len() + 1);
        kept_text(format!("DELETE FROM {table} WHERE {condition} AND blob_key = ${last}"))
    }

    /// Which of a list of objects other rows of the same table name, too; to be completed by `fetch_by_ids`.
    pub(super) fn shared_sql(&self) -> &'static str {
        let table = self.area.table;
        let others = self.condition.map_or_else(|| "1 = 0".to_owned(), |own| format!("NOT ({own})"));
        kept_text(format!(
            "SELECT DISTINCT blob_key FROM {table} WHERE tenant_id = $1 AND {others} AND blob_key IN"
        ))
    }
}

/// Does something in the transaction that begins or ends an erasure.
pub type Hook = for<'t> fn(&'t mut Tx, &'t Subject, Micros) -> BoxFuture<'t, kernel::Result<()>>;

/// What a domain has to say of data rights.
pub struct Domain {
    /// Every table of the domain, children before parents.
    pub areas: &'static [Area],
    /// Statements that name everybody whose data may be here: tenant, owner or person, and conversation or NULL.
    pub directories: &'static [&'static str],
    /// What makes a subject vanish at once; runs with the request.
    pub begin: Hook,
    /// What is to be done when its rows are gone; runs again when the job does.
    pub finish: Hook,
}
