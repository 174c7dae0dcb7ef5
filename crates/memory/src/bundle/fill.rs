//! Keeping to the budget: what fits goes in whole, what is too large as an excerpt, and the rest is named.

use std::collections::BTreeMap;

use super::model::{BundleItem, BundleOmission, BundleSection, OmissionReason, SectionName};
use super::render::cost;

/// Longest excerpt, in tokens.
const EXCERPT: usize = 2_000;
/// An excerpt of fewer tokens says too little.
const LEAST_EXCERPT: usize = 48;
/// Ids that an omission names.
const NAMED: usize = 50;
/// What stands where words were left out.
const CUT: &str = " […]";

/// Something that may become part of a section.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What it is called when it is left out.
    pub(super) id: String,
    pub(super) item: BundleItem,
}

/// How a section takes its candidates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Tokens.
    pub(super) room: usize,
    /// Items at most.
    pub(super) items: usize,
    /// Tokens from which an item becomes an excerpt; never more than [`EXCERPT`] once it does.
    pub(super) whole: usize,
}

/// What was left out so far.
#[derive(Default)]
pub(super) struct Omissions {
    alike: BTreeMap<(SectionName, OmissionReason), (Vec<String>, usize)>,
    oversize: Vec<BundleOmission>,
}

impl Omissions {
    pub(super) fn add(&mut self, section: SectionName, reason: OmissionReason, id: &str) {
        let (ids, count) = self.alike.entry((section, reason)).or_default();
        *count += 1;
        if ids.len() < NAMED {
            ids.push(id.to_owned());
        }
    }

    fn add_oversize(&mut self, section: SectionName, candidate: &Candidate) {
        let Some(artifact) = &candidate.item.artifact_id else {
            return self.add(section, OmissionReason::Oversize, &candidate.id);
        };
        self.oversize.push(BundleOmission {
            reason: OmissionReason::Oversize,
            section,
            candidates: vec![candidate.id.clone()],
            count: 1,
            artifact_id: Some(artifact.clone()),
        });
    }

    /// How many were left out for a reason.
    pub(super) fn count(&self, reason: OmissionReason) -> usize {
        self.alike.iter().filter(|((_, why), _)| *why == reason).map(|(_, (_, count))| count).sum()
    }

    pub(super) fn into_list(self) -> Vec<BundleOmission> {
        let alike = self.alike.into_iter().map(|((section, reason), (candidates, count))| BundleOmission {
            reason,
            section,
            candidates,
            count,
            artifact_id: None,
        });
        let mut list: Vec<BundleOmission> = alike.chain(self.oversize).collect();
        list.sort_by_key(|omission| (omission.section, omission.reason));
        list
    }
}

/// Fills a section with candidates, the most wanted first.
pub(super) fn fill(
    name: SectionName,
    candidates: Vec<Candidate>,
    limits: Limits,
    omissions: &mut Omissions,
) -> BundleSection {
    let mut section = BundleSection { name, budget: limits.room, token_est: 0, items: Vec::new() };
    for mut candidate in candidates {
        let left = limits.room - section.token_est;
        let mut tokens = cost(&candidate.item);
        let is_large = tokens > limits.whole;
        if (is_large || tokens > left) && section.items.len() < limits.items {
            let room = left.min(if is_large { limits.whole.min(EXCERPT) } else { left });
            // What is small is wanted whole: it waits for another bundle.
            if is_large && room >= LEAST_EXCERPT && cut(&mut candidate.item, room) {
                omissions.add_oversize(name, &candidate);
                tokens = cost(&candidate.item);
            }
        }
        if tokens > left || section.items.len() == limits.items {
            omissions.add(name, OmissionReason::Budget, &candidate.id);
            continue;
        }
        candidate.item.token_est = tokens;
        section.token_est += tokens;
        section.items.push(candidate.item);
    }
    section
}

