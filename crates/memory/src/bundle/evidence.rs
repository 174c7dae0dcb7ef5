//! Choosing evidence among candidates: what other sections hold is left out, and of what says the same three speak.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use recall::Vector;
use recall::text::{Language, Tokeniser};

use super::fill::{Candidate, Omissions};
use super::model::{OmissionReason, SectionName};
use super::sections::evidence_item;
use crate::memories::MemoryType;
use crate::memories::change::normalised;
use crate::search::{Candidates, SearchHit};

/// Share of the best score below which a candidate answers too little.
const LOW: f64 = 0.1;
/// Jaccard similarity of content words from which two texts say the same.
const SAME_WORDS: f64 = 0.8;
/// Cosine of sentence vectors from which they do.
const SAME_MEANING: f32 = 0.95;
/// Of texts that say the same, so many are served.
const SPEAKERS: usize = 3;

/// What evidence must not repeat or bring.
#[derive(Default)]
pub(super) struct Taken {
    /// Events and memories that other sections hold.
    pub(super) ids: HashSet<String>,
    /// Their words, normalised.
    pub(super) texts: HashSet<String>,
    /// Events of decisions whose place others have taken.
    pub(super) superseded: HashSet<String>,
    /// Memories that events contradict.
    pub(super) drifted: HashSet<String>,
    /// Events that contradict them: served whatever their score.
    pub(super) witnesses: HashSet<String>,
}

/// Candidates for evidence, best first.
pub(super) fn choose(found: &Candidates, taken: &Taken, omissions: &mut Omissions) -> Vec<Candidate> {
    let mut groups = Groups::new(found);
    let is_witness =
        |hit: &&SearchHit| hit.event.as_ref().is_some_and(|event| taken.witnesses.contains(&event.event_id));
    let (first, rest): (Vec<&SearchHit>, Vec<&SearchHit>) = found.hits.iter().partition(is_witness);
    let best = found.hits.first().map_or(0.0, |hit| hit.score);
    let mut chosen = Vec::new();
    let witnesses = first.len();
    for (at, hit) in first.into_iter().chain(rest).enumerate() {
        let mut leave_out = |reason| omissions.add(SectionName::Evidence, reason, &hit.id);
        let id = hit.event.as_ref().map_or(&hit.id, |event| &event.event_id);
        let is_summary = hit.event.is_none() && hit.r#type == MemoryType::Summary.as_str();
        if taken.ids.contains(id) || taken.drifted.contains(id) || is_summary {
            continue;
        }
        if taken.superseded.contains(id) {
            leave_out(OmissionReason::Superseded);
        } else if at >= witnesses && hit.score < LOW * best {
            leave_out(OmissionReason::LowScore);
        } else if taken.texts.contains(&normalised(&hit.text)) || !groups.admit(hit) {
            leave_out(OmissionReason::NearDuplicate);
        } else {
            chosen.push(Candidate { id: hit.id.clone(), item: evidence_item(hit) });
        }
    }
    chosen
}

/// What of a served candidate tells whether another says the same.
struct Speaker<'a> {
    group: usize,
    /// Hashes of content words, sorted, each once.
    words: Vec<u64>,
    vector: Option<&'a Vector>,
}

struct Groups<'a> {
    tokeniser: Tokeniser,
    vectors: &'a HashMap<String, Vector>,
    /// The memory that rests on an event.
    memory_of: HashMap<&'a str, &'a str>,
    group_of: HashMap<&'a str, usize>,
    sizes: Vec<usize>,
    speakers: Vec<Speaker<'a>>,
}

impl<'a> Groups<'a> {
    fn new(found: &'a Candidates) -> Self {
        let mut memory_of = HashMap::new();
        for hit in found.hits.iter().filter(|hit| hit.event.is_none()) {
            for source in &hit.refs {
                memory_of.entry(source.as_str()).or_insert(hit.id.as_str());
            }
        }
        Self {
            tokeniser: Tokeniser::new(Language::English),
            vectors: &found.vectors,
            memory_of,
            group_of: HashMap::new(),
            sizes: Vec::new(),
            speakers: Vec::new(),
        }
    }

    /// Whether a hit may still speak for what it says.
    fn admit(&mut self, hit: &'a SearchHit) -> bool {
        let (words, vector) = (self.words(&hit.text), self.vectors.get(&hit.id));
        let memory = match &hit.event {
            Some(event) => self.memory_of.get(event.event_id.as_str()).copied(),
            None => Some(hit.id.as_str()),
        };
        let by_memory = memory.and_then(|id| self.group_of.get(id).copied());
        let by_words = || {
            let twin = self.speakers.iter().find(|other| {
                same_words(&words, &other.words) || vector.zip(other.vector).is_some_and(same_meaning)
            });
            twin.map(|twin| twin.group)
        };
        let group = by_memory.or_else(by_words).unwrap_or_else(|| {
            self.sizes.push(0);
            self.sizes.len() - 1
        });
        if let Some(memory) = memory {
            self.group_of.insert(memory, group);
        }
        self.sizes[group] += 1;
        let speaks = self.sizes[group] <= SPEAKERS;
        if speaks {
            self.speakers.push(Speaker { group, words, vector });
        }
        speaks
    }

    fn words(&self, text: &str) -> Vec<u64> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let mut words = Vec::new();
        self.tokeniser.for_each(text, &mut |term, _, _| words.push(hasher.hash_one(term)));
        words.sort_unstable();
        words.dedup();
        words
    }
}

fn same_words(a: &[u64], b: &[u64]) -> bool {
    let (small, large) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if small.is_empty() || (small.len() as f64) < SAME_WORDS * large.len() as f64 {
        return false;
    }
    let both = small.iter().filter(|word| large.binary_search(word).is_ok()).count();
    both as f64 >= SAME_WORDS * (a.len() + b.len() - both) as f64
}

fn same_meaning((a, b): (&Vector, &Vector)) -> bool {
    let dot = |x: &[i8], y: &[i8]| x.iter().zip(y).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum::<i32>();
    let (a, b) = (a.codes(), b.codes());
    let lengths = (dot(a, a) as f32).sqrt() * (dot(b, b) as f32).sqrt();
    a.len() == b.len() && lengths > 0.0 && dot(a, b) as f32 >= SAME_MEANING * lengths
}
