//! Import: our own export byte for byte, other people's formats, files that are cut, hostile or somebody else's.

use kernel::{Ctx, Scopes};
use memory::import::{Ids, ImportOptions, Imported, Importer, TrustRule};
use serde_json::{Value, json};
use store::rights::{Export, Subject, Who};
use testkit::{Home, bound_key, ctx, homes, key, limited, on_both};

use crate::support::*;

fn admin(tenant: &str) -> Ctx {
    limited(key(tenant, "key_admin"), Scopes::all())
}

fn vouched() -> ImportOptions {
    ImportOptions { trust: Some(TrustRule::Keep), ..ImportOptions::default() }
}

async fn import(room: &Room, who: &Ctx, text: &str, options: ImportOptions) -> kernel::Result<Imported> {
    let mut importer = Importer::new(&room.memory, who, options)?;
    // Pieces that respect no line.
    for piece in text.as_bytes().chunks(10_007) {
        importer.push(piece).await?;
    }
    importer.finish().await
}

async fn export(home: &Home, room: &Room, tenant: &str, owner: &str) -> String {
    let who = Who::Owner(owner.to_owned());
    let subject = Subject { tenant: kernel::TenantId::parse(tenant).unwrap(), who };
    let (blobs, domains) = (home.blobs(), [&memory::rights::DOMAIN]);
    let mut export =
        Export::begin(&home.store, Some(&blobs), &domains, subject, room.clock.now()).await.unwrap();
    let mut out = Vec::new();
    while let Some(lines) = export.next().await.unwrap() {
        out.extend(lines);
    }
    String::from_utf8(out).unwrap()
}

/// Everything but the header.
fn body(export: &str) -> &str {
    export.split_once('\n').unwrap().1
}

