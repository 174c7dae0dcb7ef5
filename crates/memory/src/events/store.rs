//! SQL of recording: events, their chunks, and the counters of sessions and scopes.

use std::collections::BTreeMap;

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_optional, insert_many, insert_returning};

use super::prepare::Prepared;
use crate::search::policy::Partition;

/// A session whose counters a group of events moves: events, earliest, latest.
type SessionKey = (String, String, String);
/// A scope that a group of events touches.
type ScopeKey = (String, Partition);

#[derive(FromRow)]
struct SessionRow {
    tenant_id: String,
    user_id: String,
    session_id: String,
    last_seq: i64,
}

/// Counts events into their sessions and returns each session's last sequence number. The rows stay locked until the
/// commit, which is what makes sequence numbers follow the order of commits. Keys are sorted, so two servers never wait
/// for each other in a circle.
pub(crate) async fn bump_sessions(
    tx: &mut Tx,
    counts: &BTreeMap<SessionKey, (i64, Micros, Micros)>,
) -> Result<BTreeMap<SessionKey, i64>> {
    let rows = counts.iter().map(|((tenant, user, session), (count, first, last))| {
        vec![
            tenant.as_str().into(),
            user.as_str().into(),
            session.as_str().into(),
            (*count).into(),
            (*count).into(),
            first.0.into(),
            last.0.into(),
        ]
    });
    let rows: Vec<SessionRow> = insert_returning(
        tx,
        "INSERT INTO memory_sessions (tenant_id, user_id, session_id, last_seq, event_count, first_at, last_at)",
        "ON CONFLICT (tenant_id, user_id, session_id) DO UPDATE SET
             last_seq = memory_sessions.last_seq + excluded.event_count,
             event_count = memory_sessions.event_count + excluded.event_count,
             first_at = CASE WHEN excluded.first_at < memory_sessions.first_at
                 THEN excluded.first_at ELSE memory_sessions.first_at END,
             last_at = CASE WHEN excluded.last_at > memory_sessions.last_at
                 THEN excluded.last_at ELSE memory_sessions.last_at END
         RETURNING tenant_id, user_id, session_id, last_seq",
        rows.collect(),
    )
    .await?;
    Ok(rows.into_iter().map(|r| ((r.tenant_id, r.user_id, r.session_id), r.last_seq)).collect())
}

#[derive(FromRow)]
struct ScopeRow {
    tenant_id: String,
    home: String,
    owner: String,
    tier: String,
    scope_id: String,
    version: i64,
}

/// Bumps the version of each touched scope once and returns scope ids and versions, see [`bump_sessions`] for the locks.
pub(crate) async fn bump_scopes(
    tx: &mut Tx,
    counts: &BTreeMap<ScopeKey, (i64, i64)>,
    now: Micros,
) -> Result<BTreeMap<ScopeKey, (String, i64)>> {
    let rows = counts.iter().map(|((tenant, partition), (events, bytes))| {
        vec![
            tenant.as_str().into(),
            kernel::id::new_id("scp", now).into(),
            partition.home.as_str().into(),
            partition.owner.as_str().into(),
            partition.tier.as_str().into(),
            (*events).into(),
            (*bytes).into(),
            1_i64.into(),
            0_i64.into(),
            "en".into(),
        ]
    });
    let rows: Vec<ScopeRow> = insert_returning(
        tx,
        "INSERT INTO memory_scopes (tenant_id, scope_id, home, owner, tier, event_count, text_bytes, version,
             rebuild_version, language)",
        "ON CONFLICT (tenant_id, home, owner, tier) DO UPDATE SET
             version = memory_scopes.version + 1,
             event_count = memory_scopes.event_count + excluded.event_count,
             text_bytes = memory_scopes.text_bytes + excluded.text_bytes
         RETURNING tenant_id, home, owner, tier, scope_id, version",
        rows.collect(),
    )
    .await?;
    let known = |r: ScopeRow| {
        let partition = crate::search::store::partition(&r.home, r.owner, &r.tier)?;
        Some(((r.tenant_id, partition), (r.scope_id, r.version)))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}

/// One event on its way into its row.
pub(crate) struct EventRow<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) prepared: &'a Prepared,
    pub(crate) seq: i64,
    pub(crate) scope: Option<&'a (String, i64)>,
    pub(crate) recorded_at: Micros,
}

/// Adds events; an event whose `client_event_id` exists is passed over. Returns how many were added.
pub(crate) async fn add_events(tx: &mut Tx, rows: &[EventRow<'_>]) -> Result<u64> {
    insert_many(
        tx,
        "INSERT INTO events (tenant_id, event_id, user_id, agent_id, session_id, seq, kind, channel, sensitivity,
             actor_type, actor_id, actor_name, occurred_at, recorded_at, tags, content, refs, artifact_id, text_bytes,
             token_est, trust, recalled, client_event_id, content_hash, redactions, expires_at)",
        "ON CONFLICT (tenant_id, user_id, session_id, client_event_id) WHERE client_event_id IS NOT NULL DO NOTHING",
        rows.iter().map(event_values).collect(),
    )
    .await
}

