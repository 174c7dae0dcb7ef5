//! The job of an erasure: remove, write the line for restores, certify.

use identity::audit::{self, AuditEntry};
use kernel::{Error, Micros, Result, Secret, TenantId};
use store::jobs::Job;
use store::rights::{
    self, Certificate, Eraser, Erasure, ErasureLine, ErasureList, Report, Signer, Statement,
};
use store::{Reach, sealed};

use super::{DOMAINS, Rights};
use crate::offsite::Offsite;

/// Names the key of certificates among the sealed secrets of the operators' tenant.
const SIGNING_KEY: &str = "rights.certificate_key";

impl Rights {
    /// Carries an erasure out, from where an earlier try stopped.
    ///
    /// # Errors
    /// The store's; `erasure_list_unwritable` when the folder of the backups cannot be written: what a restore would bring
    /// back is not called erased.
    pub(crate) async fn run_erasure(&self, job: &Job) -> Result<()> {
        let payload: serde_json::Value = serde_json::from_str(&job.payload).map_err(Error::internal)?;
        let tenant = payload["tenant_id"].as_str().unwrap_or(&job.tenant_id);
        let tenant = TenantId::parse(tenant).map_err(Error::internal)?;
        let mut conn = self.store.read(&tenant).await?;
        let found = rights::find_erasure(&mut conn, &tenant, &job.job_key).await?;
        drop(conn);
        if let Some(erasure) = found.filter(|erasure| erasure.finished_at.is_none()) {
            self.carry_out(&tenant, erasure).await?;
        }
        // The names of the subject left the row with the last commit; now they leave the log.
        Ok(self.store.empty_log().await?)
    }

    async fn carry_out(&self, tenant: &TenantId, erasure: Erasure) -> Result<()> {
        let subject = rights::subject_of(&erasure)
            .ok_or_else(|| Error::internal(format!("{} has no subject", erasure.erasure_id)))?;
        let eraser = Eraser { store: &self.store, blobs: &self.blobs, domains: DOMAINS };
        let (before, id) = (rights::report_of(&erasure)?, erasure.erasure_id.as_str());
        let report = eraser.erase(&subject, before, Some(id), self.clock.now()).await?;
        self.store.empty_log().await?;
        let completed_at = self.clock.now();
        self.list(tenant, &erasure, completed_at).await?;
        let rows: i64 = report.tables.values().map(|counts| counts.removed).sum();
        tracing::info!(erasure = id, rows, objects = report.objects.len(), "erased");
        metrics::counter!("hearth_erasures_total", "kind" => subject.kind()).increment(1);
        let certificate = self.certify(&erasure, report, completed_at).await?;
        self.finish(tenant, id, &certificate).await
    }

    /// Writes the line that a restore repeats.
    async fn list(&self, tenant: &TenantId, erasure: &Erasure, erased_at: Micros) -> Result<()> {
        let line = ErasureLine {
            erasure_id: erasure.erasure_id.clone(),
            tenant_id: tenant.clone(),
            kind: erasure.kind.clone(),
            salt: erasure.salt.clone(),
            subject_hash: erasure.subject_hash.clone(),
            erased_at,
        };
        let list = ErasureList::beside(&self.shelf.config.folder);
        let adding = tokio::task::spawn_blocking(move || list.add(&line));
        let mut added = adding.await.map_err(Error::internal)?;
        if let (Ok(()), Some(offsite)) = (&added, Offsite::of(&self.shelf).map_err(Error::internal)?) {
            added = offsite.share_erasures().await;
        }
        added.map_err(|error| {
            let text = "the list of erasures beside the backups cannot be written; mend BACKUP_DIR or the bucket, it is tried again";
            Error::unavailable("erasure_list_unwritable", text).because(error)
        })
    }

    async fn certify(&self, erasure: &Erasure, report: Report, completed_at: Micros) -> Result<Certificate> {
        let days = self.shelf.config.keep.longest_days();
        let statement = Statement {
            format: 1,
            erasure_id: erasure.erasure_id.clone(),
            tenant_id: erasure.tenant_id.clone(),
            kind: erasure.kind.clone(),
            salt: erasure.salt.clone(),
            subject_hash: erasure.subject_hash.clone(),
            requested_at: Micros(erasure.requested_at),
            completed_at,
            tables: report.tables,
            objects: report.objects,
            backups_expire_by: Some(completed_at.plus(days * Micros::DAY)),
        };
        Ok(Signer::new(&self.signing_key().await?)?.sign(statement))
    }

    /// The key of certificates, made with the first one.
    async fn signing_key(&self) -> Result<Secret> {
        let tenant = self.identity.operator_tenant(self.operators.as_ref()).await?;
        let (keyring, now) = (self.keyring.clone(), self.clock.now());
        self.store
            .write("rights.signing_key", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    if let Some(key) = sealed::find_secret(tx, &keyring, &tenant, SIGNING_KEY).await? {
                        return Ok(key);
                    }
                    let key = Signer::make_key();
                    sealed::put_secret(tx, &keyring, &tenant, SIGNING_KEY, &key, now).await?;
                    Ok(key)
                })
            })
            .await
    }

    async fn finish(&self, tenant: &TenantId, erasure_id: &str, certificate: &Certificate) -> Result<()> {
        let text = serde_json::to_string(certificate).map_err(Error::internal)?;
        let (tenant, id, at) = (tenant.clone(), erasure_id.to_owned(), certificate.statement.completed_at);
        self.store
            .write("rights.finish", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    rights::finish(tx, &tenant, &id, &text, at).await?;
                    let resource = format!("erasure:{id}");
                    let entry = AuditEntry::operator(tenant.as_str(), at, "rights.erased", resource);
                    audit::record(tx, &entry).await
                })
            })
            .await
    }
}
