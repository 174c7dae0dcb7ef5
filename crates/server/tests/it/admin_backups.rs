//! Backups in the hands of operators.

use serde_json::{Value, json};

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

        let job = post(path).await.expect(202).json["job_id"].clone();
        assert_eq!(post(path).await.expect(202).json["job_id"], job, "one that waits serves both");
        server.app.jobs().drain().await.unwrap();
        let items = server.get_as(owner, path).await.expect(200).json["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), 1);
        assert_eq!((&items[0]["state"], &items[0]["format"]), (&json!("restored"), &json!("portable")));

        let file = server.app.config.backup.folder.join(items[0]["name"].as_str().unwrap());
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let verify = format!("{path}/{}/verify", items[0]["name"].as_str().unwrap());
        post(&verify).await.expect(202);
        server.app.jobs().drain().await.unwrap();
        let damaged = server.get_as(owner, path).await.expect(200).json["items"][0].clone();
        assert_eq!(damaged["state"], "damaged");
        assert_ne!(damaged["problem"], Value::Null);
        post(&format!("{path}/backup_19990101_000000.hearth/verify")).await.expect(404);
        post(&format!("{path}/..%2Fsecrets/verify")).await.expect(404);
    }
}
