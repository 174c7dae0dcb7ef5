//! Rules of roles: administrators grant them, only owners make or unmake owners, and one owner always stays.

use ::store::Reach;
use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, PrincipalKind, Result, Role, Scope};

use super::store::{self, NewInvitation};
use super::{Invitation, User};
use crate::Identity;
use crate::audit::{self, AuditEntry};
use crate::token::Opaque;

/// Life of an invitation, microseconds.
const INVITATION_TTL: i64 = 7 * Micros::DAY;

impl Identity {
    /// The people of the tenant, in the order they came.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`.
    pub async fn list_users(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<User>> {
        self.audited(ctx, "identity.list_users", "users", async {
            ctx.require(Scope::Admin)?;
            let after: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
            let mut conn = self.store.read(&ctx.tenant).await?;
            let wanted = i64::from(page.limit) + 1;
            let rows = store::list_users(&mut conn, &ctx.tenant, after.as_deref(), wanted).await?;
            Ok(Page::cut(rows, page.limit, |user| user.user_id.clone()))
        })
        .await
    }

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

    /// Gives a person a role, or takes it away. Their sessions and keys follow at once here, within seconds elsewhere.
    ///
    /// # Errors
    /// `forbidden`, `owner_required` (both audited); `not_found`; `last_owner`.
    pub async fn set_role(&self, ctx: &Ctx, user_id: &str, role: Option<Role>) -> Result<User> {
        let resource = format!("user:{user_id}");
        let user = self
            .audited(ctx, "identity.set_role", &resource, async {
                ctx.require(Scope::Admin)?;
                self.change_role(ctx.clone(), user_id.to_owned(), role).await
            })
            .await?;
        self.standings.forget_all();
        Ok(user)
    }

    async fn change_role(&self, ctx: Ctx, user_id: String, role: Option<Role>) -> Result<User> {
        let (now, reach) = (self.now(), Reach::of(&ctx.tenant));
        self.store
            .write("identity.set_role", reach, move |tx| {
                Box::pin(async move {
                    store::lock_roles(tx, &ctx.tenant).await?;
                    let user = store::find_user(tx, &ctx.tenant, &user_id).await?;
                    let mut user = user.ok_or_else(|| Error::not_found("user"))?;
                    let before = user.role.as_deref().and_then(Role::parse);
                    if before == role {
                        return Ok(user);
                    }
                    require_owner_for(&ctx, [before, role])?;
                    if before == Some(Role::Owner) && store::count_owners(tx, &ctx.tenant).await? <= 1 {
                        return Err(crate::Error::LastOwner.into());
                    }
                    store::update_role(tx, &ctx.tenant, &user_id, role).await?;
                    let entry = AuditEntry::of(&ctx, now, "identity.set_role", format!("user:{user_id}"));
                    audit::record(tx, &entry.fields(&["role"])).await?;
                    user.role = role.map(|role| role.as_str().to_owned());
                    Ok(user)
                })
            })
            .await
    }
}

/// Only an owner, or the operator at the machine, touches the role `owner`.
fn require_owner_for(ctx: &Ctx, roles: [Option<Role>; 2]) -> Result<()> {
    let is_owner = ctx.principal.role == Some(Role::Owner) || ctx.principal.kind == PrincipalKind::Operator;
    if roles.contains(&Some(Role::Owner)) && !is_owner {
        return Err(crate::Error::OwnerRequired.into());
    }
    Ok(())
}
