//! From a ranking to an answer that people can read: the winners, the turns around them, and why.

use std::collections::{BTreeMap, HashMap};

use kernel::{Ctx, Micros, Result};
use recall::Ranking;
use recall::text::{Language, Tokeniser};
use store::Conn;

use super::filter::Condition;
use super::fold::fold;
use super::found::{field, found, is_asked_for};
use super::model::{MatchedTerm, Neighbour, SearchHit, SearchRequest};
use super::policy::{Readable, partition_of};
use super::query::Searcher;
use super::store::{self as sql, ChunkRow};
use crate::events::{Channel, EventKind, Sensitivity};
use crate::text::indexed_text;
use crate::timeline::store::StoredEvent;

impl Searcher {
    /// Reads the winners' words and the turns around them.
    pub(super) async fn hits(
        &self,
        ctx: &Ctx,
        request: &SearchRequest,
        readable: &Readable,
        ranking: &Ranking,
    ) -> Result<Vec<SearchHit>> {
        let limit = request.limit.unwrap_or(10) as usize;
        let now = self.clock.now();
        // More than asked for, and more still while too many turn out to be gone, folded away or not asked for.
        let mut spare = 8;
        let mut conn = self.store.read(&ctx.tenant).await?;
        let mut chosen = loop {
            let best = ranking.top(limit + spare);
            let low = |score: f64| score < request.min_score.unwrap_or(0.0);
            let is_all = best.len() < limit + spare || best.last().is_some_and(|hit| low(hit.score));
            let items = choose(found(&mut conn, ctx, request, best, now).await?, request)?;
            if is_all || items.len() >= limit {
                break items;
            }
            spare *= 8;
        };
        chosen.truncate(limit);
        let reach = request.neighbours.unwrap_or(1);
        let turns = Turns::read(&mut conn, ctx, &chosen, reach, readable, now).await?;
        let tokeniser = request.explain.then(|| Tokeniser::new(Language::English));
        for hit in &mut chosen {
            hit.neighbours = turns.around(hit);
            if let (Some(tokeniser), Some(explain)) = (&tokeniser, &mut hit.explain) {
                explain.terms = matched(tokeniser, ranking, &hit.text);
            }
        }
        Ok(chosen)
    }
}

/// What was asked for, each thing once.
fn choose(mut found: Vec<SearchHit>, request: &SearchRequest) -> Result<Vec<SearchHit>> {
    let condition = Condition::parse(&request.filters)?;
    found.retain(|hit| {
        hit.score >= request.min_score.unwrap_or(0.0)
            && is_asked_for(hit, request)
            && condition.holds(&|name| field(hit, name))
    });
    Ok(fold(found))
}

/// Turns near the winners, by session and place in it.
struct Turns {
    reach: i64,
    sessions: HashMap<(String, String), BTreeMap<i64, StoredEvent>>,
}

impl Turns {
    async fn read(
        conn: &mut Conn,
        ctx: &Ctx,
        hits: &[SearchHit],
        reach: i64,
        readable: &Readable,
        now: Micros,
    ) -> Result<Self> {
        let mut sessions: HashMap<_, BTreeMap<_, _>> = HashMap::new();
        let events = hits.iter().filter_map(|hit| hit.event.as_ref());
        let places: Vec<_> = events.map(|e| (e.user_id.as_str(), e.session_id.as_str(), e.seq)).collect();
        if reach > 0 && !places.is_empty() {
            let turns = sql::list_turns_near(conn, &ctx.tenant, &places, reach, now).await?;
            for turn in turns.into_iter().filter(|turn| may_read(readable, turn)) {
                let session = (turn.user_id.clone(), turn.session_id.clone());
                sessions.entry(session).or_default().insert(turn.seq, turn);
            }
        }
        Ok(Self { reach, sessions })
    }

    fn around(&self, hit: &SearchHit) -> Vec<Neighbour> {
        let session = |event: &crate::events::Event| {
            let turns = self.sessions.get(&(event.user_id.clone(), event.session_id.clone()))?;
            Some((event.seq, turns))
        };
        let Some((seq, turns)) = hit.event.as_ref().and_then(session) else {
            return Vec::new();
        };
        let near = turns.range(seq - self.reach..=seq + self.reach);
        near.filter(|(at, _)| **at != seq)
            .map(|(at, turn)| Neighbour {
                offset: at - seq,
                text: event_text(turn),
                actor: turn.actor_name.as_ref().unwrap_or(&turn.actor_id).clone(),
                event_id: turn.event_id.clone(),
            })
            .collect()
    }
}

fn may_read(readable: &Readable, turn: &StoredEvent) -> bool {
    let words = Channel::parse(&turn.channel).zip(Sensitivity::parse(&turn.sensitivity));
    words
        .and_then(|(home, tier)| partition_of(home, tier, &turn.user_id))
        .is_some_and(|p| readable.allows(&p))
}

/// The words of a chunk.
pub(crate) fn chunk_text(chunk: &ChunkRow, event: &StoredEvent) -> String {
    if let Some(text) = &chunk.text {
        return text.clone();
    }
    let text = event_text(event);
    text.get(chunk.start_byte as usize..chunk.end_byte as usize).unwrap_or(&text).to_owned()
}

/// The words of an event that are indexed.
pub(crate) fn event_text(event: &StoredEvent) -> String {
    let content = serde_json::from_str(&event.content).unwrap_or_default();
    EventKind::parse(&event.kind).map(|kind| indexed_text(kind, &content)).unwrap_or_default()
}

fn matched(tokeniser: &Tokeniser, ranking: &Ranking, text: &str) -> Vec<MatchedTerm> {
    let tokens = tokeniser.tokens(text);
    let of = |term: &recall::QueryTerm| {
        let mut words: Vec<String> =
            tokens.iter().filter(|t| t.term == term.term).map(|t| text[t.start..t.end].to_owned()).collect();
        words.sort();
        words.dedup();
        MatchedTerm { term: term.form.clone(), matched: words, weight: term.weight }
    };
    ranking.analysis().terms.iter().map(of).filter(|term| !term.matched.is_empty()).collect()
}
