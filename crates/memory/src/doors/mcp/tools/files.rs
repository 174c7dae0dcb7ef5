//! The six file commands, each a tool: one call of the memory tool with the command filled in.

use kernel::{Ctx, Error, Result};
use serde_json::{Map, Value, json};

use super::super::fence::fenced;
use crate::Memory;
use crate::files::{FileCall, FileCommand};

/// The schema of one command: those of the memory tool's arguments that it takes, and those that it needs.
pub(super) fn schema(needed: &[&str], taken: &[&str]) -> Value {
    let mut schema = super::schema_of::<FileCall>();
    if let Some(properties) = schema["properties"].as_object_mut() {
        let both = ["user_id", "agent_id"];
        properties.retain(|name, _| [needed, taken, &both].iter().any(|list| list.contains(&name.as_str())));
    }
    schema["required"] = json!(needed);
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$defs");
    }
    schema
}

pub(super) async fn run(
    command: FileCommand,
    memory: &Memory,
    ctx: &Ctx,
    mut arguments: Map<String, Value>,
) -> Result<String> {
    arguments.insert("command".to_owned(), command.as_str().into());
    let said = memory.memory_tool(ctx, super::read::<FileCall>(arguments)?).await?;
    match (said.is_error, command) {
        (true, _) => Err(Error::invalid("file_refused", said.content)),
        (false, FileCommand::View) => Ok(fenced(&said.content)),
        (false, _) => Ok(said.content),
    }
}
