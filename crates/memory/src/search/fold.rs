//! Hits that say the same are one: a memory and the turn it came from, and turns in nearly the same words.

use std::collections::{HashMap, HashSet};

use super::model::SearchHit;
use crate::memories::change::normalised;

/// Jaccard similarity of three-word shingles from which two texts count as the same.
const SAME: f64 = 0.9;
/// Shorter texts say the same too easily: "yes, of course" answers different questions.
const FEWEST_WORDS: usize = 8;

/// Folds hits, best first: what is folded away is named in `also` of the hit that stays. A memory and its source share the
/// better place.
pub(super) fn fold(hits: Vec<SearchHit>) -> Vec<SearchHit> {
    let mut kept: Vec<SearchHit> = Vec::with_capacity(hits.len());
    let mut shingled: Vec<(usize, HashSet<u64>)> = Vec::new();
    let mut by_source: HashMap<String, usize> = HashMap::new();
    for mut hit in hits {
        let sources = sources(&hit);
        let pair =
            sources.iter().filter_map(|id| by_source.get(id)).find(|at| kept[**at].kind != hit.kind).copied();
        if let Some(at) = pair {
            let other = &mut kept[at];
            other.also.push(hit.id);
            other.memory = other.memory.take().or(hit.memory.take());
            other.event = other.event.take().or(hit.event.take());
            continue;
        }
        let shingles = shingles(&hit.text);
        let twin = shingles.as_ref().and_then(|own| shingled.iter().find(|(_, others)| is_same(own, others)));
        if let Some((at, _)) = twin {
            kept[*at].also.push(hit.id);
            continue;
        }
        let at = kept.len();
        shingled.extend(shingles.map(|own| (at, own)));
        by_source.extend(sources.into_iter().map(|id| (id, at)));
        kept.push(hit);
    }
    kept
}

/// Events that a hit is, or rests on.
fn sources(hit: &SearchHit) -> Vec<String> {
    match &hit.event {
        Some(event) => vec![event.event_id.clone()],
        None => hit.refs.clone(),
    }
}

fn shingles(text: &str) -> Option<HashSet<u64>> {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let normalised = normalised(text);
    let words: Vec<&str> = normalised.split(' ').collect();
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    (words.len() >= FEWEST_WORDS).then(|| words.windows(3).map(|three| hasher.hash_one(three)).collect())
}

fn is_same(a: &HashSet<u64>, b: &HashSet<u64>) -> bool {
    let (small, large) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if (small.len() as f64) < SAME * large.len() as f64 {
        return false;
    }
    let both = small.iter().filter(|one| large.contains(one)).count();
    both as f64 >= SAME * (a.len() + b.len() - both) as f64
}
