//! Bodies that no client should send: refused with a reason, never with 5xx, and nothing of them is stored.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::answer::{Answer, shortened};
use crate::raw::{self, RawAnswer};
use crate::routes_table::{ROUTES, Route, World};
use crate::support::*;

/// What it is, media type, bytes, and the answer's status and possible codes.
type Bytes<'b> = (&'b str, Option<&'b str>, Vec<u8>, u16, &'b [&'b str]);

/// Routes that take a body of JSON, by the description. A route that does without one is an act on the thing that its path names,
/// or an operator's on the server.
fn with_body() -> impl Iterator<Item = &'static Route> {
    let api = serde_json::to_value(server::api::description()).unwrap();
    ROUTES.iter().filter(move |route| {
        let operation = &api["paths"][route.path][route.method.to_lowercase()];
        let is_act = route.method == "POST"
            && ["}/", "/verify", "/admin/"].iter().any(|part| route.path.contains(part));
        let takes_body = operation.get("requestBody").is_some();
        assert!(
            takes_body || is_act || ["GET", "DELETE"].contains(&route.method),
            "{} needs a body",
            route.path
        );
        // Lines of an import are a format of their own, tried by the tests of memory.
        takes_body && operation["requestBody"]["content"].get("application/json").is_some()
    })
}

/// Who may do most: an owner for the tenant, and the member's key for the one route that is for keys alone.
fn bearer<'w>(world: &'w World, route: &Route) -> &'w str {
    if route.path == "/auth/token" { world.caller("member's key") } else { &world.owner.access }
}

async fn send_bytes(world: &World, route: &Route, media: Option<&str>, body: Vec<u8>) -> Answer {
    let (path, _) = world.example(route.method, route.path).await;
    let mut request = world.server.request(route.method, &path).bearer_auth(bearer(world, route)).body(body);
    if let Some(media) = media {
        request = request.header("content-type", media);
    }
    world.server.send(request).await
}

async fn send_json(world: &World, route: &Route, path: &str, body: &Value) -> Answer {
    let request = world.server.request(route.method, path).bearer_auth(bearer(world, route));
    world.server.send(request.json(body)).await
}

