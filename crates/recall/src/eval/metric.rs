//! Recall at k over questions, in all and by category.

use serde::Serialize;

use super::locomo::Question;

/// The k of recall@k.
pub const CUTS: [usize; 4] = [5, 10, 25, 50];

/// Figures of a group of questions, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures {
    /// Questions scored.
    pub questions: usize,
    /// Mean share of a question's evidence among the first k, per cut of [`CUTS`].
    pub recall: [f64; 4],
    /// Share of questions with all their evidence among the first k.
    pub complete: [f64; 4],
}

/// Answers counted so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// (category, recall, complete) by question.
    rows: Vec<(u8, [f64; 4], [bool; 4])>,
}

impl Tally {
    /// Counts the answer to a question: ids of turns, best first. A question without evidence is passed over.
    pub fn add<S: AsRef<str>>(&mut self, question: &Question, found: &[S]) {
        let total = question.evidence.len();
        if total == 0 {
            return;
        }
        let hits = |k: usize| {
            let first = &found[..k.min(found.len())];
            question.evidence.iter().filter(|id| first.iter().any(|f| f.as_ref() == *id)).count()
        };
        let hits = CUTS.map(hits);
        self.rows.push((question.category, hits.map(|n| n as f64 / total as f64), hits.map(|n| n == total)));
    }

    /// Takes in the answers of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// Figures over all questions.
    pub fn overall(&self) -> Figures {
        self.figures(|_| true)
    }

    /// Figures of one category.
    pub fn category(&self, category: u8) -> Figures {
        self.figures(|c| c == category)
    }

    fn figures(&self, wanted: impl Fn(u8) -> bool) -> Figures {
        let mut out = Figures::default();
        for (_, recall, complete) in self.rows.iter().filter(|(c, ..)| wanted(*c)) {
            out.questions += 1;
            for k in 0..CUTS.len() {
                out.recall[k] += 100.0 * recall[k];
                out.complete[k] += 100.0 * f64::from(u8::from(complete[k]));
            }
        }
        let count = out.questions.max(1) as f64;
        out.recall = out.recall.map(|sum| sum / count);
        out.complete = out.complete.map(|sum| sum / count);
        out
    }
}
