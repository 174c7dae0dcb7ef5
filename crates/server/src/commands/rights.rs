//! `hearth rights …` and `hearth verify-certificate`: erasures and legal holds at the machine's own command line.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use identity::audit::{self, AuditEntry};
use kernel::{Micros, TenantId};
use store::Reach;
use store::rights::{self, Certificate, Eraser, Erasure, ErasureList, Subject, Who};

use super::{Failure, admin, pretty, say};
use crate::config::Flags;
use crate::rights::{DOMAINS, check_reason};

#[derive(Debug, Subcommand)]
pub(super) enum Rights {
    /// Erase for good; a running server carries it out
    Erase {
        #[command(flatten)]
        whose: Whose,
        /// The tenant with all its people, not only its memory
        #[arg(long, conflicts_with_all = ["user", "session", "person"])]
        everything: bool,
        /// Repeats the name of what is erased: the session, user, person or tenant
        #[arg(long)]
        confirm: String,
    },
    /// List erasures of a tenant, newest first
    Erasures {
        /// The tenant
        #[arg(long)]
        tenant: String,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Erase again what was erased since a backup was made; `hearth backup restore` does it by itself, psql does not
    Repeat {
        /// When the restored backup was made, such as 2026-01-31T02:00:00Z
        #[arg(long)]
        since: String,
    },
    /// Keep data from erasure and retention
    Hold {
        /// The tenant
        #[arg(long)]
        tenant: String,
        /// The owner of memories or person (usr_…); all of the tenant when absent
        #[arg(long)]
        user: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the holds of a tenant
    Holds {
        /// The tenant
        #[arg(long)]
        tenant: String,
    },
    /// Release a hold
    Release {
        /// The tenant
        #[arg(long)]
        tenant: String,
        /// hld_…
        hold: String,
    },
}

/// Whose data.
#[derive(Args, Clone, Debug)]
pub(super) struct Whose {
    /// The tenant; alone it means all of its memory
    #[arg(long)]
    tenant: String,
    /// An owner of memories
    #[arg(long, conflicts_with = "person")]
    user: Option<String>,
    /// One conversation of the owner
    #[arg(long, requires = "user")]
    session: Option<String>,
    /// A person with an account: usr_…
    #[arg(long)]
    person: Option<String>,
}

impl Whose {
    fn subject(&self, everything: bool) -> Result<(Subject, &str), Failure> {
        let tenant = parsed(&self.tenant)?;
        let (who, named) = match (&self.user, &self.session, &self.person) {
            (Some(user_id), Some(session_id), _) => {
                (Who::Session { user_id: user_id.clone(), session_id: session_id.clone() }, session_id)
            }
            (Some(user_id), None, _) => (Who::Owner(user_id.clone()), user_id),
            (None, _, Some(person)) => (Who::Person(person.clone()), person),
            (None, _, None) if everything => (Who::Tenant, &self.tenant),
            (None, _, None) => (Who::Memory, &self.tenant),
        };
        Ok((Subject { tenant, who }, named))
    }
}

fn usage(text: impl std::fmt::Display) -> Failure {
    Failure { code: 2, text: format!("hearth: {text}") }
}

fn parsed(tenant: &str) -> Result<TenantId, Failure> {
    TenantId::parse(tenant).map_err(usage)
}

pub(super) async fn run(flags: &Flags, command: Rights) -> Result<(), Failure> {
    match command {
        Rights::Erase { whose, everything, confirm } => erase(flags, &whose, everything, &confirm).await,
        Rights::Erasures { tenant, limit } => erasures(flags, &parsed(&tenant)?, limit).await,
        Rights::Repeat { since } => repeat(flags, Micros::parse(&since).map_err(usage)?).await,
        Rights::Hold { tenant, user, reason } => hold(flags, parsed(&tenant)?, user, reason).await,
        Rights::Holds { tenant } => holds(flags, &parsed(&tenant)?).await,
        Rights::Release { tenant, hold } => release(flags, parsed(&tenant)?, hold).await,
    }
}

async fn erase(flags: &Flags, whose: &Whose, everything: bool, confirm: &str) -> Result<(), Failure> {
    let (subject, named) = whose.subject(everything)?;
    if confirm != named {
        return Err(usage(format!("--confirm repeats `{named}`; an erasure cannot be undone")));
    }
    let app = admin::open(flags).await?;
    let entry = AuditEntry::operator(subject.tenant.as_str(), app.clock.now(), "rights.erase", "");
    let asked = app.rights.request(subject, "local operator".to_owned(), entry).await?;
    say(&format!("{}: nobody reads or writes it from now on; a running server removes it", asked.erasure_id))
}

async fn erasures(flags: &Flags, tenant: &TenantId, limit: u32) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    let mut conn = app.store.read(tenant).await?;
    let rows = rights::list_erasures(&mut conn, tenant, None, None, i64::from(limit)).await?;
    let line = |row: &Erasure| {
        let state = row.finished_at.map_or("not done".to_owned(), |at| format!("done {}", Micros(at)));
        format!(
            "{:30} {:8} asked {} by {:30} {state}",
            row.erasure_id,
            row.kind,
            Micros(row.requested_at),
            row.requested_by
        )
    };
    rows.iter().try_for_each(|row| say(&line(row)))
}

async fn repeat(flags: &Flags, since: Micros) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    let eraser = Eraser { store: &app.store, blobs: &app.rights.blobs, domains: DOMAINS };
    let list = ErasureList::beside(&app.config.backup.folder);
    let repeated = list.repeat(&eraser, since, app.clock.now()).await?;
    let (tenant, now) = (app.operator_tenant().await?, app.clock.now());
    let entry = AuditEntry::operator(tenant.as_str(), now, "rights.repeat", format!("erasures:{repeated}"));
    let record = app.store.write("rights.repeat", Reach::Everyone, move |tx| {
        Box::pin(async move { audit::record(tx, &entry).await })
    });
    record.await?;
    app.store.empty_log().await?;
    say(&format!("{repeated} erasures repeated"))
}

