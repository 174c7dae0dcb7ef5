//! Retrieval measures over ranked ids of any kind: sessions, memories.

use serde::Serialize;

/// Measures among the first k, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct AtK {
    /// How many of the first count.
    pub k: usize,
    /// Mean share of what is relevant that is found.
    pub recall: f64,
    /// Share of questions with something relevant found.
    pub any: f64,
    /// Share of questions with everything relevant found.
    pub all: f64,
    /// Mean normalised discounted cumulative gain, each relevant id counting 1 (Järvelin & Kekäläinen 2002).
    pub ndcg: f64,
}

/// Answers counted so far, by group of questions.
#[derive(Debug, Clone, PartialEq)]
pub struct RankTally {
    cuts: Vec<usize>,
    rows: Vec<(String, Vec<AtK>)>,
}

impl RankTally {
    /// Counts at these k.
    pub fn new(cuts: &[usize]) -> Self {
        Self { cuts: cuts.to_vec(), rows: Vec::new() }
    }

    /// Counts the answer to a question of a group: ids, best first, each once. A question to which nothing is relevant is
    /// passed over.
    pub fn add<S: AsRef<str>>(&mut self, group: &str, relevant: &[String], found: &[S]) {
        if relevant.is_empty() {
            return;
        }
        let is_hit: Vec<bool> = found.iter().map(|id| relevant.iter().any(|r| r == id.as_ref())).collect();
        let row = self.cuts.iter().map(|&k| at(k, relevant.len(), &is_hit)).collect();
        self.rows.push((group.to_owned(), row));
    }

    /// Groups in order of their names.
    pub fn groups(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|(group, _)| group.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Number of questions and the measures at each k, of one group or of all.
    pub fn figures(&self, group: Option<&str>) -> (usize, Vec<AtK>) {
        let rows: Vec<_> = self.rows.iter().filter(|(name, _)| group.is_none_or(|g| g == name)).collect();
        let mean = |cut: usize, of: fn(&AtK) -> f64| {
            100.0 * rows.iter().map(|(_, row)| of(&row[cut])).sum::<f64>() / rows.len().max(1) as f64
        };
        let at = |(cut, &k): (usize, &usize)| AtK {
            k,
            recall: mean(cut, |row| row.recall),
            any: mean(cut, |row| row.any),
            all: mean(cut, |row| row.all),
            ndcg: mean(cut, |row| row.ndcg),
        };
        (rows.len(), self.cuts.iter().enumerate().map(at).collect())
    }
}

fn at(k: usize, relevant: usize, is_hit: &[bool]) -> AtK {
    let first = &is_hit[..k.min(is_hit.len())];
    let hits = first.iter().filter(|hit| **hit).count();
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let found: f64 = first.iter().enumerate().filter(|(_, hit)| **hit).map(|(place, _)| gain(place)).sum();
    let best: f64 = (0..relevant.min(k)).map(gain).sum();
    let share = |is: bool| f64::from(u8::from(is));
    AtK {
        k,
        recall: hits as f64 / relevant as f64,
        any: share(hits > 0),
        all: share(hits == relevant),
        ndcg: if hits > 0 { found / best } else { 0.0 },
    }
}
