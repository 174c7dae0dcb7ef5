//! What a search promises its callers, one claim a test.

use recall::{Boosts, Doc, Filter, Index, Mode, Params, Query, Vector, VectorError, search};

const DAY_US: i64 = 86_400_000_000;

/// Turns of one session: (key, speaker, text), a day apart.
fn index(turns: &[(&str, &str, &str)]) -> Index {
    let mut index = Index::default();
    for (&(key, speaker, text), seq) in turns.iter().zip(0..) {
        index.upsert(&Doc {
            key,
            session: "s",
            seq,
            speaker,
            text,
            occurred_at_us: seq * DAY_US,
            ..Doc::default()
        });
    }
    index
}

fn keys(index: &Index, query: &Query<'_>) -> Vec<String> {
    search(&[index], query, &Params::default()).top(10).into_iter().map(|hit| hit.key).collect()
}

fn ask(text: &str) -> Query<'_> {
    Query { text, explain: true, ..Query::default() }
}

#[test]
fn a_neighbour_is_found_through_the_turn_that_matches() {
    let index = index(&[("q", "ann", "What did the vet say?"), ("a", "bob", "Nothing serious, thankfully.")]);
    let hits = search(&[&index], &ask("vet"), &Params::default()).top(10);
    assert_eq!(hits[1].key, "a");
    let near: Vec<_> = hits[1].explain.iter().filter(|p| p.kind == "neighbours").collect();
    assert_eq!((near.len(), near[0].from.as_deref()), (1, Some("q")));
}

#[test]
fn what_may_not_be_read_neither_returns_nor_lends() {
    let mut index = index(&[("q", "ann", "What did the vet say?"), ("a", "bob", "Nothing serious.")]);
    index.upsert(&Doc {
        key: "b",
        session: "s",
        seq: 2,
        text: "vet bills",
        labels: &["money"],
        ..Doc::default()
    });
    let filter = Filter { after_us: Some(DAY_US), no_label: &["money"], ..Filter::default() };
    let query = Query { filter, ..ask("vet") };
    let hits = search(&[&index], &query, &Params::default()).top(10);
    assert!(hits.is_empty(), "{hits:?}");
    let labelled = Filter { any_label: &["money", "none"], ..Filter::default() };
    assert_eq!(keys(&index, &Query { filter: labelled, ..ask("vet") }), ["b"]);
    let nobody = Filter { agents: &["nobody"], ..Filter::default() };
    assert!(keys(&index, &Query { filter: nobody, ..ask("vet") }).is_empty());
}

#[test]
fn equal_scores_go_to_the_newer_then_the_key() {
    let mut index = Index::default();
    for (key, session, day) in [("b", "1", 1), ("a", "2", 1), ("c", "3", 2)] {
        let occurred_at_us = day * DAY_US;
        index.upsert(&Doc {
            key,
            session,
            text: "same words",
            occurred_at_us,
            with_date: false,
            ..Doc::default()
        });
    }
    assert_eq!(keys(&index, &ask("words")), ["c", "a", "b"]);
}

#[test]
fn the_speaker_named_is_favoured_not_required() {
    let turns = [("a", "Ann", "We sailed to the island"), ("b", "Bob", "I sailed there too")];
    let found = keys(&index(&turns), &ask("Where did Bob sail?"));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], "b");
    let ranking = search(&[&index(&turns)], &ask("Where did Bob sail?"), &Params::default());
    assert_eq!(ranking.analysis().speakers, ["Bob"]);
    let terms: Vec<_> = ranking.analysis().terms.iter().map(|t| (t.term.as_str(), t.form.as_str())).collect();
    assert_eq!(terms, [("sail", "sail")]);
}

#[test]
fn a_role_is_not_a_name() {
    let turns = [("a", "system", "The operating system is Debian"), ("b", "user", "Thanks")];
    let ranking = search(&[&index(&turns)], &ask("which operating system"), &Params::default());
    assert!(ranking.analysis().speakers.is_empty());
}

#[test]
fn the_date_is_searched_in_words() {
    let index = index(&[("a", "ann", "We met"), ("b", "ann", "We ate")]);
    assert_eq!(keys(&index, &ask("Who was there on 2 January 1970?"))[0], "b");
}

#[test]
fn meaning_finds_what_words_do_not() {
    let mut index = Index::default();
    for (key, vector) in [("near", [0.9, 0.1]), ("far", [-0.2, 0.9])] {
        index.upsert(&Doc { key, session: key, text: "xyzzy", ..Doc::default() });
        index.set_vector(key, &Vector::quantise(&vector)).expect("the key is there");
    }
    index.upsert(&Doc { key: "words", session: "w", text: "a feline", ..Doc::default() });
    assert_eq!(index.missing_vectors(), 1);
    let query = Query { vector: Some(&[1.0, 0.0]), ..ask("feline") };
    let found = keys(&index, &query);
    assert_eq!(found[..2], ["words", "near"], "a turn without vector stands by its words");
    assert_eq!(keys(&index, &Query { mode: Mode::Lexical, ..query }), ["words"]);
    let other_model = Query { vector: Some(&[1.0, 0.0, 0.0]), ..query };
    assert_eq!(keys(&index, &other_model), ["words"]);
}

