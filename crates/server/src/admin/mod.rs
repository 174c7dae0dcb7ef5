//! Server-wide administration: routes under `/api/v1/admin` for operators, who look after all tenants.
//!
//! An operator is a caller with the scope `admin` in the tenant that `OPERATOR_TENANT` names, or in the first one. An administrator of any other
//! tenant is none: what is shown here crosses tenants.

mod backups;
mod jobs;
mod mask;
mod overview;
mod retention;
mod schedules;

use std::sync::Arc;

use futures::future::BoxFuture;
use identity::Identity;
use identity::audit::{self, AuditEntry};
use kernel::{Clock, Ctx, Error, Micros, Result, Scope};
use memory::Memory;
use store::{Reach, Store, Tx};
use tokio::sync::Notify;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use self::jobs::JobBody;
use crate::backups::Backups;
use crate::config::Config;
use crate::dependencies::Dependencies;
use crate::health::Health;
use crate::rights::Rights;
use crate::settings::Settings;

/// What the routes of operators work with. Clones share everything.
#[derive(Clone)]
pub(crate) struct Admin {
    /// Settings.
    pub(crate) config: Arc<Config>,
    /// Database.
    pub(crate) store: Store,
    /// Time.
    pub(crate) clock: Clock,
    /// Who asks, and the audit log.
    pub(crate) identity: Identity,
    /// What is remembered.
    pub(crate) memory: Memory,
    /// Backups.
    pub(crate) backups: Backups,
    /// Data rights.
    pub(crate) rights: Rights,
    /// Where the process stands.
    pub(crate) health: Health,
    /// What it leans on.
    pub(crate) dependencies: Dependencies,
    /// The settings in use.
    pub(crate) settings: Settings,
    /// Wakes the runner of jobs.
    pub(crate) wake_jobs: Arc<Notify>,
}

impl Admin {
    /// Lets operators pass; anybody else is refused.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) async fn operator(&self, ctx: &Ctx) -> Result<()> {
        let operators = self.identity.operator_tenant(self.config.operator_tenant.as_ref()).await?;
        if ctx.tenant == operators && ctx.scopes.has(Scope::Admin) {
            return Ok(());
        }
        Err(Error::forbidden(
            "this is for the operators of the server: administrators of the tenant that OPERATOR_TENANT names, or of the first tenant",
        ))
    }

    /// Does an operator's change and writes its audit row, both or neither; `act` gets the instant of the row.
    ///
    /// # Errors
    /// `forbidden`; those of `act`.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        ctx: &Ctx,
        action: &'static str,
        resource: String,
        act: impl for<'t> FnOnce(&'t mut Tx, Micros) -> BoxFuture<'t, Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.operator(ctx).await?;
        let entry = AuditEntry::of(ctx, self.clock.now(), action, resource);
        self.store
            .write(action, Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let done = act(tx, entry.at).await?;
                    audit::record(tx, &entry).await?;
                    Ok(done)
                })
            })
            .await
    }
}

/// Every route of operators, each with its documentation.
pub(crate) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .merge(backups::routes())
        .merge(jobs::routes())
        .merge(schedules::routes())
        .merge(retention::routes())
        .merge(overview::routes())
}
