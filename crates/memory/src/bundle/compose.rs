//! From what was read to sections: no database, no clock.

use std::collections::HashSet;

use super::budget::Room;
use super::drift::{Guard, Statement};
use super::evidence::{Taken, choose};
use super::fill::{Candidate, Limits, Omissions, fill};
use super::gather::{Handover, Material, Plan};
use super::model::{
    BundleCapsule, BundleConflict, BundleItem, BundleSection, ItemType, OmissionReason, SectionName,
};
use super::sections;
use crate::memories::change::normalised;
use crate::memories::{MemoryItem, MemoryType};
use crate::search::event_text;

/// Items of a section at most.
const MOST_DECISIONS: usize = 50;
const MOST_EVIDENCE: usize = 200;
const MOST_ITEMS: usize = 500;
/// A turn may take this part of the window before it becomes an excerpt.
const TURN_PART: usize = 4;

/// A bundle before it is described.
pub(super) struct Composed {
    pub(super) sections: Vec<BundleSection>,
    pub(super) omissions: Omissions,
    pub(super) conflicts: Vec<BundleConflict>,
    pub(super) capsules: Vec<BundleCapsule>,
}

/// Puts the sections together. With `borrow` a section may use what those before it left.
pub(super) fn compose(plan: &Plan, material: &Material, rooms: &[Room]) -> Composed {
    let mut omissions = Omissions::default();
    let conflicts = conflicts(material);
    let drifted: HashSet<String> = conflicts.iter().map(|one| one.memory_id.clone()).collect();
    let mut sections: Vec<BundleSection> = Vec::with_capacity(rooms.len());
    let mut left = 0;
    for &(name, budget) in rooms {
        let room = if plan.request.borrow && name != SectionName::Reserve { budget + left } else { budget };
        let candidates = match name {
            SectionName::Evidence => evidence(material, &sections, &conflicts, &drifted, &mut omissions),
            _ => state_of(name, material, &drifted, &mut omissions),
        };
        let mut section = fill(name, candidates, limits(name, room), &mut omissions);
        section.budget = budget;
        left = room - section.token_est;
        if name == SectionName::Recent {
            // The last come first to have a place; they are read in the order of time.
            section.items.reverse();
        }
        sections.push(section);
    }
    let capsules = served_capsules(material, &sections);
    Composed { sections, omissions, conflicts, capsules }
}

fn limits(name: SectionName, room: usize) -> Limits {
    let (items, whole) = match name {
        SectionName::Reserve => (0, room),
        SectionName::Decisions => (MOST_DECISIONS, room),
        SectionName::Evidence => (MOST_EVIDENCE, room),
        SectionName::Recent => (MOST_ITEMS, room / TURN_PART),
        _ => (MOST_ITEMS, room),
    };
    Limits { room, items, whole }
}

/// Candidates of a section that needs no question.
fn state_of(
    name: SectionName,
    material: &Material,
    drifted: &HashSet<String>,
    omissions: &mut Omissions,
) -> Vec<Candidate> {
    match name {
        SectionName::Identity => {
            let all = sections::identity(&material.blocks, &material.pinned, material.last_bundle);
            all.into_iter().filter(|one| !drifted.contains(&one.id)).collect()
        }
        SectionName::Rules => sections::rules(&material.rules),
        SectionName::Handoff => {
            for id in &material.expired_capsules {
                omissions.add(name, OmissionReason::Expired, id);
            }
            material.capsules.iter().flat_map(handed_over).collect()
        }
        SectionName::Tasks => material.tasks.iter().map(sections::task).collect(),
        SectionName::Decisions => material.decisions.iter().map(sections::decision).collect(),
        SectionName::Recent => {
            let turns = material.window.iter().map(sections::turn);
            let (closed, turns): (Vec<_>, Vec<_>) =
                turns.partition(|turn| material.superseded.contains(&turn.id));
            for turn in &closed {
                omissions.add(name, OmissionReason::Superseded, &turn.id);
            }
            turns
        }
        SectionName::Evidence | SectionName::Reserve => Vec::new(),
    }
}

