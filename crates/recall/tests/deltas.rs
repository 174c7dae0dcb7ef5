//! An index after any deltas ranks exactly like one built afresh, split over partitions or not.

use std::collections::BTreeMap;

use proptest::prelude::*;
use recall::{Doc, Filter, Hit, Index, Mode, Params, Query, QueryTokens, Vector, search, sign_codes};

const WORDS: [&str; 12] = [
    "painting", "paint", "group", "support", "hike", "Ann", "lake", "dinner", "violin", "race", "puppy",
    "letter",
];
const SPEAKERS: [&str; 3] = ["Ann", "Bob Lee", ""];
const DIM: usize = 70;

#[derive(Debug, Clone)]
struct Turn {
    session: u8,
    seq: i64,
    speaker: usize,
    words: Vec<usize>,
    at_us: i64,
    is_tagged: bool,
}

#[derive(Debug, Clone)]
enum Delta {
    Upsert(u8, Turn),
    Remove(u8),
    Attach(u8, u8),
}

fn turn() -> impl Strategy<Value = Turn> {
    let words = prop::collection::vec(0..WORDS.len(), 0..7);
    (0..3_u8, 0..6_i64, 0..SPEAKERS.len(), words, 0..4_i64, any::<bool>()).prop_map(
        |(session, seq, speaker, words, day, is_tagged)| {
            let at_us = 1_700_000_000_000_000 + day * 86_400_000_000;
            Turn { session, seq, speaker, words, at_us, is_tagged }
        },
    )
}

fn delta() -> impl Strategy<Value = Delta> {
    prop_oneof![
        6 => (0..24_u8, turn()).prop_map(|(key, turn)| Delta::Upsert(key, turn)),
        2 => (0..24_u8).prop_map(Delta::Remove),
        4 => (0..24_u8, any::<u8>()).prop_map(|(key, seed)| Delta::Attach(key, seed)),
    ]
}

/// Keys of both kinds: packed and plain.
fn key(number: u8) -> String {
    if number.is_multiple_of(3) {
        format!("D1:{number}")
    } else {
        format!("chk_01hzy3v7k8m9n0p1q2r3s4t{number:03}")
    }
}

fn vector(seed: u8, dim: usize) -> Vec<f32> {
    let raw: Vec<f32> = (0..dim).map(|i| ((i * 7 + 1) as f32 * (f32::from(seed) + 1.3)).sin()).collect();
    let norm = raw.iter().map(|v| v * v).sum::<f32>().sqrt();
    raw.iter().map(|v| v / norm).collect()
}

fn put(index: &mut Index, number: u8, turn: &Turn) {
    let text = turn.words.iter().map(|&w| WORDS[w]).collect::<Vec<_>>().join(" ");
    let labels: &[&str] = if turn.is_tagged { &["blue", "blue"] } else { &[] };
    index.upsert(&Doc {
        key: &key(number),
        session: &format!("s{}", turn.session),
        seq: turn.seq,
        speaker: SPEAKERS[turn.speaker],
        agent: if turn.seq % 2 == 0 { "even" } else { "odd" },
        kind: turn.session,
        occurred_at_us: turn.at_us,
        text: &text,
        labels,
        ..Doc::default()
    });
}

fn attach(index: &mut Index, number: u8, seed: u8) -> bool {
    index.set_vector(&key(number), &Vector::quantise(&vector(seed, DIM))).is_ok()
}

/// Everything a caller can see of a search, scores as bits.
fn answers(indexes: &[&Index]) -> Vec<Vec<(Hit, u64)>> {
    let query_vector = vector(3, DIM);
    let tokens =
        QueryTokens { spans: vec![(0, 3), (8, 17), (20, 30)], vectors: vector(9, 3 * DIM), dim: DIM };
    let filters = [
        Filter::default(),
        Filter { agents: &["even"], no_label: &["blue"], ..Filter::default() },
        Filter { kinds: Some(0b110), after_us: Some(1_700_000_000_000_001), ..Filter::default() },
    ];
    let tight = Params { candidates: 5, seeds: 7, exact_below: 0, ..Params::default() };
    let mut out = Vec::new();
    for params in [Params::default(), tight] {
        for filter in filters {
            for mode in [Mode::Lexical, Mode::Dense, Mode::Hybrid] {
                let query = Query {
                    text: "Ann was painting by the lake with a puppy in November 2023",
                    vector: Some(&query_vector),
                    tokens: Some(&tokens),
                    filter,
                    mode,
                    reference_us: None,
                    explain: true,
                };
                let mut ranking = search(indexes, &query, &params);
                let wanted: Vec<String> = ranking.candidates().map(str::to_owned).collect();
                let codes: Vec<Vec<u8>> = wanted
                    .iter()
                    .map(|k| sign_codes(&vector(k.len() as u8 + k.as_bytes()[3], 2 * DIM), DIM))
                    .collect();
                ranking.rerank(wanted.iter().zip(&codes).skip(1).map(|(k, c)| (k.as_str(), c.as_slice())));
                out.push(ranking.top(50).into_iter().map(|hit| (hit.clone(), hit.score.to_bits())).collect());
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn deltas_rank_like_a_rebuild(deltas in prop::collection::vec(delta(), 1..80)) {
        let mut index = Index::default();
        let mut left: BTreeMap<u8, (Turn, Option<u8>)> = BTreeMap::new();
        for delta in deltas {
            match delta {
                Delta::Upsert(number, turn) => {
                    put(&mut index, number, &turn);
                    left.insert(number, (turn, None));
                }
                Delta::Remove(number) => assert_eq!(index.remove(&key(number)), left.remove(&number).is_some()),
                Delta::Attach(number, seed) => {
                    let is_there = attach(&mut index, number, seed);
                    assert_eq!(is_there, left.contains_key(&number));
                    left.entry(number).and_modify(|(_, v)| *v = Some(seed));
                }
            }
        }
        let (mut rebuilt, mut one, mut two) = (Index::default(), Index::default(), Index::default());
        for (&number, (turn, seed)) in left.iter().rev() {
            for part in [&mut rebuilt, if number % 2 == 0 { &mut one } else { &mut two }] {
                put(part, number, turn);
                seed.map(|seed| attach(part, number, seed));
            }
        }
        assert_eq!(index.len(), left.len());
        assert_eq!(index.missing_vectors(), left.values().filter(|(_, v)| v.is_none()).count());
        let expected = answers(&[&rebuilt]);
        assert_eq!(answers(&[&index]), expected);
        assert_eq!(answers(&[&two, &one]), expected);
    }

    #[test]
    fn parts_add_up_to_the_score(turns in prop::collection::vec((turn(), prop::option::of(any::<u8>())), 1..40)) {
        let mut index = Index::default();
        for (number, (turn, seed)) in (0..).zip(&turns) {
            put(&mut index, number, turn);
            seed.map(|seed| attach(&mut index, number, seed));
        }
        for (hit, _) in answers(&[&index]).into_iter().flatten() {
            let sum: f64 = hit.explain.iter().map(|part| part.value).sum();
            assert!((sum - hit.score).abs() < 1e-6, "{hit:?}");
            assert!((-1e-6..=1.0 + 1e-6).contains(&hit.score), "{hit:?}");
        }
    }
}
