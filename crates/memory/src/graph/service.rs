//! What the writing tools of the published MCP memory server do here. An observation is a fact whose subject is the entity's name;
//! deleting one takes the fact back, which its owner can undo.

use std::collections::BTreeSet;

use kernel::{Ctx, Error, Result, Scope};

use super::model::{
    AddedObservations, GraphEntity, GraphRelation, NewObservations, ObservationDeletion, check_count,
};
use super::store as sql;
use crate::Memory;
use crate::events::check_name;

impl Memory {
    /// Adds entities with what is known of them; those whose name is taken stay as they are. Answers with the new ones.
    ///
    /// # Errors
    /// `validation_failed`, `too_large`, `not_found` for a foreign owner, `erasure_in_progress`.
    pub async fn graph_create_entities(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        entities: Vec<GraphEntity>,
    ) -> Result<Vec<GraphEntity>> {
        ctx.require(Scope::MemoryWrite)?;
        check_count("entities", entities.len())?;
        for (at, entity) in entities.iter().enumerate() {
            entity.check(&format!("entities[{at}]"))?;
        }
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                let mut added = Vec::new();
                for mut entity in entities {
                    if pen.add_entity(tx, &entity).await? {
                        entity.observations = pen.observe(tx, &entity.name, entity.observations).await?;
                        added.push(entity);
                    }
                }
                Ok(added)
            })
        })
        .await
    }

    /// Adds relations; answers with those that were not known. The entities need not exist yet.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`].
    pub async fn graph_create_relations(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        relations: Vec<GraphRelation>,
    ) -> Result<Vec<GraphRelation>> {
        ctx.require(Scope::MemoryWrite)?;
        check_relations(&relations)?;
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                let mut added = Vec::new();
                for relation in relations {
                    pen.refuse_secrets(
                        "relations",
                        &[&relation.from, &relation.to, &relation.relation_type],
                    )?;
                    if sql::add_relation(tx, pen.of(), &relation, pen.now).await? > 0 {
                        added.push(relation);
                    }
                }
                Ok(added)
            })
        })
        .await
    }

    /// Adds observations to entities that exist; answers with those that were not known.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`]; `not_found` for an entity that does not exist, and then nothing is stored.
    pub async fn graph_add_observations(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        observations: Vec<NewObservations>,
    ) -> Result<Vec<AddedObservations>> {
        ctx.require(Scope::MemoryWrite)?;
        check_count("observations", observations.len())?;
        for (at, one) in observations.iter().enumerate() {
            check_name(&format!("observations[{at}].entityName"), Some(&one.entity_name))?;
            check_count(&format!("observations[{at}].contents"), one.contents.len())?;
        }
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                let mut added = Vec::with_capacity(observations.len());
                for NewObservations { entity_name, contents } in observations {
                    if sql::list_named(tx, pen.of(), &[&entity_name]).await?.is_empty() {
                        return Err(Error::not_found("entity"));
                    }
                    let added_observations = pen.observe(tx, &entity_name, contents).await?;
                    added.push(AddedObservations { entity_name, added_observations });
                }
                Ok(added)
            })
        })
        .await
    }

    /// Removes entities with their relations, and takes back what is known of them. Names that nobody has are passed over;
    /// answers with how many there were.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`].
    pub async fn graph_delete_entities(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        names: Vec<String>,
    ) -> Result<u64> {
        ctx.require(Scope::MemoryWrite)?;
        check_count("entityNames", names.len())?;
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                let mut removed = 0;
                for name in names {
                    if sql::remove_entity(tx, pen.of(), &name).await? > 0 {
                        pen.retract(tx, &name, |_| true).await?;
                        removed += 1;
                    }
                }
                Ok(removed)
            })
        })
        .await
    }

    /// Takes observations back. Those that are not there are passed over.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`].
    pub async fn graph_delete_observations(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        deletions: Vec<ObservationDeletion>,
    ) -> Result<()> {
        ctx.require(Scope::MemoryWrite)?;
        check_count("deletions", deletions.len())?;
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                for ObservationDeletion { entity_name, observations } in deletions {
                    let wanted: BTreeSet<String> =
                        observations.into_iter().map(|text| pen.cleaned(text)).collect();
                    pen.retract(tx, &entity_name, |head| wanted.contains(&head.text)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Removes relations. Those that are not there are passed over; answers with how many there were.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`].
    pub async fn graph_delete_relations(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        relations: Vec<GraphRelation>,
    ) -> Result<u64> {
        ctx.require(Scope::MemoryWrite)?;
        check_relations(&relations)?;
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                let mut removed = 0;
                for relation in relations {
                    removed += sql::remove_relation(tx, pen.of(), &relation).await?;
                }
                Ok(removed)
            })
        })
        .await
    }

    /// Adds one entity.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`]; `entity_exists`.
    pub async fn create_entity(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        entity: GraphEntity,
    ) -> Result<GraphEntity> {
        ctx.require(Scope::MemoryWrite)?;
        check_name("name", Some(&entity.name))?;
        check_name("entity_type", Some(&entity.entity_type))?;
        let text = "there is an entity of this name; add what is known to it instead";
        let added = self.graph_create_entities(ctx, named_owner, vec![entity]).await?.pop();
        added.ok_or_else(|| Error::conflict("entity_exists", text))
    }

    /// Relates two entities that exist; what is known already stays.
    ///
    /// # Errors
    /// As [`Memory::graph_create_entities`]; `not_found` when one of them is absent.
    pub async fn relate(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        relation: GraphRelation,
    ) -> Result<GraphRelation> {
        ctx.require(Scope::MemoryWrite)?;
        check_name("to", Some(&relation.to))?;
        check_name("relation_type", Some(&relation.relation_type))?;
        self.change_graph(ctx, named_owner, |pen, tx| {
            Box::pin(async move {
                for name in [&relation.from, &relation.to] {
                    if sql::list_named(tx, pen.of(), &[name]).await?.is_empty() {
                        return Err(Error::not_found("entity"));
                    }
                }
                pen.refuse_secrets("relation_type", &[&relation.relation_type])?;
                sql::add_relation(tx, pen.of(), &relation, pen.now).await?;
                Ok(relation)
            })
        })
        .await
    }
}

fn check_relations(relations: &[GraphRelation]) -> Result<()> {
    check_count("relations", relations.len())?;
    relations.iter().enumerate().try_for_each(|(at, relation)| relation.check(&format!("relations[{at}]")))
}
