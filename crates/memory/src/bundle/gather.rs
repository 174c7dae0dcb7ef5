//! Reading what a bundle may hold: the state of things, the conversation, and, when there is a question, what answers it.

use std::collections::{BTreeMap, HashMap, HashSet};

use ::store::tally::counted;
use kernel::{Ctx, Error, Micros, Result};

use super::model::{BundleRequest, MOST_CAPSULES};
use super::sections::Handed;
use super::store::{self as sql, CapsuleRow, ChunkOfEvent, PinnedRow, RuleRow, TrustedDecision, Within};
use crate::Memory;
use crate::blocks::{Block, in_view};
use crate::events::{Channel, EventKind};
use crate::rebuild::store::{Standing, find_standing};
use crate::search::policy::Readable;
use crate::search::{Candidates, Wish, store as search_sql};
use crate::timeline::store::StoredEvent;
use crate::work::{Decision, Task, id_of};

/// Turns of the conversation.
const WINDOW: i64 = 20;
/// Candidates for evidence.
const POOL: usize = 400;

/// What a bundle is gathered for.
pub(super) struct Plan {
    pub(super) request: BundleRequest,
    pub(super) readable: Readable,
    pub(super) now: Micros,
    /// The instant that dates are counted from.
    pub(super) reference: Micros,
}

/// A capsule and what of it may be read.
pub(super) struct Handover {
    pub(super) row: CapsuleRow,
    pub(super) decisions: Vec<(Decision, String)>,
    pub(super) chunks: Vec<ChunkOfEvent>,
}

/// Everything that a bundle may hold.
#[derive(Default)]
pub(super) struct Material {
    pub(super) last_bundle: Option<i64>,
    /// Whether rows that are made from events are being made again.
    pub(super) is_cold: bool,
    pub(super) blocks: Vec<Block>,
    pub(super) pinned: Vec<PinnedRow>,
    pub(super) rules: Vec<RuleRow>,
    pub(super) capsules: Vec<Handover>,
    pub(super) expired_capsules: Vec<String>,
    pub(super) tasks: Vec<(Task, String)>,
    /// Active ones: those that answer the question first, then the latest.
    pub(super) decisions: Vec<(Decision, String)>,
    /// Events of decisions whose place others have taken.
    pub(super) superseded: HashSet<String>,
    /// Last turns, last first.
    pub(super) window: Vec<StoredEvent>,
    pub(super) found: Option<Candidates>,
    pub(super) snapshot: BTreeMap<String, i64>,
}

impl Memory {
    /// Reads everything that a bundle may hold.
    ///
    /// # Errors
    /// `not_found` for a capsule that is named and not there for this agent; the store's.
    pub(super) async fn gather(&self, ctx: &Ctx, plan: &Plan) -> Result<Material> {
        let standing = self.standing(plan).await?;
        let search = async {
            match plan.request.question() {
                Some(question) => {
                    let wish = Wish {
                        query: question.to_owned(),
                        agent: plan.request.agent_id.clone(),
                        reference: plan.reference,
                        most: POOL,
                    };
                    Box::pin(self.0.searcher.candidates(ctx, &plan.readable, wish)).await.map(Some)
                }
                None => Ok(None),
            }
        };
        // Boxed: what waits in them is large, and callers wait in turn.
        let (mut material, found) = tokio::try_join!(Box::pin(self.read_state(plan)), search)?;
        material.found = found;
        (material.last_bundle, material.is_cold) = (standing.last_bundle_at, standing.is_cold());
        Box::pin(self.follow(plan, &mut material)).await?;
        Ok(material)
    }

    /// Where the owner stands. What is made from events and missing is made again, as far as there is time.
    async fn standing(&self, plan: &Plan) -> Result<Standing> {
        let Readable { tenant, owner, .. } = &plan.readable;
        let conn = &mut self.0.store.read(tenant).await?;
        let standing = find_standing(conn, tenant, owner, &plan.request.session_id).await?;
        if standing.is_cold() {
            let (made, _) = counted(Box::pin(self.rebuild(tenant, owner))).await;
            if let Err(error) = made {
                tracing::warn!(%error, "what is made from events is missing and could not be made again");
            }
        }
        Ok(standing)
    }

