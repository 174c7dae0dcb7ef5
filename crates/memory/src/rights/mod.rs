//! What of memory belongs to whom, and how an erasure hides it at once: see [`store::rights`].

mod retention;

use ::store::rights::{Area, Domain, Rows, Subject, nothing};
use ::store::{Tx, execute};
use futures::future::BoxFuture;
use kernel::{Micros, Result};

pub use self::retention::retention;

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

/// Chunks and artifacts go before the events that tell whose they are, and vectors before their chunks.
const AREAS: &[Area] = &[
    Area::of_memory("vectors", "owner_id, model", OF_CHUNKS, Rows::Of(OF_SESSION_CHUNKS)),
    Area::of_memory("chunks", "chunk_id", OF_EVENTS, Rows::Of(OF_SESSION_EVENTS)),
    Area::of_memory("artifacts", "artifact_id", OF_EVENTS, Rows::Of(OF_SESSION_EVENTS))
        .with_objects()
        .exported_as("artifact"),
    Area::of_memory("events", "event_id", "user_id = $2", Rows::Of(SESSION)).exported_as("event"),
    Area::of_memory("memory_sessions", "tenant_id, user_id, session_id", "user_id = $2", Rows::Of(SESSION))
        .exported_as("conversation"),
    Area::of_memory("vector_progress", "scope_id, model", OF_SCOPES, Rows::Kept(NO_TEXT)),
    Area::of_memory("memory_scopes", "scope_id", "owner = $2", Rows::Kept(NO_TEXT)),
];

const NO_TEXT: &str = "holds versions of the owner's whole memory, no text";
const SESSION: &str = "user_id = $2 AND session_id = $3";
const OF_EVENTS: &str = "event_id IN (SELECT event_id FROM events WHERE tenant_id = $1 AND user_id = $2)";
const OF_SESSION_EVENTS: &str =
    "event_id IN (SELECT event_id FROM events WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3)";
const OF_CHUNKS: &str =
    "owner_id IN (SELECT c.chunk_id FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
     WHERE e.tenant_id = $1 AND e.user_id = $2)";
const OF_SESSION_CHUNKS: &str =
    "owner_id IN (SELECT c.chunk_id FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
     WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3)";
const OF_SCOPES: &str =
    "scope_id IN (SELECT scope_id FROM memory_scopes WHERE tenant_id = $1 AND owner = $2)";

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

/// Holds for an event, or a conversation, `e` that no unfinished erasure covers.
macro_rules! not_erased {
    () => {
        "NOT EXISTS (SELECT 1 FROM erasures AS x WHERE x.tenant_id = e.tenant_id AND x.finished_at IS NULL \
         AND (x.user_id IS NULL OR x.user_id = e.user_id) AND (x.session_id IS NULL OR x.session_id = e.session_id))"
    };
}
pub(crate) use not_erased;
