//! What is kept of a bundle for seven days: references and figures, so that an answer can be traced to what it was made from.

mod store;

use ::store::Reach;
use kernel::{Ctx, Error, Micros, Result, Scope};
use serde_json::{Value, json};

use self::store::BundleRow;
use super::model::{Bundle, BundleItem, BundleSection, KeptBundle};
use crate::Memory;
use crate::memories::check_id;
use crate::rights::refuse_erased;

/// What a bundle holds without its words.
fn contents(bundle: &Bundle) -> Value {
    let item = |item: &BundleItem| json!({"source": item.source, "refs": item.refs, "token_est": item.token_est, "excerpt": item.excerpt});
    let section = |section: &BundleSection| {
        json!({"name": section.name, "budget": section.budget, "token_est": section.token_est,
            "items": section.items.iter().map(item).collect::<Vec<_>>()})
    };
    json!({
        "sections": bundle.sections.iter().map(section).collect::<Vec<_>>(),
        "omissions": bundle.omissions,
        "path": bundle.provenance.path,
        "snapshot": bundle.provenance.snapshot,
    })
}

impl Memory {
    /// Keeps what can be traced of a bundle. One that cannot be kept is served all the same; the answer says so.
    pub(super) async fn keep_bundle(
        &self,
        ctx: &Ctx,
        owner: &str,
        session: &str,
        request_hash: String,
        bundle: &mut Bundle,
    ) {
        let row = BundleRow {
            acb_id: bundle.acb_id.clone(),
            user_id: owner.to_owned(),
            session_id: session.to_owned(),
            request_hash,
            digest: bundle.provenance.digest.clone(),
            refs: contents(bundle).to_string(),
            token_used_est: bundle.token_used_est as i64,
            budget_tokens: bundle.budget_tokens as i64,
            recorded_at: self.0.clock.now().0,
        };
        let tenant = ctx.tenant.clone();
        let kept = self.0.store.write("bundle.keep", Reach::of(&ctx.tenant), move |tx| {
            Box::pin(async move {
                refuse_erased(tx, &[(tenant.as_str(), &row.user_id, &row.session_id)]).await?;
                store::save_bundle(tx, &tenant, &row).await?;
                Ok(())
            })
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, acb_id = bundle.acb_id, "a bundle was served but not kept");
            bundle.provenance.degraded.push("bundle_not_kept");
        }
    }

    /// What is kept of a bundle of the caller's.
    ///
    /// # Errors
    /// `not_found`, the same for absent and foreign.
    pub async fn get_bundle(&self, ctx: &Ctx, acb_id: &str) -> Result<KeptBundle> {
        ctx.require(Scope::MemoryRead)?;
        check_id("acb", acb_id)?;
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = store::find_bundle(&mut conn, &ctx.tenant, acb_id).await?;
        let row = Error::unless_foreign("bundle", found, |row| ctx.owner(Some(&row.user_id)).is_ok())?;
        Ok(KeptBundle {
            acb_id: row.acb_id,
            user_id: row.user_id,
            session_id: row.session_id,
            recorded_at: Micros(row.recorded_at),
            request_hash: row.request_hash,
            digest: row.digest,
            budget_tokens: row.budget_tokens,
            token_used_est: row.token_used_est,
            contents: serde_json::from_str(&row.refs).unwrap_or_default(),
        })
    }
}
