//! Decisions and tasks: recorded as events, read as rows.

use kernel::{Ctx, Error, PrincipalKind, Result, Scope};
use serde_json::{Map, Value};

use super::apply::id_of;
use super::model::{Decision, NewDecision, Task, TaskPatch};
use super::store as sql;
use crate::Memory;
use crate::events::{Actor, ActorType, Channel, EventKind, NewEvent, Recorded};
use crate::memories::check_id;
use crate::search::policy::may_read_row;

impl Memory {
    /// Records a decision; one about the same subject, or the one it names, is superseded.
    ///
    /// # Errors
    /// `validation_failed`, `unknown_ref`, `decision_superseded`.
    pub async fn record_decision(&self, ctx: &Ctx, new: NewDecision) -> Result<(String, Recorded)> {
        ctx.require(Scope::MemoryWrite)?;
        if new.decision.trim().is_empty() {
            return Err(Error::field("decision", "says what was decided and may not be empty"));
        }
        let event = NewEvent {
            refs: new.refs.clone(),
            user_id: new.user_id.clone(),
            agent_id: new.agent_id.clone(),
            sensitivity: new.sensitivity,
            tenant_id: new.tenant_id.clone(),
            ..event_of(
                ctx,
                EventKind::Decision,
                new.session_id.as_deref().unwrap_or("decisions"),
                new.channel,
                new.content(),
            )
        };
        let recorded = self.record(ctx, event, None).await?;
        Ok((id_of("dec", &recorded.event_id), recorded))
    }

    /// One decision that the caller may read.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn get_decision(&self, ctx: &Ctx, id: &str) -> Result<Decision> {
        ctx.require(Scope::MemoryRead)?;
        check_id("dec", id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find_decision(&mut conn, &ctx.tenant, id).await?;
        let may_read = |row: &Decision| may_read_row(ctx, &row.user_id, &row.channel, &row.sensitivity);
        Error::unless_foreign("decision", found, may_read)
    }

    /// Decisions of an owner and those the tenant shares, newest first; `active` or `superseded` ones.
    ///
    /// # Errors
    /// `validation_failed`.
    pub async fn list_decisions(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        status: &str,
        limit: i64,
    ) -> Result<Vec<Decision>> {
        ctx.require(Scope::MemoryRead)?;
        if !["active", "superseded"].contains(&status) {
            return Err(Error::field("status", "is active or superseded"));
        }
        let owner = ctx.owner(named_owner)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let rows = sql::list_decisions(&mut conn, &ctx.tenant, &owner, status, limit).await?;
        Ok(rows
            .into_iter()
            .filter(|row| may_read_row(ctx, &row.user_id, &row.channel, &row.sensitivity))
            .collect())
    }

    /// Records a new task, or a change of one.
    ///
    /// # Errors
    /// `validation_failed`, `not_found`, `unknown_ref`, `task_cycle`.
    pub async fn record_task(&self, ctx: &Ctx, task_id: Option<&str>, patch: TaskPatch) -> Result<Task> {
        ctx.require(Scope::MemoryWrite)?;
        patch.check("")?;
        if task_id.is_none() && patch.title.is_none() {
            return Err(Error::field("title", "says what is to be done"));
        }
        let owner = ctx.owner(patch.user_id.as_deref())?;
        let known = match task_id {
            Some(id) => Some(self.own_task(ctx, &owner, id).await?),
            None => None,
        };
        let mut content = match serde_json::to_value(patch) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        content.extend(known.as_ref().map(|task| ("task_id".to_owned(), task.task_id.clone().into())));
        let (session, channel) = match &known {
            Some(task) => (task.session_id.as_str(), Channel::parse(&task.channel)),
            None => ("tasks", None),
        };
        let event = NewEvent {
            user_id: Some(owner.clone()),
            ..event_of(ctx, EventKind::TaskUpdate, session, channel, content)
        };
        let recorded = self.record(ctx, event, None).await?;
        let id = known.map_or_else(|| id_of("tsk", &recorded.event_id), |task| task.task_id);
        self.own_task(ctx, &owner, &id).await
    }

    async fn own_task(&self, ctx: &Ctx, owner: &str, id: &str) -> Result<Task> {
        check_id("tsk", id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find_task(&mut conn, &ctx.tenant, owner, id).await?;
        match found {
            Some(task) => Ok(task),
            None if sql::is_task(&mut conn, &ctx.tenant, id).await? => Err(Error::foreign("task")),
            None => Err(Error::not_found("task")),
        }
    }

    /// Tasks of an owner and those the tenant shares, most urgent first; open and doing ones when no status is named.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_tasks(
        &self,
        ctx: &Ctx,
        named_owner: Option<&str>,
        status: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Task>> {
        ctx.require(Scope::MemoryRead)?;
        let owner = ctx.owner(named_owner)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let rows = sql::list_tasks(&mut conn, &ctx.tenant, &owner, status, limit).await?;
        Ok(rows
            .into_iter()
            .filter(|row| may_read_row(ctx, &row.user_id, &row.channel, &row.sensitivity))
            .collect())
    }
}

/// An event that the caller makes by another route.
fn event_of(
    ctx: &Ctx,
    kind: EventKind,
    session: &str,
    channel: Option<Channel>,
    content: Map<String, Value>,
) -> NewEvent {
    let actor = match ctx.principal.kind {
        PrincipalKind::User => ActorType::Human,
        _ => ActorType::Agent,
    };
    NewEvent {
        session_id: session.to_owned(),
        channel: channel.unwrap_or(Channel::Private),
        actor: Actor { kind: actor, id: ctx.principal.id.clone(), name: None },
        kind,
        content,
        sensitivity: None,
        tags: Vec::new(),
        refs: Vec::new(),
        user_id: None,
        agent_id: None,
        client_event_id: None,
        occurred_at: None,
        expires_at: None,
        recalled: false,
        tenant_id: None,
    }
}