    /// The state of things: what needs no question.
    async fn read_state(&self, plan: &Plan) -> Result<Material> {
        let (request, now, within) = (&plan.request, plan.now, &Within::new(&plan.readable));
        let conn = &mut self.0.store.read(within.tenant).await?;
        let agent = request.agent_id.as_str();
        let mut material = Material::default();
        if request.question().is_none() {
            material.snapshot = snapshot(conn, &plan.readable).await?;
        }
        // What has no channel of its own is between a person and their agents; what all agents share is private.
        let homes = plan.readable.homes();
        if homes.contains(&Channel::Agent) {
            material.blocks = in_view(conn, within.tenant, within.owner, agent).await?;
            if !homes.contains(&Channel::Private) {
                material.blocks.retain(|block| block.agent_id.is_some());
            }
            let rows = sql::list_capsules(conn, within).await?;
            (material.capsules, material.expired_capsules) = addressed(rows, request, now)?;
        } else if !request.capsule_ids.is_empty() {
            return Err(Error::not_found("capsule"));
        }
        material.pinned = sql::list_pinned(conn, within, agent, now).await?;
        material.rules = sql::list_rules(conn, within).await?;
        let tasks = sql::list_tasks(conn, within).await?;
        material.tasks = tasks.into_iter().map(|row| (row.task.into(), row.trust)).collect();
        material.decisions = sql::list_decisions(conn, within).await?.into_iter().map(trusted).collect();
        let place = (request.session_id.as_str(), agent);
        material.window = sql::list_window(conn, within, place, WINDOW, now).await?;
        Ok(material)
    }

    /// What that leads to: decisions behind turns and hits, and what capsules hand over.
    async fn follow(&self, plan: &Plan, material: &mut Material) -> Result<()> {
        let hits = material.found.iter().flat_map(|found| &found.hits).filter_map(|hit| hit.event.as_ref());
        let turns = material.window.iter().map(|turn| (&turn.kind, &turn.event_id));
        let decided = hits.map(|event| (&event.kind, &event.event_id)).chain(turns);
        let is_decision = |kind: &String| *kind == EventKind::Decision.as_str();
        let ranked: Vec<String> =
            decided.filter(|(kind, _)| is_decision(kind)).map(|(_, event)| id_of("dec", event)).collect();
        let handed: Vec<Handed> = material.capsules.iter().map(|one| Handed::read(&one.row)).collect();
        let (mut decisions, mut chunks) = (HashMap::new(), HashMap::new());
        let wanted = unique(ranked.iter().chain(handed.iter().flat_map(|one| &one.decisions)));
        let within = &Within::new(&plan.readable);
        let conn = &mut self.0.store.read(within.tenant).await?;
        if !wanted.is_empty() {
            for row in sql::list_decisions_by_id(conn, within, &wanted).await? {
                let found = trusted(row);
                decisions.insert(found.0.decision_id.clone(), found);
            }
        }
        let wanted = unique(handed.iter().flat_map(|one| &one.chunks));
        if !wanted.is_empty() {
            for row in sql::list_chunks(conn, within, &wanted, plan.now).await? {
                chunks.insert(row.chunk_id.clone(), row);
            }
        }
        for (capsule, handed) in material.capsules.iter_mut().zip(&handed) {
            let active = |(one, _): &&(Decision, String)| one.status == "active";
            let found = handed.decisions.iter().filter_map(|id| decisions.get(id)).filter(active);
            capsule.decisions = found.cloned().collect();
            capsule.chunks = handed.chunks.iter().filter_map(|id| chunks.get(id)).cloned().collect();
        }
        let (active, closed): (Vec<_>, Vec<_>) =
            decisions.into_values().partition(|(one, _)| one.status == "active");
        material.superseded = closed.into_iter().map(|(one, _)| one.event_id).collect();
        material.put_first(&ranked, active);
        Ok(())
    }
}

