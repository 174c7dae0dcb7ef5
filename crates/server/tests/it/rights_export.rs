//! Copies of what is held about somebody: whole, without secrets, downloaded in pieces, and gone with an erasure.

use serde_json::{Value, json};

use crate::rights::said;
use crate::routes_table::World;
use crate::support::*;

/// A file of an export, and its lines.
async fn downloaded(server: &Server, who: &str, wish: &Value) -> (String, String, Vec<Value>) {
    let asked = server.post_as(who, "/api/v1/memory/export", wish).await.expect(202).json;
    let one = format!("/api/v1/memory/export/{}", asked["export_id"].as_str().unwrap());
    let done =
        eventually(20, || server.get_as(who, &one), |answer| answer.json["state"] == "done").await.json;
    let file = server.get_as(who, &format!("{one}/file")).await.expect(200);
    let text = file.text();
    assert_eq!(done["sha256"], store::blob::data_hash(text.as_bytes()).as_str());
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (one, text, lines)
}

on_both_engines! {
    async fn an_export_holds_what_is_its_owners_and_no_secret_and_goes_on_where_it_broke_off(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let server = &world.server;
        let (mary, fred, olga) = (world.caller("member"), world.caller("foreigner"), world.caller("owner"));
        for text in ["the persimmon is ripe", "é漢🦀 \"quoted\" \\ and \n so on"] {
            server.post_as(mary, "/api/v1/events", &said(text, "talk", "team")).await.expect(201);
        }
        server.post_as(fred, "/api/v1/events", &said("the harbour is quiet", "talk", "team")).await.expect(201);
        let (one, text, lines) = downloaded(server, mary, &json!({"objects": true})).await;
        let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
        assert_eq!((&lines[0]["format"], &lines[0]["tenant_id"]), (&json!("hearth-export"), &json!("acme")));
        assert_eq!((of("event").len(), of("artifact").len(), of("object").len()), (5, 1, 1));
        assert_eq!((of("account").len(), &of("account")[0]["username"]), (1, &json!("mary")));
        assert!(!text.contains("harbour") && !text.contains("_hash\":\"$argon2") && !text.contains("password_hash"));
        let footer = lines.last().unwrap();
        assert_eq!((&footer["type"], &footer["counts"]["event"]), (&json!("footer"), &json!(5)));
        let between = text.split_inclusive('\n').collect::<Vec<_>>();
        let body = between[1..between.len() - 1].concat();
        assert_eq!(footer["sha256"], store::blob::data_hash(body.as_bytes()).as_str());

        // Asked again it is the same but for what was done meanwhile: keys and sessions were used.
        let memory = |lines: &[Value]| -> Vec<String> {
            let kept = |line: &&Value| ["event", "artifact", "object", "conversation"].contains(&line["type"].as_str().unwrap());
            lines.iter().filter(kept).map(Value::to_string).collect()
        };
        assert_eq!(memory(&downloaded(server, mary, &json!({"objects": true})).await.2), memory(&lines));
        assert!(memory(&downloaded(server, mary, &json!({})).await.2).len() < memory(&lines).len());

        // In pieces, as a client goes on with what is missing.
        let (mut pieces, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let request = server.request("GET", &format!("{one}/file")).bearer_auth(mary);
            let range = format!("bytes={at}-{}", at + 40_000);
            let piece = server.send(request.header("range", range)).await.expect(206);
            at += piece.bytes.len();
            pieces.extend_from_slice(&piece.bytes);
        }
        assert!(pieces == text.as_bytes());

        // Others' exports are not there, others' data is for administrators.
        server.get_as(fred, &one).await.expect(404);
        server.get_as(fred, &format!("{one}/file")).await.expect(404);
        let mary_id = &world.member.user_id;
        server.post_as(fred, "/api/v1/memory/export", &json!({"user_id": mary_id})).await.expect(404);
        server.post_as(fred, "/api/v1/memory/export", &json!({"tenant": true})).await.expect(403);
        let (whole, text, _) = downloaded(server, olga, &json!({"tenant": true})).await;
        assert!(text.contains("harbour") && text.contains("persimmon") && !text.contains("password_hash"));

        // An erasure takes along every copy that has its subject in it.
        let erasures = "/api/v1/memory/erasures";
        let asked = server.post_as(mary, erasures, &json!({"user_id": mary_id, "confirm": mary_id})).await.expect(202).json;
        let erasure = format!("{erasures}/{}", asked["erasure_id"].as_str().unwrap());
        eventually(20, || server.get_as(mary, &erasure), |answer| answer.json["state"] == "done").await;
        for copy in [one, whole] {
            server.get_as(olga, &copy).await.expect(404);
        }
        let (_, text, _) = downloaded(server, olga, &json!({"tenant": true, "objects": true})).await;
        assert!(text.contains("harbour") && !text.contains("persimmon"));
    }
}
