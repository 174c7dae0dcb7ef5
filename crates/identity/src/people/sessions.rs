//! Another person's sessions, for administrators.

use kernel::{Ctx, Error, Result, Scope};

use super::service::get_user;
use crate::Identity;
use crate::sessions::{SignIns, store as session_rows};

impl Identity {
    /// A person's open sessions, newest first.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`; `not_found`.
    pub async fn list_sessions_of(&self, ctx: &Ctx, user_id: &str) -> Result<SignIns> {
        let resource = format!("user:{user_id}");
        self.audited(ctx, "identity.list_user_sessions", &resource, async {
            ctx.require(Scope::Admin)?;
            let mut conn = self.store.read(&ctx.tenant).await?;
            get_user(&mut conn, ctx, user_id).await?;
            self.open_sessions(&mut conn, ctx, user_id).await
        })
        .await
    }

    /// Ends one of a person's sessions.
    ///
    /// # Errors
    /// `forbidden` (audited) without the scope `admin`; `not_found` when it is absent, ended or not that person's.
    pub async fn end_session_of(&self, ctx: &Ctx, user_id: &str, session_id: &str) -> Result<()> {
        let resource = format!("session:{session_id}");
        self.audited(ctx, "identity.end_user_session", &resource, async { ctx.require(Scope::Admin) })
            .await?;
        let owner = {
            let mut conn = self.store.read(&ctx.tenant).await?;
            session_rows::find_session_owner(&mut conn, &ctx.tenant, session_id).await?
        };
        if owner.as_deref() != Some(user_id) {
            return Err(Error::not_found("session"));
        }
        self.close_session(ctx, session_id, "identity.end_user_session").await
    }
}
