//! Words of the memory tool: one command in, one text out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// What to do with a file or folder.
    FileCommand {
        /// Show a file with line numbers, or a folder two levels deep.
        View = "view",
        /// Make a file.
        Create = "create",
        /// Put text in the place of text that is there exactly once.
        StrReplace = "str_replace",
        /// Put text after a line.
        Insert = "insert",
        /// Delete a file, or a folder with all in it.
        Delete = "delete",
        /// Give a file or folder another path.
        Rename = "rename",
    }
}

/// A call of the tool `memory_20250818`, as the model makes it. Which arguments there must be depends on the command.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileCall {
    /// What to do.
    pub command: FileCommand,
    /// The file or folder, under `/memories`; of all commands but `rename`.
    pub path: Option<String>,
    /// First and last line to show of a file; -1 is the last of all.
    pub view_range: Option<Vec<i64>>,
    /// The text of a new file.
    pub file_text: Option<String>,
    /// What is there now, exactly once.
    pub old_str: Option<String>,
    /// What is to be there; nothing when absent.
    pub new_str: Option<String>,
    /// The line after which text goes; 0 is before the first.
    pub insert_line: Option<i64>,
    /// The text to insert.
    pub insert_text: Option<String>,
    /// The path that is to change.
    pub old_path: Option<String>,
    /// The path that it is to have.
    pub new_path: Option<String>,
    /// Owner; the credential's own person or principal when absent.
    pub user_id: Option<String>,
    /// The agent whose files these are; all agents of the owner share them when absent.
    pub agent_id: Option<String>,
}

/// What the tool answers, to be handed to the model as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileAnswer {
    /// The text.
    pub content: String,
    /// Whether it says what went wrong; nothing was changed then.
    pub is_error: bool,
}
