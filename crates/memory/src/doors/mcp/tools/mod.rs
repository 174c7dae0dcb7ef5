//! The table of tools: each is a name, what a model is told, a schema made from our own types, and one call.

mod blocks;
mod capsules;
mod files;
mod graph;
mod native;

use futures::future::BoxFuture;
use kernel::{Ctx, Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::Memory;
use crate::bundle::BundleRequest;
use crate::capsules::NewCapsule;
use crate::events::NewEvent;
use crate::files::FileCommand;
use crate::memories::NewMemory;
use crate::search::SearchRequest;
use crate::work::NewDecision;

/// Whose tools they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// Hearth's own.
    Native,
    /// Those of the official memory server.
    Graph,
    /// File commands.
    Files,
}

impl Set {
    pub(super) const ALL: [Self; 3] = [Self::Native, Self::Graph, Self::Files];

    /// Reads a word of `?toolset=`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .zip(["native", "graph", "files"])
            .find(|(_, known)| *known == word)
            .map(|(set, _)| set)
    }
}

/// What a tool does to memory, for clients that ask a person before they call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Reads,
    Adds,
    /// Takes something away or replaces it, even where it can be brought back.
    Changes,
}

type Call = for<'a> fn(&'a Memory, &'a Ctx, Map<String, Value>) -> BoxFuture<'a, Result<String>>;

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) set: Set,
    effect: Effect,
    about: &'static str,
    schema: fn() -> Value,
    pub(super) call: Call,
}

impl Tool {
    /// As `tools/list` names it.
    pub(super) fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.about,
            "inputSchema": (self.schema)(),
            "annotations": {
                "readOnlyHint": self.effect == Effect::Reads,
                "destructiveHint": self.effect == Effect::Changes,
                "openWorldHint": false,
            },
        })
    }
}

macro_rules! tool {
    ($set:ident $effect:ident $name:literal $about:literal $arguments:ty => $call:path) => {
        Tool {
            name: $name,
            set: Set::$set,
            effect: Effect::$effect,
            about: $about,
            schema: schema_of::<$arguments>,
            call: |memory, ctx, arguments| {
                Box::pin(async move { $call(memory, ctx, read::<$arguments>(arguments)?).await })
            },
        }
    };
}

macro_rules! file {
    ($effect:ident $command:ident $name:literal $about:literal [$($needed:literal),*] [$($taken:literal),*]) => {
        Tool {
            name: $name,
            set: Set::Files,
            effect: Effect::$effect,
            about: $about,
            schema: || files::schema(&[$($needed),*], &[$($taken),*]),
            call: |memory, ctx, arguments| Box::pin(files::run(FileCommand::$command, memory, ctx, arguments)),
        }
    };
}