on_both_engines! {
    async fn bytes_that_are_no_json_are_refused_on_every_route(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let before = counts(&world).await;
        let json_media = Some("application/json");
        let nested = |open: &str, close: &str| format!("{}{}", open.repeat(100), close.repeat(100)).into_bytes();
        let keys: serde_json::Map<String, Value> = (0..20_000).map(|n| (format!("k{n}"), json!(n))).collect();
        let keys = Value::Object(keys).to_string();
        let cases: Vec<Bytes<'_>> = vec![
            ("no body", None, vec![], 415, &["unsupported_media_type"]),
            ("an empty body", json_media, vec![], 400, &["invalid_json"]),
            ("blanks", json_media, b" \n\t ".to_vec(), 400, &["invalid_json"]),
            ("text", Some("text/plain"), b"{}".to_vec(), 415, &["unsupported_media_type"]),
            ("a form", Some("application/x-www-form-urlencoded"), b"username=a".to_vec(), 415, &["unsupported_media_type"]),
            ("a multipart form", Some("multipart/form-data; boundary=x"), b"--x--".to_vec(), 415, &["unsupported_media_type"]),
            ("XML", Some("application/xml"), b"<a/>".to_vec(), 415, &["unsupported_media_type"]),
            ("half an object", json_media, b"{\"a\":".to_vec(), 400, &["invalid_json", "validation_failed"]),
            ("words", json_media, b"hello".to_vec(), 400, &["invalid_json"]),
            ("single quotes", json_media, b"{'a':1}".to_vec(), 400, &["invalid_json"]),
            ("a comma too many", json_media, b"{\"a\":1,}".to_vec(), 400, &["invalid_json", "validation_failed"]),
            ("NaN", json_media, b"{\"limit\":NaN}".to_vec(), 400, &["invalid_json", "validation_failed"]),
            ("Infinity", json_media, b"{\"limit\":Infinity}".to_vec(), 400, &["invalid_json", "validation_failed"]),
            ("bytes that are no UTF-8", json_media, b"{\"username\":\"\xff\xfe\"}".to_vec(), 400, &["invalid_utf8"]),
            ("an overlong NUL", json_media, b"{\"username\":\"\xc0\x80\"}".to_vec(), 400, &["invalid_utf8"]),
            ("UTF-16", json_media, b"\xff\xfe{\0}\0".to_vec(), 400, &["invalid_utf8"]),
            ("a raw NUL", json_media, b"{\"username\":\"\0\"}".to_vec(), 400, &["invalid_json", "validation_failed"]),
            ("a lone surrogate", json_media, br#"{"query":"\ud800","username":"\ud800"}"#.to_vec(), 400,
                &["invalid_json", "validation_failed"]),
            ("arrays nested 100 deep", json_media, nested("[", "]"), 400, &["json_too_deep"]),
            ("objects nested 100 deep", json_media, nested("{\"a\":", "}"), 400, &["json_too_deep"]),
            ("an array", json_media, b"[]".to_vec(), 400, &["validation_failed"]),
            ("a number", json_media, b"7".to_vec(), 400, &["validation_failed"]),
            ("null", json_media, b"null".to_vec(), 400, &["validation_failed"]),
            ("a string", json_media, b"\"a\"".to_vec(), 400, &["validation_failed"]),
            ("20,000 keys", json_media, keys.into_bytes(), 400, &["json_too_many_keys", "validation_failed"]),
        ];
        let mut wrong = Vec::new();
        for route in with_body() {
            for (what, media, body, status, codes) in &cases {
                let answer = send_bytes(&world, route, *media, body.clone()).await;
                if answer.status != *status || !codes.contains(&answer.code()) {
                    wrong.push(format!("{what} to {}: {} {}", answer.said, answer.status, shortened(&answer.text())));
                }
            }
            let (path, body) = world.example(route.method, route.path).await;
            let compressed = world.server.request(route.method, &path).bearer_auth(bearer(&world, route));
            let answer = world.server.send(compressed.header("content-encoding", "gzip").json(&body)).await;
            if answer.status != 415 {
                wrong.push(format!("a compressed body to {}: {}", answer.said, answer.status));
            }
            let trailing = format!("{body} {{}}").into_bytes();
            let answer = send_bytes(&world, route, json_media, trailing).await;
            if (answer.status, answer.code()) != (400, "invalid_json") {
                wrong.push(format!("a second value after the body to {}: {} {}", answer.said, answer.status, answer.text()));
            }
        }
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(counts(&world).await, before, "something of all that was stored");
    }
}

/// How much is stored, as far as these routes could add to it.
async fn counts(world: &World) -> (Value, usize, usize) {
    let stats = world.server.get_as(&world.owner.access, "/api/v1/memory/stats").await.expect(200).json;
    let list = async |path: &str| {
        let page = world.server.get_as(&world.owner.access, path).await.expect(200).json;
        // An example of an erasure makes the account that it would erase.
        let is_made =
            |item: &&Value| item["username"].as_str().is_some_and(|name| name.starts_with("leaving-"));
        let items = page["items"].as_array().unwrap();
        items.len() - items.iter().filter(is_made).count()
    };
    (stats["events"].clone(), list("/api/v1/users?limit=200").await, list("/api/v1/api-keys?limit=200").await)
}

