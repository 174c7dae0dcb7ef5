//! Blocks: changed by versions, shared by name, refused when stale, too long or for reading only.

use kernel::{Ctx, Micros, PageRequest, Result};
use memory::blocks::{Block, BlockChange, BlockFilter, BlockPlace, NewBlock, in_view};
use memory::rights::retention;
use serde_json::{Value, json};
use store::retention::run;
use testkit::{bound_key, ctx, key, on_both};

use crate::support::{Room, code, room};

fn at(label: &str) -> BlockPlace {
    BlockPlace { label: label.to_owned(), ..BlockPlace::default() }
}

fn of_agent(agent: &str, label: &str) -> BlockPlace {
    BlockPlace { agent_id: Some(agent.to_owned()), ..at(label) }
}

fn change(version: i64, more: Value) -> BlockChange {
    let mut whole = json!({"expected_version": version});
    for (name, value) in more.as_object().unwrap() {
        whole[name] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn page() -> PageRequest {
    PageRequest { limit: 200, cursor: None }
}

impl Room {
    async fn block(&self, ctx: &Ctx, more: Value) -> Result<Block> {
        let new: NewBlock = serde_json::from_value(more).unwrap();
        self.memory.create_block(ctx, new).await
    }

    async fn change(&self, ctx: &Ctx, place: BlockPlace, version: i64, more: Value) -> Result<Block> {
        self.memory.change_block(ctx, place, change(version, more)).await
    }

    async fn labels(&self, ctx: &Ctx, filter: BlockFilter) -> Vec<String> {
        let page = self.memory.list_blocks(ctx, &filter, &page()).await.unwrap();
        page.items.into_iter().map(|block| block.label).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_block_is_a_version_with_its_maker() {
    on_both(|home| async move {
        let (room, ana, agent) = (room(&home), ctx("acme", "ana"), bound_key("acme", "key_1", "ana"));
        let made = room.block(&ana, json!({"label": "persona", "text": "one\nthree"})).await.unwrap();
        assert_eq!((made.version, made.agent_id, made.limit_chars), (1, None, 20_000));
        let inserted = json!({"insert": {"line": 1, "text": "two"}});
        assert_eq!(room.change(&agent, at("persona"), 1, inserted).await.unwrap().text, "one\ntwo\nthree");
        let replaced = json!({"replace": {"old": "two", "new": "2"}, "description": "numbers"});
        let second = room.change(&ana, at("persona"), 2, replaced).await.unwrap();
        assert_eq!((second.text.as_str(), second.description.as_str()), ("one\n2\nthree", "numbers"));
        room.change(&ana, at("persona"), 3, json!({"rethink": "now and then"})).await.unwrap();
        let versions = room.memory.block_versions(&ana, &at("persona"), &page()).await.unwrap().items;
        let seen: Vec<_> =
            versions.iter().map(|one| (one.version, one.text.as_str(), one.actor.as_str())).collect();
        assert_eq!(
            seen,
            [
                (4, "now and then", "ana"),
                (3, "one\n2\nthree", "ana"),
                (2, "one\ntwo\nthree", "key_1"),
                (1, "one\nthree", "ana")
            ]
        );
        for (more, field) in [
            (json!({"replace": {"old": "n", "new": "x"}}), "replace.old"),
            (json!({"replace": {"old": "absent", "new": "x"}}), "replace.old"),
            (json!({"insert": {"line": 2, "text": "x"}}), "insert.line"),
            (json!({"insert": {"line": 0, "text": "x"}, "rethink": "x"}), "insert"),
            (json!({"limit_chars": 20_001}), "limit_chars"),
        ] {
            let error = room.change(&ana, at("persona"), 4, more).await.unwrap_err();
            assert_eq!((error.code, error.fields[0].field.as_str()), ("validation_failed", field));
        }
        let kept = room.memory.get_block(&ana, &at("persona")).await.unwrap();
        assert_eq!((kept.version, kept.text.as_str()), (4, "now and then"), "a refusal changes nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_one_version_one_is_shown_what_the_other_wrote() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.block(&ana, json!({"label": "plan"})).await.unwrap();
        for round in 1..=5 {
            let write = |text: String| {
                let (memory, ana) = (room.memory.clone(), ana.clone());
                async move { memory.change_block(&ana, at("plan"), change(round, json!({"rethink": text}))).await }
            };
            let (a, b) = (tokio::spawn(write(format!("a{round}"))), tokio::spawn(write(format!("b{round}"))));
            let (a, b) = (a.await.unwrap(), b.await.unwrap());
            let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
            let (won, lost) = (won.unwrap(), lost.unwrap_err());
            assert_eq!((won.version, lost.code), (round + 1, "block_stale"));
            assert_eq!(lost.current.unwrap()["text"], json!(won.text));
        }
        assert_eq!(room.memory.block_versions(&ana, &at("plan"), &page()).await.unwrap().items.len(), 6);
        let make = |text: &'static str| {
            let (memory, ana) = (room.memory.clone(), ana.clone());
            let new: NewBlock = serde_json::from_value(json!({"label": "new", "text": text})).unwrap();
            async move { code(memory.create_block(&ana, new).await) }
        };
        let (a, b) = (tokio::spawn(make("a")), tokio::spawn(make("b")));
        let mut codes = [a.await.unwrap(), b.await.unwrap()];
        codes.sort_unstable();
        assert_eq!(codes, ["block_exists", "ok"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_over_its_limit_is_refused_whole() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let made = room.block(&ana, json!({"label": "b", "text": "äöü", "limit_chars": 3})).await.unwrap();
        assert_eq!(made.text, "äöü", "the limit counts characters");
        for more in [
            json!({"rethink": "äöüß"}),
            json!({"insert": {"line": 1, "text": "x"}}),
            json!({"limit_chars": 2}),
        ] {
            assert_eq!(code(room.change(&ana, at("b"), 1, more).await), "too_large");
        }
        assert_eq!(room.memory.get_block(&ana, &at("b")).await.unwrap(), made);
        let long = json!({"label": "long", "text": "x".repeat(20_001)});
        assert_eq!(code(room.block(&ana, long).await), "too_large");
        assert_eq!(code(room.memory.get_block(&ana, &at("long")).await), "not_found");
        assert!(room.change(&ana, at("b"), 1, json!({"rethink": "1234", "limit_chars": 4})).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_only_read_what_is_for_reading_and_cannot_lift_it() {
    on_both(|home| async move {
        let (room, ana, agent) = (room(&home), ctx("acme", "ana"), bound_key("acme", "key_1", "ana"));
        room.block(&ana, json!({"label": "law", "text": "be kind", "read_only": true})).await.unwrap();
        assert_eq!(room.memory.get_block(&agent, &at("law")).await.unwrap().text, "be kind");
        for more in [json!({"rethink": "x"}), json!({"read_only": false}), json!({"description": "x"})] {
            assert_eq!(code(room.change(&agent, at("law"), 1, more).await), "block_read_only");
        }
        assert_eq!(code(room.memory.delete_block(&agent, at("law"), None).await), "block_read_only");
        room.block(&agent, json!({"label": "own"})).await.unwrap();
        let lock = room.change(&agent, at("own"), 1, json!({"read_only": true})).await;
        assert_eq!(code(lock), "block_read_only", "what is for reading is for people to say");
        assert!(room.change(&ana, at("law"), 1, json!({"read_only": false})).await.is_ok());
        assert!(room.change(&agent, at("law"), 2, json!({"rethink": "be kinder"})).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_share_a_block_by_its_name_until_one_has_its_own() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.block(&ana, json!({"label": "home", "text": "in Kiel"})).await.unwrap();
        room.block(&ana, json!({"label": "mood", "agent_id": "a"})).await.unwrap();
        let changed =
            room.change(&ana, of_agent("a", "home"), 1, json!({"rethink": "in Lund"})).await.unwrap();
        assert_eq!(changed.agent_id, None, "it is the shared one");
        assert_eq!(room.memory.get_block(&ana, &of_agent("b", "home")).await.unwrap().text, "in Lund");
        assert_eq!(code(room.memory.get_block(&ana, &of_agent("b", "mood")).await), "not_found");
        room.block(&ana, json!({"label": "home", "agent_id": "a", "text": "on a boat"})).await.unwrap();
        assert_eq!(room.memory.get_block(&ana, &of_agent("a", "home")).await.unwrap().text, "on a boat");
        assert_eq!(room.memory.get_block(&ana, &of_agent("b", "home")).await.unwrap().text, "in Lund");
        assert_eq!(room.labels(&ana, BlockFilter::default()).await, ["home", "home", "mood"]);
        room.block(&ana, json!({"label": "/memories/a.md", "text": "a file"})).await.unwrap();
        let mut conn = home.store.read(&ana.tenant).await.unwrap();
        let seen = in_view(&mut conn, &ana.tenant, "ana", "a").await.unwrap();
        let seen: Vec<_> = seen.iter().map(|block| (block.label.as_str(), block.text.as_str())).collect();
        assert_eq!(
            seen,
            [("home", "on a boat"), ("mood", "")],
            "an agent's own before the shared one, and no files"
        );
        room.memory.delete_block(&ana, at("/memories/a.md"), None).await.unwrap();
        let of_b = BlockFilter { agent_id: Some("b".to_owned()), ..BlockFilter::default() };
        assert_eq!(room.labels(&ana, of_b).await, ["home"]);
        let prefix = BlockFilter { prefix: Some("m%".to_owned()), ..BlockFilter::default() };
        assert_eq!(room.labels(&ana, prefix).await, Vec::<String>::new(), "a prefix is plain text");
        room.memory.delete_block(&ana, of_agent("a", "home"), Some(1)).await.unwrap();
        assert_eq!(room.memory.get_block(&ana, &of_agent("a", "home")).await.unwrap().text, "in Lund");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_block_is_gone_at_once_and_its_versions_after_thirty_days() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.block(&ana, json!({"label": "note", "text": "first"})).await.unwrap();
        assert_eq!(code(room.memory.delete_block(&ana, at("note"), Some(2)).await), "block_stale");
        room.memory.delete_block(&ana, at("note"), Some(1)).await.unwrap();
        assert_eq!(code(room.memory.get_block(&ana, &at("note")).await), "not_found");
        assert_eq!(code(room.memory.delete_block(&ana, at("note"), None).await), "not_found");
        assert_eq!(code(room.change(&ana, at("note"), 2, json!({"rethink": "x"})).await), "not_found");
        let again = room.block(&ana, json!({"label": "note", "text": "third"})).await.unwrap();
        assert_eq!(again.version, 3, "its name goes on where its versions ended");
        let versions = room.memory.block_versions(&ana, &at("note"), &page()).await.unwrap().items;
        assert_eq!(versions.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["third", "", "first"]);
        room.memory.delete_block(&ana, at("note"), None).await.unwrap();
        room.block(&ana, json!({"label": "kept"})).await.unwrap();
        room.clock.advance(30 * Micros::DAY);
        let removed = async || {
            let outcomes = run(&home.store, &room.clock, &retention()).await.unwrap();
            outcomes.iter().find(|one| one.rule == "blocks.deleted").unwrap().rows
        };
        assert_eq!(removed().await, 0);
        room.clock.advance(Micros::SECOND);
        assert_eq!(removed().await, 1);
        assert_eq!(code(room.memory.block_versions(&ana, &at("note"), &page()).await), "not_found");
        assert_eq!(room.labels(&ana, BlockFilter::default()).await, ["kept"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_block_looks_like_none_and_secrets_stay_out() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        let made = room
            .block(&ana, json!({"label": "keys", "text": format!("use {secret}"), "description": secret}))
            .await;
        let made = made.unwrap();
        assert!(!format!("{made:?}").contains(&secret) && made.text.starts_with("use [secret:"), "{made:?}");
        assert_eq!(code(room.block(&ana, json!({"label": secret})).await), "validation_failed");
        for bad in ["", "/etc/passwd", "/memories/../x", "a\nb"] {
            assert_eq!(code(room.block(&ana, json!({"label": bad})).await), "validation_failed", "{bad:?}");
        }
        let of_ana = || BlockPlace { user_id: Some("ana".to_owned()), ..at("keys") };
        for stranger in [
            ctx("acme", "ben"),
            ctx("other", "ana"),
            key("other", "key_2"),
            bound_key("acme", "key_3", "ben"),
        ] {
            let as_self =
                stranger.principal.user_id.as_deref() == Some("ana") || stranger.principal.user_id.is_none();
            assert_eq!(code(room.memory.get_block(&stranger, &of_ana()).await), "not_found");
            assert_eq!(code(room.memory.block_versions(&stranger, &of_ana(), &page()).await), "not_found");
            assert_eq!(code(room.change(&stranger, of_ana(), 1, json!({"rethink": "x"})).await), "not_found");
            assert_eq!(code(room.memory.delete_block(&stranger, of_ana(), None).await), "not_found");
            let filter = BlockFilter { user_id: Some("ana".to_owned()), ..BlockFilter::default() };
            let listed = room.memory.list_blocks(&stranger, &filter, &page()).await;
            assert_eq!(listed.map(|page| page.items.len()).ok(), as_self.then_some(0));
        }
        let unbound = room.memory.get_block(&key("acme", "key_4"), &of_ana()).await;
        assert!(unbound.is_ok(), "an unbound key acts for any owner of its tenant");
    })
    .await;
}
