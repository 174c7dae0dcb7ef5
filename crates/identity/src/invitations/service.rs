//! Rules of invitations: administrators make and withdraw them, only owners invite owners.

use ::store::Reach;
use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, Result, Role, Scope};

use super::store::{self, NewInvitation};
use super::{Invitation, ListedInvitation};
use crate::Identity;
use crate::audit::{self, AuditEntry};
use crate::people::require_owner_for;
use crate::token::Opaque;

/// Life of an invitation, microseconds.
const INVITATION_TTL: i64 = 7 * Micros::DAY;

impl Identity {
    /// Invites one person into the caller's tenant with a role; good for seven days.
    ///
    /// # Errors
    /// `forbidden` without the scope `admin`, `owner_required` to invite an owner; both audited.
    pub async fn invite(&self, ctx: &Ctx, role: Role) -> Result<Invitation> {
        self.audited(ctx, "identity.invite", "invitations", async {
            ctx.require(Scope::Admin)?;
            require_owner_for(ctx, [Some(role), None])?;
            let now = self.now();
            let (token, hash) = self.mint(Opaque::Invitation)?;
            let invitation = Invitation {
                invitation_id: kernel::id::new_id("inv", now),
                token,
                role,
                expires_at: now.plus(INVITATION_TTL),
            };
            let (made, ctx, reach) = (invitation.clone(), ctx.clone(), Reach::of(&ctx.tenant));
            self.store
                .write("identity.invite", reach, move |tx| {
                    Box::pin(async move {
                        let row = NewInvitation {
                            invitation_id: &made.invitation_id,
                            token_hash: &hash,
                            role: made.role,
                            created_by: &ctx.principal.id,
                            expires_at: made.expires_at,
                        };
                        store::add_invitation(tx, &ctx.tenant, &row, now).await?;
                        let resource = format!("invitation:{}", made.invitation_id);
                        let entry = AuditEntry::of(&ctx, now, "identity.invite", resource);
                        audit::record(tx, &entry.fields(&["role"])).await
                    })
                })
                .await?;
            Ok(invitation)
        })
        .await
    }

    /// The tenant's invitations, newest first: open, used, and those that nobody used in time.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`.
    pub async fn list_invitations(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<ListedInvitation>> {
        self.audited(ctx, "identity.list_invitations", "invitations", async {
            ctx.require(Scope::Admin)?;
            let after: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
            let mut conn = self.store.read(&ctx.tenant).await?;
            let wanted = i64::from(page.limit) + 1;
            let rows = store::list_invitations(&mut conn, &ctx.tenant, after.as_deref(), wanted).await?;
            Ok(Page::cut(rows, page.limit, |row| row.invitation_id.clone()))
        })
        .await
    }

    /// Withdraws an invitation; its link makes no account any more.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`; `not_found` when it is absent or was used.
    pub async fn withdraw_invitation(&self, ctx: &Ctx, invitation_id: &str) -> Result<()> {
        let resource = format!("invitation:{invitation_id}");
        let action = "identity.withdraw_invitation";
        self.audited(ctx, action, &resource, async { ctx.require(Scope::Admin) }).await?;
        let entry = AuditEntry::of(ctx, self.now(), action, resource);
        let (tenant, id) = (ctx.tenant.clone(), invitation_id.to_owned());
        self.store
            .write(action, &ctx.tenant, move |tx| {
                Box::pin(async move {
                    if !store::remove_unused(tx, &tenant, &id).await? {
                        return Err(Error::not_found("open invitation"));
                    }
                    audit::record(tx, &entry).await
                })
            })
            .await
    }
}
