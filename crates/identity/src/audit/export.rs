//! The record as a file: JSON lines or CSV.

use std::collections::VecDeque;
use std::io;

use ::store::{Conn, Reach, Store};
use futures::stream::{self, Stream};
use kernel::{Ctx, Result, Scope};

use super::{AuditEntry, AuditFilter, AuditRow, record, store};
use crate::Identity;

/// Rows read at once.
const BATCH: i64 = 1_000;

/// Form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object per line.
    Jsonl,
    /// RFC 4180 with a line of names; no cell is a formula to a spreadsheet.
    Csv,
}

impl Format {
    /// Reads `jsonl` or `csv`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// What comes before the first row.
    pub fn head(self) -> &'static str {
        match self {
            Self::Jsonl => "",
            Self::Csv => {
                "audit_id,seq,at,tenant_id,principal_kind,principal_id,credential_id,action,resource,outcome,\
                 address,request_id,fields,hash\r\n"
            }
        }
    }

    /// One row with its end of line.
    pub fn line(self, tenant: &str, row: &AuditRow) -> String {
        match self {
            Self::Jsonl => {
                let mut value = serde_json::json!(row);
                value["tenant_id"] = tenant.into();
                format!("{value}\n")
            }
            Self::Csv => csv_line(tenant, row),
        }
    }
}

fn csv_line(tenant: &str, row: &AuditRow) -> String {
    let seq = row.seq.map(|seq| seq.to_string()).unwrap_or_default();
    let (at, fields) = (row.at.to_string(), row.fields.join(" "));
    let cells = [
        &row.audit_id,
        &seq,
        &at,
        tenant,
        &row.principal_kind,
        &row.principal_id,
        &row.credential_id,
        &row.action,
        &row.resource,
        &row.outcome,
        row.address.as_deref().unwrap_or_default(),
        &row.request_id,
        &fields,
        row.hash.as_deref().unwrap_or_default(),
    ];
    cells.map(cell).join(",") + "\r\n"
}

/// A cell that no spreadsheet computes: one that begins like a formula gets an apostrophe. A lone `-` is none.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text != "-";
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// An export on its way: what was read and is not sent yet.
struct Export {
    store: Store,
    /// Absent when the operator exports.
    caller: Option<Ctx>,
    tenant: String,
    filter: AuditFilter,
    format: Format,
    /// The last row that was read; `None` at the beginning.
    after: Option<String>,
    waiting: VecDeque<String>,
    is_over: bool,
}

impl Export {
    fn new(store: &Store, tenant: &str, filter: AuditFilter, format: Format) -> Self {
        Self {
            store: store.clone(),
            caller: None,
            tenant: tenant.to_owned(),
            filter,
            format,
            after: None,
            waiting: VecDeque::from([format.head().to_owned()]),
            is_over: false,
        }
    }

    /// Reads the next rows; no connection is held while the reader takes its time.
    async fn refill(&mut self) -> Result<()> {
        let (tenant, filter, after) = (&self.tenant, &self.filter, self.after.as_deref());
        let look = |mut conn: Conn| async move {
            store::list_rows_forward(&mut conn, tenant, filter, after, BATCH).await
        };
        let rows = match &self.caller {
            Some(ctx) => self.store.browse(ctx, look).await?,
            None => look(self.store.read(Reach::Everyone).await?).await?,
        };
        self.is_over = (rows.len() as i64) < BATCH;
        self.after = rows.last().map(|row| row.audit_id.clone()).or(self.after.take());
        let lines = rows.into_iter().map(|row| self.format.line(&self.tenant, &AuditRow::from(row)));
        self.waiting.push_back(lines.collect());
        Ok(())
    }

    fn lines(self) -> impl Stream<Item = io::Result<String>> + Send + use<> {
        stream::try_unfold(self, |mut export| async move {
            if export.waiting.is_empty() && !export.is_over {
                export.refill().await.map_err(io::Error::other)?;
            }
            Ok(export.waiting.pop_front().map(|text| (text, export)))
        })
    }
}

/// The rows of a tenant as text, oldest first, a batch at a time.
pub fn export(
    store: &Store,
    tenant: &str,
    filter: AuditFilter,
    format: Format,
) -> impl Stream<Item = io::Result<String>> + Send + use<> {
    Export::new(store, tenant, filter, format).lines()
}

impl Identity {
    /// Records that the operator takes a tenant's record out.
    ///
    /// # Errors
    /// The store's.
    pub async fn record_operator_export(&self, tenant: &str) -> Result<()> {
        self.record_alone(AuditEntry::operator(tenant, self.now(), "identity.audit.export", "audit")).await
    }

    /// The record of the caller's tenant as text. That it was taken is recorded first.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`; errors on the way end the stream.
    pub async fn export_audit(
        &self,
        ctx: &Ctx,
        filter: AuditFilter,
        format: Format,
    ) -> Result<impl Stream<Item = io::Result<String>> + Send + use<>> {
        let action = "identity.audit.export";
        self.audited(ctx, action, "audit", async { ctx.require(Scope::Admin) }).await?;
        let entry = AuditEntry::of(ctx, self.now(), action, "audit");
        self.store
            .write(action, &ctx.tenant, move |tx| Box::pin(async move { record(tx, &entry).await }))
            .await?;
        let mut start = Export::new(&self.store, ctx.tenant.as_str(), filter, format);
        start.caller = Some(ctx.clone());
        Ok(start.lines())
    }
}
