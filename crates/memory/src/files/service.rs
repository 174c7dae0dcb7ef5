//! The memory tool: six commands over files that are blocks.

use ::store::{Reach, Tx};
use kernel::{Ctx, Error, ErrorKind, Result, Scope};

use super::model::{FileAnswer, FileCall, FileCommand};
use super::path::{ROOT, normalised};
use super::text::{is_in, lines_of, show_change, show_file, show_folder};
use crate::Memory;
use crate::blocks::NewBlock;
use crate::blocks::change::BlockDesk;
use crate::blocks::insert_after;
use crate::blocks::store::{self as sql, BlockRow};
use crate::events::check_name;

/// Files that one command touches, at most.
const MOST_FILES: i64 = 1_000;

/// What a command came to: an answer, or the tool's own words for why it could not.
type Said = std::result::Result<String, String>;

impl Memory {
    /// Runs one command of the tool `memory_20250818`. What the model did wrong is an answer that says so, and changes nothing.
    ///
    /// # Errors
    /// `forbidden`, `validation_failed` for ids, `not_found` for a foreign owner, `erasure_in_progress`, or the store's.
    pub async fn memory_tool(&self, ctx: &Ctx, call: FileCall) -> Result<FileAnswer> {
        let is_view = call.command == FileCommand::View;
        ctx.require(if is_view { Scope::MemoryRead } else { Scope::MemoryWrite })?;
        check_name("user_id", call.user_id.as_deref())?;
        check_name("agent_id", call.agent_id.as_deref())?;
        let owner = ctx.owner(call.user_id.as_deref())?;
        let said = if is_view {
            self.view(ctx, &owner, &call).await
        } else {
            self.change_files(ctx, owner, call).await
        };
        match said {
            Ok(content) => Ok(FileAnswer { content, is_error: false }),
            Err(error) => said_of(error).map(|content| FileAnswer { content, is_error: true }),
        }
    }

    async fn view(&self, ctx: &Ctx, owner: &str, call: &FileCall) -> Result<String> {
        let path = wanted_path("path", call.path.as_deref())?;
        let agent = call.agent_id.as_deref().unwrap_or_default();
        let mut conn = self.0.store.read(&ctx.tenant).await?;
        let found = sql::find(&mut conn, &ctx.tenant, owner, [agent, ""], &path).await?;
        if let Some(file) = found.filter(|row| !row.deleted) {
            return tool(show_file(&path, &file.text, call.view_range.as_deref()));
        }
        let files =
            sql::list_sizes(&mut conn, &ctx.tenant, owner, agent, &format!("{path}/"), MOST_FILES).await?;
        if files.is_empty() && path != ROOT {
            return tool(Err(format!("The path {path} does not exist. Please provide a valid path.")));
        }
        Ok(show_folder(&path, &files))
    }

    async fn change_files(&self, ctx: &Ctx, owner: String, call: FileCall) -> Result<String> {
        let (memory, ctx) = (self.clone(), ctx.clone());
        let changed = self.0.store.write("memory.tool", Reach::of(&ctx.tenant.clone()), move |tx| {
            Box::pin(async move {
                let desk = memory.block_desk(tx, &ctx, &owner).await?;
                let agent = call.agent_id.clone().unwrap_or_default();
                let files = Files { desk, agent };
                match call.command {
                    FileCommand::View => Err(Error::internal("a view changes nothing")),
                    FileCommand::Create => files.create(tx, call).await,
                    FileCommand::StrReplace => files.replace(tx, &call).await,
                    FileCommand::Insert => files.insert(tx, &call).await,
                    FileCommand::Delete => files.delete(tx, &call).await,
                    FileCommand::Rename => files.rename(tx, &call).await,
                }
            })
        });
        changed.await
    }
}

/// The code of errors that are the tool's own words.
const TOOL: &str = "tool_error";

/// Turns the tool's own words into an error, so that a transaction is rolled back.
fn tool(said: Said) -> Result<String> {
    said.map_err(|words| Error::invalid(TOOL, words))
}

/// What a model is told of an error that it caused; other errors stay what they are.
fn said_of(error: Error) -> Result<String> {
    match (error.code, error.kind) {
        (TOOL, _) => Ok(error.public),
        ("validation_failed" | "block_read_only", _) | (_, ErrorKind::TooLarge) => {
            Ok(format!("Error: {}", error.public))
        }
        _ => Err(error),
    }
}

fn wanted<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str> {
    value.ok_or_else(|| Error::invalid(TOOL, format!("Error: `{name}` is missing")))
}

fn wanted_path(name: &str, value: Option<&str>) -> Result<String> {
    let words =
        "is no path under /memories; a path has names of letters, digits and simple marks, and never `..`";
    normalised(wanted(name, value)?).ok_or_else(|| Error::invalid(TOOL, format!("Error: `{name}` {words}")))
}

/// An agent's files in a transaction.
struct Files<'a> {
    desk: BlockDesk<'a>,
    agent: String,
}

