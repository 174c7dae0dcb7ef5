//! Rules and capsules: what agents must do, and what one hands to another.

use kernel::{Ctx, Micros, PageRequest, Result, Scopes};
use memory::capsules::{Capsule, CapsuleReader, NewCapsule, addressed_to};
use memory::events::Channel;
use memory::rights::retention;
use memory::rules::{NewRule, Rule, RuleFilter, RulePatch, in_force};
use serde_json::{Value, json};
use store::retention::run;
use testkit::{bound_key, ctx, key, limited, on_both};

use crate::support::{Room, code, event, room, said};

fn reader(agent: &str) -> CapsuleReader {
    CapsuleReader { agent_id: Some(agent.to_owned()), channel: None }
}

impl Room {
    async fn rule(&self, ctx: &Ctx, more: Value) -> Result<Rule> {
        let new: NewRule = serde_json::from_value(more).unwrap();
        self.memory.add_rule(ctx, new).await
    }

    /// From `worker` to `scout` with `more` fields.
    async fn capsule(&self, ctx: &Ctx, more: Value) -> Result<Capsule> {
        let mut whole =
            json!({"author_agent_id": "worker", "audience_agent_ids": ["scout"], "packet": {"goal": "sail"}});
        for (name, value) in more.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let new: NewCapsule = serde_json::from_value(whole).unwrap();
        self.memory.create_capsule(ctx, new).await
    }

