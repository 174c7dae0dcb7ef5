//! Hits as one text within a budget of tokens: the best first, then in the order of time.

use std::collections::BTreeMap;

use super::model::{Neighbour, Packed, SearchHit};
use crate::text::estimate_tokens;

/// One line and where it stands in time.
type Line = ((i64, String, i64), String);

/// Packs hits greedily by score, each with the turns around it; one that does not fit is offered without them, then left out
/// and named.
pub(crate) fn pack(hits: &[SearchHit], max_tokens: usize) -> Packed {
    let (mut lines, mut skipped, mut used) = (BTreeMap::new(), Vec::new(), 0);
    for hit in hits {
        let whole = lines_of(hit, &hit.neighbours);
        let fits = |offered: &[Line]| {
            let new = offered.iter().filter(|(at, _)| !lines.contains_key(at));
            let cost = new.map(|(_, text)| estimate_tokens(text) + 1).sum::<usize>();
            (used + cost <= max_tokens).then_some(cost)
        };
        let alone = lines_of(hit, &[]);
        let Some((cost, chosen)) =
            fits(&whole).map(|cost| (cost, whole)).or_else(|| fits(&alone).map(|cost| (cost, alone)))
        else {
            skipped.push(hit.id.clone());
            continue;
        };
        used += cost;
        lines.extend(chosen);
    }
    let text = lines.into_values().collect::<Vec<_>>().join("\n");
    Packed { token_est: estimate_tokens(&text), text, skipped }
}

fn lines_of(hit: &SearchHit, neighbours: &[Neighbour]) -> Vec<Line> {
    let (day, session) = (hit.occurred_at.to_millis_text(), hit.session_id.clone().unwrap_or_default());
    let day = day.get(..10).unwrap_or_default().to_owned();
    let seq = hit.seq.unwrap_or_default();
    let at = |offset: i64| (hit.occurred_at.0, session.clone(), seq + offset);
    let turn = |neighbour: &Neighbour| {
        (at(neighbour.offset), format!("[{day}] {}: {}", neighbour.actor, neighbour.text))
    };
    let mut lines: Vec<Line> = neighbours.iter().map(turn).collect();
    let speaker = hit.actor.as_ref().map(|actor| actor.name.as_ref().unwrap_or(&actor.id).clone());
    lines.push((at(0), format!("[{day}] {}: {}", speaker.unwrap_or_else(|| hit.r#type.clone()), hit.text)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Micros;

    fn hit(id: &str, day: i64, text: &str, around: &[&str]) -> SearchHit {
        let neighbour = |(offset, text): (i64, &&str)| Neighbour {
            event_id: "evt".to_owned(),
            text: (*text).to_owned(),
            actor: "Ben".to_owned(),
            offset,
        };
        SearchHit {
            kind: "event",
            id: id.to_owned(),
            event: None,
            memory: None,
            text: text.to_owned(),
            score: 1.0,
            session_id: Some("s".to_owned()),
            seq: Some(1),
            actor: None,
            occurred_at: Micros(day * Micros::DAY),
            valid_from: None,
            valid_to: None,
            r#type: "fact".to_owned(),
            trust: "user".to_owned(),
            refs: Vec::new(),
            neighbours: (1..).zip(around).map(neighbour).collect(),
            also: Vec::new(),
            explain: None,
        }
    }

    #[test]
    fn the_best_come_first_and_stand_in_the_order_of_time() {
        let hits = [hit("b", 2, "later", &["after it"]), hit("a", 1, "earlier", &[])];
        let packed = pack(&hits, 100);
        let text = "[1970-01-02] fact: earlier\n[1970-01-03] fact: later\n[1970-01-03] Ben: after it";
        assert_eq!(
            packed,
            Packed { text: text.to_owned(), token_est: estimate_tokens(text), skipped: vec![] }
        );
    }

    #[test]
    fn a_budget_is_never_exceeded_and_what_is_left_out_is_named() {
        let long = "word ".repeat(100);
        let hits = [hit("a", 1, "short", &[&long]), hit("b", 2, &long, &[]), hit("c", 3, "also short", &[])];
        for budget in [10, 30, 120, 200, 1_000] {
            let packed = pack(&hits, budget);
            assert!(packed.token_est <= budget, "{budget}: {packed:?}");
        }
        let packed = pack(&hits, 30);
        assert_eq!(packed.skipped, ["b"]);
        assert_eq!(packed.text, "[1970-01-02] fact: short\n[1970-01-04] fact: also short");
    }
}
