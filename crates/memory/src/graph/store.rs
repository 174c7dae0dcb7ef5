//! SQL of entities and relations, and of the facts about them.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids};

use super::model::GraphRelation;
use crate::memories::store::{Head, memory_columns};
use crate::rights::{memory_not_erased, owner_not_erased};

/// An entity as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct EntityRow {
    pub(super) entity_id: String,
    pub(super) name: String,
    pub(super) entity_type: String,
    pub(super) recorded_at: i64,
}

/// Whose graph it is.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) owner: &'a str,
}

impl Of<'_> {
    fn values(self) -> [Value; 2] {
        [Value::from(self.tenant.as_str()), Value::from(self.owner)]
    }
}

/// Adds an entity; 0 when its name is taken.
pub(super) async fn add_entity(tx: &mut Tx, of: Of<'_>, row: &EntityRow) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO entities (tenant_id, entity_id, user_id, name, entity_type, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, user_id, name) DO NOTHING",
        of.tenant.as_str(),
        &row.entity_id,
        of.owner,
        &row.name,
        &row.entity_type,
        row.recorded_at,
    )
}

/// Removes an entity with its relations; 0 when there is none.
pub(super) async fn remove_entity(tx: &mut Tx, of: Of<'_>, name: &str) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM relations WHERE tenant_id = $1 AND user_id = $2 AND (from_name = $3 OR to_name = $3)",
        of.tenant.as_str(),
        of.owner,
        name,
    )?;
    execute!(
        tx,
        "DELETE FROM entities WHERE tenant_id = $1 AND user_id = $2 AND name = $3",
        of.tenant.as_str(),
        of.owner,
        name,
    )
}

/// Reads entities by name.
pub(super) async fn list_named(conn: &mut Conn, of: Of<'_>, names: &[&str]) -> Result<Vec<EntityRow>> {
    let head = concat!(
        "SELECT e.entity_id, e.name, e.entity_type, e.recorded_at FROM entities AS e
         WHERE e.tenant_id = $1 AND e.user_id = $2 AND ",
        owner_not_erased!(),
        " AND e.name IN"
    );
    fetch_by_ids(conn, head, &of.values(), names).await
}

/// Lists entities by name, after the name `from`.
pub(super) async fn list_entities(
    conn: &mut Conn,
    of: Of<'_>,
    from: &str,
    limit: i64,
) -> Result<Vec<EntityRow>> {
    fetch_all!(
        conn,
        EntityRow,
        concat!(
            "SELECT e.entity_id, e.name, e.entity_type, e.recorded_at FROM entities AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.name > $3 AND ",
            owner_not_erased!(),
            " ORDER BY e.name LIMIT $4"
        ),
        of.tenant.as_str(),
        of.owner,
        from,
        limit,
    )
}

/// Adds a relation; 0 when it is known.
pub(super) async fn add_relation(tx: &mut Tx, of: Of<'_>, one: &GraphRelation, now: Micros) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO relations (tenant_id, user_id, from_name, to_name, relation_type, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, user_id, from_name, to_name, relation_type) DO NOTHING",
        of.tenant.as_str(),
        of.owner,
        &one.from,
        &one.to,
        &one.relation_type,
        now.0,
    )
}

/// Removes a relation; 0 when there is none.
pub(super) async fn remove_relation(tx: &mut Tx, of: Of<'_>, one: &GraphRelation) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM relations
         WHERE tenant_id = $1 AND user_id = $2 AND from_name = $3 AND to_name = $4 AND relation_type = $5",
        of.tenant.as_str(),
        of.owner,
        &one.from,
        &one.to,
        &one.relation_type,
    )
}

/// Lists the relations that begin or end at one of the names; those between two of them come twice.
pub(super) async fn list_relations(
    conn: &mut Conn,
    of: Of<'_>,
    names: &[&str],
) -> Result<Vec<(String, String, String)>> {
    let leaving = concat!(
        "SELECT e.from_name, e.to_name, e.relation_type FROM relations AS e
         WHERE e.tenant_id = $1 AND e.user_id = $2 AND ",
        owner_not_erased!(),
        " AND e.from_name IN"
    );
    let arriving = concat!(
        "SELECT e.from_name, e.to_name, e.relation_type FROM relations AS e
         WHERE e.tenant_id = $1 AND e.user_id = $2 AND ",
        owner_not_erased!(),
        " AND e.to_name IN"
    );
    let mut found = fetch_by_ids(conn, leaving, &of.values(), names).await?;
    found.extend(fetch_by_ids(conn, arriving, &of.values(), names).await?);
    Ok(found)
}

/// Reads the standing facts about some subjects, secret ones, too.
pub(super) async fn list_facts(
    conn: &mut Conn,
    of: Of<'_>,
    subjects: &[&str],
    now: Micros,
) -> Result<Vec<Head>> {
    let head = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memories AS m
          WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.type = 'fact' AND m.state = 'active' AND m.valid_to IS NULL
          AND (m.expires_at IS NULL OR m.expires_at > $3) AND ",
        memory_not_erased!(),
        " AND m.subject IN"
    );
    let [tenant, owner] = of.values();
    fetch_by_ids(conn, head, &[tenant, owner, Value::from(now.0)], subjects).await
}