/// Something of every kind that there is code for: talk, a long text, a decision and its successor, tasks, memories with
/// versions, sources and an edit, a secret.
async fn lived_in(room: &Room, who: &Ctx) {
    let first = room.record(who, said("The lantern hangs in the harbour.")).await.event_id;
    let long = format!("{} the walrus signs at the end", "All quiet on the pier. ".repeat(6_000));
    room.record(who, event(&long, json!({"session_id": "long", "tags": ["log"], "refs": [first]}))).await;
    room.record(who, said(&format!("my key is sk-{}", "a8Kd93hfQp27LmZx04Rt61Ws"))).await;
    room.record(who, event("for the team", json!({"channel": "team", "client_event_id": "c1"}))).await;
    for decision in ["paint it blue", "paint it green"] {
        let content = json!({"decision": decision, "subject": "boat", "rationale": ["it is cheap"]});
        room.record(who, event("", json!({"kind": "decision", "content": content}))).await;
    }
    let content = json!({"task_id": "t-1", "title": "Buy paint", "status": "open"});
    room.record(who, event("", json!({"kind": "task_update", "content": content}))).await;
    let new = |more: Value| {
        let mut whole =
            json!({"text": "Ana likes saffron.", "subject": "spice", "refs": [first], "pinned": true});
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    };
    let old = room.memory.add_memory(who, new(json!({}))).await.unwrap().memory.memory_id;
    let text = json!({"text": "Ana likes cumin.", "supersedes": old, "metadata": {"from": "dinner"}});
    room.memory.add_memory(who, new(text)).await.unwrap();
    room.memory.pin_memory(who, &old, false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_imported_into_an_empty_database_exports_the_same_bytes() {
    let (sources, targets) = (homes().await, homes().await);
    for (from, to) in sources.iter().zip(targets.iter().rev()) {
        let (room, empty, ana) = (room(from), room(to), ctx("acme", "ana"));
        lived_in(&room, &ana).await;
        let text = export(from, &room, "acme", "ana").await;
        let done = import(&empty, &admin("acme"), &text, vouched()).await.unwrap();
        assert!(done.complete && done.known == 0 && done.skipped.is_empty(), "{done:?}");
        assert_eq!(
            body(&export(to, &empty, "acme", "ana").await),
            body(&text),
            "{} to {}",
            from.name,
            to.name
        );
        for question in ["lantern harbour", "walrus signs", "for the team"] {
            // Among equals the order goes by the ids of chunks, which are made anew.
            let found = empty.found(&ana, question, json!({"include": ["events"]})).await;
            let wanted = room.found(&ana, question, json!({"include": ["events"]})).await;
            assert_eq!((found.first(), found.len()), (wanted.first(), wanted.len()), "{question}");
            assert!(!found.is_empty(), "{question}");
        }
        let again = import(&empty, &admin("acme"), &text, vouched()).await.unwrap();
        assert_eq!(again.imported.values().sum::<u64>(), 0, "{again:?}");
        assert_eq!(body(&export(to, &empty, "acme", "ana").await), body(&text), "after a second time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_administrators_word_it_is_trusted_as_imported_and_the_bytes_differ() {
    on_both(|home| async move {
        let (room, ana, other) = (room(&home), ctx("acme", "ana"), ctx("elsewhere", "ana"));
        lived_in(&room, &ana).await;
        let text = export(&home, &room, "acme", "ana").await;
        assert_eq!(code(import(&room, &other, &text, vouched()).await), "forbidden");
        import(&room, &other, &text, ImportOptions::default()).await.unwrap();
        let copy = export(&home, &room, "elsewhere", "ana").await;
        assert!(copy.contains(r#""trust":"import""#) && !copy.contains(r#""trust":"user""#), "{copy}");
        assert_ne!(body(&copy), body(&text));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_gets_new_ids_and_every_reference_follows() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        lived_in(&room, &ana).await;
        let text = export(&home, &room, "acme", "ana").await;
        let done = import(&room, &admin("elsewhere"), &text, vouched()).await.unwrap();
        assert!(done.known == 0 && done.skipped.is_empty(), "{done:?}");
        let copy = export(&home, &room, "elsewhere", "ana").await;
        let ids = |text: &str, kind: &str| -> Vec<String> {
            let of = |line: &str| serde_json::from_str::<Value>(line).unwrap();
            let lines = text.lines().map(of).filter(|line| line["type"] == kind);
            lines.map(|line| line[format!("{kind}_id")].as_str().unwrap().to_owned()).collect()
        };
        for kind in ["event", "memory", "decision", "task", "artifact"] {
            let (old, new) = (ids(&text, kind), ids(&copy, kind));
            assert!(old.len() == new.len() && !old.is_empty(), "{kind}");
            assert!(old.iter().all(|id| !copy.contains(id.as_str())), "{kind}: an old id is left");
        }
        let there = ctx("elsewhere", "ana");
        for id in ids(&copy, "memory") {
            for source in room.memory.memory_sources(&there, &id).await.unwrap() {
                assert!(ids(&copy, "event").contains(&source.event_id));
            }
        }
        let again = import(&room, &admin("elsewhere"), &text, vouched()).await.unwrap();
        assert_eq!(again.imported.values().sum::<u64>(), 0, "{again:?}");
        // The same ids where they are taken are refused, with the line, and nothing of the chunk stays.
        let keep = ImportOptions { ids: Some(Ids::Keep), ..vouched() };
        let error = import(&room, &admin("third"), &text, keep).await.unwrap_err();
        assert!(error.code == "id_taken" && error.public.starts_with("line "), "{error}");
        assert_eq!(export(&home, &room, "third", "ana").await.lines().count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_the_same_and_writes_nothing() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        lived_in(&room, &ana).await;
        let text = export(&home, &room, "acme", "ana").await;
        let dry = ImportOptions { dry_run: true, ..vouched() };
        let tried = import(&room, &admin("elsewhere"), &text, dry).await.unwrap();
        assert_eq!(export(&home, &room, "elsewhere", "ana").await.lines().count(), 2, "header and footer");
        let done = import(&room, &admin("elsewhere"), &text, vouched()).await.unwrap();
        assert_eq!(Imported { dry_run: false, ..tried }, done);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cut_leaves_whole_chunks_and_goes_on_when_it_is_sent_again() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        for first in (0..1_200).step_by(400) {
            let batch = (first..first + 400).map(|n| said(&format!("remark {n} of the ferry"))).collect();
            room.memory.record_batch(&ana, batch, None).await.unwrap();
        }
        let text = export(&home, &room, "acme", "ana").await;
        let mut importer = Importer::new(&room.memory, &admin("elsewhere"), vouched()).unwrap();
        importer.push(&text.as_bytes()[..text.len() * 3 / 4]).await.unwrap();
        drop(importer);
        let events = async || room.memory.stats(&ctx("elsewhere", "ana"), None).await.unwrap().events;
        let half = events().await;
        assert!(half > 0 && half < 1_200, "{half}");
        // A chunk is 500 rows, the first with the conversation.
        assert_eq!((half + 1) % 500, 0, "{half}");
        let done = import(&room, &admin("elsewhere"), &text, vouched()).await.unwrap();
        assert_eq!((events().await, done.imported["event"]), (1_200, 1_200 - half as u64));
        assert!(done.complete, "{done:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_of_mem0_and_of_the_graph_server_are_found_and_come_once() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let mem0 = json!({"results": [
            {"id": "0b1c", "memory": "Ana plays the violin.", "user_id": "ana", "created_at": "2024-07-01T12:00:00-07:00",
                "metadata": {"room": "attic"}, "run_id": "r-1", "hash": "x"},
            {"id": "0b1d", "memory": format!("her token is sk-{}", "a8Kd93hfQp27LmZx04Rt61Ws"), "user_id": "ana"},
        ]});
        // As a document over several lines, and as one line.
        for text in [serde_json::to_string_pretty(&mem0).unwrap(), mem0.to_string()] {
            let done = import(&room, &ana, &text, ImportOptions::default()).await.unwrap();
            assert_eq!(done.format, "mem0");
        }
        let graph = [
            json!({"type": "entity", "name": "Ben", "entityType": "person", "observations": ["keeps bees", "keeps bees"]}),
            json!({"type": "entity", "name": "Hive", "entityType": "thing", "observations": []}),
            json!({"type": "relation", "from": "Ben", "to": "Hive", "relationType": "built"}),
        ];
        let graph = graph.map(|line| line.to_string()).join("\n");
        let done = import(&room, &ana, &graph, ImportOptions::default()).await.unwrap();
        assert_eq!((done.imported["entity"], done.imported["relation"], done.imported["memory"]), (2, 1, 1));
        let again = import(&room, &ana, &graph, ImportOptions::default()).await.unwrap();
        assert_eq!(again.imported.values().sum::<u64>(), 0, "{again:?}");
        for (question, text) in [("who plays the violin?", "Ana plays the violin."), ("bees", "keeps bees")] {
            let answer = room.ask(&ana, question, json!({})).await;
            let texts: Vec<&str> = answer.items.iter().map(|item| item.text.as_str()).collect();
            assert_eq!(texts, [text]);
            let memory = answer.items[0].memory.as_ref().unwrap();
            assert_eq!((memory.trust.as_str(), memory.version), ("import", 1));
        }
        assert!(room.ask(&ana, "token", json!({})).await.items.is_empty(), "a secret is not found");
        assert!(!export(&home, &room, "acme", "ana").await.contains("a8Kd93hfQp27"), "nor is it there");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_with_their_line_and_leave_nothing() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        lived_in(&room, &ana).await;
        let text = export(&home, &room, "acme", "ana").await;
        let event = text.lines().find(|line| line.starts_with(r#"{"type":"event""#)).unwrap();
        let changed = |field: &str, value: Value| {
            let mut line: Value = serde_json::from_str(event).unwrap();
            line[field] = value;
            format!("{}\n{line}\n", text.lines().next().unwrap())
        };
        let deep = format!("{{\"memory\":\"x\",\"metadata\":{}{}}}", "[".repeat(40), "]".repeat(40));
        let ours = |n: usize| format!("{}\n{}\n", text.lines().next().unwrap(), "x".repeat(n));
        let cases: Vec<(String, &str)> = vec![
            (String::new(), "import_refused"),
            ("hello".to_owned(), "invalid_json"),
            ("{\"type\":\"poem\"}".to_owned(), "import_refused"),
            (ours(11 << 20), "too_large"),
            (deep, "json_too_deep"),
            (changed("tenant_id", json!("other")), "import_refused"),
            (changed("user_id", json!("ben")), "not_found"),
            (changed("event_id", json!("evt_../../etc")), "import_refused"),
            (changed("kind", json!("drop table")), "import_refused"),
            (changed("seq", json!(-1)), "import_refused"),
            (changed("seq", json!(1_u64 << 60)), "import_refused"),
            (changed("content", json!("[]")), "import_refused"),
            (changed("content", json!("{\"text\":\"a\\u0000b\"}")), "import_refused"),
            (
                changed("content", json!(format!("{}{}", "[".repeat(90_000), "]".repeat(90_000)))),
                "json_too_deep",
            ),
            (changed("session_id", json!("a\u{0}b")), "import_refused"),
            (changed("refs", json!("{}")), "import_refused"),
            (changed("recalled", json!("yes")), "import_refused"),
            (changed("'; --", json!(1)), "import_refused"),
        ];
        let elsewhere = bound_key("elsewhere", "key_1", "ana");
        for (at, (text, wanted)) in cases.into_iter().enumerate() {
            let error = import(&room, &elsewhere, &text, ImportOptions::default()).await.unwrap_err();
            assert_eq!(error.code, wanted, "case {at}: {error}");
            assert!(error.public.starts_with("line ") || at == 0, "case {at}: {error}");
        }
        assert_eq!(export(&home, &room, "elsewhere", "ana").await.lines().count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn circles_and_the_events_of_others_lead_nowhere() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        lived_in(&room, &ana).await;
        let of_ben = room.record(&ben, said("a remark of Ben's")).await.event_id;
        let text = export(&home, &room, "acme", "ana").await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let memories: Vec<&Value> = lines.iter().filter(|line| line["type"] == "memory").collect();
        let (mut one, mut two) = (memories[0].clone(), memories[1].clone());
        (one["superseded_by"], two["superseded_by"]) = (two["memory_id"].clone(), one["memory_id"].clone());
        let file = |lines: &[&Value]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        import(&room, &admin("elsewhere"), &file(&[&lines[0], &one, &two]), vouched()).await.unwrap();
        let there = ctx("elsewhere", "ana");
        assert!(room.ask(&there, "saffron cumin", json!({})).await.items.is_empty(), "both are superseded");
        let shown = json!({"show": ["superseded"]});
        assert_eq!(room.ask(&there, "saffron cumin", shown).await.items.len(), 2);

        let source = json!({"type": "memory_source", "memory_id": one["memory_id"], "event_id": of_ben});
        let error = import(&room, &admin("acme"), &file(&[&lines[0], &source]), vouched()).await.unwrap_err();
        assert!(error.code == "unknown_ref" && error.public.starts_with("line 2"), "{error}");
        let done = import(&room, &admin("elsewhere"), &file(&[&lines[0], &source]), vouched()).await.unwrap();
        assert_eq!(done.skipped["memory_source"], 1, "another tenant's is not there");
    })
    .await;
}
