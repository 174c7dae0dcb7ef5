//! What of memory belongs to whom, and how an erasure hides it at once: see [`store::rights`].

mod retention;

use std::collections::BTreeMap;

use ::store::rights::{Area, Domain, Rows, Subject, list_masks, nothing};
use ::store::{Tx, execute};
use futures::future::BoxFuture;
use kernel::{Error, Micros, Result, TenantId};

pub use self::retention::retention;
use crate::events::store::bump_scopes;
use crate::events::{Channel, Sensitivity};
use crate::search::policy::Partition;

/// The tables of memory.
pub static DOMAIN: Domain = Domain {
    areas: AREAS,
    directories: &[
        "SELECT tenant_id, user_id, session_id FROM memory_sessions",
        "SELECT DISTINCT tenant_id, user_id, CAST(NULL AS TEXT) FROM memory_sessions",
        "SELECT DISTINCT tenant_id, owner, CAST(NULL AS TEXT) FROM memory_scopes WHERE owner <> ''",
    ],
    begin: forget_indexes,
    finish: nothing,
};

/// What tells whose a row is goes after the row: vectors before their chunks and memories, those before their events, and the
/// sources of memories when the memories are gone.
const AREAS: &[Area] = &[
    Area::of_memory("vectors", "owner_id, model", OF_CHUNKS, Rows::Of(OF_SESSION_CHUNKS)),
    Area::of_memory("chunks", "chunk_id", OF_EVENTS, Rows::Of(OF_SESSION_EVENTS)),
    Area::of_memory("artifacts", "artifact_id", OF_EVENTS, Rows::Of(OF_SESSION_EVENTS))
        .with_objects()
        .exported_as("artifact"),
    Area::of_memory("memory_versions", "memory_id, version", OF_MEMORIES, Rows::Of(OF_SESSION_MEMORIES))
        .exported_as("memory_version"),
    Area::of_memory("edits", "edit_id", OWNER, Rows::Of(EDITS_OF_SESSION)).exported_as("edit"),
    Area::of_memory("memories", "memory_id", OWNER, Rows::Of(OF_SESSION_MEMORIES)).exported_as("memory"),
    Area::of_memory("memory_sources", "memory_id, event_id", OF_EVENTS, Rows::Of(SOURCES_OF_SESSION))
        .exported_as("memory_source"),
    Area::of_memory("decisions", "decision_id", OWNER, Rows::Of(SESSION)).exported_as("decision"),
    Area::of_memory("tasks", "task_id", OWNER, Rows::Of(SESSION)).exported_as("task"),
    Area::of_memory("bundles", "acb_id", OWNER, Rows::Of(SESSION)),
    Area::of_memory("blocked_facts", "tenant_id, user_id, fingerprint", OWNER, Rows::Kept(OF_PERSON)),
    Area::of_memory("block_versions", "block_id, version", OF_BLOCKS, Rows::Kept(OF_PERSON))
        .exported_as("block_version"),
    Area::of_memory("blocks", "block_id", OWNER, Rows::Kept(OF_PERSON)).exported_as("block"),
    Area::of_memory("rules", "rule_id", OWNER, Rows::Kept(OF_PERSON)).exported_as("rule"),
    Area::of_memory("capsules", "capsule_id", OWNER, Rows::Kept(OF_PERSON)).exported_as("capsule"),
    Area::of_memory("relations", RELATION_KEY, OWNER, Rows::Kept(OF_PERSON)).exported_as("relation"),
    Area::of_memory("entities", "entity_id", OWNER, Rows::Kept(OF_PERSON)).exported_as("entity"),
    Area::of_memory("events", "event_id", OWNER, Rows::Of(SESSION)).exported_as("event"),
    Area::of_memory("memory_sessions", "tenant_id, user_id, session_id", OWNER, Rows::Of(SESSION))
        .exported_as("conversation"),
    Area::of_memory("vector_progress", "scope_id, model", OF_SCOPES, Rows::Kept(NO_TEXT)),
    Area::of_memory("derive_progress", "scope_id, reader", OF_SCOPES, Rows::Kept(NO_TEXT)),
    Area::of_tenant("model_usage", "tenant_id, day", "counts tokens of the whole tenant, no text"),
    Area::of_memory("memory_scopes", "scope_id", "owner = $2", Rows::Kept(NO_TEXT)),
];

const NO_TEXT: &str = "holds versions of the owner's whole memory, no text";
const OF_PERSON: &str = "is of the owner as a whole, not of one conversation";
const RELATION_KEY: &str = "tenant_id, user_id, from_name, to_name, relation_type";
const OWNER: &str = "user_id = $2";
const SESSION: &str = "user_id = $2 AND session_id = $3";
const OF_EVENTS: &str = "event_id IN (SELECT event_id FROM events WHERE tenant_id = $1 AND user_id = $2)";
const OF_SESSION_EVENTS: &str =
    "event_id IN (SELECT event_id FROM events WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3)";
const OF_CHUNKS: &str =
    "owner_id IN (SELECT c.chunk_id FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
         WHERE e.tenant_id = $1 AND e.user_id = $2
     UNION ALL SELECT m.memory_id FROM memories AS m WHERE m.tenant_id = $1 AND m.user_id = $2)";
const OF_MEMORIES: &str =
    "memory_id IN (SELECT m.memory_id FROM memories AS m WHERE m.tenant_id = $1 AND m.user_id = $2)";
