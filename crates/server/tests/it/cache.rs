//! The cache as operators see it: true figures, and a switch that changes no answer.

use serde_json::json;

use crate::principals::key;
use crate::support::*;

on_both_engines! {
    async fn the_cache_tells_its_true_hit_rate(engine: Engine) {
        let server = Server::start(engine).await;
        let reader = key(&server, "acme", &["memory:read"], None).await;
        for _ in 0..200 {
            server.get_as(&reader, "/api/v1/sessions").await.expect(200);
        }
        let cache = server.get("/api/v1/metrics").await.expect(200).json["cache"].clone();
        let figure = |name: &str| cache[name].as_f64().unwrap();
        assert_eq!(cache["enabled"], true);
        assert_eq!(figure("hits") + figure("misses"), figure("total_reads"));
        // The key is looked up once, and once more should five seconds pass meanwhile.
        assert!((1.0..5.0).contains(&figure("misses")), "{cache}");
        assert!((98.0..100.0).contains(&figure("hit_rate_percent")), "{cache}");
        let text = server.get("/metrics").await.expect(200).text();
        let line = text.lines().find(|line| line.starts_with("health_agent_cache_hit_rate_percent ")).unwrap();
        let rate: f64 = line.split(' ').next_back().unwrap().parse().unwrap();
        assert!((98.0..100.0).contains(&rate), "{line}");
    }
}

on_both_engines! {
    async fn without_the_cache_every_answer_is_the_same(engine: Engine) {
        let mut answers = Vec::new();
        for enabled in ["true", "false"] {
            let server = Server::start_with(engine, &[("ENABLE_CACHE", enabled)]).await;
            let writer = key(&server, "acme", &["memory:read", "memory:write"], None).await;
            let event = json!({"session_id": "s", "channel": "private", "actor": {"type": "human", "id": "ann"},
                "kind": "message", "content": {"text": "The otter swims upstream at dawn."}});
            server.post_as(&writer, "/api/v1/events", &event).await.expect(201);
            let mut seen = Vec::new();
            for query in ["otter", "otter", "where does it swim", "otter"] {
                let found = server.post_as(&writer, "/api/v1/memories/search", &json!({"query": query})).await.expect(200);
                seen.push((found.json["items"][0]["text"].clone(), found.json["items"][0]["score"].clone(),
                    found.json["degraded"].clone()));
            }
            server.get_as("hk_unknown", "/api/v1/sessions").await.expect(401);
            let reads = server.get("/api/v1/metrics").await.expect(200).json["cache"]["total_reads"].clone();
            assert_eq!(reads == json!(0), enabled == "false", "{reads}");
            answers.push(seen);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0][0].0, "The otter swims upstream at dawn.");
    }
}
