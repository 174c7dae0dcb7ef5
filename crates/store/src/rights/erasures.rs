//! The table `erasures`: what was asked for, how far it has come, and whom it hides meanwhile.

use kernel::{Error, Micros, Result, TenantId};
use sqlx::FromRow;

use super::{Domain, Report, Subject, holds};
use crate::{Conn, Tx, execute, fetch_all, fetch_optional};

/// An erasure as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub struct Erasure {
    /// Its tenant.
    pub tenant_id: String,
    /// `era_…`
    pub erasure_id: String,
    /// Kind of the subject, see [`Subject::kind`].
    pub kind: String,
    /// The owner or person, until it is finished.
    pub user_id: Option<String>,
    /// The conversation, until it is finished.
    pub session_id: Option<String>,
    /// Salt of the hash.
    pub salt: String,
    /// The subject, see [`Subject::digest`].
    pub subject_hash: String,
    /// Id of who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: i64,
    /// What was found and removed so far, as JSON.
    pub report: String,
    /// The signed certificate, as JSON, when finished.
    pub certificate: Option<String>,
    /// When everything was gone.
    pub finished_at: Option<i64>,
}

/// The columns of [`Erasure`].
macro_rules! erasure_columns {
    () => {
        "tenant_id, erasure_id, kind, user_id, session_id, salt, subject_hash, requested_by, requested_at, report, \
         certificate, finished_at"
    };
}

/// Whom an unfinished erasure hides: nobody may read or write what it covers.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Mask {
    /// Tenant.
    pub tenant_id: String,
    /// Owner; `None` covers all of the tenant.
    pub user_id: Option<String>,
    /// Conversation; `None` covers all of the owner.
    pub session_id: Option<String>,
}

impl Mask {
    /// Whether a conversation of an owner is covered.
    pub fn covers(&self, tenant: &str, user_id: &str, session_id: &str) -> bool {
        self.tenant_id == tenant
            && self.user_id.as_deref().is_none_or(|user| user == user_id)
            && self.session_id.as_deref().is_none_or(|session| session == session_id)
    }
}

/// Whom the unfinished erasures in the connection's reach hide.
///
/// # Errors
/// The engine's.
pub async fn list_masks(conn: &mut Conn) -> crate::Result<Vec<Mask>> {
    fetch_all!(conn, Mask, "SELECT tenant_id, user_id, session_id FROM erasures WHERE finished_at IS NULL")
}

/// Writes a request down and makes its subject vanish; the same subject again gives the erasure that runs already. The caller
/// enqueues the job and records the audit row in the same transaction.
///
/// # Errors
/// `legal_hold` when anything of the subject must be kept; the domains', or the engine's.
pub async fn request(
    tx: &mut Tx,
    domains: &'static [&'static Domain],
    subject: &Subject,
    requested_by: &str,
    now: Micros,
) -> Result<String> {
    holds::lock(tx, &subject.tenant).await?;
    holds::refuse_held(tx, subject).await?;
    if let Some(running) = find_running(tx, subject).await? {
        return Ok(running);
    }
    let (erasure_id, salt) = (kernel::id::new_id("era", now), kernel::random::token());
    execute!(
        tx,
        "INSERT INTO erasures (tenant_id, erasure_id, kind, user_id, session_id, salt, subject_hash, requested_by,
             requested_at, report)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{\"tables\":{},\"objects\":[]}')",
        subject.tenant.as_str(),
        &erasure_id,
        subject.kind(),
        subject.user_id(),
        subject.session_id(),
        &salt,
        subject.digest(&salt),
        requested_by,
        now.0,
    )?;
    for domain in domains {
        (domain.begin)(tx, subject, now).await?;
    }
    Ok(erasure_id)
}

async fn find_running(conn: &mut Conn, subject: &Subject) -> Result<Option<String>> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT erasure_id FROM erasures
         WHERE tenant_id = $1 AND finished_at IS NULL AND kind = $2
         AND COALESCE(user_id, '') = $3 AND COALESCE(session_id, '') = $4",
        subject.tenant.as_str(),
        subject.kind(),
        subject.user_id().unwrap_or_default(),
        subject.session_id().unwrap_or_default(),
    )?;
    Ok(found.map(|row| row.0))
}

/// Finds an erasure of a tenant.
///
/// # Errors
/// The engine's.
pub async fn find_erasure(conn: &mut Conn, tenant: &TenantId, erasure_id: &str) -> Result<Option<Erasure>> {
    Ok(fetch_optional!(
        conn,
        Erasure,
        concat!("SELECT ", erasure_columns!(), " FROM erasures WHERE tenant_id = $1 AND erasure_id = $2"),
        tenant.as_str(),
        erasure_id,
    )?)
}

/// Lists a tenant's erasures, newest first, from before the id `before`; only those that `requested_by` asked for, if given.
///
/// # Errors
/// The engine's.
pub async fn list_erasures(
    conn: &mut Conn,
    tenant: &TenantId,
    requested_by: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Erasure>> {
    Ok(fetch_all!(
        conn,
        Erasure,
        concat!(
            "SELECT ",
            erasure_columns!(),
            " FROM erasures WHERE tenant_id = $1 AND ($2 IS NULL OR requested_by = $2)
              AND ($3 IS NULL OR erasure_id < $3) ORDER BY erasure_id DESC LIMIT $4"
        ),
        tenant.as_str(),
        requested_by,
        before,
        limit,
    )?)
}

/// The subject of an unfinished erasure; `None` once it is finished, because its names are gone.
pub fn subject_of(erasure: &Erasure) -> Option<Subject> {
    let tenant = TenantId::parse(&erasure.tenant_id).ok()?;
    let (user_id, session_id) = (erasure.user_id.clone(), erasure.session_id.clone());
    let subject = Subject::of(tenant, &erasure.kind, user_id, session_id)?;
    erasure.finished_at.is_none().then_some(subject)
}

/// What an erasure has done so far.
///
/// # Errors
/// `internal` for a row that was changed by hand.
pub fn report_of(erasure: &Erasure) -> Result<Report> {
    serde_json::from_str(&erasure.report).map_err(Error::internal)
}

pub(super) async fn save_report(
    tx: &mut Tx,
    tenant: &TenantId,
    erasure_id: &str,
    report: &Report,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE erasures SET report = $1 WHERE tenant_id = $2 AND erasure_id = $3",
        serde_json::to_string(report).map_err(Error::internal)?,
        tenant.as_str(),
        erasure_id,
    )?;
    Ok(())
}

/// Ends an erasure: its certificate stays, the names of its subject go, and what it hid is free again.
///
/// # Errors
/// The engine's.
pub async fn finish(
    tx: &mut Tx,
    tenant: &TenantId,
    erasure_id: &str,
    certificate: &str,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE erasures SET certificate = $1, finished_at = $2, user_id = NULL, session_id = NULL
         WHERE tenant_id = $3 AND erasure_id = $4 AND finished_at IS NULL",
        certificate,
        now.0,
        tenant.as_str(),
        erasure_id,
    )?;
    Ok(())
}
