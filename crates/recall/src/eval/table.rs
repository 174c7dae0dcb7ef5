//! The printed comparison.

use std::fmt::Write;

use super::metric::{Figures, Tally};
use super::ranks::{AtK, RankTally};

/// A published row: R@5/10/25/50 over all questions and for categories 1–5, in per cent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// Whose.
    pub name: &'static str,
    /// Rows: all, multi-hop, temporal, open-domain, single-hop, adversarial; `None` where not published.
    pub rows: [Option<[f64; 4]>; 6],
}

/// What ours is printed beside; all ten conversations, turns as units.
pub const LOCOMO_BASELINES: [Baseline; 2] = [
    Baseline {
        name: "LoCoMo paper, DRAGON",
        rows: [
            Some([56.7, 66.2, 76.7, 82.7]),
            Some([35.4, 46.6, 62.5, 73.0]),
            Some([70.4, 77.3, 83.5, 89.6]),
            Some([33.1, 40.8, 52.6, 61.7]),
            Some([68.0, 77.7, 87.1, 91.1]),
            Some([43.9, 54.7, 66.3, 72.5]),
        ],
    },
    Baseline {
        name: "plain BM25, no stemming",
        rows: [Some([46.2, 53.9, 63.1, 70.5]), None, None, None, None, None],
    },
];

const GROUPS: [&str; 6] = ["all", "multi-hop", "temporal", "open-domain", "single-hop", "adversarial"];

/// Sets named results beside the published ones: a line a system and group, R@5/10/25/50 and the share of
/// questions with all evidence found.
pub fn table(results: &[(&str, &Tally)], baselines: &[Baseline]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<28} {:<12} {:>5}  {:^23}  {:^23}",
        "", "", "n", "R@5 / 10 / 25 / 50", "all evidence found"
    );
    for (group, name) in GROUPS.iter().enumerate() {
        for (system, tally) in results {
            let figures = if group == 0 { tally.overall() } else { tally.category(group as u8) };
            let _ = writeln!(out, "{}", line(system, name, &figures));
        }
        for baseline in baselines {
            if let Some(recall) = baseline.rows[group] {
                let _ = writeln!(out, "{:<28} {name:<12} {:>5}  {}", baseline.name, "", four(&recall));
            }
        }
    }
    out
}

fn line(system: &str, group: &str, figures: &Figures) -> String {
    let (recall, complete) = (four(&figures.recall), four(&figures.complete));
    format!("{system:<28} {group:<12} {:>5}  {recall}  {complete}", figures.questions)
}

fn four(values: &[f64; 4]) -> String {
    let [a, b, c, d] = values;
    format!("{a:5.1} {b:5.1} {c:5.1} {d:5.1}")
}

/// Sets ranked results beside each other: a line a system and group, with recall, any hit, all hits and NDCG at each k.
pub fn rank_table(results: &[(&str, RankTally)]) -> String {
    let mut out = String::new();
    for (system, tally) in results {
        let groups = tally.groups();
        let one = groups.len() < 2;
        let named = groups.into_iter().filter(|_| !one).map(|group| (group, Some(group)));
        for (name, group) in std::iter::once(("all", None)).chain(named) {
            let (questions, at) = tally.figures(group);
            let _ = writeln!(out, "{system}, {name}, {questions} questions");
            for AtK { k, recall, any, all, ndcg } in at {
                let _ = writeln!(
                    out,
                    "  @{k:<3} recall {recall:5.1}  any {any:5.1}  all {all:5.1}  NDCG {ndcg:5.1}"
                );
            }
        }
    }
    out
}