const OF_BLOCKS: &str =
    "block_id IN (SELECT b.block_id FROM blocks AS b WHERE b.tenant_id = $1 AND b.user_id = $2)";
const OF_SCOPES: &str =
    "scope_id IN (SELECT scope_id FROM memory_scopes WHERE tenant_id = $1 AND owner = $2)";

/// Memories of a conversation: those that came from it, and those that rest on nothing else.
macro_rules! session_memories {
    () => {
        "SELECT m.memory_id FROM memories AS m WHERE m.tenant_id = $1 AND m.user_id = $2 AND (m.conversation_id = $3 \
         OR (m.memory_id IN (SELECT s.memory_id FROM memory_sources AS s JOIN events AS e ON e.event_id = s.event_id \
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3) \
         AND m.memory_id NOT IN (SELECT s.memory_id FROM memory_sources AS s JOIN events AS e ON e.event_id = s.event_id \
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id <> $3)))"
    };
}
const OF_SESSION_MEMORIES: &str = concat!("memory_id IN (", session_memories!(), ")");
const EDITS_OF_SESSION: &str = concat!("target_id IN (", session_memories!(), ")");
const OF_SESSION_CHUNKS: &str = concat!(
    "owner_id IN (SELECT c.chunk_id FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
     WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3 UNION ALL ",
    session_memories!(),
    ")"
);
const SOURCES_OF_SESSION: &str =
    "event_id IN (SELECT event_id FROM events WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3)
     OR memory_id NOT IN (SELECT memory_id FROM memories WHERE tenant_id = $1)";

/// Checks how a caller names an owner or a conversation: as events name them.
///
/// # Errors
/// `validation_failed` for `field`.
pub fn check_name(field: &str, value: Option<&str>) -> Result<()> {
    crate::events::check_name(field, value)
}

/// Makes every server load the partitions that may hold the subject anew, without it. Whoever writes to one of them holds the
/// lock on its row: what was written before is removed by the job, and what comes after finds the erasure.
fn forget_indexes<'t>(tx: &'t mut Tx, subject: &'t Subject, _: Micros) -> BoxFuture<'t, Result<()>> {
    Box::pin(async move {
        execute!(
            tx,
            "UPDATE memory_scopes SET version = version + 1, rebuild_version = rebuild_version + 1
             WHERE tenant_id = $1 AND ($2 IS NULL OR owner = $2 OR owner = '')",
            subject.tenant.as_str(),
            subject.user_id(),
        )?;
        Ok(())
    })
}

/// Refuses writes (tenant, owner, conversation) of somebody who is being erased. Asked with the scopes locked, which every
/// request for an erasure locks, too: either it is seen here, or its job sees what is written.
///
/// # Errors
/// `erasure_in_progress`.
pub(crate) async fn refuse_erased(tx: &mut Tx, writes: &[(&str, &str, &str)]) -> Result<()> {
    let masks = list_masks(tx).await?;
    let is_covered = |(tenant, owner, session): &(&str, &str, &str)| {
        masks.iter().any(|mask| mask.covers(tenant, owner, session))
    };
    if writes.iter().any(is_covered) {
        let text = "this memory is being erased; nothing was stored, write again when the erasure is done";
        return Err(Error::conflict("erasure_in_progress", text));
    }
    Ok(())
}

/// Takes the lock that every request for an erasure of `owner` (of the tenant, when empty) takes, and refuses to write if there is one. The owner's other
/// writers of blocks, rules, capsules and entities wait, too, until the transaction ends.
///
/// # Errors
/// `erasure_in_progress`.
pub(crate) async fn hold_owner(tx: &mut Tx, tenant: &TenantId, owner: &str, now: Micros) -> Result<()> {
    let channel = if owner.is_empty() { Channel::Team } else { Channel::Private };
    let home = Partition { home: channel, owner: owner.to_owned(), tier: Sensitivity::None };
    bump_scopes(tx, &BTreeMap::from([((tenant.to_string(), home), (0, 0))]), now).await?;
    refuse_erased(tx, &[(tenant.as_str(), owner, "")]).await
}

/// Holds for a row `e` with an owner and a conversation that no unfinished erasure covers.
macro_rules! not_erased {
    () => {
        "NOT EXISTS (SELECT 1 FROM erasures AS x WHERE x.tenant_id = e.tenant_id AND x.finished_at IS NULL \
         AND (x.user_id IS NULL OR x.user_id = e.user_id) AND (x.session_id IS NULL OR x.session_id = e.session_id))"
    };
}
pub(crate) use not_erased;

/// Holds for a row `e` of an owner as a whole that no unfinished erasure covers.
macro_rules! owner_not_erased {
    () => {
        "NOT EXISTS (SELECT 1 FROM erasures AS x WHERE x.tenant_id = e.tenant_id AND x.finished_at IS NULL \
         AND x.session_id IS NULL AND (x.user_id IS NULL OR x.user_id = e.user_id))"
    };
}
pub(crate) use owner_not_erased;

/// Holds for a memory `m` that no unfinished erasure covers.
macro_rules! memory_not_erased {
    () => {
        "NOT EXISTS (SELECT 1 FROM erasures AS x WHERE x.tenant_id = m.tenant_id AND x.finished_at IS NULL \
         AND (x.user_id IS NULL OR x.user_id = m.user_id) AND (x.session_id IS NULL OR x.session_id = m.conversation_id))"
    };
}
pub(crate) use memory_not_erased;
