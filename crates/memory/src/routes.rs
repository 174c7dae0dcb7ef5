//! All routes of memory.

use utoipa_axum::router::OpenApiRouter;

use crate::{Memory, events, search, timeline};

/// Routes of memory, to be given the service as state.
pub fn routes() -> OpenApiRouter<Memory> {
    events::routes::routes().merge(search::routes::routes()).merge(timeline::routes::routes())
}