/// A capsule's packet, then its decisions, then its chunks.
fn handed_over(capsule: &Handover) -> Vec<Candidate> {
    let decisions = capsule.decisions.iter().map(|(one, _)| one.decision_id.clone());
    let chunks = capsule.chunks.iter().map(|one| one.chunk_id.clone());
    let allowed: Vec<String> = decisions.chain(chunks).collect();
    let mut all = vec![sections::packet(&capsule.row, &allowed)];
    all.extend(capsule.decisions.iter().map(sections::decision));
    all.extend(capsule.chunks.iter().map(sections::handed_chunk));
    all
}

fn evidence(
    material: &Material,
    before: &[BundleSection],
    conflicts: &[BundleConflict],
    drifted: &HashSet<String>,
    omissions: &mut Omissions,
) -> Vec<Candidate> {
    let Some(found) = &material.found else { return Vec::new() };
    let items = || before.iter().flat_map(|section| &section.items);
    let taken = Taken {
        ids: items().flat_map(own_ids).cloned().collect(),
        texts: items().filter_map(|item| item.text.as_deref()).map(normalised).collect(),
        superseded: material.superseded.clone(),
        drifted: drifted.clone(),
        witnesses: conflicts.iter().map(|one| one.event_id.clone()).collect(),
    };
    choose(found, &taken, omissions)
}

/// What an item is, in the terms of its references: they begin with it.
pub(super) fn own_ids(item: &BundleItem) -> &[String] {
    let has_two =
        item.r#type != ItemType::Text || item.refs.first().is_some_and(|first| first.starts_with("chk_"));
    let own = if has_two { 2 } else { 1 };
    &item.refs[..own.min(item.refs.len())]
}

/// Memories that events disagree with, among what was found, pinned and said last.
fn conflicts(material: &Material) -> Vec<BundleConflict> {
    let hits = || material.found.iter().flat_map(|found| &found.hits);
    let window: Vec<String> = material.window.iter().map(event_text).collect();
    let said = material.window.iter().zip(&window).map(|(turn, text)| Statement {
        id: &turn.event_id,
        text,
        trust: &turn.trust,
        at: kernel::Micros(turn.occurred_at),
        sources: &[],
    });
    let events = hits().filter_map(|hit| {
        let event = hit.event.as_ref()?;
        let (id, trust) = (event.event_id.as_str(), hit.trust.as_str());
        Some(Statement { id, text: &hit.text, trust, at: hit.occurred_at, sources: &[] })
    });
    let is_counted = |memory: &MemoryItem, sources: &[String]| {
        // A digest of nothing is not listened to at all.
        memory.r#type != MemoryType::Summary.as_str() || !sources.is_empty()
    };
    let memories = hits().filter_map(|hit| {
        let memory = hit.memory.as_ref().filter(|memory| is_counted(memory, &hit.refs))?;
        let id = memory.memory_id.as_str();
        Some(Statement { id, text: &hit.text, trust: &hit.trust, at: hit.occurred_at, sources: &hit.refs })
    });
    let pinned = material.pinned.iter().map(|row| Statement {
        id: &row.head.memory_id,
        text: &row.head.text,
        trust: &row.head.trust,
        at: kernel::Micros(row.head.valid_from),
        sources: row.source.as_slice(),
    });
    let mut seen = HashSet::new();
    let memories: Vec<Statement<'_>> = pinned.chain(memories).filter(|one| seen.insert(one.id)).collect();
    let events: Vec<Statement<'_>> = events.chain(said).collect();
    Guard::new().conflicts(&memories, &events)
}

/// Capsules whose packet is part of the bundle.
fn served_capsules(material: &Material, sections: &[BundleSection]) -> Vec<BundleCapsule> {
    let handoff = sections.iter().filter(|section| section.name == SectionName::Handoff);
    let items: Vec<&BundleItem> = handoff.flat_map(|section| &section.items).collect();
    let capsule = |one: &Handover| {
        let row = &one.row;
        let packet = items.iter().find(|item| item.refs.first() == Some(&row.capsule_id))?;
        Some(BundleCapsule {
            capsule_id: row.capsule_id.clone(),
            author_agent_id: row.author_agent_id.clone(),
            subject_type: row.subject_type.clone(),
            subject_id: row.subject_id.clone(),
            expires_at: kernel::Micros(row.expires_at),
            refs: packet.refs[1..].to_vec(),
        })
    };
    material.capsules.iter().filter_map(capsule).collect()
}
