//! The graph: entities, relations between them, and observations, which are facts about a subject.

mod model;
mod pen;
mod read;
pub(crate) mod routes;
mod service;
mod store;

pub use model::{
    AddedObservations, Entity, Graph, GraphEntity, GraphRelation, NewObservations, ObservationDeletion,
};
