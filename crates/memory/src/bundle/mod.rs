//! Context bundles: what an agent needs for its next step, chosen by policy, within a budget, with its provenance.
//!
//! `gather` reads, `compose` puts together, `sections` turns rows into items, `evidence` folds what says the same, `drift`
//! finds memories that events contradict, `fill` keeps to the budget, `render` writes the lines.

mod budget;
mod compose;
mod drift;
mod evidence;
mod fill;
mod gather;
mod kept;
mod model;
mod render;
pub(crate) mod routes;
mod sections;
mod service;
mod store;

pub use model::{
    Bundle, BundleCapsule, BundleConflict, BundleFilters, BundleItem, BundleOmission, BundlePath,
    BundleProvenance, BundleRequest, BundleScoring, BundleSection, ItemType, KeptBundle, OmissionReason,
    SectionName,
};