fn event_values(row: &EventRow<'_>) -> Vec<Value> {
    let (prepared, event) = (row.prepared, &row.prepared.event);
    let json = |list: &[String]| Value::from(serde_json::to_string(list).expect("a list of text is JSON"));
    vec![
        row.tenant.as_str().into(),
        prepared.event_id.as_str().into(),
        prepared.owner.as_str().into(),
        event.agent_id.clone().into(),
        event.session_id.as_str().into(),
        row.seq.into(),
        event.kind.as_str().into(),
        event.channel.as_str().into(),
        event.sensitivity.map_or("none", super::Sensitivity::as_str).into(),
        event.actor.kind.as_str().into(),
        event.actor.id.as_str().into(),
        event.actor.name.clone().into(),
        prepared.occurred_at.0.into(),
        row.recorded_at.0.into(),
        json(&event.tags),
        prepared.content.as_str().into(),
        json(&event.refs),
        prepared.artifact.as_ref().map(|artifact| artifact.artifact_id.clone()).into(),
        (prepared.text_bytes as i64).into(),
        (prepared.token_est as i64).into(),
        event.actor.kind.trust().into(),
        event.recalled.into(),
        event.client_event_id.clone().into(),
        prepared.content_hash.as_str().into(),
        serde_json::to_string(&prepared.redactions).expect("plain data is JSON").into(),
        event.expires_at.map(|at| at.0).into(),
    ]
}

/// Adds the chunks of events that are indexed; those that are there stay.
pub(crate) async fn add_chunks(tx: &mut Tx, rows: &[EventRow<'_>]) -> Result<u64> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        let Some((scope_id, version)) = row.scope else {
            continue;
        };
        for (ordinal, chunk) in row.prepared.chunks.iter().enumerate() {
            values.push(vec![
                row.tenant.as_str().into(),
                chunk.chunk_id.as_str().into(),
                row.prepared.event_id.as_str().into(),
                scope_id.as_str().into(),
                (*version).into(),
                (ordinal as i64).into(),
                (chunk.start as i64).into(),
                (chunk.end as i64).into(),
                (chunk.token_est as i64).into(),
                0.5_f64.into(),
                row.prepared.partition.as_ref().map_or("secret", |home| home.tier.as_str()).into(),
                false.into(),
                "".into(),
                chunk.text.clone().into(),
            ]);
        }
    }
    insert_many(
        tx,
        "INSERT INTO chunks (tenant_id, chunk_id, event_id, scope_id, scope_version, ordinal, start_byte, end_byte,
             token_est, importance, sensitivity, excluded, key_text, text)",
        "ON CONFLICT (chunk_id) DO NOTHING",
        values,
    )
    .await
}

/// Adds the artifacts of events whose text is in the blob store.
pub(crate) async fn add_artifacts(tx: &mut Tx, rows: &[EventRow<'_>]) -> Result<()> {
    for row in rows {
        let Some(artifact) = &row.prepared.artifact else {
            continue;
        };
        execute!(
            tx,
            "INSERT INTO artifacts (tenant_id, artifact_id, event_id, media_type, size_bytes, sha256, blob_key, excerpt, refs)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '[]')",
            row.tenant.as_str(),
            &artifact.artifact_id,
            &row.prepared.event_id,
            artifact.media_type,
            artifact.bytes.len() as i64,
            store::blob::data_hash(&artifact.bytes),
            &artifact.blob_key,
            &artifact.excerpt,
        )?;
    }
    Ok(())
}

/// An event recorded before under a caller's own id.
#[derive(FromRow)]
pub(crate) struct Earlier {
    pub(crate) event_id: String,
    pub(crate) content_hash: String,
    pub(crate) artifact_id: Option<String>,
}

/// Finds an event by the caller's own id.
pub(crate) async fn find_by_client_id(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    session: &str,
    client_event_id: &str,
) -> Result<Option<Earlier>> {
    fetch_optional!(
        conn,
        Earlier,
        "SELECT event_id, content_hash, artifact_id FROM events
         WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3 AND client_event_id = $4",
        tenant.as_str(),
        owner,
        session,
        client_event_id,
    )
}

/// Ids of an event's chunks in the order of its text.
pub(crate) async fn list_chunk_ids(
    conn: &mut Conn,
    tenant: &TenantId,
    event_id: &str,
) -> Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "SELECT chunk_id FROM chunks WHERE tenant_id = $1 AND event_id = $2 ORDER BY ordinal",
        tenant.as_str(),
        event_id,
    )?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