async fn hold(flags: &Flags, tenant: TenantId, user: Option<String>, reason: String) -> Result<(), Failure> {
    check_reason(&reason)?;
    let app = admin::open(flags).await?;
    let mut entry = AuditEntry::operator(tenant.as_str(), app.clock.now(), "rights.hold", "");
    let placed = app.store.write("rights.hold", Reach::Everyone, move |tx| {
        Box::pin(async move {
            let (user, by) = (user.as_deref(), "local operator");
            let id = rights::place_hold(tx, &tenant, user, &reason, by, entry.at).await?;
            entry.resource = format!("legal_hold:{id}");
            audit::record(tx, &entry).await?;
            Ok(id)
        })
    });
    say(&placed.await?)
}

async fn holds(flags: &Flags, tenant: &TenantId) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    let rows = rights::list_holds(&mut app.store.read(tenant).await?, tenant).await?;
    rows.iter().try_for_each(|row| {
        let whose = row.user_id.as_deref().unwrap_or("(all of the tenant)");
        let reason = row.reason.replace(['\n', '\r'], " ");
        say(&format!("{:30} {} {whose:30} {reason}", row.hold_id, Micros(row.placed_at)))
    })
}

async fn release(flags: &Flags, tenant: TenantId, hold: String) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    let resource = format!("legal_hold:{hold}");
    let entry = AuditEntry::operator(tenant.as_str(), app.clock.now(), "rights.release", resource);
    let line = format!("{hold}: released");
    let release = app.store.write("rights.release", Reach::Everyone, move |tx| {
        Box::pin(async move {
            rights::release_hold(tx, &tenant, &hold).await?;
            audit::record(tx, &entry).await
        })
    });
    release.await?;
    say(&line)
}

/// A certificate to check; needs no server and no database.
#[derive(Args, Clone, Debug)]
pub(super) struct Verify {
    /// The certificate
    file: PathBuf,
    /// The public key that the operator of the server gave you, base 64
    #[arg(long)]
    key: Option<String>,
    /// See whether it is about this owner of memories
    #[arg(long, conflicts_with = "person")]
    user: Option<String>,
    /// See whether it is about this conversation of the owner
    #[arg(long, requires = "user")]
    session: Option<String>,
    /// See whether it is about this account: usr_…
    #[arg(long)]
    person: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Exit code of a certificate that does not hold.
const NOT_GENUINE: u8 = 3;

/// Checks a certificate of an erasure.
///
/// # Errors
/// Exit code 3 when it was changed, was signed by another key, or is about somebody else.
pub(super) fn verify(command: &Verify) -> Result<(), Failure> {
    let certificate = read(&command.file)?;
    let refuse = |text: &str| Failure { code: NOT_GENUINE, text: format!("hearth: {text}") };
    if !certificate.is_genuine() {
        return Err(refuse("NOT GENUINE: the certificate was changed after it was signed"));
    }
    if command.key.as_ref().is_some_and(|key| *key != certificate.public_key) {
        return Err(refuse("NOT GENUINE: it was signed with another key"));
    }
    if let Some(subject) = subject(command, &certificate)?
        && !certificate.is_about(&subject)
    {
        return Err(refuse("it is genuine, but about somebody else"));
    }
    if command.json {
        return say(&pretty(&certificate.statement));
    }
    let statement = &certificate.statement;
    let rows: i64 = statement.tables.values().map(|counts| counts.removed).sum();
    say(&format!("genuine; signed with {}", certificate.public_key))?;
    say(&format!(
        "{} ({} of tenant {}): {rows} rows and {} objects were gone {}",
        statement.erasure_id,
        statement.kind,
        statement.tenant_id,
        statement.objects.len(),
        statement.completed_at,
    ))?;
    match statement.backups_expire_by {
        Some(at) => say(&format!("backups made before are gone by {at}, and a restore erases again")),
        None => Ok(()),
    }
}

fn read(file: &Path) -> Result<Certificate, Failure> {
    let text = std::fs::read(file).map_err(|error| usage(format!("{}: {error}", file.display())))?;
    serde_json::from_slice(&text)
        .map_err(|error| usage(format!("{}: this is no certificate: {error}", file.display())))
}

fn subject(command: &Verify, certificate: &Certificate) -> Result<Option<Subject>, Failure> {
    let Verify { user, session, person, .. } = command.clone();
    let who = match (user, session, person) {
        (Some(user_id), Some(session_id), _) => Who::Session { user_id, session_id },
        (Some(user_id), None, _) => Who::Owner(user_id),
        (None, _, Some(person)) => Who::Person(person),
        (None, _, None) => return Ok(None),
    };
    Ok(Some(Subject { tenant: parsed(&certificate.statement.tenant_id)?, who }))
}
