//! All routes of memory.

use utoipa_axum::router::OpenApiRouter;

use crate::{
    Memory, blocks, bundle, capsules, doors, events, files, graph, import, memories, rules, search, timeline,
    work,
};

/// Routes of memory, to be given the service as state.
pub fn routes() -> OpenApiRouter<Memory> {
    events::routes::routes()
        .merge(search::routes::routes())
        .merge(timeline::routes::routes())
        .merge(import::routes::routes())
        .merge(memories::routes::routes())
        .merge(work::routes::routes())
        .merge(blocks::routes::routes())
        .merge(doors::routes())
        .merge(bundle::routes::routes())
        .merge(files::routes::routes())
        .merge(graph::routes::routes())
        .merge(capsules::routes::routes())
        .merge(rules::routes::routes())
}
