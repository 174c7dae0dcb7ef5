//! SQL of decisions and tasks.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_optional};

use super::model::{Decision, Task};
use crate::rights::not_erased;

#[derive(FromRow)]
pub(crate) struct DecisionRow {
    decision_id: String,
    event_id: String,
    ts: i64,
    status: String,
    scope: String,
    decision: String,
    rationale: String,
    constraints: String,
    alternatives: String,
    consequences: String,
    refs: String,
    subject: Option<String>,
    supersedes: Option<String>,
    superseded_by: Option<String>,
    user_id: String,
    agent_id: Option<String>,
    session_id: String,
    channel: String,
    sensitivity: String,
}

fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn json(items: &[String]) -> String {
    serde_json::to_string(items).expect("a list of text is JSON")
}

impl From<DecisionRow> for Decision {
    fn from(row: DecisionRow) -> Self {
        Self {
            decision_id: row.decision_id,
            event_id: row.event_id,
            ts: Micros(row.ts),
            status: row.status,
            scope: row.scope,
            decision: row.decision,
            rationale: list(&row.rationale),
            constraints: list(&row.constraints),
            alternatives: list(&row.alternatives),
            consequences: list(&row.consequences),
            refs: list(&row.refs),
            subject: row.subject,
            supersedes: row.supersedes,
            superseded_by: row.superseded_by,
            user_id: row.user_id,
            agent_id: row.agent_id,
            session_id: row.session_id,
            channel: row.channel,
            sensitivity: row.sensitivity,
        }
    }
}

/// The columns of [`DecisionRow`] from `decisions AS e`.
macro_rules! decision_columns {
    () => {
        "e.decision_id, e.event_id, e.ts, e.status, e.scope, e.decision, e.rationale, e.constraints, e.alternatives, \
         e.consequences, e.refs, e.subject, e.supersedes, e.superseded_by, e.user_id, e.agent_id, e.session_id, e.channel, \
         e.sensitivity"
    };
}
pub(crate) use decision_columns;

pub(super) async fn add_decision(tx: &mut Tx, tenant: &TenantId, decision: &Decision) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO decisions (tenant_id, decision_id, event_id, ts, status, scope, decision, rationale, constraints,
             alternatives, consequences, refs, subject, supersedes, user_id, agent_id, session_id, channel, sensitivity)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        tenant.as_str(),
        &decision.decision_id,
        &decision.event_id,
        decision.ts.0,
        &decision.status,
        &decision.scope,
        &decision.decision,
        json(&decision.rationale),
        json(&decision.constraints),
        json(&decision.alternatives),
        json(&decision.consequences),
        json(&decision.refs),
        decision.subject.as_deref(),
        decision.supersedes.as_deref(),
        &decision.user_id,
        decision.agent_id.as_deref(),
        &decision.session_id,
        &decision.channel,
        &decision.sensitivity,
    )
}

/// Closes an active decision; 0 when it was closed before.
pub(super) async fn close_decision(
    tx: &mut Tx,
    tenant: &TenantId,
    decision_id: &str,
    superseded_by: &str,
) -> Result<u64> {
    execute!(
        tx,
        "UPDATE decisions SET status = 'superseded', superseded_by = $3
         WHERE tenant_id = $1 AND decision_id = $2 AND status = 'active'",
        tenant.as_str(),
        decision_id,
        superseded_by,
    )
}

/// Finds the active decision of an owner about a subject in the same place.
pub(super) async fn find_active(
    conn: &mut Conn,
    tenant: &TenantId,
    like: &Decision,
) -> Result<Option<Decision>> {
    let row = fetch_optional!(
        conn,
        DecisionRow,
        concat!(
            "SELECT ",
            decision_columns!(),
            " FROM decisions AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.subject = $3 AND e.scope = $4 AND e.status = 'active'
              ORDER BY e.decision_id DESC LIMIT 1"
        ),
        tenant.as_str(),
        &like.user_id,
        like.subject.as_deref(),
        &like.scope,
    )?;
    Ok(row.map(Decision::from))
}

pub(crate) async fn find_decision(conn: &mut Conn, tenant: &TenantId, id: &str) -> Result<Option<Decision>> {
    let row = fetch_optional!(
        conn,
        DecisionRow,
        concat!(
            "SELECT ",
            decision_columns!(),
            " FROM decisions AS e WHERE e.tenant_id = $1 AND e.decision_id = $2"
        ),
        tenant.as_str(),
        id,
    )?;
    Ok(row.map(Decision::from))
}

/// Reads decisions by id.
pub(crate) async fn list_decisions_by_id(
    conn: &mut Conn,
    tenant: &TenantId,
    ids: &[&str],
) -> Result<Vec<Decision>> {
    let head = concat!(
        "SELECT ",
        decision_columns!(),
        " FROM decisions AS e WHERE e.tenant_id || '' = $1 AND ",
        not_erased!(),
        " AND e.decision_id IN"
    );
    let rows: Vec<DecisionRow> = fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], ids).await?;
    Ok(rows.into_iter().map(Decision::from).collect())
}