/// Cuts an item's words to the longest beginning that costs at most `room`; tells whether there is any.
fn cut(item: &mut BundleItem, room: usize) -> bool {
    let Some(whole) = item.text.take() else { return false };
    let ends: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
    let fits = |item: &mut BundleItem, end: usize| {
        item.text = Some(format!("{}{CUT}", whole[..end].trim_end()));
        cost(item) <= room
    };
    let longest = ends.partition_point(|end| fits(item, *end));
    let Some(end) = longest.checked_sub(1).map(|at| ends[at]).filter(|end| *end > 0) else {
        item.text = Some(whole);
        return false;
    };
    // At a word, if there is one in the last part.
    let word = whole[..end].rfind(char::is_whitespace).filter(|at| *at > end / 2).unwrap_or(end);
    item.excerpt = fits(item, word);
    item.excerpt
}

#[cfg(test)]
mod tests {
    use super::super::model::ItemType;
    use super::*;
    use kernel::Micros;
    use proptest::prelude::*;

    fn candidate(id: &str, text: &str, artifact: Option<&str>) -> Candidate {
        let item = BundleItem {
            r#type: ItemType::Text,
            text: Some(text.to_owned()),
            decision_id: None,
            task_id: None,
            artifact_id: artifact.map(str::to_owned),
            refs: vec![id.to_owned()],
            source: "note".to_owned(),
            actor: None,
            trust: "user".to_owned(),
            occurred_at: Micros(0),
            token_est: 0,
            excerpt: false,
        };
        Candidate { id: id.to_owned(), item }
    }

    fn filled(candidates: Vec<Candidate>, room: usize) -> (BundleSection, Vec<BundleOmission>) {
        let mut omissions = Omissions::default();
        let limits = Limits { room, items: 10, whole: room };
        let section = fill(SectionName::Recent, candidates, limits, &mut omissions);
        (section, omissions.into_list())
    }

    #[test]
    fn what_is_too_large_becomes_an_excerpt_and_what_does_not_fit_is_named() {
        let long = "word ".repeat(20_000);
        let short = "short words of one's own";
        let candidates = vec![
            candidate("evt_a", short, None),
            candidate("evt_b", &long, Some("art_b")),
            candidate("evt_c", &"some ".repeat(120), None),
            candidate("evt_d", short, None),
        ];
        let (section, omissions) = filled(candidates, 2_100);
        let ids: Vec<&str> = section.items.iter().map(|item| item.refs[0].as_str()).collect();
        assert_eq!(ids, ["evt_a", "evt_b", "evt_d"]);
        assert!(section.items[1].excerpt && section.items[1].text.as_ref().unwrap().ends_with("word […]"));
        assert!(section.items[1].token_est <= EXCERPT && section.token_est <= 2_100);
        let said: Vec<_> =
            omissions.iter().map(|one| (one.reason, one.count, one.artifact_id.as_deref())).collect();
        assert_eq!(said, [(OmissionReason::Budget, 1, None), (OmissionReason::Oversize, 1, Some("art_b"))]);
        assert_eq!(omissions[0].candidates, ["evt_c"]);
    }

    #[test]
    fn omissions_name_fifty_and_count_all() {
        let all = (0..80).map(|n| candidate(&format!("evt_{n}"), "a few words", None)).collect();
        let (section, omissions) = filled(all, 1_000);
        assert_eq!(section.items.len(), 10);
        assert_eq!((omissions[0].candidates.len(), omissions[0].count), (50, 70));
    }

    proptest! {
        #[test]
        fn a_section_never_exceeds_its_room(
            texts in proptest::collection::vec("(\\PC|[ \n<>]){0,400}", 0..12), room in 0_usize..600,
        ) {
            let count = texts.len();
            let all = texts.iter().map(|text| candidate("evt_x", text, None)).collect();
            let (section, omissions) = filled(all, room);
            prop_assert!(section.token_est <= room);
            prop_assert_eq!(section.items.iter().map(cost).sum::<usize>(), section.token_est);
            let left_out = omissions.iter().filter(|one| one.reason == OmissionReason::Budget);
            prop_assert_eq!(section.items.len() + left_out.map(|one| one.count).sum::<usize>(), count);
        }
    }
}
