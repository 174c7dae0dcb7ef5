//! Search over one scope of 100,000 invented events, beside a plain scan, in one run.
//!
//! `cargo bench -p recall` prints p50 and p95 of each phase, bytes an event by a counting allocator, and the ratio
//! to the baseline. `EVENTS=20000 cargo bench -p recall` takes fewer.

mod corpus;
mod naive;

use std::alloc::System;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Instant;

use corpus::{Corpus, DIM, Question};
use naive::Naive;
use recall::{Index, Params, Query, QueryTokens, Vector, search};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const QUESTIONS: usize = 200;
/// The scan is slow enough to be judged by fewer.
const NAIVE_EVERY: usize = 10;

fn main() -> std::io::Result<()> {
    let events = std::env::var("EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let corpus = Corpus::new(events, 7);
    let mut out = stdout().lock();
    let (index, naive) = build(&corpus, &mut out)?;

    let mut times = Times::default();
    for (i, question) in corpus.questions(QUESTIONS).iter().enumerate() {
        ask(&index, &corpus, question, &mut times);
        if i % NAIVE_EVERY == 0 {
            let start = Instant::now();
            black_box(naive.search(question));
            times.naive.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let scan = report(&mut out, "plain scan (BM25 + f32 cosine)", &mut times.naive)?;
    report(&mut out, "words only", &mut times.words)?;
    report(&mut out, "phase 1 (words + vectors)", &mut times.first)?;
    report(&mut out, "phase 2 (late interaction, top 10)", &mut times.second)?;
    let both = report(&mut out, "both phases", &mut times.both)?;
    report(&mut out, "both phases, explained", &mut times.explained)?;
    writeln!(out, "plain scan / both phases, p50: {:.1} x", scan / both)
}

#[derive(Default)]
struct Times {
    naive: Vec<f64>,
    words: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    both: Vec<f64>,
    explained: Vec<f64>,
}

fn build(corpus: &Corpus, out: &mut impl Write) -> std::io::Result<(Index, Naive)> {
    let mut naive = Naive::default();
    let mut index = Index::default();
    let events = corpus.len();
    let before = held_bytes();
    let start = Instant::now();
    corpus.for_each(|doc, _| index.upsert(doc));
    let (took, words) = (start.elapsed(), held_bytes() - before);
    let claimed = index.memory_bytes();
    let per_event = |bytes: usize| bytes as f64 / events as f64;
    writeln!(
        out,
        "{events} events in {:.0} ms ({:.1} us each)",
        took.as_secs_f64() * 1e3,
        took.as_secs_f64() * 1e6 / events as f64
    )?;
    writeln!(
        out,
        "without vectors: {:.0} bytes an event (own account {:.0})",
        per_event(words),
        per_event(claimed)
    )?;
    corpus.for_each(|doc, vector| {
        let _ = index.set_vector(doc.key, &Vector::quantise(vector));
    });
    let (held, claimed) = (held_bytes() - before, index.memory_bytes());
    writeln!(
        out,
        "with vectors: {:.0} bytes an event (own account {:.0})",
        per_event(held),
        per_event(claimed)
    )?;
    corpus.for_each(|doc, vector| naive.add(doc.text, vector));
    Ok((index, naive))
}

fn ask(index: &Index, corpus: &Corpus, question: &Question, times: &mut Times) {
    let tokens = QueryTokens { spans: question.spans.clone(), vectors: question.tokens.clone(), dim: DIM };
    let params = Params::default();
    let ms = |start: Instant| start.elapsed().as_secs_f64() * 1e3;
    let plain = Query { text: &question.text, ..Query::default() };
    let full = Query { vector: Some(&question.vector), tokens: Some(&tokens), ..plain };

    let start = Instant::now();
    black_box(search(&[index], &plain, &params).top(10));
    times.words.push(ms(start));

    for explain in [false, true] {
        let start = Instant::now();
        let mut ranking = search(&[index], &Query { explain, ..full }, &params);
        let first = ms(start);
        let codes: Vec<(String, Vec<u8>)> =
            ranking.candidates().map(|key| (key.to_owned(), corpus.codes(key))).collect();
        let start = Instant::now();
        ranking.rerank(codes.iter().map(|(key, code)| (key.as_str(), code.as_slice())));
        black_box(ranking.top(10));
        let second = ms(start);
        if explain {
            times.explained.push(first + second);
        } else {
            times.first.push(first);
            times.second.push(second);
            times.both.push(first + second);
        }
    }
}

fn held_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Prints p50 and p95 in ms; returns p50.
fn report(out: &mut impl Write, name: &str, times: &mut [f64]) -> std::io::Result<f64> {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0.0);
    writeln!(out, "{name:<36} p50 {:>7.2} ms  p95 {:>7.2} ms  (n = {})", at(50), at(95), times.len())?;
    Ok(at(50))
}
