//! SQL of bundles: one statement for each thing that a bundle is made of, within the partitions that may be read.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Value, fetch_all, fetch_by_ids};

use crate::memories::store::{Head, memory_columns};
use crate::rights::{memory_not_erased, not_erased, owner_not_erased};
use crate::search::policy::Readable;
use crate::timeline::store::{StoredEvent, event_columns};
use crate::work::store::{DecisionRow, TaskRow, decision_columns, task_columns};

/// Whose rows of which partitions are read: the first nine parameters of most statements here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Within<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) owner: &'a str,
    homes: [&'static str; 4],
    tiers: [&'static str; 3],
}

impl<'a> Within<'a> {
    pub(super) fn new(readable: &'a Readable) -> Self {
        let (homes, tiers) = (readable.homes(), readable.tiers());
        // A list that is shorter repeats its first word; none at all is the word of no partition.
        let home = |at: usize| homes.get(at).or(homes.first()).map_or("", |home| home.as_str());
        let tier = |at: usize| tiers.get(at).or(tiers.first()).map_or("", |tier| tier.as_str());
        Self {
            tenant: &readable.tenant,
            owner: &readable.owner,
            homes: [home(0), home(1), home(2), home(3)],
            tiers: [tier(0), tier(1), tier(2)],
        }
    }

    fn values(&self) -> Vec<Value> {
        let words = [self.tenant.as_str(), self.owner].into_iter().chain(self.homes).chain(self.tiers);
        words.map(Value::from).collect()
    }
}

/// Holds for a row `e` with an owner, a channel and a sensitivity in a partition that may be read.
macro_rules! may_be_read {
    () => {
        "e.channel IN ($3, $4, $5, $6) AND e.sensitivity IN ($7, $8, $9) \
         AND (e.user_id = $2 OR e.channel IN ('team', 'public'))"
    };
}

/// `fetch_all!` with the parameters of a [`Within`] first.
macro_rules! fetch_within {
    ($conn:expr, $row:ty, $sql:expr, $within:expr $(, $bind:expr)* $(,)?) => {{
        let within: &Within<'_> = $within;
        let ([a, b, c, d], [x, y, z]) = (within.homes, within.tiers);
        fetch_all!($conn, $row, $sql, within.tenant.as_str(), within.owner, a, b, c, d, x, y, z $(, $bind)*)
    }};
}

/// A memory that is always part of a bundle, and one event that it rests on.
#[derive(Clone, Debug, FromRow)]
pub(super) struct PinnedRow {
    #[sqlx(flatten)]
    pub(super) head: Head,
    pub(super) source: Option<String>,
}

/// Lists an owner's pinned memories of an agent and of none, most important first.
pub(super) async fn list_pinned(
    conn: &mut Conn,
    within: &Within<'_>,
    agent: &str,
    now: Micros,
) -> Result<Vec<PinnedRow>> {
    fetch_within!(
        conn,
        PinnedRow,
        concat!(
            "SELECT ",
            memory_columns!(),
            ", (SELECT MIN(s.event_id) FROM memory_sources AS s
                 WHERE s.memory_id = m.memory_id AND s.tenant_id = m.tenant_id) AS source
             FROM memories AS m
             WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.state = 'active' AND m.pinned = $10
             AND m.channel IN ($3, $4, $5, $6) AND m.sensitivity IN ($7, $8, $9)
             AND m.valid_to IS NULL AND m.superseded_by IS NULL
             AND (m.agent_id = $11 OR m.agent_id IS NULL) AND (m.expires_at IS NULL OR m.expires_at > $12) AND ",
            memory_not_erased!(),
            " ORDER BY m.importance DESC, m.recorded_at DESC, m.memory_id LIMIT 50"
        ),
        within,
        true,
        agent,
        now.0,
    )
}

/// A rule.
#[derive(Clone, Debug, FromRow)]
pub(super) struct RuleRow {
    pub(super) rule_id: String,
    pub(super) scope: String,
    pub(super) content: String,
    pub(super) recorded_at: i64,
}

/// Lists the active rules of an owner and those that the tenant shares: the organisation's first, then by priority. A rule's
/// channel is where it may be read, as of anything else.
pub(super) async fn list_rules(conn: &mut Conn, within: &Within<'_>) -> Result<Vec<RuleRow>> {
    let [a, b, c, d] = within.homes;
    fetch_all!(
        conn,
        RuleRow,
        concat!(
            "SELECT e.rule_id, e.scope, e.content, e.recorded_at FROM rules AS e
             WHERE e.tenant_id = $1 AND e.state = 'active' AND e.channel IN ($3, $4, $5, $6)
             AND (e.user_id = $2 OR e.channel IN ('team', 'public')) AND ",
            owner_not_erased!(),
            " ORDER BY CASE e.scope WHEN 'org' THEN 0 WHEN 'project' THEN 1 ELSE 2 END, e.priority DESC, e.rule_id
              LIMIT 100"
        ),
        within.tenant.as_str(),
        within.owner,
        a,
        b,
        c,
        d,
    )
}

/// A capsule.
#[derive(Clone, Debug, FromRow)]
pub(super) struct CapsuleRow {
    pub(super) capsule_id: String,
    pub(super) author_agent_id: String,
    pub(super) audience_agent_ids: String,
    pub(super) subject_type: String,
    pub(super) subject_id: String,
    pub(super) packet: String,
    pub(super) items: String,
    pub(super) risks: String,
    pub(super) recorded_at: i64,
    pub(super) expires_at: i64,
}

