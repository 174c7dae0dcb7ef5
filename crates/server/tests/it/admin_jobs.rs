//! The queue in the hands of operators.

use serde_json::{Value, json};

use crate::routes_table::World;
use crate::support::*;

on_both_engines! {
    async fn an_operator_finds_a_job_cancels_it_and_sets_it_going_again(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        let (cancel, _) = world.example("POST", "/api/v1/admin/jobs/{id}/cancel").await;
        let id = cancel.split('/').nth(5).unwrap();
        let retry = format!("/api/v1/admin/jobs/{id}/retry");
        let post = async |path: &str| server.send(server.request("POST", path).bearer_auth(owner)).await;
        let listed = async |query: &str| {
            let path = format!("/api/v1/admin/jobs?kind=test.nobody{query}");
            server.get_as(owner, &path).await.expect(200).json["items"].clone()
        };
        let due = listed("&state=due").await;
        assert_eq!(due[0]["job_id"], id);
        assert_eq!(due[0]["tenant_id"], "other");
        assert_eq!(due[0]["payload"], json!({"token": "hidden", "note": "shown"}));
        assert_eq!(due[0]["finished_at"], Value::Null);
        post(&cancel).await.expect(204);
        assert_eq!(listed("&state=due").await, json!([]));
        assert_eq!(listed("&state=failed").await[0]["last_error"], "cancelled");
        assert_eq!(post(&cancel).await.expect(409).code(), "job_not_waiting");
        let summary = server.get_as(owner, "/api/v1/admin/jobs/summary").await.expect(200).json;
        let kind = summary["kinds"].as_array().unwrap().iter().find(|kind| kind["kind"] == "test.nobody");
        assert_eq!(kind.unwrap()["failed"], 1);
        post(&retry).await.expect(204);
        assert_eq!(listed("&state=due").await[0]["tries"], 0);
        post("/api/v1/admin/jobs/job_nothing/retry").await.expect(404);
        server.get_as(owner, "/api/v1/admin/jobs?state=waiting").await.expect(400);
        let audit = server.get_as(owner, "/api/v1/audit").await.expect(200).json;
        let acts: Vec<&str> = audit["items"].as_array().unwrap().iter()
            .filter(|row| row["resource"] == format!("job:{id}"))
            .filter_map(|row| row["action"].as_str())
            .collect();
        assert_eq!(acts, ["admin.jobs.retry", "admin.jobs.cancel"], "only what happened");
    }
}

on_both_engines! {
    async fn an_administrator_of_another_tenant_is_no_operator_and_the_attempt_is_audited(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, stranger) = (&world.server, world.caller("stranger"));
        server.get_as(stranger, "/api/v1/admin/jobs").await.expect(403);
        let audit = || server.get_as(stranger, "/api/v1/audit?outcome=denied");
        let refused = eventually(10, audit, |rows| rows.json["items"] != json!([])).await.json;
        assert_eq!(refused["items"][0]["resource"], "GET /api/v1/admin/jobs");
    }
}

on_both_engines! {
    async fn jobs_come_in_pages_newest_first(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        for _ in 0..5 {
            world.example("POST", "/api/v1/admin/jobs/{id}/cancel").await;
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/admin/jobs?kind=test.nobody&limit=2{cursor}");
            let page = server.get_as(owner, &path).await.expect(200).json;
            seen.extend(page["items"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut sorted = seen.clone();
        sorted.sort_by(|a, b| b.cmp(a));
        sorted.dedup();
        assert_eq!((seen.len(), &seen), (5, &sorted));
    }
}

on_both_engines! {
    async fn an_operator_pauses_a_kind_that_exists_and_sees_it_in_the_summary(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        let post = async |path: &str| server.send(server.request("POST", path).bearer_auth(owner)).await;
        let paused = async || {
            let summary = server.get_as(owner, "/api/v1/admin/jobs/summary").await.expect(200).json;
            let kinds = summary["kinds"].as_array().unwrap().clone();
            kinds.iter().any(|kind| kind["kind"] == "memory.embed" && kind["paused"] == true)
        };
        assert!(!paused().await);
        post("/api/v1/admin/jobs/kinds/memory.embed/pause").await.expect(204);
        assert!(paused().await);
        post("/api/v1/admin/jobs/kinds/memory.embed/resume").await.expect(204);
        assert!(!paused().await);
        post("/api/v1/admin/jobs/kinds/memory.embedd/pause").await.expect(404);
    }
}
