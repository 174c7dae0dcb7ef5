//! `hearth audit verify|export`: the record, checked and taken out beside a running server.

use std::io::Write;
use std::pin::pin;

use clap::Subcommand;
use futures::StreamExt;
use identity::audit::{self, AuditFilter, Format, Verdict};
use kernel::Micros;

use super::{Failure, admin, pretty, say};
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Find the first row that is not as it was written; exit code 3 when there is one
    Verify {
        /// One tenant; all of them when absent
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print rows, oldest first
    Export {
        /// jsonl or csv
        #[arg(long)]
        format: String,
        /// One tenant; all of them when absent
        #[arg(long)]
        tenant: Option<String>,
        /// Not before this instant, such as 2026-01-31T12:00:00Z
        #[arg(long)]
        since: Option<String>,
        /// Before this instant
        #[arg(long)]
        until: Option<String>,
    },
}

/// Exit code when a chain is broken.
const BROKEN: u8 = 3;

pub(super) async fn run(flags: &Flags, command: Audit) -> Result<(), Failure> {
    match command {
        Audit::Verify { tenant, json } => verify(flags, tenant, json).await,
        Audit::Export { format, tenant, since, until } => {
            let format = Format::parse(&format).ok_or_else(|| usage("--format is jsonl or csv"))?;
            let (since, until) = (instant("--since", since)?, instant("--until", until)?);
            export(flags, tenant, format, AuditFilter { since, until, ..AuditFilter::default() }).await
        }
    }
}

async fn verify(flags: &Flags, tenant: Option<String>, json: bool) -> Result<(), Failure> {
    let store = admin::open(flags).await?.store;
    let mut verdicts = Vec::new();
    for tenant in tenants(&store, tenant).await? {
        let verdict = audit::verify(&store, &tenant).await?;
        if !json {
            say(&line(&verdict))?;
        }
        verdicts.push(verdict);
    }
    if json {
        say(&pretty(&verdicts))?;
    }
    let broken = verdicts.iter().filter(|verdict| !verdict.intact).count();
    if broken > 0 {
        let text = format!("hearth: {broken} of {} audit chains are broken", verdicts.len());
        return Err(Failure { code: BROKEN, text });
    }
    Ok(())
}

fn line(verdict: &Verdict) -> String {
    let Verdict { tenant_id, rows, unchained, head_seq, head_hash, .. } = verdict;
    match &verdict.broken {
        None => {
            let before =
                if *unchained > 0 { format!(", {unchained} older ones unchecked") } else { String::new() };
            format!("{tenant_id}: intact, {rows} rows{before}, head {head_seq} {head_hash}")
        }
        Some(broken) => {
            let id = broken.audit_id.as_deref().unwrap_or("no row");
            let place = broken.seq.map_or("without a place".to_owned(), |seq| format!("place {seq}"));
            format!(
                "{tenant_id}: BROKEN at {id} ({place}): {}; {rows} rows before it are intact",
                broken.problem
            )
        }
    }
}

async fn export(
    flags: &Flags,
    tenant: Option<String>,
    format: Format,
    filter: AuditFilter,
) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    let mut out = std::io::stdout().lock();
    let mut is_first = true;
    for tenant in tenants(&app.store, tenant).await? {
        app.identity.record_operator_export(&tenant).await?;
        let mut texts = pin!(audit::export(&app.store, &tenant, filter.clone(), format));
        while let Some(text) = texts.next().await {
            let text = text.map_err(|error| Failure::work(format!("hearth: the export stopped: {error}")))?;
            let is_head = text == format.head();
            if (!is_head || is_first) && out.write_all(text.as_bytes()).is_err() {
                return Ok(());
            }
            is_first = false;
        }
    }
    Ok(())
}

async fn tenants(store: &store::Store, named: Option<String>) -> Result<Vec<String>, Failure> {
    match named {
        Some(tenant) => Ok(vec![tenant]),
        None => Ok(audit::list_audited_tenants(store).await?),
    }
}

fn instant(flag: &str, text: Option<String>) -> Result<Option<Micros>, Failure> {
    text.map(|text| Micros::parse(&text).map_err(|why| usage(&format!("{flag}: {why}")))).transpose()
}

fn usage(text: &str) -> Failure {
    Failure { code: 2, text: format!("hearth: {text}") }
}