/// Lists an owner's decisions, and those the tenant shares, newest first.
pub(crate) async fn list_decisions(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    status: &str,
    limit: i64,
) -> Result<Vec<Decision>> {
    let rows = fetch_all!(
        conn,
        DecisionRow,
        concat!(
            "SELECT ",
            decision_columns!(),
            " FROM decisions AS e
              WHERE e.tenant_id = $1 AND e.status = $3 AND (e.user_id = $2 OR e.channel IN ('team', 'public')) AND ",
            not_erased!(),
            " ORDER BY e.ts DESC, e.decision_id DESC LIMIT $4"
        ),
        tenant.as_str(),
        owner,
        status,
        limit,
    )?;
    Ok(rows.into_iter().map(Decision::from).collect())
}

#[derive(FromRow)]
pub(crate) struct TaskRow {
    task_id: String,
    event_id: String,
    external_id: Option<String>,
    status: String,
    title: String,
    details: String,
    priority: i64,
    due_at: Option<i64>,
    blocked_by: String,
    assignee: Option<String>,
    refs: String,
    user_id: String,
    agent_id: Option<String>,
    session_id: String,
    channel: String,
    sensitivity: String,
    recorded_at: i64,
    updated_at: i64,
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        Self {
            task_id: row.task_id,
            event_id: row.event_id,
            external_id: row.external_id,
            status: row.status,
            title: row.title,
            details: row.details,
            priority: row.priority,
            due_at: row.due_at.map(Micros),
            blocked_by: list(&row.blocked_by),
            assignee: row.assignee,
            refs: list(&row.refs),
            user_id: row.user_id,
            agent_id: row.agent_id,
            session_id: row.session_id,
            channel: row.channel,
            sensitivity: row.sensitivity,
            recorded_at: Micros(row.recorded_at),
            updated_at: Micros(row.updated_at),
        }
    }
}

/// The columns of [`TaskRow`] from `tasks AS e`.
macro_rules! task_columns {
    () => {
        "e.task_id, e.event_id, e.external_id, e.status, e.title, e.details, e.priority, e.due_at, e.blocked_by, e.assignee, \
         e.refs, e.user_id, e.agent_id, e.session_id, e.channel, e.sensitivity, e.recorded_at, e.updated_at"
    };
}
pub(crate) use task_columns;

/// Adds a task, or writes it over what it was.
pub(super) async fn save_task(tx: &mut Tx, tenant: &TenantId, task: &Task) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO tasks (tenant_id, task_id, event_id, external_id, status, title, details, priority, due_at, blocked_by,
             assignee, refs, user_id, agent_id, session_id, channel, sensitivity, recorded_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (task_id) DO UPDATE SET event_id = excluded.event_id, status = excluded.status,
             title = excluded.title, details = excluded.details, priority = excluded.priority, due_at = excluded.due_at,
             blocked_by = excluded.blocked_by, assignee = excluded.assignee, refs = excluded.refs,
             updated_at = excluded.updated_at",
        tenant.as_str(),
        &task.task_id,
        &task.event_id,
        task.external_id.as_deref(),
        &task.status,
        &task.title,
        &task.details,
        task.priority,
        task.due_at.map(|at| at.0),
        json(&task.blocked_by),
        task.assignee.as_deref(),
        json(&task.refs),
        &task.user_id,
        task.agent_id.as_deref(),
        &task.session_id,
        &task.channel,
        &task.sensitivity,
        task.recorded_at.0,
        task.updated_at.0,
    )
}

/// Finds a task by our id or the caller's own.
pub(crate) async fn find_task(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    id: &str,
) -> Result<Option<Task>> {
    let row = fetch_optional!(
        conn,
        TaskRow,
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks AS e WHERE e.tenant_id = $1 AND e.user_id = $2 AND (e.task_id = $3 OR e.external_id = $3) AND ",
            not_erased!()
        ),
        tenant.as_str(),
        owner,
        id,
    )?;
    Ok(row.map(Task::from))
}

/// Whether anybody of the tenant has this task.
pub(crate) async fn is_task(conn: &mut Conn, tenant: &TenantId, id: &str) -> Result<bool> {
    let found: Option<(i64,)> = fetch_optional!(
        conn,
        (i64,),
        "SELECT CAST(1 AS BIGINT) FROM tasks WHERE tenant_id = $1 AND task_id = $2",
        tenant.as_str(),
        id,
    )?;
    Ok(found.is_some())
}

/// Lists an owner's tasks, and those the tenant shares, by priority, then age; no status means open and doing.
pub(crate) async fn list_tasks(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    status: Option<&str>,
    limit: i64,
) -> Result<Vec<Task>> {
    let rows = fetch_all!(
        conn,
        TaskRow,
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks AS e
              WHERE e.tenant_id = $1 AND (e.user_id = $2 OR e.channel IN ('team', 'public'))
              AND (e.status = $3 OR ($3 IS NULL AND e.status IN ('open', 'doing'))) AND ",
            not_erased!(),
            " ORDER BY e.priority DESC, e.recorded_at, e.task_id LIMIT $4"
        ),
        tenant.as_str(),
        owner,
        status,
        limit,
    )?;
    Ok(rows.into_iter().map(Task::from).collect())
}