/// Every tool.
pub(super) static TOOLS: &[Tool] = &[
    tool! { Native Reads "recall"
    "Ask memory a question: what was said, done, decided or remembered earlier. Give the question in full; name the \
     conversation or agent only to search nowhere else." SearchRequest => native::recall },
    tool! { Native Adds "remember"
    "Keep one fact, preference, rule or episode in plain words. With a subject, name in supersedes what it replaces."
    NewMemory => native::remember },
    tool! { Native Changes "forget"
    "Take a memory back by its id. It can be restored, unless never_again also keeps it from being derived once more."
    native::Forget => native::forget },
    tool! { Native Reads "memory_history"
    "List every version of a memory with who changed it and why." native::OfMemory => native::history },
    tool! { Native Reads "memory_timeline"
    "List recorded events, latest first, of one conversation or of all." native::Timeline => native::timeline },
    tool! { Native Adds "memory_record_event"
    "Record what happened, word for word: a message, a tool call and its result, a note." NewEvent => native::record_event },
    tool! { Native Reads "memory_get_event" "Read one recorded event by its id." native::OfEvent => native::get_event },
    tool! { Native Adds "record_decision"
    "Record a decision with its reasons. One about the same subject takes the earlier one's place."
    NewDecision => native::record_decision },
    tool! { Native Reads "memory_query_decisions"
    "List decisions, newest first: the active ones, or those superseded." native::Decisions => native::decisions },
    tool! { Native Reads "list_tasks" "List tasks, most urgent first: open and doing ones, or those of one status."
    native::Tasks => native::tasks },
    Tool {
        name: "update_task",
        set: Set::Native,
        effect: Effect::Changes,
        about: "Change a task by its id, or add one when no task_id is given.",
        schema: native::task_schema,
        call: |memory, ctx, arguments| Box::pin(native::update_task(memory, ctx, arguments)),
    },
    tool! { Native Reads "read_block"
    "Read a block, a short text that is always at hand, by its label; without one, list all blocks."
    blocks::OfBlock => blocks::read_block },
    tool! { Native Changes "edit_block"
    "Change a block piece by piece, or make a new one with rethink and no expected_version."
    blocks::EditBlock => blocks::edit_block },
    tool! { Native Adds "create_capsule"
    "Hand work over to other agents: goal, state, next steps, open questions, with decisions and evidence."
    NewCapsule => capsules::create_capsule },
    tool! { Native Reads "get_capsules" "Read the capsules that other agents handed to this one."
    capsules::Addressee => capsules::get_capsules },
    tool! { Native Reads "memory_build_acb"
    "Put together what an agent needs for its next step, within a budget of tokens: rules, tasks, decisions, the last turns \
     and evidence." BundleRequest => capsules::build_bundle },
    tool! { Graph Adds "create_entities" "Make entities in the knowledge graph." graph::Entities => graph::create_entities },
    tool! { Graph Adds "create_relations" "Make relations between entities, in active voice."
    graph::Relations => graph::create_relations },
    tool! { Graph Adds "add_observations" "Add observations to entities that exist."
    graph::Observations => graph::add_observations },
    tool! { Graph Changes "delete_entities" "Remove entities with their observations and relations."
    graph::EntityNames => graph::delete_entities },
    tool! { Graph Changes "delete_observations" "Take observations of entities back."
    graph::Deletions => graph::delete_observations },
    tool! { Graph Changes "delete_relations" "Remove relations between entities."
    graph::Relations => graph::delete_relations },
    tool! { Graph Reads "read_graph" "Read the whole knowledge graph." graph::Nothing => graph::read_graph },
    tool! { Graph Reads "search_nodes" "Find entities by text in names, types and observations."
    graph::Look => graph::search_nodes },
    tool! { Graph Reads "open_nodes" "Read entities by their names." graph::Names => graph::open_nodes },
    file! { Reads View "view" "Show a file under /memories with line numbers, or a folder two levels deep."
    ["path"] ["view_range"] },
    file! { Changes Create "create" "Make a file under /memories." ["path", "file_text"] [] },
    file! { Changes StrReplace "str_replace" "Put text in the place of text that is in a file exactly once."
    ["path", "old_str"] ["new_str"] },
    file! { Changes Insert "insert" "Put text into a file after a line." ["path", "insert_line", "insert_text"] [] },
    file! { Changes Delete "delete" "Delete a file, or a folder with all in it." ["path"] [] },
    file! { Changes Rename "rename" "Give a file or folder another path." ["old_path", "new_path"] [] },
];

/// The JSON Schema of a tool's arguments; what they are made of stands in `$defs`.
fn schema_of<T: ToSchema>() -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let mut schema = json!(T::schema());
    if !parts.is_empty() {
        schema["$defs"] = parts.into_iter().map(|(name, part)| (name, json!(part))).collect();
    }
    // OpenAPI 3.1 is JSON Schema but for where it keeps its parts.
    let text = schema.to_string().replace("#/components/schemas/", "#/$defs/");
    serde_json::from_str(&text).expect("a schema is JSON")
}

fn read<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T> {
    serde_json::from_value(arguments.into()).map_err(|error| Error::field("arguments", error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_tool_is_told_and_its_schema_is_whole() {
        let names: BTreeSet<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        assert_eq!(names.len(), TOOLS.len(), "two tools of one name");
        for tool in TOOLS {
            let told = tool.describe();
            let schema = &told["inputSchema"];
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert!(told["description"].as_str().is_some_and(|text| text.len() > 20), "{}", tool.name);
            let text = schema.to_string();
            assert!(!text.contains("#/components/"), "{text}");
            for reference in text.split("#/$defs/").skip(1) {
                let name = reference.split('"').next().unwrap();
                assert!(schema["$defs"][name].is_object(), "{} lacks {name}", tool.name);
            }
        }
    }
}