impl Material {
    /// Puts decisions that were found before the others, in the order of `ranked`.
    fn put_first(&mut self, ranked: &[String], found: Vec<(Decision, String)>) {
        let place = |id: &String| ranked.iter().position(|known| known == id);
        let known: HashSet<String> = self.decisions.iter().map(|(one, _)| one.decision_id.clone()).collect();
        let new = found
            .into_iter()
            .filter(|(one, _)| !known.contains(&one.decision_id) && place(&one.decision_id).is_some());
        self.decisions.extend(new);
        // Stable: the others stay in the order of time.
        self.decisions.sort_by_key(|(one, _)| place(&one.decision_id).unwrap_or(usize::MAX));
    }

    /// Rows that were looked at beside hits.
    pub(super) fn rows(&self) -> usize {
        let handed: usize = self.capsules.iter().map(|one| 1 + one.decisions.len() + one.chunks.len()).sum();
        let lists = [self.blocks.len(), self.pinned.len(), self.rules.len(), self.tasks.len()];
        lists.iter().sum::<usize>() + handed + self.decisions.len() + self.window.len()
    }

    /// Bytes of text that were read.
    pub(super) fn bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(|row| row.text.len()).sum();
        let pinned: usize = self.pinned.iter().map(|row| row.head.text.len()).sum();
        let rules: usize = self.rules.iter().map(|row| row.content.len()).sum();
        let handed = |one: &Handover| {
            let chunks: usize = one.chunks.iter().map(|row| row.event.content.len()).sum();
            one.row.packet.len() + one.row.items.len() + chunks
        };
        let capsules: usize = self.capsules.iter().map(handed).sum();
        let tasks: usize = self.tasks.iter().map(|(one, _)| one.title.len() + one.details.len()).sum();
        let decisions = |(one, _): &(Decision, String)| {
            let lists = [&one.rationale, &one.constraints, &one.alternatives, &one.consequences];
            one.decision.len() + lists.into_iter().flatten().map(String::len).sum::<usize>()
        };
        let decisions: usize = self.decisions.iter().map(decisions).sum();
        let window: usize = self.window.iter().map(|row| row.content.len()).sum();
        let hits: usize = self.found.iter().map(|found| found.bytes).sum();
        blocks + pinned + rules + capsules + tasks + decisions + window + hits
    }
}

fn trusted(row: TrustedDecision) -> (Decision, String) {
    (row.decision.into(), row.trust)
}

fn unique<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    ids.map(String::as_str).filter(|id| seen.insert(*id)).collect()
}

/// Versions of the partitions that may be read.
async fn snapshot(conn: &mut ::store::Conn, readable: &Readable) -> Result<BTreeMap<String, i64>> {
    let scopes = search_sql::list_scopes(conn, &readable.tenant, &readable.owner).await?;
    let allowed = scopes.into_iter().filter(|scope| {
        search_sql::partition(&scope.home, scope.owner.clone(), &scope.tier)
            .is_some_and(|partition| readable.allows(&partition))
    });
    Ok(allowed.map(|scope| (scope.scope_id, scope.version)).collect())
}

/// The capsules for an agent, and the ids of those whose time has come.
fn addressed(
    rows: Vec<CapsuleRow>,
    request: &BundleRequest,
    now: Micros,
) -> Result<(Vec<Handover>, Vec<String>)> {
    let agent = &request.agent_id;
    let is_for = |row: &CapsuleRow| {
        let audience: Vec<String> = serde_json::from_str(&row.audience_agent_ids).unwrap_or_default();
        let named = request.capsule_ids.contains(&row.capsule_id);
        audience.contains(agent) || (named && row.author_agent_id == *agent)
    };
    let (live, expired): (Vec<_>, Vec<_>) =
        rows.into_iter().filter(is_for).partition(|row| row.expires_at > now.0);
    let mut live = live;
    if !request.capsule_ids.is_empty() {
        live.retain(|row| request.capsule_ids.contains(&row.capsule_id));
        let is_there = |id: &String| live.iter().any(|row| row.capsule_id == *id);
        if !request.capsule_ids.iter().all(is_there) {
            return Err(Error::not_found("capsule"));
        }
    }
    live.truncate(MOST_CAPSULES);
    let handover = |row| Handover { row, decisions: Vec::new(), chunks: Vec::new() };
    Ok((live.into_iter().map(handover).collect(), expired.into_iter().map(|row| row.capsule_id).collect()))
}
