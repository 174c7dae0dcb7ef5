//! From an event to its decision or task, in the transaction that records it.

use std::collections::HashSet;

use kernel::{Error, Micros, Result, TenantId};
use store::Tx;

use super::model::{Decided, Decision, Task, TaskChange, TaskStatus};
use super::store as sql;
use crate::events::{EventKind, Prepared, Sensitivity};
use crate::memories::unknown_ref;

/// Tasks that are looked at when a circle is searched for.
const MOST_STEPS: usize = 1_000;

/// Whether an event of this kind makes rows here.
pub(crate) fn concerns(kind: EventKind) -> bool {
    matches!(kind, EventKind::Decision | EventKind::TaskUpdate)
}

/// Writes what an event decides or changes. Events that came out of memory say nothing new.
///
/// # Errors
/// `unknown_ref`, `decision_superseded`, `task_cycle`, `validation_failed`.
pub(crate) async fn apply(tx: &mut Tx, tenant: &TenantId, event: &Prepared, now: Micros) -> Result<()> {
    match event.event.kind {
        _ if event.event.recalled => Ok(()),
        EventKind::Decision => decide(tx, tenant, event).await,
        EventKind::TaskUpdate => change_task(tx, tenant, event, now).await,
        _ => Ok(()),
    }
}

/// The id of what an event makes: the event's own with another prefix, so that making it again makes the same.
pub(crate) fn id_of(prefix: &str, event_id: &str) -> String {
    format!("{prefix}{}", event_id.trim_start_matches("evt"))
}

fn sensitivity(event: &Prepared) -> String {
    event.event.sensitivity.unwrap_or(Sensitivity::None).as_str().to_owned()
}

async fn decide(tx: &mut Tx, tenant: &TenantId, prepared: &Prepared) -> Result<()> {
    let event = &prepared.event;
    let Some(decided) = Decided::read(&event.content) else {
        return Ok(());
    };
    let [rationale, constraints, alternatives, consequences] = decided.lists;
    let mut decision = Decision {
        decision_id: id_of("dec", &prepared.event_id),
        event_id: prepared.event_id.clone(),
        ts: prepared.occurred_at,
        status: "active".to_owned(),
        scope: decided.scope.to_owned(),
        decision: decided.decision,
        rationale,
        constraints,
        alternatives,
        consequences,
        refs: event.refs.clone(),
        subject: decided.subject,
        supersedes: None,
        superseded_by: None,
        user_id: prepared.owner.clone(),
        agent_id: event.agent_id.clone(),
        session_id: event.session_id.clone(),
        channel: event.channel.as_str().to_owned(),
        sensitivity: sensitivity(prepared),
    };
    let named = match &decided.supersedes {
        Some(id) => {
            let old = sql::find_decision(tx, tenant, id).await?.filter(|old| old.user_id == decision.user_id);
            Some(old.ok_or_else(|| unknown_ref("content.supersedes"))?)
        }
        None => None,
    };
    let older = match (named, &decision.subject) {
        (Some(named), _) => Some(named),
        (None, Some(_)) => sql::find_active(tx, tenant, &decision).await?,
        (None, None) => None,
    };
    if let Some(old) = older {
        if sql::close_decision(tx, tenant, &old.decision_id, &decision.decision_id).await? == 0 {
            let text = "that decision was superseded already; read it and supersede the active one";
            return Err(Error::conflict("decision_superseded", text));
        }
        for reference in [&old.decision_id, &old.event_id] {
            if !decision.refs.contains(reference) {
                decision.refs.push(reference.clone());
            }
        }
        decision.supersedes = Some(old.decision_id);
    }
    sql::add_decision(tx, tenant, &decision).await?;
    Ok(())
}

async fn change_task(tx: &mut Tx, tenant: &TenantId, prepared: &Prepared, now: Micros) -> Result<()> {
    let (event, change) = (&prepared.event, TaskChange::read(&prepared.event.content)?);
    let is_ours = change.task_id.as_ref().is_some_and(|id| kernel::id::is_id("tsk", id));
    let known = match &change.task_id {
        Some(id) => sql::find_task(tx, tenant, &prepared.owner, id).await?,
        None => None,
    };
    let mut task = match (known, &change.patch.title) {
        (Some(known), _) => known,
        (None, _) if is_ours => return Err(unknown_ref("content.task_id")),
        // Older clients report on tasks of their own that they never named.
        (None, None) => return Ok(()),
        (None, Some(_)) => new_task(prepared, change.task_id, now),
    };
    let patch = change.patch;
    task.title = patch.title.unwrap_or(task.title);
    task.details = patch.details.unwrap_or(task.details);
    task.priority = patch.priority.unwrap_or(task.priority);
    task.due_at = patch.due_at.or(task.due_at);
    task.assignee = patch.assignee.or(task.assignee);
    if let Some(status) = patch.status {
        status.as_str().clone_into(&mut task.status);
    }
    if let Some(blocked_by) = patch.blocked_by {
        refuse_circle(tx, tenant, &task, &blocked_by).await?;
        task.blocked_by = blocked_by;
    }
    task.refs.extend(event.refs.iter().filter(|one| !task.refs.contains(one)).cloned().collect::<Vec<_>>());
    task.event_id.clone_from(&prepared.event_id);
    task.updated_at = now;
    sql::save_task(tx, tenant, &task).await?;
    Ok(())
}

fn new_task(prepared: &Prepared, external_id: Option<String>, now: Micros) -> Task {
    let event = &prepared.event;
    Task {
        task_id: id_of("tsk", &prepared.event_id),
        event_id: prepared.event_id.clone(),
        external_id,
        status: TaskStatus::Open.as_str().to_owned(),
        title: String::new(),
        details: String::new(),
        priority: 0,
        due_at: None,
        blocked_by: Vec::new(),
        assignee: None,
        refs: Vec::new(),
        user_id: prepared.owner.clone(),
        agent_id: event.agent_id.clone(),
        session_id: event.session_id.clone(),
        channel: event.channel.as_str().to_owned(),
        sensitivity: sensitivity(prepared),
        recorded_at: now,
        updated_at: now,
    }
}

/// Refuses tasks that lead nowhere, and those that wait for this one.
async fn refuse_circle(tx: &mut Tx, tenant: &TenantId, task: &Task, blocked_by: &[String]) -> Result<()> {
    let (mut seen, mut waiting) = (HashSet::new(), blocked_by.to_vec());
    while let Some(id) = waiting.pop() {
        if id == task.task_id || seen.len() > MOST_STEPS {
            let text = "these tasks would wait for each other; leave one of them out of blocked_by";
            return Err(Error::conflict("task_cycle", text));
        }
        if seen.insert(id.clone()) {
            let other = sql::find_task(tx, tenant, &task.user_id, &id).await?;
            waiting.extend(other.ok_or_else(|| unknown_ref("blocked_by"))?.blocked_by);
        }
    }
    Ok(())
}
