//! The vectors of a query: asked of the model once, then kept for whoever asks the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Clock, Micros, TenantId};
use llm::{Embedder, Input, Purpose};
use recall::QueryTokens;
use store::cache::{Cache, Keepable, Shelf};

/// Longest wait for the query's vector; after it the answer goes by words.
const EMBED_LIMIT: Duration = Duration::from_secs(2);
/// After a failure the model is left alone this long.
const EMBED_PAUSE: i64 = 5 * Micros::SECOND;
/// Bytes of query vectors kept in this process.
const KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// How long they are kept: a model's vectors of a text never change.
const LIFE: Duration = Duration::from_hours(30 * 24);

/// A query's vectors.
pub(super) struct QueryVectors {
    pub(super) sentence: Vec<f32>,
    pub(super) tokens: QueryTokens,
}

/// Little-endian: components of a vector, tokens, the span of each, then all components.
impl Keepable for QueryVectors {
    fn to_bytes(&self) -> Vec<u8> {
        let counts = [self.sentence.len() as u32, self.tokens.spans.len() as u32];
        let spans = self.tokens.spans.iter().flat_map(|(start, end)| [*start as u32, *end as u32]);
        let numbers = counts.into_iter().chain(spans).flat_map(u32::to_le_bytes);
        let components = self.sentence.iter().chain(&self.tokens.vectors).flat_map(|c| c.to_le_bytes());
        numbers.chain(components).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let number = |at: usize| words.get(at).map(|word| u32::from_le_bytes(*word) as usize);
        let (dim, count) = (number(0)?, number(1)?);
        let spans =
            (0..count).map(|at| Some((number(2 + 2 * at)?, number(3 + 2 * at)?))).collect::<Option<_>>()?;
        let components: Vec<f32> =
            words.get(2 + 2 * count..)?.iter().map(|word| f32::from_le_bytes(*word)).collect();
        let is_whole = dim > 0 && components.len() == dim * (1 + count);
        let (sentence, tokens) = is_whole.then(|| components.split_at(dim))?;
        Some(Self {
            sentence: sentence.to_vec(),
            tokens: QueryTokens { spans, vectors: tokens.to_vec(), dim },
        })
    }
}

/// Asks the model for queries' vectors.
pub(super) struct QueryEmbedder {
    asker: Arc<Asker>,
    kept: Shelf<QueryVectors>,
}

struct Asker {
    embedder: Arc<Embedder>,
    clock: Clock,
    again_at: AtomicI64,
}

impl QueryEmbedder {
    pub(super) fn new(embedder: Arc<Embedder>, clock: Clock, cache: &Cache) -> Self {
        let kept = Shelf::new(cache, "query-vectors-1", LIFE, KEPT_BYTES);
        Self { asker: Arc::new(Asker { embedder, clock, again_at: AtomicI64::new(i64::MIN) }), kept }
    }

    /// Name of the model.
    pub(super) fn model_id(&self) -> Option<&str> {
        self.asker.embedder.model_id()
    }

    /// The vectors of `text`.
    ///
    /// # Errors
    /// The word for `degraded` when the answer has to go by words.
    pub(super) async fn vectors(
        &self,
        tenant: &TenantId,
        text: &str,
    ) -> Result<Arc<QueryVectors>, &'static str> {
        let model = self.model_id().ok_or("no_embedding_model")?;
        let (asker, asked) = (self.asker.clone(), text.to_owned());
        let key = format!("{model}\n{text}");
        let found = self.kept.get_or_load(tenant, &key, move || async move { asker.ask(asked).await });
        found.await.ok_or("embeddings_unavailable")
    }
}

impl Asker {
    async fn ask(&self, text: String) -> Option<QueryVectors> {
        let now = self.clock.now();
        if now.0 < self.again_at.load(Ordering::Relaxed) {
            return None;
        }
        let asked = self.embedder.embed(Purpose::Query, vec![Input::new(text)]);
        let why = match tokio::time::timeout(EMBED_LIMIT, asked).await {
            Ok(Ok(mut found)) if !found.is_empty() => {
                let found = found.swap_remove(0);
                let dim = found.vector.len();
                let tokens = QueryTokens { spans: found.spans, vectors: found.tokens, dim };
                return Some(QueryVectors { sentence: found.vector, tokens });
            }
            Ok(Ok(_)) => "no vector came back".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(why, "the query was not embedded; recall goes by words");
        self.again_at.store(now.plus(EMBED_PAUSE).0, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Keepable, QueryTokens, QueryVectors};

    #[test]
    fn vectors_come_back_from_their_bytes_and_nothing_else_does() {
        let tokens = QueryTokens { spans: vec![(0, 3), (4, 9)], vectors: vec![0.5; 6], dim: 3 };
        let bytes = QueryVectors { sentence: vec![1.0, -2.0, 0.25], tokens }.to_bytes();
        let back = QueryVectors::from_bytes(&bytes).unwrap();
        assert_eq!((back.sentence, back.tokens.spans), (vec![1.0, -2.0, 0.25], vec![(0, 3), (4, 9)]));
        assert_eq!((back.tokens.vectors, back.tokens.dim), (vec![0.5; 6], 3));
        for cut in 0..bytes.len() {
            assert!(QueryVectors::from_bytes(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(QueryVectors::from_bytes(&[255; 64]).is_none());
    }
}
