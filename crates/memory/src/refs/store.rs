//! SQL of references.

use kernel::TenantId;
use store::{Conn, Result, fetch_optional};

use crate::rights::{memory_not_erased, not_erased, owner_not_erased};

/// Whether an event, or one of its chunks or artifacts, is this owner's.
pub(super) async fn event_exists(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    reference: &str,
) -> Result<bool> {
    let found: Option<(i64,)> = fetch_optional!(
        conn,
        (i64,),
        concat!(
            "SELECT CAST(1 AS BIGINT) FROM events AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.event_id IN (
                 SELECT event_id FROM events WHERE tenant_id = $1 AND event_id = $3
                 UNION SELECT event_id FROM chunks WHERE tenant_id = $1 AND chunk_id = $3
                 UNION SELECT event_id FROM artifacts WHERE tenant_id = $1 AND artifact_id = $3) AND ",
            not_erased!()
        ),
        tenant.as_str(),
        owner,
        reference,
    )?;
    Ok(found.is_some())
}

/// Whether a memory, a decision, a task or a capsule is this owner's.
pub(super) async fn row_exists(conn: &mut Conn, tenant: &TenantId, owner: &str, id: &str) -> Result<bool> {
    let found: Option<(i64,)> = fetch_optional!(
        conn,
        (i64,),
        concat!(
            "SELECT CAST(1 AS BIGINT) FROM memories AS m
             WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.memory_id = $3 AND ",
            memory_not_erased!(),
            " UNION ALL SELECT CAST(1 AS BIGINT) FROM decisions AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.decision_id = $3 AND ",
            not_erased!(),
            " UNION ALL SELECT CAST(1 AS BIGINT) FROM tasks AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.task_id = $3 AND ",
            not_erased!(),
            " UNION ALL SELECT CAST(1 AS BIGINT) FROM capsules AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.capsule_id = $3 AND ",
            owner_not_erased!()
        ),
        tenant.as_str(),
        owner,
        id,
    )?;
    Ok(found.is_some())
}