impl Files<'_> {
    async fn file(&self, tx: &mut Tx, path: &str) -> Result<BlockRow> {
        let absent = || format!("Error: The path {path} does not exist. Please provide a valid path.");
        self.desk.find(tx, &self.agent, path).await?.ok_or_else(|| Error::invalid(TOOL, absent()))
    }

    async fn create(&self, tx: &mut Tx, call: FileCall) -> Result<String> {
        let path = wanted_path("path", call.path.as_deref())?;
        let text = wanted("file_text", call.file_text.as_deref())?.to_owned();
        self.refuse_taken(tx, &path, "File").await?;
        self.put(tx, &path, text).await?;
        Ok(format!("File created successfully at: {path}"))
    }

    async fn put(&self, tx: &mut Tx, path: &str, text: String) -> Result<BlockRow> {
        let agent_id = Some(self.agent.clone()).filter(|agent| !agent.is_empty());
        self.desk.create(tx, NewBlock { label: path.to_owned(), text, agent_id, ..NewBlock::default() }).await
    }

    /// Refuses a path that is a file or folder, that lies in a file, or that is the root.
    async fn refuse_taken(&self, tx: &mut Tx, path: &str, what: &str) -> Result<()> {
        let taken = || Error::invalid(TOOL, format!("Error: {what} {path} already exists"));
        if path == ROOT || !self.desk.list(tx, &self.agent, &format!("{path}/"), 1).await?.is_empty() {
            return Err(taken());
        }
        let ends = path.match_indices('/').map(|(at, _)| at).skip(2).chain([path.len()]);
        for end in ends {
            if self.desk.find(tx, &self.agent, &path[..end]).await?.is_some() {
                return Err(if end == path.len() {
                    taken()
                } else {
                    Error::invalid(TOOL, format!("Error: {} is a file, not a directory", &path[..end]))
                });
            }
        }
        Ok(())
    }

    async fn replace(&self, tx: &mut Tx, call: &FileCall) -> Result<String> {
        let path = wanted_path("path", call.path.as_deref())?;
        let (old, new) =
            (wanted("old_str", call.old_str.as_deref())?, call.new_str.as_deref().unwrap_or_default());
        let file = self.file(tx, &path).await?;
        let times = if old.is_empty() { 0 } else { file.text.matches(old).count() };
        if times == 0 {
            let words =
                format!("No replacement was performed, old_str `{old}` did not appear verbatim in {path}.");
            return tool(Err(words));
        }
        if times > 1 {
            let lines = lines_of(&file.text, old);
            let words = format!(
                "No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {lines}. Please ensure it is unique"
            );
            return tool(Err(words));
        }
        let at = file.text.find(old).expect("it is there once");
        let changed = BlockRow { text: file.text.replacen(old, new, 1), ..file.clone() };
        let saved = self.desk.change(tx, &file, changed).await?;
        // Where a secret was taken out, the text is shorter or longer than what was put in.
        let at = saved.text.floor_char_boundary(at);
        let end = saved.text.floor_char_boundary(at + new.len());
        Ok(show_change(&saved.text, at, end - at))
    }

    async fn insert(&self, tx: &mut Tx, call: &FileCall) -> Result<String> {
        let path = wanted_path("path", call.path.as_deref())?;
        let text = wanted("insert_text", call.insert_text.as_deref())?;
        let line = call.insert_line.ok_or_else(|| Error::invalid(TOOL, "Error: `insert_line` is missing"))?;
        let file = self.file(tx, &path).await?;
        let Some(changed) = insert_after(&file.text, line, text) else {
            let lines = file.text.lines().count();
            return tool(Err(format!(
                "Error: Invalid `insert_line` parameter: {line}. It should be within the range of lines of the file: [0, {lines}]"
            )));
        };
        self.desk.change(tx, &file, BlockRow { text: changed, ..file.clone() }).await?;
        Ok(format!("The file {path} has been edited."))
    }

    async fn delete(&self, tx: &mut Tx, call: &FileCall) -> Result<String> {
        let path = wanted_path("path", call.path.as_deref())?;
        for file in self.all_at(tx, &path).await? {
            self.desk.delete(tx, &file).await?;
        }
        Ok(format!("Successfully deleted {path}"))
    }

    async fn rename(&self, tx: &mut Tx, call: &FileCall) -> Result<String> {
        let old = wanted_path("old_path", call.old_path.as_deref())?;
        let new = wanted_path("new_path", call.new_path.as_deref())?;
        let files = self.all_at(tx, &old).await?;
        if is_in(&new, &old) {
            return tool(Err(format!("Error: The destination {new} lies in {old}")));
        }
        self.refuse_taken(tx, &new, "The destination").await?;
        for file in files {
            let path = format!("{new}{}", file.label.strip_prefix(&old).expect("it was found there"));
            if path.chars().count() > super::path::MAX_PATH {
                return tool(Err(format!("Error: The path {path} would be too long")));
            }
            self.put(tx, &path, file.text.clone()).await?;
            self.desk.delete(tx, &file).await?;
        }
        Ok(format!("Successfully renamed {old} to {new}"))
    }

    /// The file of a path, or all files in the folder of that path.
    async fn all_at(&self, tx: &mut Tx, path: &str) -> Result<Vec<BlockRow>> {
        if path == ROOT {
            return Err(Error::invalid(TOOL, format!("Error: The directory {ROOT} itself stays as it is")));
        }
        if let Some(file) = self.desk.find(tx, &self.agent, path).await? {
            return Ok(vec![file]);
        }
        let files = self.desk.list(tx, &self.agent, &format!("{path}/"), MOST_FILES + 1).await?;
        if files.is_empty() {
            return Err(Error::invalid(TOOL, format!("Error: The path {path} does not exist")));
        }
        if files.len() as i64 > MOST_FILES {
            return Err(Error::invalid(
                TOOL,
                format!("Error: {path} holds more than {MOST_FILES} files; go folder by folder"),
            ));
        }
        Ok(files)
    }
}
