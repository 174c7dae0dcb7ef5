//! Backups in the hands of operators.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::routes_table::World;
use crate::support::*;

on_both_engines! {
    async fn an_operator_makes_a_backup_and_has_it_proven(engine: Engine) {
        let world = World::on(Server::start(engine).await).await;
        let (server, owner) = (&world.server, world.caller("owner"));
        let post = async |path: &str| server.send(server.request("POST", path).bearer_auth(owner)).await;
        let path = "/api/v1/admin/backups";
        let before = server.get_as(owner, path).await.expect(200).json;
        assert_eq!((&before["items"], &before["schedule"]), (&json!([]), &json!("0 2 * * *")));

        post(path).await.expect(202);
        let list = || server.get_as(owner, path);
        let is = |state: &'static str| move |answer: &Answer| answer.json["items"][0]["state"] == state;
        let backup = eventually(60, list, is("restored")).await.json["items"][0].clone();
        assert_eq!((&backup["format"], &backup["problem"]), (&json!("portable"), &Value::Null));

        let name = backup["name"].as_str().unwrap();
        let file = server.app.config.backup.folder.join(name);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        post(&format!("{path}/{name}/verify")).await.expect(202);
        let damaged = eventually(60, list, is("damaged")).await.json["items"][0].clone();
        assert_ne!(damaged["problem"], Value::Null);
        post(&format!("{path}/backup_19990101_000000.hearth/verify")).await.expect(404);
        post(&format!("{path}/..%2Fsecrets/verify")).await.expect(404);
    }
}
