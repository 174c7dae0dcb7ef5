//! The baseline: every turn read, its words counted, its vector multiplied, for each question.

use std::collections::HashMap;

use crate::corpus::{DIM, Question};

/// Turns as lists of words and rows of floats.
#[derive(Default)]
pub(crate) struct Naive {
    turns: Vec<Vec<u32>>,
    numbers: HashMap<String, u32>,
    vectors: Vec<f32>,
}

impl Naive {
    pub(crate) fn add(&mut self, text: &str, vector: &[f32]) {
        let mut turn = Vec::new();
        for word in text.split(' ') {
            let next = self.numbers.len() as u32;
            turn.push(*self.numbers.entry(word.to_owned()).or_insert(next));
        }
        self.turns.push(turn);
        self.vectors.extend_from_slice(vector);
    }

    /// The ten best by 0.65 BM25 + 0.35 cosine.
    pub(crate) fn search(&self, question: &Question) -> Vec<(f32, usize)> {
        let terms: Vec<u32> = question.text.split(' ').filter_map(|w| self.numbers.get(w).copied()).collect();
        let counts: Vec<Vec<u32>> = self
            .turns
            .iter()
            .map(|turn| terms.iter().map(|t| turn.iter().filter(|w| *w == t).count() as u32).collect())
            .collect();
        let total = self.turns.len() as f32;
        let mean = self.turns.iter().map(Vec::len).sum::<usize>() as f32 / total;
        let rarity: Vec<f32> = (0..terms.len())
            .map(|t| {
                let df = counts.iter().filter(|c| c[t] > 0).count() as f32;
                (1.0 + (total - df + 0.5) / (df + 0.5)).ln()
            })
            .collect();
        let mut scores: Vec<(f32, usize)> = (0..self.turns.len())
            .map(|i| {
                let norm = 0.9 * (0.6 + 0.4 * self.turns[i].len() as f32 / mean);
                let words: f32 =
                    counts[i].iter().zip(&rarity).map(|(&n, r)| r * n as f32 * 1.9 / (n as f32 + norm)).sum();
                let row = &self.vectors[i * DIM..(i + 1) * DIM];
                let cosine: f32 = row.iter().zip(&question.vector).map(|(a, b)| a * b).sum();
                (0.65 * words + 0.35 * cosine, i)
            })
            .collect();
        scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        scores.truncate(10);
        scores
    }
}
