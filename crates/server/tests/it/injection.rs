//! Texts that break what is glued together from strings, in every place that takes one: no 5xx, no exit, nothing leaks.

use serde_json::{Value, json};
use store::sqlx::{self, AssertSqlSafe, Connection, SqliteConnection};

use crate::answer::Answer;
use crate::bad_bodies::{fields, schema_of, with};
use crate::raw;
use crate::routes_table::{Access, ROUTES, Route, World};
use crate::support::*;

/// SQL, paths, shells, templates, headers, formats, and what breaks encoders.
const CORPUS: [&str; 24] = [
    "'",
    "\"",
    "' or '1'='1",
    "'; drop table events; --",
    "1) or (1=1",
    "x' union all select 1,2,3 --",
    "\\'; select pg_sleep(20); --",
    "'||(select version())||'",
    "%' or 1=1 /*",
    "$1",
    "{\"$gt\": \"\"}",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "a\u{0}b",
    "; cat /etc/passwd",
    "$(touch /tmp/x) `id`",
    "{{7*7}}${7*7}#{7*7}",
    "<script>alert(1)</script>",
    "%s%n%x",
    "\r\nset-cookie: a=b",
    "\u{202e}\u{200b}\u{feff}\u{1b}[2J",
    "\u{1f468}\u{200d}\u{1f469}\u{300}\u{301}",
    "9223372036854775808",
];

/// Who may do most on a route.
fn bearer<'w>(world: &'w World, route: &Route) -> &'w str {
    if route.path == "/auth/token" { world.caller("member's key") } else { &world.owner.access }
}

/// Counts requests and keeps the answers that no text should cause.
#[derive(Default)]
struct Tally {
    /// Places that have had their texts.
    places: usize,
    asked: usize,
    broken: Vec<String>,
}

impl Tally {
    /// Half the corpus for the next place; its neighbour gets the other half.
    fn texts(&mut self) -> impl Iterator<Item = &'static str> + use<> {
        self.places += 1;
        CORPUS.into_iter().skip(self.places % 2).step_by(2)
    }

    fn note(&mut self, place: &str, text: &str, status: u16, body: &str) {
        self.asked += 1;
        if status >= 500 {
            self.broken.push(format!("{text:?} in {place}: {status} {body}"));
        }
    }

    fn answer(&mut self, place: &str, text: &str, answer: &Answer) {
        self.note(place, text, answer.status, &answer.text());
    }
}

async fn into_bodies(world: &World, route: &Route, example: &(String, Value), tally: &mut Tally) {
    let (path, body) = example;
    let api = serde_json::to_value(server::api::description()).unwrap();
    let mut documented = Vec::new();
    fields(&api, &schema_of(&api, route), &[], &mut documented);
    let texts = documented.iter().filter(|field| field.types().contains(&"string"));
    let texts: Vec<&Vec<String>> = texts.map(|field| &field.path).collect();
    for field in &texts {
        for text in tally.texts() {
            let body = with(body, field, Some(json!(text)));
            let request = world.server.request(route.method, path).bearer_auth(bearer(world, route));
            let answer = world.server.send(request.json(&body)).await;
            tally.answer(&format!("{} of {}", field.join("."), route.path), text, &answer);
        }
    }
    if body.is_null() {
        return;
    }
    for text in CORPUS {
        let mut body = body.clone();
        body[text] = json!(text);
        for inner in ["content", "tags", "actor"] {
            if body[inner].is_object() {
                body[inner][text] = json!({text: [text]});
            }
        }
        let request = world.server.request(route.method, path).bearer_auth(bearer(world, route));
        let answer = world.server.send(request.json(&body)).await;
        tally.answer(&format!("keys of {}", route.path), text, &answer);
        if body["content"].is_object() {
            body.as_object_mut().unwrap().shift_remove(text);
            body["content"] = json!({"text": text, text: {text: text}});
            let request = world.server.request(route.method, path).bearer_auth(bearer(world, route));
            tally.answer("content", text, &world.server.send(request.json(&body)).await);
        }
    }
}

