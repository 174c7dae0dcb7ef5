//! Building a bundle: read, put together, describe, keep.

use std::time::Instant;

use ::store::tally::counted;
use kernel::{Ctx, Error, Result, Scope};
use sha2::{Digest, Sha256};

use super::compose::{Composed, compose, own_ids};
use super::gather::{Material, Plan};
use super::model::{
    Bundle, BundleFilters, BundlePath, BundleProvenance, BundleRequest, BundleScoring, OmissionReason,
};
use super::render::rendered;
use super::store as sql;
use crate::Memory;
use crate::search::policy::Readable;

/// How tokens are counted: see [`crate::estimate_tokens`].
const ESTIMATOR: &str = "ascii/4+other";

impl Memory {
    /// Puts together what an agent needs for its next step.
    ///
    /// # Errors
    /// `validation_failed`, `tenant_mismatch`, `not_found` for a foreign owner or a capsule that is not for this agent, or the
    /// store's.
    pub async fn build_bundle(&self, ctx: &Ctx, request: BundleRequest) -> Result<Bundle> {
        ctx.require(Scope::MemoryRead)?;
        request.check(ctx)?;
        let started = Instant::now();
        let rooms = request.rooms()?;
        let owner = ctx.owner(request.user_id.as_deref())?;
        let now = self.0.clock.now();
        let readable = Readable::new(ctx.tenant.clone(), owner.clone(), request.channel, None);
        let reference = request.reference_date.unwrap_or(now);
        let plan = Plan { request, readable, now, reference };
        let work = async {
            let material = Box::pin(self.gather(ctx, &plan)).await?;
            // Comparing hundreds of candidates is heavy work.
            let composing = tokio::task::spawn_blocking(move || {
                let composed = compose(&plan, &material, &rooms);
                (plan, material, composed)
            });
            let (plan, material, composed) = composing.await.map_err(Error::internal)?;
            let edits = self.edits_of(ctx, &composed).await?;
            Ok::<_, Error>((plan, material, composed, edits))
        };
        let (done, reads) = counted(Box::pin(work)).await;
        let (plan, material, composed, edits) = done?;
        let request_hash = hash(&plan.request)?;
        let mut bundle = described(&plan, material, composed, edits)?;
        bundle.provenance.reads = reads;
        bundle.acb_id = acb_id(&plan, &request_hash, &bundle.provenance.digest);
        self.keep_bundle(ctx, &owner, &plan.request.session_id, request_hash, &mut bundle).await;
        count(&bundle, started);
        if plan.request.include_text {
            bundle.rendered = Some(rendered(&bundle.sections, &bundle.provenance.digest));
        } else {
            bundle
                .sections
                .iter_mut()
                .flat_map(|section| &mut section.items)
                .for_each(|item| item.text = None);
        }
        Ok(bundle)
    }

    /// Approved edits of what a bundle holds.
    async fn edits_of(&self, ctx: &Ctx, composed: &Composed) -> Result<Vec<String>> {
        let items = composed.sections.iter().flat_map(|section| &section.items);
        let mut ids: Vec<&str> = items.flat_map(own_ids).map(String::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let mut edits = sql::list_edits(&mut conn, &ctx.tenant, &ids).await?;
        edits.sort_unstable();
        edits.dedup();
        Ok(edits)
    }
}

fn described(plan: &Plan, material: Material, composed: Composed, edits: Vec<String>) -> Result<Bundle> {
    let digest = hash(&composed.sections)?;
    let (rows, bytes) = (material.rows(), material.bytes());
    let path = match (&material.found, material.is_cold) {
        (_, true) => BundlePath::Cold,
        (Some(_), false) => BundlePath::Retrieval,
        (None, false) => BundlePath::Fast,
    };
    let filters = BundleFilters {
        sensitivity_allowed: plan.readable.tiers().iter().map(|tier| tier.as_str()).collect(),
        channels_allowed: plan.readable.homes().iter().map(|home| home.as_str()).collect(),
    };
    let mut provenance = BundleProvenance {
        intent: plan.request.intent.clone(),
        query_terms: Vec::new(),
        candidate_pool_size: rows,
        filters,
        scoring: BundleScoring::default(),
        path,
        reads: 0,
        bytes_read: bytes as u64,
        dedupe_count: composed.omissions.count(OmissionReason::NearDuplicate),
        estimator: ESTIMATOR,
        reference_date: plan.reference,
        snapshot: material.snapshot,
        degraded: Vec::new(),
        digest,
    };
    if let Some(found) = material.found {
        provenance.query_terms = found.terms;
        provenance.candidate_pool_size += found.pool;
        provenance.scoring =
            BundleScoring { alpha: found.lexical, beta: found.semantic, gamma: found.context };
        provenance.snapshot = found.snapshot;
        provenance.degraded = found.degraded;
    }
    Ok(Bundle {
        acb_id: String::new(),
        budget_tokens: plan.request.tokens(),
        token_used_est: composed.sections.iter().map(|section| section.token_est).sum(),
        sections: composed.sections,
        omissions: composed.omissions.into_list(),
        provenance,
        capsules: composed.capsules,
        edits_applied: edits,
        conflicts: composed.conflicts,
        partial: material.is_cold,
        partial_reason: material.is_cold.then_some("rebuilding"),
        rendered: None,
    })
}

/// SHA-256 of a value's JSON, in hexadecimal.
fn hash(value: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(json)))
}

/// The id of a bundle: of whom, for what, and what it says.
fn acb_id(plan: &Plan, request_hash: &str, digest: &str) -> String {
    let whose = [plan.readable.tenant.as_str(), &plan.readable.owner, request_hash, digest];
    let hash = Sha256::digest(whose.join("\n"));
    let bits = hash.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    kernel::id::from_bits("acb", bits)
}

fn count(bundle: &Bundle, started: Instant) {
    let path = bundle.provenance.path.as_str();
    metrics::histogram!("hearth_bundle_seconds", "path" => path).record(started.elapsed().as_secs_f64());
    metrics::counter!("memory_retrievals_total", "type" => "bundle").increment(1);
    for omission in &bundle.omissions {
        let reason = omission.reason.as_str();
        metrics::counter!("hearth_bundle_omissions_total", "reason" => reason)
            .increment(omission.count as u64);
    }
}
