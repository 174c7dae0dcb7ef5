//! From ranked keys to hits that people can read: words, turns around them, and why.

use std::collections::{BTreeMap, HashMap};

use kernel::{Ctx, Micros, Result};
use recall::Ranking;
use recall::text::{Language, Tokeniser};
use store::Conn;

use super::model::{Explain, MatchedTerm, Neighbour, SearchHit, SearchRequest};
use super::policy::{Readable, partition_of};
use super::query::Searcher;
use super::store::{self as sql, ChunkRow};
use crate::events::{Actor, ActorType, Channel, Event, EventKind, Sensitivity};
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
        // More than asked for, and more still while too many turn out to have expired since they were indexed.
        let mut spare = 8;
        loop {
            let best = ranking.top(limit + spare);
            let low = |score: f64| score < request.min_score.unwrap_or(0.0);
            let is_all = best.len() < limit + spare || best.last().is_some_and(|hit| low(hit.score));
            let items = self.readable_hits(ctx, request, readable, ranking, best).await?;
            if is_all || items.len() == limit {
                return Ok(items);
            }
            spare *= 8;
        }
    }

    /// As many of the best as were asked for and have not expired.
    async fn readable_hits(
        &self,
        ctx: &Ctx,
        request: &SearchRequest,
        readable: &Readable,
        ranking: &Ranking,
        best: Vec<recall::Hit>,
    ) -> Result<Vec<SearchHit>> {
        let now = self.clock.now();
        let limit = request.limit.unwrap_or(10) as usize;
        let keys: Vec<&str> = best.iter().map(|hit| hit.key.as_str()).collect();
        let mut conn = self.store.read(&ctx.tenant).await?;
        let chunks =
            by_key(sql::list_chunks(&mut conn, &ctx.tenant, &keys).await?, |chunk| chunk.chunk_id.clone());
        let ids: Vec<&str> = chunks.values().map(|chunk| chunk.event_id.as_str()).collect();
        let events = sql::list_events_by_id(&mut conn, &ctx.tenant, &ids, now).await?;
        let events = by_key(events, |event| event.event_id.clone());
        let found = best.into_iter().filter_map(|hit| {
            let chunk = chunks.get(&hit.key)?;
            Some((hit, chunk, events.get(&chunk.event_id)?))
        });
        let good = found.filter(|(hit, ..)| hit.score >= request.min_score.unwrap_or(0.0));
        let chosen: Vec<_> = good.take(limit).collect();
        let around: Vec<&StoredEvent> = chosen.iter().map(|(_, _, event)| *event).collect();
        let turns =
            Turns::read(&mut conn, ctx, &around, request.neighbours.unwrap_or(1), readable, now).await?;
        let tokeniser = request.explain.then(|| Tokeniser::new(Language::English));
        let hit = |(hit, chunk, event): (recall::Hit, &ChunkRow, &StoredEvent)| {
            let text = chunk_text(chunk, event);
            let explain =
                tokeniser.as_ref().map(|t| Explain { parts: hit.explain, terms: matched(t, ranking, &text) });
            search_hit(hit.key, hit.score, event, text, turns.around(event), explain)
        };
        Ok(chosen.into_iter().map(hit).collect())
    }
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
        events: &[&StoredEvent],
        reach: i64,
        readable: &Readable,
        now: Micros,
    ) -> Result<Self> {
        let mut sessions: HashMap<_, BTreeMap<_, _>> = HashMap::new();
        if reach > 0 {
            let turns = sql::list_turns_near(conn, &ctx.tenant, events, reach, now).await?;
            for turn in turns.into_iter().filter(|turn| may_read(readable, turn)) {
                let session = (turn.user_id.clone(), turn.session_id.clone());
                sessions.entry(session).or_default().insert(turn.seq, turn);
            }
        }
        Ok(Self { reach, sessions })
    }

    fn around(&self, event: &StoredEvent) -> Vec<Neighbour> {
        let Some(session) = self.sessions.get(&(event.user_id.clone(), event.session_id.clone())) else {
            return Vec::new();
        };
        let near = session.range(event.seq - self.reach..=event.seq + self.reach);
        near.filter(|(seq, _)| **seq != event.seq)
            .map(|(seq, turn)| Neighbour {
                offset: seq - event.seq,
                text: event_text(turn),
                actor: turn.actor_name.as_ref().unwrap_or(&turn.actor_id).clone(),
                event_id: turn.event_id.clone(),
            })
            .collect()
    }
}

fn by_key<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
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

fn event_text(event: &StoredEvent) -> String {
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

fn search_hit(
    key: String,
    score: f64,
    event: &StoredEvent,
    text: String,
    neighbours: Vec<Neighbour>,
    explain: Option<Explain>,
) -> SearchHit {
    let event = Event::from(event.clone());
    SearchHit {
        kind: "event",
        id: key,
        text,
        score,
        session_id: event.session_id.clone(),
        seq: event.seq,
        actor: Actor {
            kind: ActorType::parse(&event.actor_type).unwrap_or(ActorType::Human),
            id: event.actor_id.clone(),
            name: event.actor_name.clone(),
        },
        occurred_at: event.ts,
        trust: event.trust.clone(),
        refs: event.refs.clone(),
        neighbours,
        explain,
        event,
    }
}
