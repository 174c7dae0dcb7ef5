//! `hearth export`: a copy of everything held about somebody, straight from the database.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use identity::audit::{self, AuditEntry};
use kernel::TenantId;
use store::Reach;
use store::rights::Export;

use super::{Failure, admin};
use crate::config::Flags;
use crate::rights::{DOMAINS, exported};

/// What to export, and where to.
#[derive(Args, Debug)]
pub(super) struct Exporting {
    /// The tenant
    #[arg(long)]
    tenant: String,
    /// An owner of memories, or a person (usr_…); everybody of the tenant when absent
    #[arg(long)]
    user: Option<String>,
    /// With stored objects, such as long texts
    #[arg(long)]
    objects: bool,
    /// A new file; stdout when absent
    #[arg(long)]
    output: Option<PathBuf>,
}

pub(super) async fn run(flags: &Flags, command: Exporting) -> Result<(), Failure> {
    let tenant = TenantId::parse(&command.tenant)
        .map_err(|why| Failure { code: 2, text: format!("hearth: {why}") })?;
    let app = admin::open(flags).await?;
    let cannot = |error: std::io::Error| {
        let place = command.output.as_ref().map_or("stdout".to_owned(), |path| path.display().to_string());
        Failure::work(format!("hearth: {place}: {error}"))
    };
    let mut out: Box<dyn Write> = match &command.output {
        Some(path) => {
            let file = File::options().write(true).create_new(true).mode(0o600).open(path);
            Box::new(BufWriter::new(file.map_err(cannot)?))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let entry = AuditEntry::operator(tenant.as_str(), app.clock.now(), "rights.export", "command line");
    let record = app.store.write("rights.export", Reach::Everyone, move |tx| {
        Box::pin(async move { audit::record(tx, &entry).await })
    });
    record.await?;
    let (subject, now) = (exported(tenant, command.user.clone()), app.clock.now());
    let blobs = command.objects.then_some(&app.rights.blobs);
    let mut export = Export::begin(&app.store, blobs, DOMAINS, subject, now).await?;
    while let Some(lines) = export.next().await? {
        out.write_all(&lines).map_err(cannot)?;
    }
    out.flush().map_err(cannot)
}
