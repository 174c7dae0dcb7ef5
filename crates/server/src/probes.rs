//! How each configured dependency is asked for a sign of life. A new dependency adds its probe here.

use std::sync::Arc;

use llm::Embedder;
use store::{Blobs, Redis, Store};

use crate::config::{Config, EmbeddingConfig, without_password};
use crate::dependencies::Probe;

/// The probes of what the settings name.
pub(crate) fn probes(
    config: &Config,
    store: &Store,
    redis: Option<&Redis>,
    blobs: &Blobs,
    embedder: &Arc<Embedder>,
) -> Vec<Probe> {
    let mut probes = vec![database(store.clone())];
    if let Some(url) = &config.database.store.replica {
        probes.push(replica(store.clone(), without_password(url.expose())));
    }
    if let Some((redis, url)) = redis.zip(config.redis_url.as_ref()) {
        probes.push(shared(redis.clone(), without_password(url.expose())));
    }
    if let Some(s3) = &config.s3 {
        probes.push(objects(
            blobs.clone(),
            format!("bucket {} at {}", s3.bucket, without_password(&s3.endpoint)),
        ));
    }
    if !matches!(**embedder, Embedder::None) {
        probes.push(embeddings(embedder.clone(), &config.embedding));
    }
    probes
}

fn database(store: Store) -> Probe {
    Probe::new("database", move || {
        let store = store.clone();
        async move {
            store.ping().await.map_err(|error| error.to_string())?;
            Ok(format!("{:?}, {}", store.engine(), store.database_name()))
        }
    })
}

fn replica(store: Store, place: String) -> Probe {
    Probe::new("replica", move || {
        let (store, place) = (store.clone(), place.clone());
        async move {
            let lag = store.probe_replica().await?;
            Ok(format!("{place}, {:.1} s behind", lag.as_secs_f64()))
        }
    })
}

fn shared(redis: Redis, place: String) -> Probe {
    Probe::new("redis", move || {
        let (redis, place) = (redis.clone(), place.clone());
        async move { redis.ping().await.map(|()| place) }
    })
}

fn objects(blobs: Blobs, place: String) -> Probe {
    Probe::new("s3", move || {
        let (blobs, place) = (blobs.clone(), place.clone());
        async move { blobs.ping().await.map(|()| place).map_err(|error| whole(&error)) }
    })
}

fn embeddings(embedder: Arc<Embedder>, config: &EmbeddingConfig) -> Probe {
    let place = match config {
        EmbeddingConfig::Remote { base_url, model, .. } => {
            format!("{model} at {}", without_password(base_url))
        }
        _ => format!("{} in this process", embedder.model_id().unwrap_or("no model")),
    };
    Probe::new("embeddings", move || {
        let (embedder, place) = (embedder.clone(), place.clone());
        async move { embedder.ping().await.map(|()| place).map_err(|error| whole(&error)) }
    })
}

/// An error with its causes, on one line.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}
