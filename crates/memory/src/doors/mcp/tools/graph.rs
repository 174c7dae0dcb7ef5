//! The nine tools of the official memory server, with its argument names.

use kernel::{Ctx, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::native::recalled;
use crate::Memory;
use crate::graph::{GraphEntity, GraphRelation, NewObservations, ObservationDeletion};

/// Entities to make.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphEntities)]
pub(super) struct Entities {
    /// Those that are there already stay as they are.
    entities: Vec<GraphEntity>,
}

pub(super) async fn create_entities(memory: &Memory, ctx: &Ctx, new: Entities) -> Result<String> {
    recalled(&memory.graph_create_entities(ctx, None, new.entities).await?)
}

/// Relations to make or to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphRelations)]
pub(super) struct Relations {
    /// Each between two entities, in active voice.
    relations: Vec<GraphRelation>,
}

pub(super) async fn create_relations(memory: &Memory, ctx: &Ctx, new: Relations) -> Result<String> {
    recalled(&memory.graph_create_relations(ctx, None, new.relations).await?)
}

pub(super) async fn delete_relations(memory: &Memory, ctx: &Ctx, gone: Relations) -> Result<String> {
    let removed = memory.graph_delete_relations(ctx, None, gone.relations).await?;
    Ok(json!({"deleted": removed}).to_string())
}

/// Observations to add.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphObservations)]
pub(super) struct Observations {
    /// Each for an entity that exists.
    observations: Vec<NewObservations>,
}

pub(super) async fn add_observations(memory: &Memory, ctx: &Ctx, new: Observations) -> Result<String> {
    recalled(&memory.graph_add_observations(ctx, None, new.observations).await?)
}

/// Entities to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphEntityNames)]
pub(super) struct EntityNames {
    /// Their names; observations and relations go with them.
    #[serde(rename = "entityNames")]
    entity_names: Vec<String>,
}

pub(super) async fn delete_entities(memory: &Memory, ctx: &Ctx, gone: EntityNames) -> Result<String> {
    let removed = memory.graph_delete_entities(ctx, None, gone.entity_names).await?;
    Ok(json!({"deleted": removed}).to_string())
}

/// Observations to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphDeletions)]
pub(super) struct Deletions {
    /// Their words, exactly.
    deletions: Vec<ObservationDeletion>,
}

pub(super) async fn delete_observations(memory: &Memory, ctx: &Ctx, gone: Deletions) -> Result<String> {
    memory.graph_delete_observations(ctx, None, gone.deletions).await?;
    Ok("Observations deleted.".to_owned())
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphNothing)]
pub(super) struct Nothing {}

pub(super) async fn read_graph(memory: &Memory, ctx: &Ctx, _: Nothing) -> Result<String> {
    recalled(&memory.graph_read_graph(ctx, None).await?)
}

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphQuery)]
pub(super) struct Look {
    /// Text in names, types and observations, whatever its case.
    query: String,
}

pub(super) async fn search_nodes(memory: &Memory, ctx: &Ctx, look: Look) -> Result<String> {
    recalled(&memory.graph_search_nodes(ctx, None, &look.query).await?)
}

/// Which entities.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GraphNames)]
pub(super) struct Names {
    /// Their names.
    names: Vec<String>,
}

pub(super) async fn open_nodes(memory: &Memory, ctx: &Ctx, which: Names) -> Result<String> {
    recalled(&memory.graph_open_nodes(ctx, None, &which.names).await?)
}
