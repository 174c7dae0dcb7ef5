//! What operators see of the server itself, and what a reload changes.

use serde_json::{Value, json};

use crate::routes_table::World;
use crate::support::*;

on_both_engines! {
    async fn an_operator_sees_dependencies_and_settings_without_a_secret(engine: Engine) {
        let settings = [("METRICS_TOKEN", "too-short-for-production"), ("RATE_LIMIT_MAX_REQUESTS", "77")];
        let world = World::on(Server::start_with(engine, &settings).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        let rows = server.get_as(owner, "/api/v1/admin/dependencies").await.expect(200).json["items"].clone();
        let names: Vec<&str> = rows.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
        assert_eq!(names[0], "database");
        assert_eq!((&rows[0]["configured"], &rows[0]["up"]), (&json!(true), &json!(true)));
        assert!(rows[0]["since"].is_string() && rows[0]["latency_ms"].is_number());
        let redis = rows.as_array().unwrap().iter().find(|row| row["name"] == "redis").unwrap();
        let nothing = json!({"name": "redis", "configured": false, "up": null, "since": null, "latency_ms": null,
            "last_error": null, "detail": ""});
        assert_eq!(redis, &nothing);

        let answer = server.get_as(owner, "/api/v1/admin/configuration").await.expect(200);
        for secret in [JWT_SECRET, "too-short-for-production"] {
            assert!(!answer.text().contains(secret), "a secret is shown");
        }
        let of = |name: &str| -> Value {
            answer.json["settings"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
        };
        let meaning = of("RATE_LIMIT_MAX_REQUESTS")["meaning"].clone();
        assert_eq!(of("RATE_LIMIT_MAX_REQUESTS"), json!({"name": "RATE_LIMIT_MAX_REQUESTS", "value": "77",
            "source": "variable RATE_LIMIT_MAX_REQUESTS", "is_secret": false, "meaning": meaning, "default": "100",
            "needs_restart": of("RATE_LIMIT_MAX_REQUESTS")["needs_restart"]}));
        assert_eq!(of("JWT_SECRET")["value"], format!("set ({} bytes)", JWT_SECRET.len()));
        assert_eq!((&of("LOG_LEVEL")["needs_restart"], &of("PORT")["needs_restart"]), (&json!(false), &json!(true)));
        let warnings = answer.json["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|row| row["variable"] == "METRICS_TOKEN" && row["severity"] == "warn"), "{warnings:?}");
    }
}

on_both_engines! {
    async fn a_reload_takes_what_it_can_and_audits_the_names(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        let again = server.settings_again(&[("LOG_LEVEL", "error"), ("SERVICE_NAME", "other"), ("JWT_SECRET", SEAL_OF_ANOTHER)]);
        server.app.apply(again).await;
        let answer = server.get_as(owner, "/api/v1/admin/configuration").await.expect(200).json;
        let of = |name: &str| answer["settings"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["value"].clone();
        assert_eq!((of("LOG_LEVEL"), of("SERVICE_NAME")), (json!("error"), json!("hearth")), "what is in use is shown");
        server.get_as(owner, "/auth/sessions").await.expect(200);
        let audit = server.get_as(owner, "/api/v1/audit").await.expect(200).json;
        let row = audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "server.reload").unwrap();
        assert_eq!((&row["fields"], &row["principal_kind"]), (&json!(["LOG_LEVEL"]), &json!("local operator")));
    }
}

on_both_engines! {
    async fn a_reload_says_that_new_limits_are_in_use(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        server.app.apply(server.settings_again(&[("RATE_LIMIT_MAX_REQUESTS", "55")])).await;
        let answer = server.get_as(owner, "/api/v1/admin/configuration").await.expect(200).json;
        let row = answer["settings"].as_array().unwrap().iter().find(|row| row["name"] == "RATE_LIMIT_MAX_REQUESTS").unwrap();
        assert_eq!((&row["value"], &row["needs_restart"]), (&json!("55"), &json!(false)));
        let audit = server.get_as(owner, "/api/v1/audit").await.expect(200).json;
        let row = audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "server.reload").unwrap();
        assert_eq!(row["fields"], json!(["RATE_LIMIT_MAX_REQUESTS"]));
    }
}

/// As long as the secret in use, so that only its text tells them apart.
const SEAL_OF_ANOTHER: &str = "YW5vdGhlciBvdHRlciBzd2ltcyBkb3duc3RyZWFtIGE";