/// Lists an owner's capsules that were not revoked, newest first.
pub(super) async fn list_capsules(conn: &mut Conn, within: &Within<'_>) -> Result<Vec<CapsuleRow>> {
    fetch_all!(
        conn,
        CapsuleRow,
        concat!(
            "SELECT e.capsule_id, e.author_agent_id, e.audience_agent_ids, e.subject_type, e.subject_id, e.packet,
                 e.items, e.risks, e.recorded_at, e.expires_at FROM capsules AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.status = 'active' AND ",
            owner_not_erased!(),
            " ORDER BY e.capsule_id DESC LIMIT 200"
        ),
        within.tenant.as_str(),
        within.owner,
    )
}

/// How far the event of a row `e` is trusted.
macro_rules! trust_of_event {
    () => {
        ", COALESCE((SELECT v.trust FROM events AS v WHERE v.event_id = e.event_id AND v.tenant_id || '' = e.tenant_id), \
         'import') AS trust"
    };
}

/// A task and how far its event is trusted.
#[derive(FromRow)]
pub(super) struct TrustedTask {
    #[sqlx(flatten)]
    pub(super) task: TaskRow,
    pub(super) trust: String,
}

/// A decision and how far its event is trusted.
#[derive(FromRow)]
pub(super) struct TrustedDecision {
    #[sqlx(flatten)]
    pub(super) decision: DecisionRow,
    pub(super) trust: String,
}

/// Lists tasks that are open or begun, most urgent first.
pub(super) async fn list_tasks(conn: &mut Conn, within: &Within<'_>) -> Result<Vec<TrustedTask>> {
    fetch_within!(
        conn,
        TrustedTask,
        concat!(
            "SELECT ",
            task_columns!(),
            trust_of_event!(),
            " FROM tasks AS e WHERE e.tenant_id = $1 AND e.status IN ('open', 'doing') AND ",
            may_be_read!(),
            " AND ",
            not_erased!(),
            " ORDER BY e.priority DESC, e.recorded_at, e.task_id LIMIT 60"
        ),
        within,
    )
}

/// Lists the latest active decisions, latest first.
pub(super) async fn list_decisions(conn: &mut Conn, within: &Within<'_>) -> Result<Vec<TrustedDecision>> {
    fetch_within!(
        conn,
        TrustedDecision,
        concat!(
            "SELECT ",
            decision_columns!(),
            trust_of_event!(),
            " FROM decisions AS e WHERE e.tenant_id = $1 AND e.status = 'active' AND ",
            may_be_read!(),
            " AND ",
            not_erased!(),
            " ORDER BY e.ts DESC, e.decision_id DESC LIMIT 50"
        ),
        within,
    )
}

/// Reads decisions by id, whatever became of them.
pub(super) async fn list_decisions_by_id(
    conn: &mut Conn,
    within: &Within<'_>,
    ids: &[&str],
) -> Result<Vec<TrustedDecision>> {
    let head = concat!(
        "SELECT ",
        decision_columns!(),
        trust_of_event!(),
        " FROM decisions AS e WHERE e.tenant_id || '' = $1 AND ",
        may_be_read!(),
        " AND ",
        not_erased!(),
        " AND e.decision_id IN"
    );
    fetch_by_ids(conn, head, &within.values(), ids).await
}

/// Lists the last turns of an owner's conversation, last first; what came out of memory is none.
pub(super) async fn list_window(
    conn: &mut Conn,
    within: &Within<'_>,
    (session, agent): (&str, &str),
    limit: i64,
    now: Micros,
) -> Result<Vec<StoredEvent>> {
    fetch_within!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $10 AND ",
            may_be_read!(),
            " AND (e.agent_id = $11 OR e.agent_id IS NULL) AND NOT e.recalled
              AND (e.expires_at IS NULL OR e.expires_at > $12) AND ",
            not_erased!(),
            " ORDER BY e.seq DESC LIMIT $13"
        ),
        within,
        session,
        agent,
        now.0,
        limit,
    )
}

/// A chunk with its event.
#[derive(Clone, Debug, FromRow)]
pub(super) struct ChunkOfEvent {
    pub(super) chunk_id: String,
    pub(super) start_byte: i64,
    pub(super) end_byte: i64,
    pub(super) chunk_text: Option<String>,
    #[sqlx(flatten)]
    pub(super) event: StoredEvent,
}

/// Reads chunks with their events by id.
pub(super) async fn list_chunks(
    conn: &mut Conn,
    within: &Within<'_>,
    ids: &[&str],
    now: Micros,
) -> Result<Vec<ChunkOfEvent>> {
    let head = concat!(
        "SELECT c.chunk_id, c.start_byte, c.end_byte, c.text AS chunk_text, ",
        event_columns!(),
        " FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
          WHERE c.tenant_id || '' = $1 AND e.tenant_id || '' = $1 AND NOT c.excluded AND ",
        may_be_read!(),
        " AND (e.expires_at IS NULL OR e.expires_at > $10) AND ",
        not_erased!(),
        " AND c.chunk_id IN"
    );
    let mut fixed = within.values();
    fixed.push(now.0.into());
    fetch_by_ids(conn, head, &fixed, ids).await
}

/// Lists the approved edits of things by their ids.
pub(super) async fn list_edits(conn: &mut Conn, tenant: &TenantId, ids: &[&str]) -> Result<Vec<String>> {
    let head = "SELECT edit_id FROM edits WHERE tenant_id = $1 AND status = 'approved' AND target_id IN";
    let rows: Vec<(String,)> = fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], ids).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
