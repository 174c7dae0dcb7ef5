//! The one way a graph changes: in a transaction, with the owner locked.

use ::store::{Reach, Tx};
use futures::future::BoxFuture;
use kernel::{Ctx, Error, Micros, Result};

use super::model::GraphEntity;
use super::store::{self as sql, EntityRow, Of};
use crate::Memory;
use crate::memories::change::Outcome;
use crate::memories::store::{By, Head};
use crate::memories::{MemoryState, MemoryType, NewMemory, VersionOp};
use crate::redact::Redactions;
use crate::rights::hold_owner;
use crate::text::sanitise_text;

/// Who writes into whose graph.
pub(super) struct Pen {
    memory: Memory,
    ctx: Ctx,
    owner: String,
    pub(super) now: Micros,
}

impl Memory {
    /// Runs a change of an owner's graph in one transaction, with the owner locked.
    pub(super) async fn change_graph<T: Send + 'static>(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        change: impl for<'t> FnOnce(&'t Pen, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let owner = ctx.owner(named_owner)?;
        let pen = Pen { memory: self.clone(), ctx: ctx.clone(), owner, now: self.0.clock.now() };
        let written = self.0.store.write("memory.graph", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                hold_owner(tx, &pen.ctx.tenant, &pen.owner, pen.now).await?;
                change(&pen, tx).await
            })
        });
        written.await.inspect(|_| self.0.wake_jobs.notify_one())
    }
}

impl Pen {
    pub(super) fn of(&self) -> Of<'_> {
        Of { tenant: &self.ctx.tenant, owner: &self.owner }
    }

    fn by(&self) -> By {
        By { actor: self.ctx.principal.id.clone(), ..By::default() }
    }

    /// A text as it would be stored.
    pub(super) fn cleaned(&self, mut text: String) -> String {
        sanitise_text(&mut text);
        self.memory.0.redactor.clean_text(&mut text, &mut Redactions::default());
        text
    }

    /// Refuses names that hold a secret: they are keys, and a placeholder would be another key.
    pub(super) fn refuse_secrets(&self, field: &str, names: &[&String]) -> Result<()> {
        match names.iter().find(|name| self.cleaned((**name).clone()) != ***name) {
            Some(_) => Err(Error::field(field, "holds what looks like a secret")),
            None => Ok(()),
        }
    }

    pub(super) async fn add_entity(&self, tx: &mut Tx, entity: &GraphEntity) -> Result<bool> {
        self.refuse_secrets("entities", &[&entity.name, &entity.entity_type])?;
        let row = EntityRow {
            entity_id: kernel::id::new_id("ent", self.now),
            name: entity.name.clone(),
            entity_type: entity.entity_type.clone(),
            recorded_at: self.now.0,
        };
        Ok(sql::add_entity(tx, self.of(), &row).await? > 0)
    }

    /// Keeps what is known of an entity; returns what is new.
    pub(super) async fn observe(&self, tx: &mut Tx, name: &str, texts: Vec<String>) -> Result<Vec<String>> {
        let desk = self.memory.desk(&self.ctx.tenant, self.now);
        let mut added = Vec::new();
        for text in texts {
            let new = NewMemory {
                text,
                r#type: Some(MemoryType::Fact),
                subject: Some(name.to_owned()),
                user_id: Some(self.owner.clone()),
                ..NewMemory::default()
            };
            new.check(self.now)?;
            let mut draft = self.memory.draft(&self.ctx, new, self.now)?;
            // An entity has many facts at once.
            draft.closes_subject = false;
            if let Outcome::New(head, _) = desk.add(tx, draft, &self.by()).await? {
                added.push(head.text);
            }
        }
        Ok(added)
    }

    /// Takes back the facts about an entity that are meant.
    pub(super) async fn retract(
        &self,
        tx: &mut Tx,
        name: &str,
        is_meant: impl Fn(&Head) -> bool + Send,
    ) -> Result<()> {
        let desk = self.memory.desk(&self.ctx.tenant, self.now);
        for fact in sql::list_facts(tx, self.of(), &[name], self.now).await? {
            if is_meant(&fact) {
                let retracted = |head: &mut Head| MemoryState::Retracted.as_str().clone_into(&mut head.state);
                desk.change(tx, &fact, VersionOp::Retract, &self.by(), retracted).await?;
            }
        }
        Ok(())
    }
}
