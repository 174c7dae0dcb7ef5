//! The evaluation reader and metric on an invented corpus in both layouts.

use recall::eval::locomo::{Conversation, Question, parse};
use recall::eval::{
    Figures, LOCOMO_BASELINES, RankTally, Tally, leave_one_out, madial, rank_table, sessions, table, variants,
};

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

#[test]
fn session_haystacks_are_read_and_what_was_never_said_is_not_scored() {
    let cases = sessions::parse(include_bytes!("data/sessions.json")).expect("the corpus is readable");
    let first = &cases[0];
    let ids: Vec<_> =
        first.sessions.iter().map(|s| (s.id.as_str(), s.occurred_at_us, s.turns.len())).collect();
    assert_eq!(ids, [("s_noise", 1_684_549_260_000_000, 1), ("answer_1", 1_684_659_900_000_000, 2)]);
    let relevant: Vec<_> = cases.iter().map(|case| case.relevant.join(" ")).collect();
    assert_eq!(relevant, ["answer_1", "a c", ""]);
    for bytes in [
        "",
        "[]",
        "{}",
        r#"[{"question_id":"q","question":"?","haystack_session_ids":["a"],"haystack_sessions":[]}]"#,
    ] {
        assert!(sessions::parse(bytes.as_bytes()).is_err(), "{bytes}");
    }
}

#[test]
fn dialogues_end_before_the_turn_under_test() {
    let memories = madial::parse_memories(include_bytes!("data/madial/tiny-memory.json")).expect("readable");
    let texts: Vec<_> =
        memories.iter().map(|memory| (memory.id.as_str(), memory.text.lines().count())).collect();
    assert_eq!(texts, [("1", 3), ("2", 3), ("3", 3)]);
    assert!(memories[0].text.contains("kite") && !memories[0].text.contains("2023"));
    let dialogues =
        madial::parse_dialogues(include_bytes!("data/madial/tiny-dialogue.json")).expect("readable");
    assert_eq!(dialogues.len(), 2, "one that has said nothing yet asks nothing");
    assert!(dialogues[0].question.contains("sad") && !dialogues[0].question.contains("Bot"));
    assert_eq!(dialogues[1].relevant, ["2", "3"]);
    for bytes in ["", "7", "[]", "{\"id\":", "{\"dialogue\":[]}"] {
        assert!(madial::parse_memories(bytes.as_bytes()).is_err(), "{bytes}");
        assert!(madial::parse_dialogues(bytes.as_bytes()).is_err(), "{bytes}");
    }
}

#[test]
fn ranks_are_measured_at_each_cut_and_in_each_group() {
    let mut tally = RankTally::new(&[1, 3]);
    let id = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    tally.add("pair", &id(&["a", "b"]), &["x", "a", "b"]);
    tally.add("one", &id(&["a"]), &["a"]);
    tally.add("one", &[], &["a"]);
    assert_eq!(tally.groups(), ["one", "pair"]);
    // Found second and third of two: (1/log2(3) + 1/log2(4)) / (1 + 1/log2(3)) = 0.693426…
    let (questions, at) = tally.figures(Some("pair"));
    assert_eq!((questions, at[0].recall, at[0].any, at[0].all, at[0].ndcg), (1, 0.0, 0.0, 0.0, 0.0));
    assert_eq!((at[1].recall, at[1].any, at[1].all), (100.0, 100.0, 100.0));
    assert!((at[1].ndcg - 69.342_64).abs() < 1e-4, "{at:?}");
    let (questions, at) = tally.figures(None);
    assert_eq!((questions, at[0].recall, at[0].ndcg), (2, 50.0, 50.0));
    assert!(
        rank_table(&[("ours", tally)]).contains("ours, pair, 1 questions\n  @1   recall   0.0  any   0.0")
    );
}

#[test]
fn constants_are_scored_on_the_conversation_they_were_not_chosen_on() {
    let question =
        |text: &str| Question { text: text.to_owned(), category: 1, evidence: vec!["D1:1".to_owned()] };
    let tally = |is_found: bool| {
        let mut tally = Tally::default();
        tally.add(&question("?"), &[if is_found { "D1:1" } else { "D1:2" }]);
        tally
    };
    // The second recipe is right on the first two conversations only, the first one on the last only.
    let scores = [[false, false, true], [true, true, false]].map(|row| row.map(tally).to_vec());
    let (left_out, chosen) = leave_one_out(&scores);
    // Without the first two the recipes are level, and the first of equals is taken.
    assert_eq!(chosen, [0, 0, 1]);
    assert_eq!(left_out.overall().recall, [0.0; 4], "chosen on the others, each choice fails here");
    assert_eq!(variants()[0].1, recall::Params::default());
}
