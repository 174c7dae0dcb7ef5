//! The evaluation reader and metric on an invented corpus in both layouts.

use recall::eval::locomo::{Conversation, parse};
use recall::eval::{Figures, LOCOMO_BASELINES, Tally, table};

fn first() -> Conversation {
    parse(include_bytes!("data/array.json")).expect("the corpus is readable").remove(0)
}

#[test]
fn an_array_of_conversations_is_read() {
    let conversation = first();
    assert_eq!(conversation.id, "first");
    let turns: Vec<_> =
        conversation.turns.iter().map(|t| (t.id.as_str(), t.session, t.seq, t.occurred_at_us)).collect();
    let may = 1_683_554_160_000_000;
    assert_eq!(turns, [("D1:1", 1, 0, may), ("D1:2", 1, 1, may), ("D10:1", 10, 0, 0)]);
    assert_eq!(conversation.turns[1].caption.as_deref(), Some("a red kite"));
    assert_eq!(conversation.turns[1].image_query.as_deref(), Some("kite sky"));
}

#[test]
fn one_conversation_with_sessions_at_top_level_is_read() {
    let mut all = parse(include_bytes!("data/single.json")).expect("the corpus is readable");
    let conversation = all.remove(0);
    assert!(all.is_empty());
    let turns: Vec<_> = conversation.turns.iter().map(|t| (t.id.as_str(), t.text.as_str())).collect();
    assert_eq!(turns, [("D1:1", "Good morning."), ("D2:1", "Good night.")]);
    assert_eq!(conversation.turns[0].occurred_at_us, 1_704_153_900_000_000);
    assert_eq!(conversation.questions[0].evidence, ["D1:1"]);
}

#[test]
fn evidence_is_repaired_and_what_is_missing_still_counts() {
    let evidence: Vec<_> = first().questions.into_iter().map(|q| q.evidence).collect();
    let expected: [&[&str]; 5] = [&["D1:1"], &["D1:2", "D10:1"], &["D10:1", "D7:7"], &[], &[]];
    assert_eq!(evidence, expected);
}

#[test]
fn recall_is_the_share_of_evidence_among_the_first() {
    let questions = first().questions;
    let mut tally = Tally::default();
    // D1:2 comes seventh: found at 10, not at 5.
    let ranked = ["D1:1", "x", "D10:1", "x", "x", "x", "D1:2"];
    for question in &questions {
        tally.add(question, &ranked);
    }
    let third = 100.0 / 3.0;
    let overall = tally.overall();
    assert_eq!(overall.questions, 3);
    for (found, expected) in overall.recall.iter().zip([2.0, 2.5, 2.5, 2.5]) {
        assert!((found - expected * third).abs() < 1e-9, "{overall:?}");
    }
    for (found, expected) in overall.complete.iter().zip([1.0, 2.0, 2.0, 2.0]) {
        assert!((found - expected * third).abs() < 1e-9, "{overall:?}");
    }
    assert_eq!(tally.category(1).recall, [50.0, 100.0, 100.0, 100.0]);
    assert_eq!(tally.category(2).complete, [0.0; 4]);
    assert_eq!(tally.category(3), Figures::default());
}

#[test]
fn the_table_sets_results_beside_the_published_ones() {
    let mut tally = Tally::default();
    tally.add(&first().questions[0], &["D1:1"]);
    let printed = table(&[("ours", &tally)], &LOCOMO_BASELINES);
    let line = |start: &str, group: &str| {
        let found = printed.lines().find(|l| l.starts_with(start) && l.contains(group));
        found.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let ours = "ours all 1 100.0 100.0 100.0 100.0 100.0 100.0 100.0 100.0";
    assert_eq!(line("ours", " all ").as_deref(), Some(ours));
    let paper = "LoCoMo paper, DRAGON multi-hop 35.4 46.6 62.5 73.0";
    assert_eq!(line("LoCoMo paper", "multi-hop").as_deref(), Some(paper));
}
