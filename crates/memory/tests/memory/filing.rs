//! The memory tool: files that are blocks, and paths that lead nowhere else.

use kernel::{Ctx, PageRequest, Scope, Scopes};
use memory::blocks::BlockPlace;
use memory::files::FileCall;
use serde_json::{Value, json};
use testkit::{bound_key, ctx, key, limited, on_both};

use crate::support::{Room, code, room};

impl Room {
    /// What the tool says, and whether it is an error.
    async fn tool(&self, ctx: &Ctx, call: Value) -> (String, bool) {
        let call: FileCall = serde_json::from_value(call).unwrap();
        let answer = self.memory.memory_tool(ctx, call).await.unwrap();
        (answer.content, answer.is_error)
    }

    async fn fine(&self, ctx: &Ctx, call: Value) -> String {
        let (content, is_error) = self.tool(ctx, call.clone()).await;
        assert!(!is_error, "{call}: {content}");
        content
    }

    async fn wrong(&self, ctx: &Ctx, call: Value) -> String {
        let (content, is_error) = self.tool(ctx, call.clone()).await;
        assert!(is_error, "{call}: {content}");
        content
    }

    async fn create(&self, ctx: &Ctx, path: &str, text: &str) -> String {
        self.fine(ctx, json!({"command": "create", "path": path, "file_text": text})).await
    }

