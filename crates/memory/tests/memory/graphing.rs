//! The graph: entities and relations, and observations that are facts with a history.

use kernel::Ctx;
use memory::graph::{Graph, GraphEntity, GraphRelation, NewObservations, ObservationDeletion};
use serde_json::{Value, json};
use testkit::{bound_key, ctx, key, on_both};

use crate::support::{Room, code, room};

fn entity(name: &str, kind: &str, observations: &[&str]) -> GraphEntity {
    serde_json::from_value(json!({"name": name, "entityType": kind, "observations": observations})).unwrap()
}

fn relation(from: &str, kind: &str, to: &str) -> GraphRelation {
    serde_json::from_value(json!({"from": from, "to": to, "relationType": kind})).unwrap()
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.entities.iter().map(|one| one.name.as_str()).collect()
}

impl Room {
    async fn graph(&self, ctx: &Ctx) -> Graph {
        self.memory.graph_read_graph(ctx, None).await.unwrap()
    }

    /// Ana, Kiel and the boat, related to each other.
    async fn harbour(&self, ctx: &Ctx) {
        let entities = vec![
            entity("Ana", "person", &["Sails on Sundays.", "Likes tea."]),
            entity("Kiel", "place", &["Has a harbour."]),
            entity("boat", "thing", &[]),
        ];
        assert_eq!(self.memory.graph_create_entities(ctx, None, entities.clone()).await.unwrap(), entities);
        let relations = vec![relation("Ana", "lives in", "Kiel"), relation("Ana", "owns", "boat")];
        assert_eq!(
            self.memory.graph_create_relations(ctx, None, relations.clone()).await.unwrap(),
            relations
        );
    }

