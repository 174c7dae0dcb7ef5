//! The candidates of a question before anything is folded: what a bundle chooses its evidence from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kernel::{Ctx, Micros, Result};
use recall::Vector;

use super::found::{found, is_memory};
use super::model::{SearchHit, SearchRequest};
use super::policy::Readable;
use super::query::{Asked, Ranked, Searcher};
use super::store as sql;

/// What candidates are wanted for.
pub(crate) struct Wish {
    /// The question.
    pub(crate) query: String,
    /// Its agent: what belongs to another is left out.
    pub(crate) agent: String,
    /// The instant that dates in the question are counted from.
    pub(crate) reference: Micros,
    /// Candidates at most.
    pub(crate) most: usize,
}

/// Candidates, best first, and how they were found.
pub(crate) struct Candidates {
    pub(crate) hits: Vec<SearchHit>,
    /// Documents ranked.
    pub(crate) pool: usize,
    pub(crate) terms: Vec<String>,
    /// What words and vectors weigh; they sum to 1.
    pub(crate) lexical: f32,
    pub(crate) semantic: f32,
    /// The share by which an instant that the question names moves a score.
    pub(crate) context: f32,
    pub(crate) snapshot: BTreeMap<String, i64>,
    pub(crate) degraded: Vec<&'static str>,
    /// Bytes of text in the rows behind hits.
    pub(crate) bytes: usize,
    /// Sentence vectors of hits, where there are any.
    pub(crate) vectors: HashMap<String, Vector>,
}

impl Searcher {
    /// Ranks what may be read and reads what stands behind it.
    pub(crate) async fn candidates(&self, ctx: &Ctx, readable: &Readable, wish: Wish) -> Result<Candidates> {
        let request =
            SearchRequest { reference_date: Some(wish.reference), ..SearchRequest::new(&wish.query) };
        let agents = vec![wish.agent, String::new()];
        let asked = Arc::new(Asked { request, agents, candidates: wish.most });
        let Ranked { ranking, snapshot, degraded, .. } =
            Box::pin(self.ranked(ctx, readable, asked.clone())).await?;
        let best = ranking.top(wish.most);
        let mut conn = self.store.read(&ctx.tenant).await?;
        let [lexical, meaning, late] = ranking.weights();
        let vectors = match self.model_id().filter(|_| meaning + late > 0.0) {
            Some(model) => {
                let turns: Vec<&str> =
                    best.iter().map(|hit| hit.key.as_str()).filter(|key| !is_memory(key)).collect();
                let rows = sql::list_sentence_vectors(&mut conn, &ctx.tenant, model, &turns).await?;
                rows.into_iter()
                    .map(|row| (row.owner_id, Vector::from_bytes(row.scale as f32, &row.bytes)))
                    .collect()
            }
            None => HashMap::new(),
        };
        let hits = found(&mut conn, ctx, &asked.request, best, self.clock.now()).await?;
        Ok(Candidates {
            bytes: bytes_of(&hits),
            hits,
            pool: ranking.len(),
            terms: ranking.analysis().terms.iter().map(|term| term.form.clone()).collect(),
            lexical,
            semantic: meaning + late,
            context: self.params.boosts.window,
            snapshot,
            degraded,
            vectors,
        })
    }
}

/// Bytes of the texts behind hits, each event counted once.
fn bytes_of(hits: &[SearchHit]) -> usize {
    let mut seen = HashSet::new();
    let bytes = hits.iter().map(|hit| match &hit.event {
        Some(event) if seen.insert(&event.event_id) => event.content.to_string().len(),
        Some(_) => 0,
        None => hit.text.len(),
    });
    bytes.sum()
}
