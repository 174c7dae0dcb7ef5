//! SQL of rules. The owner of a tenant's rules is the empty text.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, execute, fetch_all, fetch_optional};

use super::model::Rule;
use crate::rights::owner_not_erased;

#[derive(FromRow)]
struct RuleRow {
    rule_id: String,
    user_id: String,
    scope: String,
    channel: String,
    priority: i64,
    content: String,
    token_est: i64,
    state: String,
    recorded_at: i64,
}

impl From<RuleRow> for Rule {
    fn from(row: RuleRow) -> Self {
        Self {
            rule_id: row.rule_id,
            user_id: Some(row.user_id).filter(|owner| !owner.is_empty()),
            scope: row.scope,
            channel: row.channel,
            priority: row.priority,
            content: row.content,
            token_est: row.token_est,
            state: row.state,
            recorded_at: Micros(row.recorded_at),
        }
    }
}

macro_rules! rule_columns {
    () => {
        "e.rule_id, e.user_id, e.scope, e.channel, e.priority, e.content, e.token_est, e.state, e.recorded_at"
    };
}

/// Adds a rule, or writes it over what it was.
pub(super) async fn save(tx: &mut Tx, tenant: &TenantId, rule: &Rule) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO rules (tenant_id, rule_id, user_id, scope, channel, priority, content, token_est, state, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (rule_id) DO UPDATE SET channel = excluded.channel, priority = excluded.priority,
             content = excluded.content, token_est = excluded.token_est, state = excluded.state",
        tenant.as_str(),
        &rule.rule_id,
        rule.user_id.as_deref().unwrap_or_default(),
        &rule.scope,
        &rule.channel,
        rule.priority,
        &rule.content,
        rule.token_est,
        &rule.state,
        rule.recorded_at.0,
    )
}

pub(super) async fn remove(tx: &mut Tx, tenant: &TenantId, rule_id: &str) -> Result<u64> {
    execute!(tx, "DELETE FROM rules WHERE tenant_id = $1 AND rule_id = $2", tenant.as_str(), rule_id)
}

pub(super) async fn find(conn: &mut Conn, tenant: &TenantId, rule_id: &str) -> Result<Option<Rule>> {
    let row = fetch_optional!(
        conn,
        RuleRow,
        concat!(
            "SELECT ",
            rule_columns!(),
            " FROM rules AS e WHERE e.tenant_id = $1 AND e.rule_id = $2 AND ",
            owner_not_erased!()
        ),
        tenant.as_str(),
        rule_id,
    )?;
    Ok(row.map(Rule::from))
}

/// Lists an owner's rules and the tenant's in one state, the tenant's first, then by priority; `None` means any scope.
pub(super) async fn list(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    scope: Option<&str>,
    state: &str,
    limit: i64,
) -> Result<Vec<Rule>> {
    let rows = fetch_all!(
        conn,
        RuleRow,
        concat!(
            "SELECT ",
            rule_columns!(),
            " FROM rules AS e
              WHERE e.tenant_id = $1 AND e.user_id IN ($2, '') AND (e.scope = $3 OR $3 IS NULL) AND e.state = $4 AND ",
            owner_not_erased!(),
            " ORDER BY CASE e.scope WHEN 'org' THEN 0 WHEN 'project' THEN 1 ELSE 2 END, e.priority DESC, e.rule_id
              LIMIT $5"
        ),
        tenant.as_str(),
        owner,
        scope,
        state,
        limit,
    )?;
    Ok(rows.into_iter().map(Rule::from).collect())
}
