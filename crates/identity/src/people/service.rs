//! Rules of roles and accounts: administrators change them, only owners make or unmake owners, and one owner always stays.

use ::store::{Conn, Reach, Tx};

use kernel::{Ctx, Cursor, Error, Page, PageRequest, PrincipalKind, Result, Role, Scope};

use super::User;
use super::store;
use crate::Identity;
use crate::audit::{self, AuditEntry};
use crate::sessions::store::end_sessions_of_user;

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
                    let mut user = get_user(tx, &ctx, &user_id).await?;
                    let before = user.role.as_deref().and_then(Role::parse);
                    if before == role {
                        return Ok(user);
                    }
                    require_owner_for(&ctx, [before, role])?;
                    keep_an_owner(tx, &ctx, &user).await?;
                    store::update_role(tx, &ctx.tenant, &user_id, role).await?;
                    let entry = AuditEntry::of(&ctx, now, "identity.set_role", format!("user:{user_id}"));
                    audit::record(tx, &entry.fields(&["role"])).await?;
                    user.role = role.map(|role| role.as_str().to_owned());
                    Ok(user)
                })
            })
            .await
    }

    /// Closes a person's account: their sessions end, and no password or key of theirs opens anything, at once here and
    /// within seconds elsewhere. Safe to repeat.
    ///
    /// # Errors
    /// `forbidden`, `owner_required` for an owner (both audited); `not_found`; `last_owner`.
    pub async fn disable_user(&self, ctx: &Ctx, user_id: &str) -> Result<User> {
        self.change_standing(ctx, user_id, "identity.disable_user", true).await
    }

    /// Opens a closed account again. Its keys work again; its sessions stay ended. Safe to repeat.
    ///
    /// # Errors
    /// `forbidden`, `owner_required` for an owner (both audited); `not_found`.
    pub async fn enable_user(&self, ctx: &Ctx, user_id: &str) -> Result<User> {
        self.change_standing(ctx, user_id, "identity.enable_user", false).await
    }

    async fn change_standing(
        &self,
        ctx: &Ctx,
        user_id: &str,
        action: &'static str,
        close: bool,
    ) -> Result<User> {
        let resource = format!("user:{user_id}");
        let user = self
            .audited(ctx, action, &resource, async {
                ctx.require(Scope::Admin)?;
                let entry = AuditEntry::of(ctx, self.now(), action, &resource).fields(&["disabled_at"]);
                let (ctx, id) = (ctx.clone(), user_id.to_owned());
                let reach = Reach::of(&ctx.tenant);
                self.store
                    .write(action, reach, move |tx| {
                        Box::pin(async move { change_standing(tx, &ctx, &id, close, &entry).await })
                    })
                    .await
            })
            .await?;
        self.standings.forget_all();
        Ok(user)
    }
}

async fn change_standing(
    tx: &mut Tx,
    ctx: &Ctx,
    user_id: &str,
    close: bool,
    entry: &AuditEntry,
) -> Result<User> {
    store::lock_roles(tx, &ctx.tenant).await?;
    let mut user = get_user(tx, ctx, user_id).await?;
    if user.disabled_at.is_some() == close {
        return Ok(user);
    }
    require_owner_for(ctx, [user.role.as_deref().and_then(Role::parse), None])?;
    if close {
        keep_an_owner(tx, ctx, &user).await?;
        end_sessions_of_user(tx, &ctx.tenant, user_id, entry.at).await?;
    }
    user.disabled_at = close.then_some(entry.at);
    store::update_disabled(tx, &ctx.tenant, user_id, user.disabled_at).await?;
    audit::record(tx, entry).await?;
    Ok(user)
}

/// A person of the caller's tenant.
pub(super) async fn get_user(conn: &mut Conn, ctx: &Ctx, user_id: &str) -> Result<User> {
    let user = store::find_user(conn, &ctx.tenant, user_id).await?;
    user.ok_or_else(|| Error::not_found("user"))
}

/// Refuses to take away the last owner who can sign in. Call it under `lock_roles`.
async fn keep_an_owner(tx: &mut Tx, ctx: &Ctx, user: &User) -> Result<()> {
    let is_active_owner = user.role.as_deref() == Some(Role::Owner.as_str()) && user.disabled_at.is_none();
    if is_active_owner && store::count_owners(tx, &ctx.tenant).await? <= 1 {
        return Err(crate::Error::LastOwner.into());
    }
    Ok(())
}

/// Only an owner, or the operator at the machine, touches the role `owner`.
pub(crate) fn require_owner_for(ctx: &Ctx, roles: [Option<Role>; 2]) -> Result<()> {
    let is_owner = ctx.principal.role == Some(Role::Owner) || ctx.principal.kind == PrincipalKind::Operator;
    if roles.contains(&Some(Role::Owner)) && !is_owner {
        return Err(crate::Error::OwnerRequired.into());
    }
    Ok(())
}
