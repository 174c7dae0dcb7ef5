//! Decisions and tasks: made by events of their kind, superseded and changed by later ones.

use kernel::Ctx;
use memory::work::{Decision, NewDecision, Task, TaskPatch, TaskStatus};
use serde_json::{Value, json};
use testkit::{bound_key, ctx, on_both};

use crate::support::{Room, code, event, room};

fn decision(text: &str, more: Value) -> NewDecision {
    let mut whole = json!({"decision": text});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn task(more: Value) -> TaskPatch {
    serde_json::from_value(more).unwrap()
}

impl Room {
    async fn decide(&self, ctx: &Ctx, text: &str, more: Value) -> String {
        self.memory.record_decision(ctx, decision(text, more)).await.unwrap().0
    }

    async fn active(&self, ctx: &Ctx) -> Vec<Decision> {
        self.memory.list_decisions(ctx, None, "active", 100).await.unwrap()
    }

    async fn open_tasks(&self, ctx: &Ctx) -> Vec<Task> {
        self.memory.list_tasks(ctx, None, None, 100).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_takes_the_place_of_the_one_before_and_refers_to_it() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let first = room
            .decide(&ana, "Use Redis for the queue", json!({"subject": "queue", "rationale": ["fast"]}))
            .await;
        room.decide(&ana, "Paint the boat", json!({})).await;
        let second = room.decide(&ana, "Use PostgreSQL for the queue", json!({"subject": "queue"})).await;
        let active = room.active(&ana).await;
        assert_eq!(active.len(), 2);
        let new = active.iter().find(|one| one.decision_id == second).unwrap();
        assert_eq!(new.supersedes.as_deref(), Some(first.as_str()));
        assert!(new.refs.contains(&first));
        let old = room.memory.get_decision(&ana, &first).await.unwrap();
        assert_eq!(
            (old.status.as_str(), old.superseded_by.as_deref()),
            ("superseded", Some(second.as_str()))
        );
        assert_eq!(old.rationale, ["fast"]);
        let again =
            room.memory.record_decision(&ana, decision("Use files", json!({"supersedes": first}))).await;
        assert_eq!(code(again), "decision_superseded");
        let absent = json!({"supersedes": "dec_0123456789abcdef"});
        assert_eq!(code(room.memory.record_decision(&ana, decision("x", absent)).await), "unknown_ref");
        // An event of the kind is a decision, too, and is found as the event that it is.
        let said = event(
            "",
            json!({"kind": "decision", "content": {"text": "Ship on Tuesday", "rationale": "calm"}}),
        );
        room.record(&ana, said).await;
        assert!(
            room.active(&ana)
                .await
                .iter()
                .any(|one| one.decision == "Ship on Tuesday" && one.rationale == ["calm"])
        );
        assert_eq!(room.found(&ana, "when do we ship", json!({})).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_supersede_the_same_decision_at_once_one_is_told() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let first = room.decide(&ana, "one", json!({})).await;
        let next = |text: &'static str| {
            let (memory, ana, more) = (room.memory.clone(), ana.clone(), json!({"supersedes": first}));
            async move { code(memory.record_decision(&ana, decision(text, more)).await) }
        };
        let (a, b) = (tokio::spawn(next("two")), tokio::spawn(next("three")));
        let mut codes = [a.await.unwrap(), b.await.unwrap()];
        codes.sort_unstable();
        assert_eq!(codes, ["decision_superseded", "ok"]);
        assert_eq!(room.active(&ana).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_change_by_events_and_never_wait_in_a_circle() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let add = |more| room.memory.record_task(&ana, None, task(more));
        let first = add(json!({"title": "Buy paint", "priority": 5})).await.unwrap();
        let second = add(json!({"title": "Paint the boat", "blocked_by": [first.task_id]})).await.unwrap();
        let open = room.open_tasks(&ana).await;
        assert_eq!(
            open.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(),
            ["Buy paint", "Paint the boat"]
        );
        let change = |id: String, more| {
            let (memory, ana) = (room.memory.clone(), ana.clone());
            async move { memory.record_task(&ana, Some(&id), task(more)).await }
        };
        let circle = change(first.task_id.clone(), json!({"blocked_by": [second.task_id]})).await;
        assert_eq!(code(circle), "task_cycle");
        let nowhere = change(first.task_id.clone(), json!({"blocked_by": ["tsk_0123456789abcdef"]})).await;
        assert_eq!(code(nowhere), "unknown_ref");
        let done = change(first.task_id.clone(), json!({"status": "done"})).await.unwrap();
        assert_eq!((done.status.as_str(), done.priority), (TaskStatus::Done.as_str(), 5));
        assert_eq!(room.open_tasks(&ana).await.len(), 1);
        assert_eq!(code(change(first.task_id, json!({"title": " "})).await), "validation_failed");
        // An event with an id of the caller's own makes one task, however often it comes.
        for status in ["open", "doing"] {
            let content = json!({"task_id": "JIRA-7", "title": "Moor", "status": status});
            room.record(&ana, event("", json!({"kind": "task_update", "content": content}))).await;
        }
        let moor: Vec<_> =
            room.open_tasks(&ana).await.into_iter().filter(|one| one.title == "Moor").collect();
        assert_eq!((moor.len(), moor[0].status.as_str()), (1, "doing"));
        let bad = event("", json!({"kind": "task_update", "content": {"title": "x", "status": "sleeping"}}));
        assert_eq!(code(room.memory.record(&ana, bad, None).await), "validation_failed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_decisions_and_tasks_look_absent() {
    on_both(|home| async move {
        let room = room(&home);
        let (ana, ben, eve) =
            (bound_key("acme", "k1", "ana"), bound_key("acme", "k2", "ben"), bound_key("zeta", "k3", "ana"));
        let own = room.decide(&ana, "private", json!({"subject": "s"})).await;
        let shared = room.decide(&ana, "shared", json!({"channel": "team"})).await;
        let mine = room.memory.record_task(&ana, None, task(json!({"title": "t"}))).await.unwrap();
        for (who, id, expected) in [
            (&ben, &own, "not_found"),
            (&ben, &shared, "ok"),
            (&eve, &own, "not_found"),
            (&eve, &shared, "not_found"),
        ] {
            assert_eq!(code(room.memory.get_decision(who, id).await), expected);
        }
        assert_eq!(room.active(&ben).await.len(), 1);
        for who in [&ben, &eve] {
            let changed =
                room.memory.record_task(who, Some(&mine.task_id), task(json!({"status": "done"}))).await;
            assert_eq!(code(changed), "not_found");
            let taken = decision("x", json!({"supersedes": own}));
            assert_eq!(code(room.memory.record_decision(who, taken).await), "unknown_ref");
        }
        room.decide(&ben, "ben's own", json!({"subject": "s"})).await;
        assert_eq!(room.memory.get_decision(&ana, &own).await.unwrap().status, "active");
    })
    .await;
}
