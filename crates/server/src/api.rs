//! The API of all rooms together, and its description.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use identity::Identity;
use memory::Memory;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::admin::Admin;

#[derive(OpenApi)]
#[openapi(
    info(title = "Hearth", description = "One server for AI agents: what they remember. Errors are problem details \
        (RFC 9457); their `code` is stable.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags((name = "identity", description = "Who asks, and what they may do"),
        (name = "memory", description = "What agents recorded, and what matters now"),
        (name = "mem0", description = "The same for programs written for mem0"),
        (name = "mcp", description = "The same for agents that speak the Model Context Protocol"),
        (name = "admin", description = "The server itself, for its operators"))
)]
struct Description;

/// Every route that needs the database, and the description of them all.
pub(crate) fn routes(identity: Identity, memory: Memory, admin: Admin) -> (Router, utoipa::openapi::OpenApi) {
    let (identity_router, identity_api) = identity::routes().split_for_parts();
    let (memory_router, memory_api) = memory::routes().split_for_parts();
    let (rights_router, rights_api) = crate::rights::routes().split_for_parts();
    let (admin_router, admin_api) = crate::admin::routes().split_for_parts();
    let router = identity_router
        .with_state(identity)
        .merge(memory_router.with_state(memory))
        .merge(rights_router.with_state(admin.rights.clone()))
        .merge(admin_router.with_state(admin));
    (router, describe([identity_api, memory_api, rights_api, admin_api]))
}

/// The description alone, for programs and the generated reference; needs no running server.
pub fn description() -> utoipa::openapi::OpenApi {
    fn of<S: Clone + Send + Sync + 'static>(router: OpenApiRouter<S>) -> utoipa::openapi::OpenApi {
        router.split_for_parts().1
    }
    let rights = of(crate::rights::routes());
    describe([of(identity::routes()), of(memory::routes()), rights, of(crate::admin::routes())])
}

fn describe(parts: [utoipa::openapi::OpenApi; 4]) -> utoipa::openapi::OpenApi {
    let mut api = Description::openapi();
    for part in parts {
        api.merge(part);
    }
    let components = api.components.get_or_insert_with(Components::new);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Access token or API key"))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
    components.add_security_scheme("api_key", header);
    let any = ["bearer", "api_key"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    api.security = Some(any.to_vec());
    env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
    api
}

/// `/openapi.json` and the interactive page at `/docs`, from this binary alone.
pub fn documentation(api: utoipa::openapi::OpenApi) -> Router {
    // Rendered once: the page's own handler would render it anew for each request, 240 kB that a slow reader holds.
    let text = Bytes::from(api.to_json().expect("a description is plain data"));
    let answer = || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    let page = SwaggerUi::new("/docs").config(Config::from("/openapi.json").try_it_out_enabled(true));
    Router::from(page).route("/openapi.json", get(answer))
}
