//! `hearth import`: reads an export, memories of mem0, or a file of the MCP memory server straight into the database.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use identity::audit::{self, AuditEntry};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Ctx, Principal, PrincipalKind, Scopes, TenantId};
use memory::import::{Ids, ImportOptions, Importer, TrustRule};
use store::Reach;

use super::{Failure, admin, pretty, say};
use crate::config::Flags;

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// What to import, and how.
#[derive(Args, Debug)]
pub(super) struct Importing {
    /// The file: lines of JSON, or a whole document of mem0
    file: PathBuf,
    /// The tenant; made when missing
    #[arg(long)]
    tenant: String,
    /// Owner of lines that name none; needed for files of the MCP memory server
    #[arg(long)]
    user: Option<String>,
    /// Give every id anew, the same way each time; without it ids stay in an export of this very tenant alone
    #[arg(long, conflicts_with = "keep_ids")]
    new_ids: bool,
    /// Keep the ids also of another tenant's export
    #[arg(long)]
    keep_ids: bool,
    /// Trust what is in the file as it says, not as imported
    #[arg(long)]
    keep_trust: bool,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(flags: &Flags, command: Importing) -> Result<(), Failure> {
    let tenant = TenantId::parse(&command.tenant)
        .map_err(|why| Failure { code: 2, text: format!("hearth: {why}") })?;
    let file = File::open(&command.file).map_err(|error| cannot(&command.file, &error))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    let app = admin::open(flags).await?;
    if app.identity.create_tenant(tenant.as_str()).await? {
        eprintln!("made tenant {tenant}");
    }
    if !command.dry_run {
        let entry = AuditEntry::operator(tenant.as_str(), app.clock.now(), "memory.import", "command line");
        let record = app.store.write("memory.import", Reach::Everyone, move |tx| {
            Box::pin(async move { audit::record(tx, &entry).await })
        });
        record.await?;
    }
    let options = ImportOptions {
        user_id: command.user.clone(),
        ids: match (command.new_ids, command.keep_ids) {
            (true, _) => Some(Ids::New),
            (_, true) => Some(Ids::Keep),
            _ => None,
        },
        trust: command.keep_trust.then_some(TrustRule::Keep),
        dry_run: command.dry_run,
    };
    let importer = Importer::new(&app.memory, &operator(tenant), options)?;
    let done = read(importer, file, &command.file, length).await?;
    say(&pretty(&done))
}

async fn read(
    mut importer: Importer,
    mut file: File,
    path: &Path,
    length: u64,
) -> Result<memory::import::Imported, Failure> {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}, {msg}, {eta} left") {
        bar.set_style(style);
    }
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(|error| cannot(path, &error))?;
        if count == 0 {
            break;
        }
        importer.push(&piece[..count]).await?;
        bar.inc(count as u64);
        bar.set_message(format!("{} lines", importer.lines()));
    }
    bar.finish_and_clear();
    Ok(importer.finish().await?)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::work(format!("hearth: {}: {error}", path.display()))
}

fn operator(tenant: TenantId) -> Ctx {
    let principal = Principal {
        kind: PrincipalKind::Operator,
        id: "operator".to_owned(),
        user_id: None,
        role: None,
        credential_id: "operator".to_owned(),
    };
    Ctx {
        tenant,
        principal: Arc::new(principal),
        scopes: Scopes::all(),
        request_id: "import".into(),
        address: None,
    }
}
