//! How well the rules read: a list of invented sentences, each with the rule that must find it, or none.

use kernel::Micros;

use super::reading::{Reading, Speaker, Wish, read};

fn spoken(text: &str, is_person: bool) -> Vec<Reading> {
    let at = Micros::parse("2026-02-05T12:00:00Z").unwrap();
    read(text, Speaker { id: "ana", name: "Ana", is_person, at })
}

fn texts(text: &str) -> Vec<(String, Option<String>)> {
    let said = spoken(text, true).into_iter().filter_map(|reading| match reading.wish {
        Wish::Keep(said) => Some((said.text, said.subject)),
        _ => None,
    });
    said.collect()
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are what the test is for")]
fn the_rules_find_what_is_meant_and_little_else() {
    let (mut right, mut wrong, mut wanted, mut faults) = (0, 0, 0, Vec::new());
    let lines: Vec<(&str, String)> = include_str!("sentences.txt")
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(rule, text)| (rule, text.replace("\\n", "\n")))
        .collect();
    for (rule, text) in &lines {
        let found: Vec<&str> = spoken(text, true).iter().map(|reading| reading.rule).collect();
        let hit = usize::from(found.contains(rule));
        wanted += usize::from(*rule != "-");
        right += hit;
        wrong += found.len() - hit;
        if found.len() != hit || (*rule != "-" && hit == 0) {
            faults.push(format!("{text}: {rule} wanted, found {found:?}"));
        }
    }
    let precision = right as f64 / (right + wrong) as f64;
    let recall = right as f64 / f64::from(wanted as u32);
    println!("{} sentences: precision {precision:.3}, recall {recall:.3}; {faults:#?}", lines.len());
    assert!(lines.len() >= 120 && wanted * 3 <= lines.len() * 2);
    assert!(precision >= 0.97 && recall >= 0.95, "{precision} {recall} {faults:#?}");
}

#[test]
fn what_is_kept_names_the_person_the_day_and_the_place_in_the_text() {
    let text = "Hello! I live in Lima now, because of work. I'm flying to Oslo next Friday with my dog.";
    let found = spoken(text, true);
    assert_eq!(&text[found[0].start..found[0].end], "I live in Lima now, because of work.");
    assert_eq!(
        texts(text),
        [
            ("Ana lives in Lima".to_owned(), Some("ana: home".to_owned())),
            ("Ana is flying to Oslo next Friday with their dog (2026-02-06)".to_owned(), None),
        ]
    );
    for (said, kept) in [
        ("I love hiking!", "Ana loves hiking"),
        ("I don't like my new boss.", "Ana does not like their new boss"),
        ("I usually study at night.", "Ana usually studies at night"),
        ("We decided to use SQLite.", "Ana's team decided to use SQLite"),
        ("Remember that my spare key is under the pot.", "Ana's spare key is under the pot"),
        ("I'll send you the report tomorrow.", "Ana will send you the report tomorrow (2026-02-06)"),
        ("Yesterday I visited my aunt.", "Ana visited their aunt (2026-02-04)"),
    ] {
        assert_eq!(texts(said).first().map(|(text, _)| text.as_str()), Some(kept));
    }
}

#[test]
fn liking_and_disliking_are_about_the_same() {
    let subject = |text: &str| texts(text).remove(0).1;
    assert_eq!(subject("I love coffee."), subject("I don't like coffee any more."));
    assert_ne!(subject("I love coffee."), subject("I love tea."));
    assert_eq!(subject("I live in Lima."), subject("I just moved to Quito."));
}

#[test]
fn of_what_an_agent_says_only_decisions_and_dated_promises_count() {
    for text in
        ["I live in the cloud.", "I love helping you.", "Remember that you are great.", "Forget my address."]
    {
        assert_eq!(spoken(text, false), [], "{text}");
    }
    let found = spoken("I'll send the report tomorrow. Decision: we ship on Tuesdays.", false);
    assert_eq!(found.iter().map(|reading| reading.rule).collect::<Vec<_>>(), ["promise", "decision"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_safe(text in "(\\PC{0,40}|(I live in |my budget is |remember that |[0-9]{1,3} | on friday|\\.|, not )){0,8}") {
        for reading in spoken(&text, true) {
            proptest::prop_assert!(text.get(reading.start..reading.end).is_some());
        }
    }
}
