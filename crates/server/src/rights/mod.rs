//! Data rights: who may ask for an erasure or a hold, and the job that carries an erasure out.

mod erasing;
mod exporting;
mod holds;
mod routes;

use std::sync::Arc;

use identity::Identity;
use identity::audit::{self, AuditEntry};
use kernel::{Clock, Ctx, Error, Result, Scope, TenantId};
use serde_json::json;
use store::jobs::{self, NewJob};
use store::rights::{self, Domain, Erasure, Subject, Who};
use store::seal::Keyring;
use store::{Blobs, Reach, Store};
use tokio::sync::Notify;

use crate::backups::Shelf;

pub(crate) use self::exporting::{EXPORT, exported};
pub(crate) use self::holds::check_reason;
pub(crate) use self::routes::routes;

/// Everything that may hold data of somebody.
pub static DOMAINS: &[&Domain] = &[&memory::rights::DOMAIN, &identity::rights::DOMAIN, &rights::DOMAIN];

/// Kind of the job that erases; its key is the erasure.
pub(crate) const ERASE: &str = "rights.erase";

/// The service. Clones share everything.
#[derive(Clone)]
pub(crate) struct Rights {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    pub(crate) keyring: Arc<Keyring>,
    /// Where backups lie, and how long.
    pub(crate) shelf: Shelf,
    /// `OPERATOR_TENANT`.
    pub(crate) operators: Option<TenantId>,
    pub(crate) wake_jobs: Arc<Notify>,
}

impl Rights {
    /// The owner that a caller names in a right over memory: everybody has theirs, administrators anybody's.
    ///
    /// # Errors
    /// `not_found` for a bound credential that names somebody else, `forbidden` for another one without the scope `admin`.
    fn owner(ctx: &Ctx, named: Option<String>) -> Result<String> {
        let own = ctx.owner(None)?;
        match named {
            Some(named) if named != own => {
                if !ctx.scopes.has(Scope::Admin) {
                    ctx.owner(Some(&named))?;
                }
                ctx.require(Scope::Admin)?;
                Ok(named)
            }
            _ => Ok(own),
        }
    }

    /// Asks for an erasure of memory. From its commit on nobody reads or writes what it covers.
    ///
    /// # Errors
    /// `forbidden` (audited), `legal_hold`, or the store's.
    async fn erase(&self, ctx: &Ctx, subject: Subject) -> Result<Erasure> {
        let is_own = subject.user_id().is_some_and(|user| ctx.owner(None).is_ok_and(|own| own == user));
        let scope = if is_own { Scope::MemoryWrite } else { Scope::Admin };
        ctx.require(scope)?;
        let audited = AuditEntry::of(ctx, self.clock.now(), "rights.erase", "");
        let asked = self.request(subject, ctx.owner(None)?, audited).await?;
        self.store.note_write(ctx).await;
        Ok(asked)
    }

    /// Shuts the account of a person and asks for its erasure, with all memories that it owns.
    ///
    /// # Errors
    /// As closing an account: `forbidden`, `owner_required`, `not_found`, `last_owner`; `legal_hold`.
    async fn erase_person(&self, ctx: &Ctx, user_id: &str) -> Result<Erasure> {
        let who = Who::Person(user_id.to_owned());
        let subject = Subject { tenant: ctx.tenant.clone(), who };
        if ctx.scopes.has(Scope::Admin) {
            // Asked before the account is closed, so that a hold leaves it open.
            rights::refuse_held(&mut self.store.read(&ctx.tenant).await?, &subject).await?;
        }
        self.identity.disable_user(ctx, user_id).await?;
        let audited = AuditEntry::of(ctx, self.clock.now(), "rights.erase", "");
        self.request(subject, ctx.owner(None)?, audited).await
    }

    /// Writes the request, its job and its audit row, all or none. The row names the erasure, never its subject.
    ///
    /// # Errors
    /// `operator_tenant` for the whole tenant of the operators; `legal_hold`; the store's.
    pub(crate) async fn request(
        &self,
        subject: Subject,
        requested_by: String,
        mut audited: AuditEntry,
    ) -> Result<Erasure> {
        let operators = self.identity.operator_tenant(self.operators.as_ref()).await?;
        if subject.who == Who::Tenant && subject.tenant == operators {
            let text =
                "this is the tenant of the server's operators; set OPERATOR_TENANT to another one first";
            return Err(Error::conflict("operator_tenant", text));
        }
        // The jobs of an erased tenant go with it: this one must outlast them.
        let queue = if subject.who == Who::Tenant { operators } else { subject.tenant.clone() };
        let (tenant, now) = (subject.tenant.clone(), audited.at);
        let erasure_id = self
            .store
            .write("rights.request", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let erasure_id = rights::request(tx, DOMAINS, &subject, &requested_by, now).await?;
                    let payload = json!({ "tenant_id": subject.tenant }).to_string();
                    let job = NewJob { kind: ERASE, key: erasure_id.clone(), payload, run_at: now };
                    jobs::enqueue(tx, &queue, now, job).await?;
                    audited.resource = format!("erasure:{erasure_id}");
                    audit::record(tx, &audited).await?;
                    Ok(erasure_id)
                })
            })
            .await?;
        self.wake_jobs.notify_one();
        self.get(&tenant, &erasure_id).await
    }

    async fn get(&self, tenant: &TenantId, erasure_id: &str) -> Result<Erasure> {
        let mut conn = self.store.read(tenant).await?;
        let found = rights::find_erasure(&mut conn, tenant, erasure_id).await?;
        found.ok_or_else(|| Error::not_found("erasure"))
    }
}
