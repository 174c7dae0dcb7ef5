//! Choosing constants on all conversations but one, and scoring on that one: what tuning would bring to new data.

use super::metric::Tally;
use crate::params::{Boosts, Leg, Params};

/// Recipes to choose from, by name: the shipped one and others around it, one or two constants changed.
pub fn variants() -> Vec<(String, Params)> {
    let shipped = Params::default();
    let mut out = vec![("shipped".to_owned(), shipped)];
    for three in [[0.3, 0.2, 0.5], [0.3, 0.25, 0.45], [0.4, 0.2, 0.4], [0.25, 0.2, 0.55], [0.3, 0.15, 0.55]] {
        out.push((format!("three {three:?}"), Params { three, ..shipped }));
    }
    for session in [0.5, 0.75, 1.25] {
        let late = Leg { session, ..shipped.late };
        out.push((format!("late session {session}"), Params { late, ..shipped }));
    }
    for speaker in [1.1, 1.4] {
        let late = Leg { speaker, ..shipped.late };
        out.push((format!("late speaker {speaker}"), Params { late, ..shipped }));
    }
    for session in [0.3, 0.7] {
        let lexical = Leg { session, ..shipped.lexical };
        out.push((format!("words session {session}"), Params { lexical, ..shipped }));
    }
    for window in [0.0, 0.2] {
        let boosts = Boosts { window, ..shipped.boosts };
        out.push((format!("window {window}"), Params { boosts, ..shipped }));
    }
    for several_sessions in [0.0, 0.25, 1.0] {
        out.push((format!("several sessions {several_sessions}"), Params { several_sessions, ..shipped }));
    }
    out
}

/// For each conversation the variant that is best on all others, and the sum of what those score on the one left out.
///
/// `tallies[v][c]`: variant v on conversation c. Best is the highest mean recall over all k; of equals the first.
pub fn leave_one_out(tallies: &[Vec<Tally>]) -> (Tally, Vec<usize>) {
    let conversations = tallies.first().map_or(0, Vec::len);
    let (mut left_out, mut chosen) = (Tally::default(), Vec::with_capacity(conversations));
    for held in 0..conversations {
        let score = |variant: &Vec<Tally>| {
            let mut others = Tally::default();
            let rest = variant.iter().enumerate().filter(|(c, _)| *c != held);
            rest.for_each(|(_, tally)| others.merge(tally));
            others.overall().recall.iter().sum::<f64>()
        };
        let mut best = (0, f64::MIN);
        for (v, variant) in tallies.iter().enumerate() {
            let reached = score(variant);
            if reached > best.1 {
                best = (v, reached);
            }
        }
        left_out.merge(&tallies[best.0][held]);
        chosen.push(best.0);
    }
    (left_out, chosen)
}
