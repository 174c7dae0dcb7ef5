//! HTTP of entities and relations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use httpkit::{Body, Caller, PageQuery, Problem, ProblemBody, Query, UrlPath};
use kernel::{Error, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Entity, Graph, GraphEntity, GraphRelation};
use crate::Memory;

/// Routes of this slice.
pub(crate) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(list_entities, create_entity))
        .routes(routes!(get_entity, delete_entity))
        .routes(routes!(add_relation, remove_relation))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntitiesQuery {
    /// Owner.
    user_id: Option<String>,
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of entities.
#[derive(Debug, Serialize, ToSchema)]
struct EntityPage {
    items: Vec<Entity>,
    next_cursor: Option<String>,
}

/// List entities by name
#[utoipa::path(get, path = "/api/v1/entities", tag = "memory", params(EntitiesQuery),
    responses((status = 200, body = EntityPage), (status = "default", body = ProblemBody)))]
async fn list_entities(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Query(query): Query<EntitiesQuery>,
) -> Result<Json<EntityPage>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.request()?;
    let Page { items, next_cursor } = memory.list_entities(&ctx, query.user_id.as_deref(), &page).await?;
    Ok(Json(EntityPage { items, next_cursor }))
}

/// An entity to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEntity {
    /// Its name, 1–256 characters.
    name: String,
    /// What it is, such as `person`.
    entity_type: String,
    /// What is known of it: each becomes a fact whose subject is the name.
    #[serde(default)]
    observations: Vec<String>,
    /// Owner; the credential's own person or principal when absent.
    user_id: Option<String>,
}

/// An entity, what is known of it, and where it leads.
#[derive(Debug, Serialize, ToSchema)]
struct KnownEntity {
    /// Its name.
    name: String,
    /// What it is.
    entity_type: String,
    /// What is known of it, oldest first.
    observations: Vec<String>,
    /// Relations that begin or end here.
    relations: Vec<Relation>,
}

/// A relation between two entities.
#[derive(Debug, Serialize, ToSchema)]
struct Relation {
    /// Name of the entity that it starts from.
    from: String,
    /// Name of the entity that it leads to.
    to: String,
    /// What it says.
    relation_type: String,
}

impl KnownEntity {
    fn of(entity: GraphEntity, relations: Vec<GraphRelation>) -> Self {
        let relation =
            |one: GraphRelation| Relation { from: one.from, to: one.to, relation_type: one.relation_type };
        Self {
            name: entity.name,
            entity_type: entity.entity_type,
            observations: entity.observations,
            relations: relations.into_iter().map(relation).collect(),
        }
    }
}

/// Make an entity
#[utoipa::path(post, path = "/api/v1/entities", tag = "memory", request_body = NewEntity,
    responses((status = 201, body = KnownEntity), (status = "default", body = ProblemBody)))]
async fn create_entity(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    Body(new): Body<NewEntity>,
) -> Result<(StatusCode, Json<KnownEntity>), Problem> {
    let entity = GraphEntity { name: new.name, entity_type: new.entity_type, observations: new.observations };
    let entity = memory.create_entity(&ctx, new.user_id.as_deref(), entity).await?;
    Ok((StatusCode::CREATED, Json(KnownEntity::of(entity, Vec::new()))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OwnerQuery {
    /// Owner.
    user_id: Option<String>,
}

/// Read an entity with what is known of it
#[utoipa::path(get, path = "/api/v1/entities/{entity}", tag = "memory",
    params(("entity" = String, Path, description = "Name; a slash in it is written `%2F`"), OwnerQuery),
    responses((status = 200, body = KnownEntity), (status = "default", body = ProblemBody)))]
async fn get_entity(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(name): UrlPath<String>,
    Query(query): Query<OwnerQuery>,
) -> Result<Json<KnownEntity>, Problem> {
    let Graph { mut entities, relations, .. } =
        memory.graph_open_nodes(&ctx, query.user_id.as_deref(), &[name]).await?;
    let entity = entities.pop().ok_or_else(|| Error::not_found("entity"))?;
    Ok(Json(KnownEntity::of(entity, relations)))
}

/// Delete an entity with its relations, and take back what is known of it
#[utoipa::path(delete, path = "/api/v1/entities/{entity}", tag = "memory",
    params(("entity" = String, Path, description = "Name; a slash in it is written `%2F`"), OwnerQuery),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn delete_entity(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(name): UrlPath<String>,
    Query(query): Query<OwnerQuery>,
) -> Result<StatusCode, Problem> {
    match memory.graph_delete_entities(&ctx, query.user_id.as_deref(), vec![name]).await? {
        0 => Err(Error::not_found("entity").into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// A relation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRelation {
    /// Name of the entity that it leads to.
    to: String,
    /// What it says, such as `works for`.
    relation_type: String,
}

/// Relate an entity to another; what is known already stays
#[utoipa::path(post, path = "/api/v1/entities/{entity}/relations", tag = "memory", request_body = NewRelation,
    params(("entity" = String, Path, description = "Name of the one that it starts from"), OwnerQuery),
    responses((status = 201, body = Relation), (status = "default", body = ProblemBody)))]
async fn add_relation(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(from): UrlPath<String>,
    Query(query): Query<OwnerQuery>,
    Body(new): Body<NewRelation>,
) -> Result<(StatusCode, Json<Relation>), Problem> {
    let relation = GraphRelation { from, to: new.to, relation_type: new.relation_type };
    let related = memory.relate(&ctx, query.user_id.as_deref(), relation).await?;
    let GraphRelation { from, to, relation_type } = related;
    Ok((StatusCode::CREATED, Json(Relation { from, to, relation_type })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RelationQuery {
    /// Name of the entity that it leads to.
    to: String,
    /// What it says.
    relation_type: String,
    /// Owner.
    user_id: Option<String>,
}

/// Remove a relation
#[utoipa::path(delete, path = "/api/v1/entities/{entity}/relations", tag = "memory",
    params(("entity" = String, Path, description = "Name of the one that it starts from"), RelationQuery),
    responses((status = 204), (status = "default", body = ProblemBody)))]
async fn remove_relation(
    State(memory): State<Memory>,
    Caller(ctx): Caller,
    UrlPath(from): UrlPath<String>,
    Query(query): Query<RelationQuery>,
) -> Result<StatusCode, Problem> {
    let relation = GraphRelation { from, to: query.to, relation_type: query.relation_type };
    match memory.graph_delete_relations(&ctx, query.user_id.as_deref(), vec![relation]).await? {
        0 => Err(Error::not_found("relation").into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