on_both_engines! {
    async fn a_body_over_the_limit_is_refused_and_nothing_of_it_stored(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        for route in with_body() {
            let limit = if route.path.starts_with("/api/v1/events") { 10 << 20 } else { 1 << 20 };
            let (path, body) = world.example(route.method, route.path).await;
            let before = counts(&world).await;
            let authorization = format!("Bearer {}", bearer(&world, route));
            let mut headers = vec![("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
            let announced = (limit + 1).to_string();
            headers.push(("Content-Length", &announced));
            // What is announced too large is refused before any of it is read.
            let head = raw::request(route.method, &path, &headers);
            check_too_large(&raw::exchange(world.server.address, &head).await, &path);
            // What grows too large on the way is refused when it does.
            headers.pop();
            headers.push(("Transfer-Encoding", "chunked"));
            let head = raw::request(route.method, &path, &headers);
            let padded = format!("{body}{}", " ".repeat(limit + 1 - body.to_string().len()));
            let mut stream = TcpStream::connect(world.server.address).await.unwrap();
            stream.write_all(&head).await.unwrap();
            stream.write_all(format!("{:x}\r\n{padded}", padded.len()).as_bytes()).await.unwrap();
            check_too_large(&RawAnswer::parse(&raw::rest(&mut stream).await), &path);
            assert_eq!(counts(&world).await, before, "{path} stored something");
        }
    }
}

fn check_too_large(answer: &RawAnswer, path: &str) {
    assert_eq!(answer.status, 413, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["code"], "too_large", "{path}");
}

/// The schema of a route's body, and the document that its references point into.
pub(crate) fn schema_of(api: &Value, route: &Route) -> Value {
    let operation = &api["paths"][route.path][route.method.to_lowercase()];
    operation["requestBody"]["content"]["application/json"]["schema"].clone()
}

/// Follows a reference, and takes the branch of a nullable schema that is not null.
fn resolved(api: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        return resolved(api, &api["components"]["schemas"][name]);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(branches) = schema[choice].as_array() {
            let real = branches.iter().find(|branch| branch["type"] != "null").unwrap();
            return resolved(api, real);
        }
    }
    schema.clone()
}

/// A field of a body: its path, its resolved schema, and whether it must be there.
pub(crate) struct Field {
    pub(crate) path: Vec<String>,
    schema: Value,
    is_required: bool,
}

impl Field {
    pub(crate) fn types(&self) -> Vec<&str> {
        match &self.schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Every documented field of a schema, at any depth; through arrays by their first item.
pub(crate) fn fields(api: &Value, schema: &Value, at: &[String], out: &mut Vec<Field>) {
    let schema = resolved(api, schema);
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map_or(vec![], |names| names.iter().filter_map(Value::as_str).collect());
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let mut path = at.to_vec();
        path.push(name.clone());
        let inner = resolved(api, inner);
        fields(api, &inner, &path, out);
        if inner["items"].is_object() {
            let mut path = path.clone();
            path.push("0".to_owned());
            fields(api, &inner["items"], &path, out);
        }
        out.push(Field { path, is_required: required.contains(&name.as_str()), schema: inner });
    }
}

/// The body with the field set to `value`, or removed. Objects on the way are made.
pub(crate) fn with(body: &Value, path: &[String], value: Option<Value>) -> Value {
    let mut changed = body.clone();
    let (last, way) = path.split_last().unwrap();
    let mut place = &mut changed;
    for step in way {
        place = if let Ok(index) = step.parse::<usize>() {
            &mut place[index]
        } else {
            if place[step].is_null() {
                place[step] = json!({});
            }
            &mut place[step]
        };
    }
    match value {
        Some(value) => place[last] = value,
        None => {
            place.as_object_mut().unwrap().shift_remove(last);
        }
    }
    changed
}

on_both_engines! {
    async fn each_documented_field_deleted_nulled_and_retyped_is_answered_with_a_reason(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let api = serde_json::to_value(server::api::description()).unwrap();
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for route in with_body() {
            let mut all = Vec::new();
            fields(&api, &schema_of(&api, route), &[], &mut all);
            assert!(!all.is_empty(), "{} has no documented fields", route.path);
            for field in &all {
                let name = field.path.join(".");
                let (path, body) = world.example(route.method, route.path).await;
                // Where the example has no such object, what else the object must hold may be missed first.
                let lacking = name.rsplit_once('.').map_or("", |(object, _)| object);
                let lacking = if body.pointer(&format!("/{}", lacking.replace('.', "/"))).is_some() { "" } else { lacking };
                let mut ask = async |what: &str, body: Value, statuses: &[u16]| {
                    let answer = send_json(&world, route, &path, &body).await;
                    tried += 1;
                    let is_named = answer.status != 400 || answer.code() != "validation_failed"
                        || answer.fields().iter().any(|field| field.contains(name.rsplit('.').next().unwrap()) || name.contains(field)
                            || (!lacking.is_empty() && field.starts_with(lacking)));
                    if !statuses.contains(&answer.status) || !is_named {
                        wrong.push(format!("{name} {what} to {}: {} {}", answer.said, answer.status, shortened(&answer.text())));
                    }
                };
                let fine = [200, 201, 202, 400, 401, 403, 404, 409];
                ask("deleted", with(&body, &field.path, None), if field.is_required { &[400] } else { &fine }).await;
                let nullable = field.types().contains(&"null") || !field.is_required;
                ask("nulled", with(&body, &field.path, Some(Value::Null)), if nullable { &fine } else { &[400] }).await;
                let samples = [("string", json!("text")), ("integer", json!(7)), ("boolean", json!(true)),
                    ("array", json!([])), ("object", json!({"a": 1}))];
                for (kind, sample) in samples {
                    let fits = field.types().contains(&kind) || (kind == "integer" && field.types().contains(&"number"));
                    // An array is read as an object's fields in their order, and all of a filter's are optional.
                    let is_empty_filter = kind == "array" && name == "tags";
                    if !fits && !is_empty_filter {
                        ask(kind, with(&body, &field.path, Some(sample)), &[400]).await;
                    }
                }
                if field.types().contains(&"integer") {
                    for number in ["9223372036854775808", "-9223372036854775809", "1e400", "1.5", "\"7\""] {
                        let body = with(&body, &field.path, Some(json!("@@@"))).to_string().replace("\"@@@\"", number);
                        let answer = send_bytes(&world, route, Some("application/json"), body.into_bytes()).await;
                        assert_eq!(answer.status, 400, "{name} {number}: {}", answer.text());
                    }
                }
                if field.types().contains(&"string") {
                    for text in ["", "\0", "a\0b", "\u{1b}[31m", "\u{202e}\u{feff}", "' OR 1=1; --", "%_\\", &"x".repeat(100_000)] {
                        ask(&shortened(&format!("as {text:?}"))[..12.min(text.len() + 3)], with(&body, &field.path, Some(json!(text))),
                            &[200, 201, 202, 400, 401, 403, 404, 409, 413, 429]).await;
                    }
                }
                if field.schema["enum"].is_array() {
                    for word in ["no-such-word", "", "PRIVATE", "null", " message"] {
                        ask("of an unknown word", with(&body, &field.path, Some(json!(word))), &[400]).await;
                    }
                }
            }
        }
        assert!(tried > 500, "only {tried} bodies were tried");
        assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
    }
}

on_both_engines! {
    async fn unknown_fields_are_refused_on_native_routes_and_ignored_on_contract_routes(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        for route in with_body() {
            let (path, mut body) = world.example(route.method, route.path).await;
            let wanted = send_json(&world, route, &path, &body).await.status;
            let (path, fresh) = world.example(route.method, route.path).await;
            body = fresh;
            body["an_unknown_field"] = json!({"deep": [1, 2, 3]});
            let answer = send_json(&world, route, &path, &body).await;
            if route.is_contract {
                assert_eq!(answer.status, wanted, "{path}: {}", answer.text());
                assert!(!answer.text().contains("an_unknown_field"), "{path}");
            } else {
                let answer = answer.expect(400);
                assert_eq!((answer.code(), answer.fields()), ("validation_failed", vec!["an_unknown_field"]), "{path}");
            }
        }
        // In a batch at any depth, with its place.
        let mut deep = json!({"events": [crate::routes_table::event("fine"), crate::routes_table::event("odd")]});
        deep["events"][1]["actor"]["nickname"] = json!("x");
        let answer = world.server.post_as(&world.owner.access, "/api/v1/events/batch", &deep).await.expect(400);
        assert_eq!(answer.fields(), ["events.1.actor.nickname"]);
    }
}