    async fn observe(&self, ctx: &Ctx, name: &str, contents: &[&str]) -> kernel::Result<Vec<String>> {
        let contents = contents.iter().map(|text| (*text).to_owned()).collect();
        let new = NewObservations { entity_name: name.to_owned(), contents };
        Ok(self.memory.graph_add_observations(ctx, None, vec![new]).await?.remove(0).added_observations)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_already_is_not_added_again() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.harbour(&ana).await;
        let again =
            vec![entity("Ana", "robot", &["Is made of tin."]), entity("Ben", "person", &["Likes tea."])];
        let added = room.memory.graph_create_entities(&ana, None, again).await.unwrap();
        assert_eq!(added, [entity("Ben", "person", &["Likes tea."])], "the same may be known of two");
        let relations = vec![relation("Ana", "owns", "boat"), relation("Ben", "owns", "nothing yet")];
        let added = room.memory.graph_create_relations(&ana, None, relations).await.unwrap();
        assert_eq!(added, [relation("Ben", "owns", "nothing yet")]);
        assert_eq!(room.observe(&ana, "Ana", &["Likes tea.", "Swims."]).await.unwrap(), ["Swims."]);
        assert_eq!(code(room.observe(&ana, "nobody", &["x"]).await), "not_found");
        let graph = room.graph(&ana).await;
        assert_eq!(names(&graph), ["Ana", "Ben", "Kiel", "boat"]);
        assert_eq!(graph.entities[0].entity_type, "person");
        let mut known = graph.entities[0].observations.clone();
        known.sort();
        assert_eq!(known, ["Likes tea.", "Sails on Sundays.", "Swims."]);
        assert!(!graph.truncated && graph.relations.len() == 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_taken_back_and_can_be_restored() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.harbour(&ana).await;
        assert_eq!(room.ask(&ana, "who sails on Sundays", json!({})).await.items.len(), 1, "a fact is found");
        let gone = ObservationDeletion {
            entity_name: "Ana".to_owned(),
            observations: vec![
                "Sails on Sundays.".to_owned(),
                "Flies.".to_owned(),
                "Has a harbour.".to_owned(),
            ],
        };
        room.memory.graph_delete_observations(&ana, None, vec![gone]).await.unwrap();
        let graph = room.graph(&ana).await;
        assert_eq!(graph.entities[0], entity("Ana", "person", &["Likes tea."]));
        assert_eq!(graph.entities[1].observations, ["Has a harbour."], "only of the entity that was named");
        assert!(room.ask(&ana, "who sails on Sundays", json!({})).await.items.is_empty());
        let page = kernel::PageRequest { limit: 10, cursor: None };
        let edits = room.memory.list_edits(&ana, None, Some("pending"), &page).await.unwrap();
        assert!(edits.items.is_empty(), "an owner's deletion waits for nobody");
        let removed =
            room.memory.graph_delete_relations(&ana, None, vec![relation("Ana", "owns", "boat")]).await;
        assert_eq!(removed.unwrap(), 1);
        let names_gone = vec!["Ana".to_owned(), "nobody".to_owned()];
        assert_eq!(room.memory.graph_delete_entities(&ana, None, names_gone).await.unwrap(), 1);
        let graph = room.graph(&ana).await;
        assert_eq!((names(&graph), graph.relations.len()), (vec!["Kiel", "boat"], 0));
        let back =
            room.memory.graph_create_entities(&ana, None, vec![entity("Ana", "person", &[])]).await.unwrap();
        assert!(back[0].observations.is_empty(), "what was taken back stays so");
        assert!(
            room.observe(&ana, "Ana", &["Likes tea."]).await.unwrap() == ["Likes tea."],
            "unless it is said again"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_opened_by_name_and_found_by_any_of_their_words() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.harbour(&ana).await;
        for (query, wanted) in [
            ("HARBOUR", vec!["Kiel"]),
            ("person", vec!["Ana"]),
            ("a", vec!["Ana", "Kiel", "boat"]),
            ("%", vec![]),
            ("' OR '1'='1", vec![]),
        ] {
            let found = room.memory.graph_search_nodes(&ana, None, query).await.unwrap();
            assert_eq!(names(&found), wanted, "{query}");
        }
        let open = ["boat", "nobody", "boat"].map(str::to_owned);
        let opened = room.memory.graph_open_nodes(&ana, None, &open).await.unwrap();
        assert_eq!(names(&opened), ["boat"]);
        assert_eq!(opened.relations, [relation("Ana", "owns", "boat")], "relations that begin or end there");
        let told = serde_json::to_value(&opened).unwrap();
        let wanted: Value = json!({"entities": [{"name": "boat", "entityType": "thing", "observations": []}],
            "relations": [{"from": "Ana", "to": "boat", "relationType": "owns"}]});
        assert_eq!(told, wanted, "as the published server spells it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_is_its_owners_alone_and_holds_no_secret() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.harbour(&ana).await;
        for stranger in [
            ctx("acme", "ben"),
            ctx("other", "ana"),
            key("other", "key_1"),
            bound_key("acme", "key_2", "ben"),
        ] {
            assert!(room.graph(&stranger).await.entities.is_empty());
            assert_eq!(code(room.observe(&stranger, "Ana", &["x"]).await), "not_found");
            assert_eq!(
                room.memory.graph_delete_entities(&stranger, None, vec!["Ana".to_owned()]).await.unwrap(),
                0
            );
            let bound = stranger.principal.user_id.as_deref().is_some_and(|user| user != "ana");
            let named = room.memory.graph_read_graph(&stranger, Some("ana")).await;
            assert_eq!(code(named), if bound { "not_found" } else { "ok" });
        }
        let unbound = room.memory.graph_read_graph(&key("acme", "key_3"), Some("ana")).await.unwrap();
        assert_eq!(unbound, room.graph(&ana).await, "an unbound key acts for any owner of its tenant");
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        room.observe(&ana, "Ana", &[&format!("uses {secret}")]).await.unwrap();
        let graph = room.graph(&ana).await;
        assert_eq!(graph.entities[0].observations.len(), 2, "what held a secret is not recalled");
        let named = vec![entity(&secret, "key", &[])];
        assert_eq!(code(room.memory.graph_create_entities(&ana, None, named).await), "validation_failed");
        for (bad, wanted) in [
            (entity("", "x", &[]), "validation_failed"),
            (entity("x", "a\nb", &[]), "validation_failed"),
            (entity("x", "x", &[" "]), "validation_failed"),
            (entity("x", "x", &[&"x".repeat(8_001)]), "too_large"),
        ] {
            let added =
                room.memory.graph_create_entities(&ana, None, vec![entity("first", "x", &[]), bad]).await;
            assert_eq!(code(added), wanted);
        }
        assert_eq!(room.graph(&ana).await.entities.len(), 3, "of a refused call nothing is stored");
    })
    .await;
}
