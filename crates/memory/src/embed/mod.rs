//! Vectors in the background: one job per scope and model, which goes on where the last one stopped.

mod store;

use ::store::Reach;
use std::sync::Arc;

use ::store::jobs::{Handler, Job};
use ::store::{NewJob, Store, Tx};
use kernel::{Clock, Error, Micros, Result, TenantId};
use llm::{Embedder, Embedding, Input, Purpose};
use recall::{Vector, sign_codes};

pub(crate) use self::store::count_vectors;
use self::store::{NewVector, Progress, Unembedded, UnembeddedMemory};

/// Kind of the job.
pub const JOB_KIND: &str = "memory.embed";
/// Chunks embedded and written at a time.
const BATCH: i64 = 32;

/// Asks for the vectors of a scope; does nothing while such a job waits.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    tenant: &TenantId,
    scope_id: &str,
    model: &str,
    now: Micros,
) -> Result<()> {
    ::store::jobs::enqueue(tx, tenant, now, job(scope_id, model, now)).await?;
    Ok(())
}

/// The job that makes the vectors a scope lacks.
pub(crate) fn job(scope_id: &str, model: &str, now: Micros) -> NewJob {
    let key = format!("{scope_id}:{model}");
    NewJob { kind: JOB_KIND, key, payload: scope_id.to_owned(), run_at: now }
}

/// Asks for the vectors of every scope that lacks some: after a start, or when the model changed.
///
/// # Errors
/// The store's.
pub async fn enqueue_all(store: &Store, clock: &Clock, model: &str) -> Result<()> {
    let scopes = store::list_lagging_scopes(&mut store.read(Reach::Everyone).await?, model).await?;
    let (model, now) = (model.to_owned(), clock.now());
    store
        .write("memory.embed_all", Reach::Everyone, move |tx| {
            Box::pin(async move {
                for (tenant, scope_id) in scopes {
                    let tenant = TenantId::parse(&tenant).map_err(Error::internal)?;
                    enqueue(tx, &tenant, &scope_id, &model, now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// The job's handler.
pub(crate) fn handler(store: Store, embedder: Arc<Embedder>) -> Handler {
    Arc::new(move |job: Job| {
        let (store, embedder) = (store.clone(), embedder.clone());
        Box::pin(async move {
            let tenant = TenantId::parse(&job.tenant_id).map_err(Error::internal)?;
            embed_scope(&store, &embedder, &tenant, &job.payload).await
        })
    })
}

/// Embeds what a scope lacks, batch by batch; each batch is durable and can be searched at once.
async fn embed_scope(store: &Store, embedder: &Embedder, tenant: &TenantId, scope_id: &str) -> Result<()> {
    let Some(model) = embedder.model_id().map(str::to_owned) else {
        return Ok(());
    };
    loop {
        let mut conn = store.read(tenant).await?;
        let progress = store::find_progress(&mut conn, scope_id, &model).await?;
        let rows = store::list_unembedded(&mut conn, tenant, scope_id, &progress, BATCH).await?;
        let memories = match rows.len() {
            0 => store::list_unembedded_memories(&mut conn, tenant, scope_id, &model, BATCH).await?,
            _ => Vec::new(),
        };
        drop(conn);
        let progress = match rows.last() {
            Some(last) => Progress { scope_version: last.scope_version, chunk_id: last.chunk_id.clone() },
            None if memories.is_empty() => return Ok(()),
            None => progress,
        };
        let inputs: Vec<Input> =
            rows.iter().map(input).chain(memories.iter().map(|row| Input::new(&row.text))).collect();
        let found = embedder.embed(Purpose::Document, inputs).await.map_err(|error| {
            Error::unavailable("embeddings_unavailable", "texts could not be embedded").because(error)
        })?;
        let of_chunk = |row: &Unembedded| {
            (row.chunk_id.clone(), ::store::blob::data_hash(row.embedded_text().as_bytes()))
        };
        let of_memory = |row: &UnembeddedMemory| (row.memory_id.clone(), row.text_hash.clone());
        let owners = rows.iter().map(of_chunk).chain(memories.iter().map(of_memory));
        let vectors = owners.zip(found).map(|(owner, found)| new_vector(owner, found)).collect();
        let (tenant, scope_id, model) = (tenant.clone(), scope_id.to_owned(), model.clone());
        store
            .write("memory.embed", Reach::of(&tenant), move |tx| {
                Box::pin(async move {
                    Ok(store::add_vectors(tx, &tenant, &scope_id, &model, vectors, &progress).await?)
                })
            })
            .await?;
    }
}

/// A turn is read after the one before it, as people read it, with what its image shows; only its own tokens are kept.
fn input(row: &Unembedded) -> Input {
    let speaker = row.speaker();
    match row.previous_text() {
        Some(previous) => Input::after(format!("{previous} {speaker}:"), row.embedded_text()),
        None => Input::after(format!("{speaker}:"), row.embedded_text()),
    }
}

fn new_vector((owner_id, text_hash): (String, String), found: Embedding) -> NewVector {
    let vector = Vector::quantise(&found.vector);
    NewVector {
        owner_id,
        dim: found.vector.len() as i64,
        scale: f64::from(vector.scale()),
        bytes: vector.to_bytes(),
        token_codes: sign_codes(&found.tokens, found.vector.len().max(1)),
        text_hash,
    }
}