    async fn view(&self, ctx: &Ctx, path: &str) -> String {
        self.fine(ctx, json!({"command": "view", "path": path})).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_six_commands_answer_as_the_tool_is_described() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        let folder = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:";
        assert_eq!(room.view(&ana, "/memories").await, format!("{folder}\n0\t/memories"));
        let made = room.create(&ana, "/memories/a.md", "one\ntwo\nthree\n").await;
        assert_eq!(made, "File created successfully at: /memories/a.md");
        let taken = json!({"command": "create", "path": "/memories//a.md", "file_text": "x"});
        assert_eq!(room.wrong(&ana, taken).await, "Error: File /memories/a.md already exists");
        let shown = room.view(&ana, "/memories/a.md").await;
        assert_eq!(
            shown,
            "Here's the content of /memories/a.md with line numbers:\n     1\tone\n     2\ttwo\n     3\tthree\n     4\t"
        );
        let range = json!({"command": "view", "path": "/memories/a.md", "view_range": [2, 3]});
        assert!(room.fine(&ana, range).await.ends_with(":\n     2\ttwo\n     3\tthree"));
        let replace = |old: &str, new: &str| json!({"command": "str_replace", "path": "/memories/a.md", "old_str": old, "new_str": new});
        let edited = room.fine(&ana, replace("two", "2")).await;
        assert!(edited.starts_with("The memory file has been edited.") && edited.contains("     2\t2\n"), "{edited}");
        assert_eq!(
            room.wrong(&ana, replace("absent", "x")).await,
            "No replacement was performed, old_str `absent` did not appear verbatim in /memories/a.md."
        );
        assert_eq!(
            room.wrong(&ana, replace("e\n", "x")).await,
            "No replacement was performed. Multiple occurrences of old_str `e\n` in lines: 1, 3. Please ensure it is unique"
        );
        let insert = |line: i64| json!({"command": "insert", "path": "/memories/a.md", "insert_line": line, "insert_text": "half\n"});
        assert_eq!(room.fine(&ana, insert(1)).await, "The file /memories/a.md has been edited.");
        assert_eq!(
            room.wrong(&ana, insert(9)).await,
            "Error: Invalid `insert_line` parameter: 9. It should be within the range of lines of the file: [0, 4]"
        );
        let rename = |old: &str, new: &str| json!({"command": "rename", "old_path": old, "new_path": new});
        let moved = room.fine(&ana, rename("/memories/a.md", "/memories/p/q/b.md")).await;
        assert_eq!(moved, "Successfully renamed /memories/a.md to /memories/p/q/b.md");
        assert_eq!(room.view(&ana, "/memories").await, format!("{folder}\n17\t/memories\n17\t/memories/p\n17\t/memories/p/q"));
        assert!(room.view(&ana, "/memories/p/q/b.md").await.ends_with("     1\tone\n     2\thalf\n     3\t2\n     4\tthree\n     5\t"));
        let gone = "The path /memories/a.md does not exist. Please provide a valid path.";
        assert_eq!(room.wrong(&ana, json!({"command": "view", "path": "/memories/a.md"})).await, gone);
        assert_eq!(room.wrong(&ana, replace("one", "x")).await, format!("Error: {gone}"));
        room.create(&ana, "/memories/c.md", "x").await;
        for (old, new, why) in [
            ("/memories/c.md", "/memories/p/q/b.md", "Error: The destination /memories/p/q/b.md already exists"),
            ("/memories/c.md", "/memories/p", "Error: The destination /memories/p already exists"),
            ("/memories/p", "/memories/p/r", "Error: The destination /memories/p/r lies in /memories/p"),
            ("/memories/x", "/memories/y", "Error: The path /memories/x does not exist"),
            ("/memories/p", "/memories/c.md/p", "Error: /memories/c.md is a file, not a directory"),
            ("/memories", "/memories/all", "Error: The directory /memories itself stays as it is"),
        ] {
            assert_eq!(room.wrong(&ana, rename(old, new)).await, why);
        }
        room.fine(&ana, rename("/memories/p", "/memories/z")).await;
        assert!(room.view(&ana, "/memories/z/q/b.md").await.contains("half"));
        assert_eq!(room.fine(&ana, json!({"command": "delete", "path": "/memories/z"})).await, "Successfully deleted /memories/z");
        let absent = room.wrong(&ana, json!({"command": "delete", "path": "/memories/z"})).await;
        assert_eq!(absent, "Error: The path /memories/z does not exist");
        let root = room.wrong(&ana, json!({"command": "delete", "path": "/memories"})).await;
        assert_eq!(root, "Error: The directory /memories itself stays as it is");
        let bare = room.wrong(&ana, json!({"command": "create", "path": "/memories/d"})).await;
        assert_eq!(bare, "Error: `file_text` is missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_folder_whatever_its_spelling() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.create(&ana, "/memories/a", "x").await;
        let corpus = [
            "/etc/passwd",
            "../a",
            "/memories/../a",
            "/memories/..",
            "/memories/%2e%2e/a",
            "/memories/%2E%2E%2fa",
            "/memories/..%2fa",
            "/memories/%252e%252e/a",
            "/memories/%c0%ae%c0%ae/a",
            "/memories/..\\a",
            "\\memories\\a",
            "/memories\\..\\a",
            "/memories/a%00",
            "/memories/a\0",
            "/memories/\u{2025}/a",
            "/memories/\u{2024}\u{2024}/a",
            "/memories/\u{ff0e}\u{ff0e}/a",
            "/memories/..\u{2215}a",
            "/memories/..\u{2044}a",
            "/memories/..\u{ff0f}a",
            "/memories/..\u{ff3c}a",
            "/memories/.\u{200b}./a",
            "/memories/.\u{feff}./a",
            "/memories/\u{202e}../a",
            "/memories/\u{fe52}\u{fe52}/a",
            "/memories/.. /a",
            "/memories/...",
            "/memoriesx",
            "/Memories/a",
            "memories/a",
            "",
            "/",
            "file:///memories/a",
            "/memories/a\n",
            "/memories/a:b",
            "~/a",
        ];
        assert!(corpus.len() >= 30);
        for path in corpus {
            for call in [
                json!({"command": "view", "path": path}),
                json!({"command": "create", "path": path, "file_text": "x"}),
                json!({"command": "str_replace", "path": path, "old_str": "x", "new_str": "y"}),
                json!({"command": "insert", "path": path, "insert_line": 0, "insert_text": "y"}),
                json!({"command": "delete", "path": path}),
                json!({"command": "rename", "old_path": path, "new_path": "/memories/b"}),
                json!({"command": "rename", "old_path": "/memories/a", "new_path": path}),
            ] {
                let said = room.wrong(&ana, call).await;
                assert!(said.contains("is no path under /memories"), "{path:?}: {said}");
            }
        }
        assert!(room.view(&ana, "/memories").await.ends_with(":\n1\t/memories\n1\t/memories/a"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_block_with_its_limits_versions_and_owner() {
    on_both(|home| async move {
        let (room, ana, agent) = (room(&home), ctx("acme", "ana"), bound_key("acme", "key_1", "ana"));
        room.create(&agent, "/memories/a.md", "first").await;
        let replace = json!({"command": "str_replace", "path": "/memories/a.md", "old_str": "first", "new_str": "second"});
        room.fine(&agent, replace.clone()).await;
        room.fine(&agent, json!({"command": "delete", "path": "/memories/a.md"})).await;
        let place = |label: &str| BlockPlace { label: label.to_owned(), ..BlockPlace::default() };
        let page = PageRequest { limit: 10, cursor: None };
        let versions = room.memory.block_versions(&ana, &place("/memories/a.md"), &page).await.unwrap().items;
        let texts: Vec<_> = versions.iter().map(|one| (one.text.as_str(), one.actor.as_str())).collect();
        assert_eq!(texts, [("", "key_1"), ("second", "key_1"), ("first", "key_1")]);
        let long = json!({"command": "create", "path": "/memories/long", "file_text": "x".repeat(20_001)});
        assert!(room.wrong(&agent, long).await.contains("at most 20000 characters"));
        room.create(&agent, "/memories/long", &"x".repeat(19_999)).await;
        let more = json!({"command": "insert", "path": "/memories/long", "insert_line": 1, "insert_text": "yy"});
        assert!(room.wrong(&agent, more).await.contains("at most 20000 characters"));
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        room.create(&agent, "/memories/keys", &format!("use {secret} now")).await;
        let swap = json!({"command": "str_replace", "path": "/memories/keys", "old_str": "now", "new_str": secret});
        let shown = room.fine(&agent, swap).await;
        assert!(!shown.contains(&secret) && !room.view(&agent, "/memories/keys").await.contains(&secret), "{shown}");
        let locked = json!({"label": "/memories/law", "text": "be kind", "read_only": true});
        room.memory.create_block(&ana, serde_json::from_value(locked).unwrap()).await.unwrap();
        for call in [
            json!({"command": "delete", "path": "/memories/law"}),
            json!({"command": "rename", "old_path": "/memories/law", "new_path": "/memories/b"}),
            json!({"command": "insert", "path": "/memories/law", "insert_line": 0, "insert_text": "x"}),
        ] {
            assert!(room.wrong(&agent, call).await.contains("agents may only read"));
        }
        assert!(room.view(&agent, "/memories/law").await.contains("be kind"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_their_owners_and_each_agent_has_its_own_and_the_shared() {
    on_both(|home| async move {
        let (room, ana) = (room(&home), ctx("acme", "ana"));
        room.create(&ana, "/memories/shared", "all").await;
        let of = |agent: &str, mut call: Value| {
            call["agent_id"] = json!(agent);
            call
        };
        let own = json!({"command": "create", "path": "/memories/own", "file_text": "mine"});
        room.fine(&ana, of("a", own)).await;
        let list = json!({"command": "view", "path": "/memories"});
        let seen = room.fine(&ana, of("a", list.clone())).await;
        assert!(seen.ends_with("\n7\t/memories\n4\t/memories/own\n3\t/memories/shared"), "{seen}");
        assert!(
            room.fine(&ana, of("b", list.clone())).await.ends_with("\n3\t/memories\n3\t/memories/shared")
        );
        for stranger in [
            ctx("acme", "ben"),
            ctx("other", "ana"),
            key("other", "key_1"),
            bound_key("acme", "key_2", "ben"),
        ] {
            assert!(room.view(&stranger, "/memories").await.ends_with(":\n0\t/memories"));
            let told = room.wrong(&stranger, json!({"command": "view", "path": "/memories/shared"})).await;
            assert!(told.contains("does not exist"));
            room.wrong(&stranger, json!({"command": "delete", "path": "/memories/shared"})).await;
        }
        let call = |more: Value| -> FileCall { serde_json::from_value(more).unwrap() };
        let foreign = call(json!({"command": "view", "path": "/memories", "user_id": "ana"}));
        assert_eq!(code(room.memory.memory_tool(&ctx("acme", "ben"), foreign).await), "not_found");
        let reader = limited(ana.clone(), Scopes::NONE.union([Scope::MemoryRead].into_iter().collect()));
        assert!(room.memory.memory_tool(&reader, call(list)).await.is_ok());
        let write = call(json!({"command": "delete", "path": "/memories/shared"}));
        assert_eq!(code(room.memory.memory_tool(&reader, write).await), "forbidden");
        let writer = || {
            let (memory, ana) = (room.memory.clone(), ana.clone());
            let call = call(json!({"command": "create", "path": "/memories/race", "file_text": "x"}));
            async move { memory.memory_tool(&ana, call).await.unwrap().is_error }
        };
        let (a, b) = (tokio::spawn(writer()), tokio::spawn(writer()));
        assert_ne!(a.await.unwrap(), b.await.unwrap(), "of two who create a file one is told");
    })
    .await;
}