async fn into_addresses(world: &World, route: &Route, example: &(String, Value), tally: &mut Tally) {
    let (path, body) = example;
    let api = serde_json::to_value(server::api::description()).unwrap();
    let parameters = api["paths"][route.path][route.method.to_lowercase()]["parameters"].clone();
    for parameter in parameters.as_array().into_iter().flatten() {
        let (name, place) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
        for text in tally.texts() {
            let escaped: String =
                reqwest::Url::parse_with_params("http://x/", [(name, text)]).unwrap().query().unwrap().into();
            let value = escaped.split_once('=').unwrap().1.replace('+', "%20");
            let mut request = match place {
                "path" => {
                    let path = route.path.replace(&format!("{{{name}}}"), &value);
                    world.server.request(route.method, &path)
                }
                "query" => {
                    let base = path.split('?').next().unwrap();
                    world.server.request(route.method, &format!("{base}?{escaped}&{value}={value}"))
                }
                _ => match reqwest::header::HeaderValue::from_str(text) {
                    Ok(header) => world.server.request(route.method, path).header(name, header),
                    Err(_) => continue,
                },
            };
            request = request.bearer_auth(bearer(world, route));
            let answer = world.server.send(if body.is_null() { request } else { request.json(body) }).await;
            tally.answer(&format!("{place} {name} of {}", route.path), text, &answer);
        }
    }
}

/// Headers that every request may carry, sent as bytes: no client library tidies them up.
async fn into_headers(world: &World, path: &str, tally: &mut Tally) {
    for name in [
        "Authorization",
        "Host",
        "X-API-Key",
        "Cookie",
        "X-Request-ID",
        "Origin",
        "Forwarded",
        "Accept",
        "Range",
    ] {
        for text in tally.texts() {
            let value = match name {
                "Authorization" => format!("Bearer {text}"),
                "Cookie" => format!("hearth_session={text}"),
                _ => text.to_owned(),
            };
            let host = if name == "Host" { value.as_str() } else { "hearth" };
            let mut bytes = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
            if name != "Host" {
                bytes.extend([name, ": ", &value, "\r\n"]);
            }
            bytes.push_str("\r\n");
            let answer = raw::exchange(world.server.address, bytes.as_bytes()).await;
            tally.note(&format!("{name} of {path}"), text, answer.status, &answer.body);
            assert!(
                !answer.header("set-cookie").contains("a=b"),
                "{name} {text:?} made a header: {answer:?}"
            );
        }
    }
}

on_both_engines! {
    async fn no_text_in_any_place_breaks_the_server(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let mut tally = Tally::default();
        for route in ROUTES.iter().filter(|route| !(route.method == "DELETE" && route.path == "/api/v1/session")) {
            let example = world.example(route.method, route.path).await;
            into_bodies(&world, route, &example, &mut tally).await;
            into_addresses(&world, route, &example, &mut tally).await;
            let is_read = route.method == "GET" && matches!(route.access, Access::Caller(_));
            if is_read && !route.path.contains('{') {
                into_headers(&world, route.path, &mut tally).await;
            }
        }
        eprintln!("{} injections on {engine:?}", tally.asked);
        assert!(tally.asked >= 2_000, "only {} requests", tally.asked);
        assert!(tally.broken.is_empty(), "{} broke it:\n{}", tally.broken.len(), tally.broken.join("\n"));
        world.server.get("/health/live").await.expect(200);
        // The tables are all there, and what was stored before can be read.
        let stored = world.server.get_as(&world.member.access, &format!("/api/v1/events/{}", world.event)).await;
        stored.expect(200);
    }
}

/// The control: in a statement made with `format!`, the corpus fails.
#[tokio::test]
async fn the_corpus_breaks_a_formatted_statement() {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let mut broken = 0;
    for text in CORPUS {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 'a' AS word) WHERE word = '{text}'");
        let counted = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut conn).await;
        broken += usize::from(!matches!(counted, Ok(0)));
    }
    assert!(broken >= 6, "only {broken} of {} texts would be noticed", CORPUS.len());
}
