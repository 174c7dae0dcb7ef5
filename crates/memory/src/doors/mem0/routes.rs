//! HTTP of the door for mem0's clients.

use axum::Json;
use axum::extract::State;
use httpkit::{Body, Caller, Problem, ProblemBody, Query, UrlPath};
use kernel::{Ctx, Result};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Listing, NewMemories, PageOf, Question, Update, Whose};
use super::service::{self, Pick};
use crate::Memory;

/// Routes of this door.
pub(in crate::doors) fn routes() -> OpenApiRouter<Memory> {
    OpenApiRouter::new()
        .routes(routes!(mem0_ping))
        .routes(routes!(mem0_v1_list, mem0_v1_add, mem0_v1_delete_all))
        .routes(routes!(mem0_v1_get, mem0_v1_update, mem0_v1_delete))
        .routes(routes!(mem0_v1_history))
        .routes(routes!(mem0_v1_search))
        .routes(routes!(mem0_v2_list))
        .routes(routes!(mem0_v2_search))
        .routes(routes!(mem0_v3_list))
        .routes(routes!(mem0_v3_add))
        .routes(routes!(mem0_v3_search))
        .routes(routes!(mem0_list, mem0_add, mem0_delete_all))
        .routes(routes!(mem0_get, mem0_update, mem0_delete))
        .routes(routes!(mem0_history))
        .routes(routes!(mem0_search))
}

/// A route: its verb, its path, what describes its request, the function that answers, and what that takes.
macro_rules! door {
    ($about:tt $name:ident $verb:ident $path:tt ($($request:tt)*) $answer:path, $($part:ident: $extract:ident<$kind:ty>),*) => {
        #[doc = $about]
        #[utoipa::path($verb, path = $path, tag = "mem0", $($request)*
            responses((status = 200, body = Value), (status = "default", body = ProblemBody)))]
        async fn $name(
            State(memory): State<Memory>,
            Caller(ctx): Caller,
            $($extract($part): $extract<$kind>),*
        ) -> Result<Json<Value>, Problem> {
            Ok(Json($answer(&memory, &ctx, $($part),*).await?))
        }
    };
}

door! { "Check a key" mem0_ping get "/mem0/v1/ping/" () ping, }
door! { "Add memories (v1)" mem0_v1_add post "/mem0/v1/memories/" (request_body = NewMemories,) add_bare, new: Body<NewMemories> }
door! { "List memories (v1)" mem0_v1_list get "/mem0/v1/memories/" (params(Whose),) list_v1, whose: Query<Whose> }
door! { "Delete the memories of an entity (v1)" mem0_v1_delete_all delete "/mem0/v1/memories/" (params(Whose),)
service::delete_all, whose: Query<Whose> }
door! { "Read a memory (v1)" mem0_v1_get get "/mem0/v1/memories/{memory_id}/" (params(("memory_id" = String, Path)),)
service::get, id: UrlPath<String> }
door! { "Change a memory (v1)" mem0_v1_update put "/mem0/v1/memories/{memory_id}/"
(params(("memory_id" = String, Path)), request_body = Update,) service::update, id: UrlPath<String>, change: Body<Update> }
door! { "Delete a memory (v1)" mem0_v1_delete delete "/mem0/v1/memories/{memory_id}/" (params(("memory_id" = String, Path)),)
service::delete, id: UrlPath<String> }
door! { "Read the history of a memory (v1)" mem0_v1_history get "/mem0/v1/memories/{memory_id}/history/"
(params(("memory_id" = String, Path)),) service::history, id: UrlPath<String> }
door! { "Search memories (v1)" mem0_v1_search post "/mem0/v1/memories/search/" (request_body = Question,)
search_bare, asked: Body<Question> }
door! { "List memories (v2)" mem0_v2_list post "/mem0/v2/memories/" (request_body = Listing, params(PageOf),)
list_v2, page: Query<PageOf>, listing: Body<Listing> }
door! { "Search memories (v2)" mem0_v2_search post "/mem0/v2/memories/search/" (request_body = Question,)
search_bare, asked: Body<Question> }
door! { "List memories (v3)" mem0_v3_list post "/mem0/v3/memories/" (request_body = Listing, params(PageOf),)
list_v3, page: Query<PageOf>, listing: Body<Listing> }
door! { "Add memories (v3)" mem0_v3_add post "/mem0/v3/memories/add/" (request_body = NewMemories,)
add_wrapped, new: Body<NewMemories> }
door! { "Search memories (v3)" mem0_v3_search post "/mem0/v3/memories/search/" (request_body = Question,)
search_wrapped, asked: Body<Question> }
door! { "Add memories (self-hosted)" mem0_add post "/mem0/memories" (request_body = NewMemories,)
add_wrapped, new: Body<NewMemories> }
door! { "List memories (self-hosted)" mem0_list get "/mem0/memories" (params(Whose),) list_self_hosted, whose: Query<Whose> }
door! { "Delete the memories of an entity (self-hosted)" mem0_delete_all delete "/mem0/memories" (params(Whose),)
service::delete_all, whose: Query<Whose> }
door! { "Read a memory (self-hosted)" mem0_get get "/mem0/memories/{memory_id}" (params(("memory_id" = String, Path)),)
service::get, id: UrlPath<String> }
door! { "Change a memory (self-hosted)" mem0_update put "/mem0/memories/{memory_id}"
(params(("memory_id" = String, Path)), request_body = Update,) service::update, id: UrlPath<String>, change: Body<Update> }
door! { "Delete a memory (self-hosted)" mem0_delete delete "/mem0/memories/{memory_id}"
(params(("memory_id" = String, Path)),) service::delete, id: UrlPath<String> }
door! { "Read the history of a memory (self-hosted)" mem0_history get "/mem0/memories/{memory_id}/history"
(params(("memory_id" = String, Path)),) service::history, id: UrlPath<String> }
door! { "Search memories (self-hosted)" mem0_search post "/mem0/search" (request_body = Question,)
search_wrapped, asked: Body<Question> }

