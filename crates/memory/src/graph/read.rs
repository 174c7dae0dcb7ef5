//! What the reading tools of the published MCP memory server do here.

use std::collections::{BTreeMap, BTreeSet};

use ::store::Conn;
use kernel::{Ctx, Cursor, Micros, Page, PageRequest, Result, Scope};

use super::model::{Entity, Graph, GraphEntity, GraphRelation, check_count};
use super::store::{self as sql, EntityRow, Of};
use crate::Memory;
use crate::events::Sensitivity;

/// Entities of one answer, at most.
const MOST_NODES: i64 = 5_000;

impl From<EntityRow> for Entity {
    fn from(row: EntityRow) -> Self {
        let EntityRow { entity_id, name, entity_type, recorded_at } = row;
        Self { entity_id, name, entity_type, recorded_at: Micros(recorded_at) }
    }
}

impl Memory {
    /// The first 5,000 entities by name, with what is known of them and their relations.
    ///
    /// # Errors
    /// `not_found` for a foreign owner, or the store's.
    pub async fn graph_read_graph(&self, ctx: &Ctx, named_owner: Option<&str>) -> Result<Graph> {
        self.graph_where(ctx, named_owner, |_| true).await
    }

    /// Entities whose name, type or observations hold a text, whatever its case.
    ///
    /// # Errors
    /// As [`Memory::graph_read_graph`].
    pub async fn graph_search_nodes(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        query: &str,
    ) -> Result<Graph> {
        let wanted = query.to_lowercase();
        let holds = |text: &String| text.to_lowercase().contains(&wanted);
        let matches = |entity: &GraphEntity| {
            holds(&entity.name) || holds(&entity.entity_type) || entity.observations.iter().any(holds)
        };
        self.graph_where(ctx, named_owner, matches).await
    }

    /// Entities by name; names that nobody has are passed over.
    ///
    /// # Errors
    /// As [`Memory::graph_read_graph`].
    pub async fn graph_open_nodes(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        names: &[String],
    ) -> Result<Graph> {
        ctx.require(Scope::MemoryRead)?;
        check_count("names", names.len())?;
        let owner = ctx.owner(named_owner)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let of = Of { tenant: &ctx.tenant, owner: &owner };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = sql::list_named(&mut conn, of, &names).await?;
        let entities = with_observations(&mut conn, of, rows, self.0.clock.now()).await?;
        with_relations(&mut conn, of, entities, false).await
    }

    /// Lists entities by name.
    ///
    /// # Errors
    /// `validation_failed` for a foreign cursor, `not_found` for a foreign owner.
    pub async fn list_entities(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Entity>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let from: String = page.cursor.as_deref().map(Cursor::key).transpose()?.unwrap_or_default();
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let of = Of { tenant: &ctx.tenant, owner: &owner };
        let rows = sql::list_entities(&mut conn, of, &from, i64::from(page.limit) + 1).await?;
        Ok(Page::cut(rows, page.limit, |row| row.name.clone()).map(Entity::from))
    }

    async fn graph_where(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        matches: impl Fn(&GraphEntity) -> bool + Send,
    ) -> Result<Graph> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let of = Of { tenant: &ctx.tenant, owner: &owner };
        let mut rows = sql::list_entities(&mut conn, of, "", MOST_NODES + 1).await?;
        let truncated = rows.len() as i64 > MOST_NODES;
        rows.truncate(MOST_NODES as usize);
        let mut entities = with_observations(&mut conn, of, rows, self.0.clock.now()).await?;
        entities.retain(matches);
        with_relations(&mut conn, of, entities, truncated).await
    }
}

async fn with_observations(
    conn: &mut Conn,
    of: Of<'_>,
    rows: Vec<EntityRow>,
    now: Micros,
) -> Result<Vec<GraphEntity>> {
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let mut facts = sql::list_facts(conn, of, &names, now).await?;
    facts.retain(|fact| fact.sensitivity != Sensitivity::Secret.as_str());
    facts.sort_by(|a, b| (a.recorded_at, &a.memory_id).cmp(&(b.recorded_at, &b.memory_id)));
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fact in facts {
        known.entry(fact.subject.unwrap_or_default()).or_default().push(fact.text);
    }
    let entity = |row: EntityRow| GraphEntity {
        observations: known.remove(&row.name).unwrap_or_default(),
        name: row.name,
        entity_type: row.entity_type,
    };
    let mut entities: Vec<GraphEntity> = rows.into_iter().map(entity).collect();
    entities.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entities)
}

async fn with_relations(
    conn: &mut Conn,
    of: Of<'_>,
    entities: Vec<GraphEntity>,
    truncated: bool,
) -> Result<Graph> {
    let names: Vec<&str> = entities.iter().map(|entity| entity.name.as_str()).collect();
    let found = sql::list_relations(conn, of, &names).await?;
    let relation = |(from, to, relation_type)| GraphRelation { from, to, relation_type };
    let relations: BTreeSet<GraphRelation> = found.into_iter().map(relation).collect();
    Ok(Graph { entities, relations: relations.into_iter().collect(), truncated })
}
