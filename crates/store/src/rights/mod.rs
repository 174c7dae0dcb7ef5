//! Data rights: erasing what is held about somebody, keeping what a court wants kept, and handing out copies.
//!
//! Every domain names its tables in a [`Domain`]: which rows of a table belong to a subject, or why none is touched. From
//! that one list follow the counts, the removal, the export and the replay after a restore; a test finds every table of the
//! schema and fails when one is in no list.
//!
//! An erasure is a row and a job. From the commit of the row on its subject cannot be read or written ([`Mask`]); the job
//! removes the rows in small transactions, keeps count in the erasure's own row, writes a line beside the backups
//! ([`ErasureList`]) that a restore repeats, and ends with a signed [`Certificate`].

mod area;
mod certificate;
mod erase;
mod erasures;
mod export;
mod exports;
mod holds;
mod list;
mod orphans;
mod subject;

pub use area::{Area, Domain, Hook, Rows};
pub use certificate::{Certificate, Signer, Statement};
pub use erase::{Counts, Eraser, Report};
pub use erasures::{
    Erasure, Mask, find_erasure, finish, list_erasures, list_masks, report_of, request, subject_of,
};
pub use export::Export;
pub use exports::{
    ExportPart, ExportRow, add_export, add_part, clear_parts, find_export, finish_export, list_exports,
    list_parts,
};
pub use holds::{Hold, list_held_tenants, list_holds, place_hold, refuse_held, release_hold};
pub use list::{ErasureLine, ErasureList};
pub use orphans::sweep;
pub use subject::{Subject, Who};

use futures::future::BoxFuture;

use crate::retention::{Remove, Rule};

/// Days for which an export can be downloaded.
pub const EXPORT_DAYS: i64 = 7;

/// How long exports are kept.
pub fn retention() -> Rule {
    Rule {
        name: "exports",
        days: EXPORT_DAYS,
        remove: Remove::Batches(
            |conn, before| Box::pin(exports::count_exports_before(conn, before)),
            |tx, before, limit| Box::pin(exports::remove_exports_before(tx, before, limit)),
        ),
    }
}

/// The tables of the engine room.
pub static DOMAIN: Domain = Domain { areas: AREAS, directories: &[], begin: nothing, finish: nothing };

/// Begins or finishes an erasure where there is nothing to do.
pub fn nothing<'t>(
    _: &'t mut crate::Tx,
    _: &'t Subject,
    _: kernel::Micros,
) -> BoxFuture<'t, kernel::Result<()>> {
    Box::pin(async { Ok(()) })
}

const SERVERS: &str = "belongs to the server, not to a tenant";
const IDS: &str = "holds ids alone, and goes by retention";
/// A copy of the whole tenant has a copy of everybody in it.
const EXPORT: &str = "user_id IS NULL OR user_id = $2";
const PARTS: &str =
    "export_id IN (SELECT export_id FROM exports WHERE tenant_id = $1 AND (user_id IS NULL OR user_id = $2))";

const AREAS: &[Area] = &[
    Area::of_memory("export_parts", "export_id, start_byte", PARTS, Rows::Of(PARTS)).with_objects(),
    Area::of_memory("exports", "export_id", EXPORT, Rows::Of(EXPORT)),
    Area::of_tenant("jobs", "job_id", IDS),
    Area {
        person: Rows::Of("principal_id = $2"),
        ..Area::of_tenant("idempotency_keys", "tenant_id, principal_id, route, idempotency_key", IDS)
    },
    Area::of_tenant("sealed_secrets", "tenant_id, name", "holds credentials of the tenant's"),
    Area::kept("legal_holds", "nothing that is held is erased"),
    Area::kept("erasures", "tells that it was done, by a salted hash"),
    Area::kept("leases", SERVERS),
    Area::kept("schedules", SERVERS),
    Area::kept("paused_job_kinds", SERVERS),
];