/// A key that was let in is a good one. The client insists on an organisation and a project: the tenant is both.
async fn ping(_: &Memory, ctx: &Ctx) -> Result<Value> {
    let tenant = ctx.tenant.as_str();
    Ok(json!({"status": "ok", "org_id": tenant, "project_id": tenant, "user_email": null}))
}

/// v1 and v2 answer with a list, unless the newer format was asked for.
fn bare<T: Serialize>(items: Vec<T>, format: Option<&str>) -> Value {
    if format == Some("v1.1") { json!({"results": items}) } else { json!(items) }
}

async fn add_bare(memory: &Memory, ctx: &Ctx, new: NewMemories) -> Result<Value> {
    let format = new.output_format.clone();
    Ok(bare(service::add(memory, ctx, new).await?, format.as_deref()))
}

/// Memories in `results`; what is still to be derived is told beside them.
async fn add_wrapped(memory: &Memory, ctx: &Ctx, new: NewMemories) -> Result<Value> {
    let mut items = service::add(memory, ctx, new).await?;
    match items.pop() {
        Some(mut pending) if pending["status"].is_string() => {
            pending["results"] = json!([]);
            Ok(pending)
        }
        last => {
            items.extend(last);
            Ok(json!({"results": items}))
        }
    }
}

async fn search_bare(memory: &Memory, ctx: &Ctx, asked: Question) -> Result<Value> {
    let format = asked.output_format.clone();
    Ok(bare(service::search(memory, ctx, asked).await?, format.as_deref()))
}

async fn search_wrapped(memory: &Memory, ctx: &Ctx, asked: Question) -> Result<Value> {
    Ok(json!({"results": service::search(memory, ctx, asked).await?}))
}

impl From<&Whose> for Listing {
    fn from(whose: &Whose) -> Self {
        Self {
            user_id: whose.user_id.clone(),
            agent_id: whose.agent_id.clone(),
            app_id: whose.app_id.clone(),
            run_id: whose.run_id.clone(),
            ..Self::default()
        }
    }
}

/// A list, or a page where one was asked for.
async fn list_v1(memory: &Memory, ctx: &Ctx, whose: Whose) -> Result<Value> {
    let page = PageOf { page: whose.page, page_size: whose.page_size.or(whose.limit) };
    list(memory, ctx, "/mem0/v1/memories/", page, &Listing::from(&whose)).await
}

async fn list_v2(memory: &Memory, ctx: &Ctx, page: PageOf, listing: Listing) -> Result<Value> {
    list(memory, ctx, "/mem0/v2/memories/", page, &listing).await
}

async fn list(memory: &Memory, ctx: &Ctx, path: &str, page: PageOf, listing: &Listing) -> Result<Value> {
    if page.page.is_some() {
        return numbered(memory, ctx, path, page, listing).await;
    }
    Ok(json!(service::page_of(memory, ctx, listing, Pick::new(None, page.page_size)?).await?.0))
}

async fn list_v3(memory: &Memory, ctx: &Ctx, page: PageOf, listing: Listing) -> Result<Value> {
    numbered(memory, ctx, "/mem0/v3/memories/", page, &listing).await
}

async fn numbered(memory: &Memory, ctx: &Ctx, path: &str, page: PageOf, listing: &Listing) -> Result<Value> {
    let pick = Pick::new(page.page, page.page_size)?;
    let (results, count) = service::page_of(memory, ctx, listing, pick).await?;
    let link = |page: usize| format!("{path}?page={page}&page_size={}", pick.size);
    let next = (pick.page * pick.size < count).then(|| link(pick.page + 1));
    let previous = (pick.page > 1).then(|| link(pick.page - 1));
    Ok(json!({"count": count, "next": next, "previous": previous, "results": results}))
}

async fn list_self_hosted(memory: &Memory, ctx: &Ctx, whose: Whose) -> Result<Value> {
    let pick = Pick::new(whose.page, whose.page_size.or(whose.limit))?;
    let (results, _) = service::page_of(memory, ctx, &Listing::from(&whose), pick).await?;
    Ok(json!({"results": results}))
}
