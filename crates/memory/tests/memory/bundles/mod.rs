//! The acceptance scenarios of context bundles, each on both engines, each with a report in the folder of the build.

mod handing;
mod keeping;
mod rebuilding;
mod recalling;
mod rules;

use kernel::Ctx;
use memory::bundle::{Bundle, BundleItem, BundleRequest, BundleSection, SectionName};
use memory::estimate_tokens;
use serde_json::{Value, json};
use testkit::Home;

use crate::support::Room;

/// How much longer a scenario may take than published in a build that is not optimised, on a machine shared with other
/// tests; the bench holds the published times.
const PATIENCE: f64 = if cfg!(debug_assertions) { 20.0 } else { 1.0 };

/// A request of the private channel, with `more` over it.
fn asked(intent: &str, more: Value) -> BundleRequest {
    let mut whole =
        json!({"session_id": "now", "agent_id": "helper", "channel": "private", "intent": intent});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

impl Room {
    /// A bundle that keeps its promises, whatever it was asked for.
    async fn bundle(&self, ctx: &Ctx, intent: &str, more: Value) -> Bundle {
        let bundle = self.memory.build_bundle(ctx, asked(intent, more)).await.unwrap();
        keeps_its_promises(&bundle);
        bundle
    }
}

/// The bounds of every bundle: all sections in order, no budget exceeded, figures that add up.
fn keeps_its_promises(bundle: &Bundle) {
    let names: Vec<SectionName> = bundle.sections.iter().map(|section| section.name).collect();
    assert_eq!(names, SectionName::ALL);
    assert!(bundle.token_used_est <= bundle.budget_tokens);
    let used: usize = bundle.sections.iter().map(|section| section.token_est).sum();
    assert_eq!(bundle.token_used_est, used);
    for section in &bundle.sections {
        let items: usize = section.items.iter().map(|item| item.token_est).sum();
        assert_eq!(section.token_est, items, "{:?}", section.name);
    }
    if let Some(text) = &bundle.rendered {
        assert!(estimate_tokens(text) <= bundle.budget_tokens, "the text is within the budget");
    }
    assert!(section(bundle, SectionName::Reserve).items.is_empty());
    assert!(section(bundle, SectionName::Evidence).items.len() <= 200);
    assert!(bundle.provenance.candidate_pool_size <= 2_000);
    for omission in &bundle.omissions {
        assert!(omission.count >= omission.candidates.len() && omission.candidates.len() <= 50);
    }
    let of_duplicates = bundle.omissions.iter().filter(|one| one.reason.as_str() == "near_duplicate");
    assert_eq!(bundle.provenance.dedupe_count, of_duplicates.map(|one| one.count).sum::<usize>());
}

fn section(bundle: &Bundle, name: SectionName) -> &BundleSection {
    bundle.sections.iter().find(|section| section.name == name).unwrap()
}

fn items(bundle: &Bundle, name: SectionName) -> &[BundleItem] {
    &section(bundle, name).items
}

fn texts(bundle: &Bundle, name: SectionName) -> Vec<&str> {
    items(bundle, name).iter().map(|item| item.text.as_deref().unwrap_or_default()).collect()
}

/// Everything that an answer says, as it goes over the wire.
fn wire(bundle: &Bundle) -> String {
    serde_json::to_string(bundle).unwrap()
}

/// Writes what a scenario found beside the other results of the build.
fn report(home: &Home, scenario: &str, found: Value) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("acceptance");
    std::fs::create_dir_all(&folder).unwrap();
    let whole = json!({"scenario": scenario, "engine": home.name, "found": found});
    let text = serde_json::to_string_pretty(&whole).unwrap();
    std::fs::write(folder.join(format!("{scenario}-{}.json", home.name.to_lowercase())), text).unwrap();
}

/// Reports the figures that every bundle has.
fn report_bundle(home: &Home, scenario: &str, bundle: &Bundle) {
    let found = json!({"sections": bundle.sections.iter().map(|section| json!({"name": section.name,
        "items": section.items.len(), "token_est": section.token_est})).collect::<Vec<_>>(),
        "omissions": bundle.omissions, "conflicts": bundle.conflicts, "provenance": bundle.provenance});
    report(home, scenario, found);
}
