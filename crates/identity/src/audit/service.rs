//! Reading the record.

use ::store::Conn;
use kernel::{Ctx, Cursor, Page, PageRequest, Result, Scope};

use super::{AuditFilter, AuditRow, store};
use crate::Identity;

impl Identity {
    /// The tenant's audit rows, newest first.
    ///
    /// # Errors
    /// `forbidden` (audited itself) without the scope `admin`.
    pub async fn list_audit(
        &self,
        ctx: &Ctx,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditRow>> {
        self.audited(ctx, "identity.audit.read", "audit", async {
            ctx.require(Scope::Admin)?;
            let after: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
            let wanted = i64::from(page.limit) + 1;
            let (tenant, after) = (ctx.tenant.as_str(), after.as_deref());
            let look = |mut conn: Conn| async move {
                store::list_rows(&mut conn, tenant, filter, after, wanted).await
            };
            let rows = self.store.browse(ctx, look).await?;
            Ok(Page::cut(rows, page.limit, |row| row.audit_id.clone()).map(AuditRow::from))
        })
        .await
    }
}