    async fn capsule_ids(&self, ctx: &Ctx, agent: &str) -> Vec<String> {
        let page = PageRequest { limit: 200, cursor: None };
        let page = self.memory.list_capsules(ctx, None, &reader(agent), &page).await.unwrap();
        page.items.into_iter().map(|one| one.capsule_id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_by_scope_then_priority_and_only_where_they_may_be_shown() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let admin = limited(ctx("acme", "olga"), Scopes::all());
        room.rule(&admin, json!({"scope": "org", "content": "Be kind.", "channel": "public", "priority": 2}))
            .await
            .unwrap();
        room.rule(&admin, json!({"scope": "org", "content": "Name the team.", "channel": "team"}))
            .await
            .unwrap();
        room.rule(&ana, json!({"content": "Call me A.", "priority": 1})).await.unwrap();
        room.rule(&ana, json!({"content": "Write short.", "priority": 9, "channel": "public"}))
            .await
            .unwrap();
        room.rule(&ana, json!({"scope": "project", "content": "Use metres.", "priority": -1})).await.unwrap();
        room.rule(&ben, json!({"content": "Call me B.", "channel": "public"})).await.unwrap();
        let mut conn = home.store.read(&ana.tenant).await.unwrap();
        for (channel, wanted) in [
            (
                Channel::Private,
                vec!["Be kind.", "Name the team.", "Use metres.", "Write short.", "Call me A."],
            ),
            (Channel::Team, vec!["Be kind.", "Name the team.", "Write short."]),
            (Channel::Public, vec!["Be kind.", "Write short."]),
        ] {
            let rules = in_force(&mut conn, &ana.tenant, "ana", channel).await.unwrap();
            assert_eq!(
                rules.iter().map(|rule| rule.content.as_str()).collect::<Vec<_>>(),
                wanted,
                "{channel:?}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_the_tenant_are_for_administrators_and_others_look_absent() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let admin = limited(ctx("acme", "olga"), Scopes::all());
        let org = json!({"scope": "org", "content": "Be kind."});
        for member in [&ana, &key("acme", "key_1"), &bound_key("acme", "key_2", "ana")] {
            assert_eq!(code(room.rule(member, org.clone()).await), "forbidden");
        }
        let org = room.rule(&admin, org).await.unwrap();
        let own = room.rule(&ana, json!({"content": "Write short."})).await.unwrap();
        let patch = || RulePatch { content: Some("Be loud.".to_owned()), ..RulePatch::default() };
        for member in [&ana, &key("acme", "key_1")] {
            assert_eq!(room.memory.get_rule(member, &org.rule_id).await.unwrap(), org);
            assert_eq!(code(room.memory.change_rule(member, &org.rule_id, patch()).await), "forbidden");
            assert_eq!(code(room.memory.remove_rule(member, &org.rule_id).await), "forbidden");
        }
        for stranger in [&ctx("acme", "ben"), &ctx("other", "ana"), &key("other", "key_3"), &admin] {
            assert_eq!(code(room.memory.get_rule(stranger, &own.rule_id).await), "not_found");
            assert_eq!(code(room.memory.change_rule(stranger, &own.rule_id, patch()).await), "not_found");
            assert_eq!(code(room.memory.remove_rule(stranger, &own.rule_id).await), "not_found");
        }
        let changed = room.memory.change_rule(&admin, &org.rule_id, patch()).await.unwrap();
        assert_eq!(
            (changed.content.as_str(), changed.user_id, changed.scope.as_str()),
            ("Be loud.", None, "org")
        );
        let off: RulePatch = serde_json::from_value(json!({"state": "disabled"})).unwrap();
        room.memory.change_rule(&ana, &own.rule_id, off).await.unwrap();
        let list = |filter: Value| {
            let word = |name: &str| serde_json::from_value(filter[name].clone()).unwrap();
            let filter = RuleFilter {
                user_id: None,
                scope: word("scope"),
                state: serde_json::from_value(filter["state"].clone()).unwrap(),
            };
            let (memory, ana) = (room.memory.clone(), ana.clone());
            async move {
                memory
                    .list_rules(&ana, &filter, 10)
                    .await
                    .unwrap()
                    .into_iter()
                    .map(|one| one.rule_id)
                    .collect::<Vec<_>>()
            }
        };
        assert_eq!(list(json!({})).await, [org.rule_id.as_str()]);
        assert_eq!(list(json!({"state": "disabled"})).await, [own.rule_id.as_str()]);
        room.memory.remove_rule(&ana, &own.rule_id).await.unwrap();
        assert_eq!(code(room.memory.get_rule(&ana, &own.rule_id).await), "not_found");
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        let kept = room.rule(&ana, json!({"content": format!("Use {secret}.")})).await.unwrap();
        assert!(kept.content.starts_with("Use [secret:"), "{}", kept.content);
        for (bad, wanted) in [
            (json!({"content": " "}), "validation_failed"),
            (json!({"content": "x", "priority": 101}), "validation_failed"),
            (json!({"content": "x".repeat(8_001)}), "too_large"),
            (json!({"content": "x", "user_id": "ben"}), "not_found"),
        ] {
            assert_eq!(code(room.rule(&ana, bad).await), wanted);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capsule_is_read_by_its_author_and_audience_until_it_ends() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let agents = bound_key("acme", "key_1", "ana");
        let talk = room.record(&ana, said("the harbour closes at six")).await;
        let decision: memory::work::NewDecision =
            serde_json::from_value(json!({"decision": "sail at five"})).unwrap();
        let (decision, _) = room.memory.record_decision(&ana, decision).await.unwrap();
        let items = json!({"decisions": [decision], "chunks": talk.chunk_ids});
        let more = json!({"items": items, "risks": ["fog"], "ttl_days": 1, "subject_id": "my own id"});
        let made = room.capsule(&agents, more).await.unwrap();
        let id = made.capsule_id.as_str();
        let read = async |who: &Ctx, agent: Option<&str>| {
            let reader = CapsuleReader { agent_id: agent.map(str::to_owned), channel: None };
            room.memory.get_capsule(who, id, &reader).await
        };
        for (who, agent) in [
            (&agents, Some("worker")),
            (&agents, Some("scout")),
            (&ana, None),
            (&key("acme", "key_9"), Some("scout")),
        ] {
            let capsule = read(who, agent).await.unwrap();
            assert_eq!(capsule, made);
            assert_eq!(capsule.items.chunks[0].text, "the harbour closes at six");
            assert_eq!(capsule.items.decisions[0].decision, "sail at five");
        }
        assert_eq!(code(read(&agents, None).await), "validation_failed", "a key says which agent it is");
        let strangers = [
            (agents.clone(), "other"),
            (agents.clone(), "scout\""),
            (agents.clone(), "sco"),
            (ctx("acme", "ben"), "scout"),
            (bound_key("acme", "key_2", "ben"), "worker"),
            (ctx("other", "ana"), "scout"),
            (key("other", "key_3"), "scout"),
        ];
        for (who, agent) in &strangers {
            assert_eq!(code(read(who, Some(agent)).await), "not_found", "{agent}");
            assert_eq!(room.capsule_ids(who, agent).await, Vec::<String>::new());
            assert_eq!(code(room.memory.revoke_capsule(who, id, &reader(agent)).await), "not_found");
        }
        assert_eq!(room.capsule_ids(&agents, "scout").await, [id]);
        assert_eq!(code(room.memory.revoke_capsule(&agents, id, &reader("scout")).await), "forbidden");
        let second = room.capsule(&agents, json!({"ttl_days": 2})).await.unwrap().capsule_id;
        room.memory.revoke_capsule(&agents, &second, &reader("worker")).await.unwrap();
        assert_eq!(
            code(room.memory.get_capsule(&ana, &second, &CapsuleReader::default()).await),
            "not_found"
        );
        room.clock.advance(Micros::DAY - 1);
        assert!(read(&agents, Some("scout")).await.is_ok());
        room.clock.advance(1);
        assert_eq!(code(read(&agents, Some("scout")).await), "not_found");
        assert_eq!(room.capsule_ids(&agents, "scout").await, Vec::<String>::new());
        room.clock.advance(1);
        let outcomes = run(&home.store, &room.clock, &retention()).await.unwrap();
        assert_eq!(outcomes.iter().find(|one| one.rule == "capsules.expired").unwrap().rows, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_capsule_names_is_looked_at_again_whenever_it_is_read() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let soon = json!({"expires_at": room.clock.now().plus(Micros::SECOND)});
        let passing = room.record(&ana, event("passing", soon)).await.chunk_ids[0].clone();
        let private = room.record(&ana, said("private")).await.chunk_ids[0].clone();
        let open = room.record(&ben, event("open", json!({"channel": "public"}))).await.chunk_ids[0].clone();
        let high = json!({"channel": "team", "sensitivity": "high"});
        let high = room.record(&ben, event("high", high)).await.chunk_ids[0].clone();
        let items = json!({"chunks": [passing, private, open, high]});
        let made = room.capsule(&ana, json!({"items": items})).await.unwrap();
        let texts = async |channel: Channel| -> Vec<Vec<String>> {
            let mut conn = home.store.read(&ana.tenant).await.unwrap();
            let now = room.clock.now();
            let capsules = addressed_to(&mut conn, &ana.tenant, "ana", "scout", channel, now).await.unwrap();
            capsules
                .into_iter()
                .map(|one| one.items.chunks.into_iter().map(|chunk| chunk.text).collect())
                .collect()
        };
        assert_eq!(texts(Channel::Private).await, [["passing", "private", "open", "high"]]);
        assert_eq!(texts(Channel::Agent).await, [["open"]]);
        assert_eq!(
            texts(Channel::Team).await,
            Vec::<Vec<String>>::new(),
            "a capsule is no matter for the team"
        );
        assert_eq!(texts(Channel::Public).await, Vec::<Vec<String>>::new());
        room.clock.advance(Micros::SECOND);
        assert_eq!(texts(Channel::Private).await, [["private", "open", "high"]]);
        let mut conn = home.store.read(&ana.tenant).await.unwrap();
        let now = room.clock.now();
        let of_author =
            addressed_to(&mut conn, &ana.tenant, "ana", "worker", Channel::Private, now).await.unwrap();
        assert!(of_author.is_empty(), "what it handed over is not handed back");
        assert_eq!(made.items.chunks.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capsule_keeps_to_its_limits_and_names_only_what_is_there() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let foreign = room.record(&ben, said("a word of ben's")).await;
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        let many = |count: usize| (0..count).map(|n| format!("agent {n}")).collect::<Vec<_>>();
        let absent = "0123456789abcdefghjkmnpqrs";
        for (more, wanted) in [
            (json!({"audience_agent_ids": []}), "validation_failed"),
            (json!({"audience_agent_ids": many(33)}), "validation_failed"),
            (json!({"ttl_days": 0}), "validation_failed"),
            (json!({"ttl_days": 91}), "validation_failed"),
            (json!({"packet": {"goal": " "}}), "validation_failed"),
            (json!({"packet": {"goal": "x", "state": "word ".repeat(5_000)}}), "too_large"),
            (json!({"items": {"chunks": many(21)}}), "validation_failed"),
            (json!({"items": {"chunks": foreign.chunk_ids}}), "unknown_ref"),
            (json!({"items": {"chunks": [format!("chk_{absent}")]}}), "unknown_ref"),
            (json!({"items": {"decisions": [format!("dec_{absent}")]}}), "unknown_ref"),
            (json!({"items": {"decisions": ["no id"]}}), "unknown_ref"),
            (json!({"items": {"artifacts": [format!("art_{absent}")]}}), "unknown_ref"),
            (json!({"subject_id": format!("tsk_{absent}")}), "unknown_ref"),
            (json!({"subject_id": foreign.event_id}), "unknown_ref"),
            (json!({"user_id": "ben"}), "not_found"),
        ] {
            assert_eq!(code(room.capsule(&ana, more.clone()).await), wanted, "{more}");
        }
        assert_eq!(room.capsule_ids(&ana, "scout").await, Vec::<String>::new(), "nothing was stored");
        let more = json!({"audience_agent_ids": many(32), "ttl_days": 90, "packet": {"goal": secret, "next_steps": [secret]}});
        let made = room.capsule(&ana, more).await.unwrap();
        assert!(!format!("{made:?}").contains(&secret), "{made:?}");
        assert_eq!(room.capsule_ids(&ana, "agent 31").await, [made.capsule_id]);
        // A name that looks like part of a list is a name.
        room.capsule(&ana, json!({"audience_agent_ids": ["x\",\"scout", "[\"scout"]})).await.unwrap();
        assert_eq!(room.capsule_ids(&ana, "scout").await, Vec::<String>::new());
        assert_eq!(room.capsule_ids(&ana, "x\",\"scout").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_of_ours_leads_to_something_of_its_owner() {
    on_both(|home| async move {
        let (room, ana, ben) = (room(&home), ctx("acme", "ana"), ctx("acme", "ben"));
        let add = async |who: &Ctx| {
            let task = serde_json::from_value(json!({"title": "paint"})).unwrap();
            let decision = serde_json::from_value(json!({"decision": "red"})).unwrap();
            let memory = serde_json::from_value(json!({"text": "the boat is blue"})).unwrap();
            [
                room.memory.record_task(who, None, task).await.unwrap().task_id,
                room.memory.record_decision(who, decision).await.unwrap().0,
                room.memory.add_memory(who, memory).await.unwrap().memory.memory_id,
                room.capsule(who, json!({})).await.unwrap().capsule_id,
            ]
        };
        let (own, foreign) = (add(&ana).await, add(&ben).await);
        let refer = async |id: &str| {
            let refs = json!({"refs": [id]});
            let recorded = code(room.memory.record(&ana, event("see there", refs.clone()), None).await);
            let decision = serde_json::from_value(json!({"decision": "so", "refs": [id]})).unwrap();
            assert_eq!(code(room.memory.record_decision(&ana, decision).await), recorded);
            recorded
        };
        for (mine, theirs) in own.iter().zip(&foreign) {
            assert_eq!(refer(mine).await, "ok", "{mine}");
            assert_eq!(refer(theirs).await, "unknown_ref", "{theirs}");
            let (prefix, _) = mine.split_once('_').unwrap();
            assert_eq!(refer(&format!("{prefix}_0123456789abcdefghjkmnpqrs")).await, "unknown_ref");
            assert_eq!(refer(&format!("{prefix}_")).await, "unknown_ref");
        }
        assert_eq!(refer("https://example.org/mem_1").await, "ok", "what is not ours is the caller's");
        // Inside a batch events refer to each other by the caller's own ids.
        let batch = |id: &str| {
            let first = event("first", json!({"client_event_id": "one"}));
            vec![first, event("second", json!({"refs": [format!("client:{id}")]}))]
        };
        assert_eq!(code(room.memory.record_batch(&ana, batch("one"), None).await), "ok");
        assert_eq!(code(room.memory.record_batch(&ana, batch("two"), None).await), "unknown_ref");
    })
    .await;
}
