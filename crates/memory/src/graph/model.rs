//! Words of the graph, spelled as the published MCP memory server spells them.

use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::check_name;

/// Entities, relations or lists of observations of one call.
pub(super) const MOST_AT_ONCE: usize = 1_000;

/// An entity and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GraphEntity {
    /// Its name, unique for its owner.
    pub name: String,
    /// What it is, such as `person`.
    #[serde(rename = "entityType")]
    pub entity_type: String,
    /// What is known of it.
    #[serde(default)]
    pub observations: Vec<String>,
}

/// A relation between two entities, in active voice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct GraphRelation {
    /// Name of the entity that it starts from.
    pub from: String,
    /// Name of the entity that it leads to.
    pub to: String,
    /// What it says, such as `works for`.
    #[serde(rename = "relationType")]
    pub relation_type: String,
}

/// Observations to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewObservations {
    /// The entity, which must exist.
    #[serde(rename = "entityName")]
    pub entity_name: String,
    /// What is known of it.
    pub contents: Vec<String>,
}

/// Observations that were not known before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedObservations {
    /// The entity.
    #[serde(rename = "entityName")]
    pub entity_name: String,
    /// What is new.
    #[serde(rename = "addedObservations")]
    pub added_observations: Vec<String>,
}

/// Observations to take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObservationDeletion {
    /// The entity.
    #[serde(rename = "entityName")]
    pub entity_name: String,
    /// Their words, exactly.
    pub observations: Vec<String>,
}

/// Entities and the relations that begin or end at one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// By name.
    pub entities: Vec<GraphEntity>,
    /// By their two names and type.
    pub relations: Vec<GraphRelation>,
    /// Whether there is more than one answer holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// An entity in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entity {
    /// `ent_…`.
    pub entity_id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub entity_type: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Micros,
}

impl GraphEntity {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        check_name(&format!("{field}.name"), Some(&self.name))?;
        check_name(&format!("{field}.entityType"), Some(&self.entity_type))?;
        check_count(&format!("{field}.observations"), self.observations.len())
    }
}

impl GraphRelation {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        check_name(&format!("{field}.from"), Some(&self.from))?;
        check_name(&format!("{field}.to"), Some(&self.to))?;
        check_name(&format!("{field}.relationType"), Some(&self.relation_type))
    }
}

pub(super) fn check_count(field: &str, count: usize) -> Result<()> {
    if count > MOST_AT_ONCE {
        return Err(Error::field(field, format!("holds at most {MOST_AT_ONCE} items")));
    }
    Ok(())
}