#[test]
fn a_wrong_vector_is_refused() {
    let mut index = index(&[("a", "ann", "hi"), ("b", "ann", "hi")]);
    let vector = |n| Vector::quantise(&vec![1.0; n]);
    assert_eq!(index.set_vector("z", &vector(2)), Err(VectorError::UnknownKey));
    assert_eq!(index.set_vector("a", &vector(2)), Ok(()));
    assert_eq!(index.set_vector("b", &vector(3)), Err(VectorError::Dimension { expected: 2, got: 3 }));
    index.remove("a");
    assert_eq!(index.set_vector("b", &vector(3)), Ok(()));
}

#[test]
fn nothing_asked_or_indexed_is_no_hit() {
    let some = index(&[("a", "ann", "hello there")]);
    for text in ["", "the of and", "?!", "zzzz"] {
        assert!(keys(&some, &ask(text)).is_empty(), "{text:?}");
    }
    assert!(keys(&Index::default(), &ask("hello")).is_empty());
    assert!(search(&[], &ask("hello"), &Params::default()).is_empty());
}

/// Sum of the parts of a kind, and whether all parts add up to the score.
fn part(hit: &recall::Hit, kind: &str) -> f64 {
    let sum: f64 = hit.explain.iter().map(|part| part.value).sum();
    assert!((sum - hit.score).abs() < 1e-6, "{hit:?}");
    hit.explain.iter().filter(|part| part.kind == kind).map(|part| part.value).sum()
}

fn boosted(boosts: Boosts) -> Params {
    Params { boosts, ..Params::default() }
}

#[test]
fn a_question_for_several_things_leans_less_on_one_session() {
    let mut index = index(&[("a", "ann", "We went camping"), ("b", "ann", "It rained a lot")]);
    index.upsert(&Doc {
        key: "c",
        session: "t",
        speaker: "ann",
        text: "Nobody saw the lake",
        ..Doc::default()
    });
    let prior = |text: &str| {
        let hits = search(&[&index], &ask(text), &Params::default()).top(1);
        part(&hits[0], "session") / hits[0].score
    };
    assert!(prior("Which campings did Ann do?") < 0.8 * prior("Where did Ann go camping?"));
}

#[test]
fn the_time_asked_for_is_favoured_not_required() {
    let turns = [("a", "ann", "We met at the pool"), ("b", "ann", "We met at the pool")];
    let mut index = Index::default();
    for (&(key, speaker, text), day) in turns.iter().zip([1, 40]) {
        let occurred_at_us = day * DAY_US;
        index.upsert(&Doc {
            key,
            session: key,
            speaker,
            text,
            occurred_at_us,
            with_date: false,
            ..Doc::default()
        });
    }
    let query = Query { reference_us: Some(60 * DAY_US), ..ask("Who was at the pool last month?") };
    let ranking = search(&[&index], &query, &Params::default());
    let window = ranking.analysis().window.expect("last month is one");
    assert_eq!((window.from_us, window.to_us), (Some(31 * DAY_US), Some(59 * DAY_US)));
    let hits = ranking.top(2);
    assert_eq!((hits[0].key.as_str(), hits[1].key.as_str()), ("b", "a"));
    assert!(part(&hits[0], "time") > 0.08 && part(&hits[1], "time") < -0.08, "{hits:?}");
    let january = Query { reference_us: Some(60 * DAY_US), ..ask("Who was at the pool in January?") };
    assert_eq!(keys(&index, &january), ["a", "b"]);
    let off = boosted(Boosts { window: 0.0, ..Params::default().boosts });
    let order = search(&[&index], &january, &off).top(2);
    assert_eq!(
        (order[0].key.as_str(), part(&order[0], "time")),
        ("b", 0.0),
        "a step switched off does nothing"
    );
}

#[test]
fn what_is_asked_as_recent_favours_the_newer_by_a_little() {
    let index = index(&[("old", "ann", "I bought a red kite"), ("new", "bob", "I bought a blue kite")]);
    let params = boosted(Boosts { recency: 0.05, ..Params::default().boosts });
    let hits = search(&[&index], &ask("Which kite was bought recently?"), &params).top(2);
    assert_eq!(hits[0].key, "new");
    assert!(part(&hits[0], "recency") > 0.0 && part(&hits[1], "recency") < 0.0, "{hits:?}");
    let hits = search(&[&index], &ask("Which kite was bought?"), &params).top(2);
    assert_eq!((part(&hits[0], "recency"), part(&hits[1], "recency")), (0.0, 0.0));
}

#[test]
fn entities_and_phrases_are_told_apart_and_favoured() {
    let turns = [
        ("a", "Ann", "The trip was long and the museum small"),
        ("b", "Bob", "I liked New York and its museum"),
        ("c", "Bob", "She sang over the rainbow at the museum"),
    ];
    let index = index(&turns);
    let text =
        "Which museum in New York, says Ann, played \"over the rainbow\" in May 1970? Museum of Berlin?";
    let params = boosted(Boosts { entity: 0.2, phrase: 0.2, ..Params::default().boosts });
    let ranking = search(&[&index], &ask(text), &params);
    let analysis = ranking.analysis();
    assert_eq!(
        analysis.entities,
        ["New York", "Berlin"],
        "neither a speaker, a month, nor the first of a sentence"
    );
    assert_eq!(
        (analysis.phrases.as_slice(), analysis.speakers.as_slice()),
        (&["over the rainbow".into()][..], &["Ann".into()][..])
    );
    for hit in ranking.top(3) {
        assert_eq!(part(&hit, "entity") > 0.0, hit.key == "b", "{hit:?}");
        assert_eq!(part(&hit, "phrase") > 0.0, hit.key == "c", "{hit:?}");
        assert!(hit.score <= 1.0, "a boost does not leave the scale");
    }
}
