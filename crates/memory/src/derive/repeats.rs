//! Whether an assistant only repeats what memory told it: memory must not feed on itself.

use std::collections::{HashMap, HashSet};

use kernel::TenantId;
use recall::text::is_stop_word;
use store::{Conn, Result};

use super::store::{self as sql, Unread};

/// Memories of an owner that are compared with.
const MEMORIES: i64 = 1_000;
/// Recalled events of a conversation that are compared with.
const EVENTS: i64 = 50;
/// Share of a sentence's content words that another text holds, from which the sentence repeats it.
const SHARE: f64 = 0.7;

/// What owners and conversations know already, read when it is first asked for.
#[derive(Default)]
pub(super) struct Known(HashMap<(String, String), Vec<HashSet<String>>>);

impl Known {
    /// Whether what was said repeats a memory, or what was recalled into the conversation.
    pub(super) async fn repeats(
        &mut self,
        conn: &mut Conn,
        tenant: &TenantId,
        chunk: &Unread,
        said: &str,
    ) -> Result<bool> {
        let key = (chunk.user_id.clone(), chunk.session_id.clone());
        if !self.0.contains_key(&key) {
            let mut texts = sql::list_known_words(conn, tenant, &key.0, MEMORIES).await?;
            texts.extend(sql::list_recalled(conn, tenant, &key.0, &key.1, EVENTS).await?);
            self.0.insert(key.clone(), texts.iter().map(|text| content_words(text)).collect());
        }
        let said = content_words(said);
        let holds =
            |known: &HashSet<String>| said.intersection(known).count() as f64 >= SHARE * said.len() as f64;
        Ok(self.0[&key].iter().any(holds))
    }
}

/// Words that carry a subject, in lower case and without a plain ending.
pub(super) fn content_words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'').map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !is_stop_word(word)).map(|word| stem(&word)).collect()
}

fn stem(word: &str) -> String {
    let ending =
        ["'s", "ing", "ies", "es", "ed", "s", "e"].iter().find_map(|ending| word.strip_suffix(ending));
    ending.filter(|stem| stem.chars().count() >= 3).unwrap_or(word).to_owned()
}
