//! From what a client sent to rows ready to be written: checks, cleaning, chunks, artifacts. No database.

use bytes::Bytes;
use kernel::{Ctx, Error, ErrorKind, Micros, Result};
use serde_json::Value;

use super::model::{NewEvent, Sensitivity};
use crate::redact::{MARK, Redactions, Redactor};
use crate::search::policy::{Partition, partition_of};
use crate::text::{self, INLINE_BYTES, chunk, estimate_tokens, excerpt, indexed_text, long_field};

/// A whole event, in bytes of JSON content.
const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// One chunk of an event.
#[derive(Clone, Debug)]
pub(crate) struct PreparedChunk {
    pub(crate) chunk_id: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) token_est: usize,
    /// The text itself where the event keeps only an excerpt.
    pub(crate) text: Option<String>,
}

/// An event that passed every check and waits for its place in the log.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) event: NewEvent,
    pub(crate) event_id: String,
    pub(crate) owner: String,
    pub(crate) partition: Option<Partition>,
    pub(crate) occurred_at: Micros,
    pub(crate) content: String,
    pub(crate) content_hash: String,
    pub(crate) text_bytes: usize,
    pub(crate) token_est: usize,
    pub(crate) chunks: Vec<PreparedChunk>,
    pub(crate) artifact: Option<PreparedArtifact>,
    /// `{kind, count}` of the secrets that were taken out.
    pub(crate) redactions: Vec<Value>,
}

/// Bytes that go to the blob store before the event is written.
#[derive(Clone, Debug)]
pub(crate) struct PreparedArtifact {
    pub(crate) artifact_id: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
    pub(crate) excerpt: String,
    /// Filled when the bytes are safe.
    pub(crate) blob_key: String,
}

/// Checks an event and prepares its rows.
///
/// # Errors
/// `validation_failed` with the field, `tenant_mismatch`, `event_too_large`, or `not_found` for a foreign owner.
pub(crate) fn prepare(ctx: &Ctx, mut event: NewEvent, redactor: &Redactor, now: Micros) -> Result<Prepared> {
    check(ctx, &event, now)?;
    let owner = ctx.owner(event.user_id.as_deref())?;
    let partition = (!event.recalled)
        .then(|| partition_of(event.channel, event.sensitivity.unwrap_or(Sensitivity::None), &owner))
        .flatten();
    let redactions = redact(&mut event, redactor);
    let content_hash = hash_of(&event);
    let exact = text_of(&event).filter(|text| text.contains('\0'));
    let sanitised = text::sanitise_map(&mut event.content);
    let indexed = indexed_text(event.kind, &event.content);
    let long = long_field(event.kind)
        .filter(|name| event.content.get(*name).and_then(Value::as_str).is_some_and(is_long));
    let event_id = kernel::id::new_id("evt", now);
    let chunks =
        if partition.is_some() { chunks_of(&event_id, &indexed, long.is_some()) } else { Vec::new() };
    let whole = long.and_then(|name| event.content.get(name)?.as_str().map(str::to_owned));
    let artifact = exact.or_else(|| whole.clone()).map(|text| artifact_of(&text, now));
    if let (Some(name), Some(whole)) = (long, &whole) {
        event.content.insert(name.to_owned(), excerpt(whole).into());
        event.content.insert("truncated".to_owned(), true.into());
        let indexed_bytes = chunks.last().map_or(0, |chunk| chunk.end);
        event.content.insert("indexed_bytes".to_owned(), indexed_bytes.into());
    }
    if sanitised {
        event.content.insert("sanitised".to_owned(), true.into());
    }
    let content = serde_json::to_string(&event.content).expect("a map of JSON is JSON");
    Ok(Prepared {
        event_id,
        owner,
        partition,
        occurred_at: event.occurred_at.unwrap_or(now),
        content,
        content_hash,
        text_bytes: indexed.len(),
        token_est: estimate_tokens(&indexed),
        chunks,
        artifact,
        redactions,
        event,
    })
}

/// Takes secrets out of everything but the caller's own ids; an event that held one is secret from then on.
fn redact(event: &mut NewEvent, redactor: &Redactor) -> Vec<Value> {
    let mut seen = Redactions::default();
    redactor.clean_map(&mut event.content, &mut seen);
    let texts = event.tags.iter_mut().chain(&mut event.refs).chain(&mut event.actor.name);
    texts.for_each(|text| redactor.clean_text(text, &mut seen));
    if !seen.is_empty() {
        event.sensitivity = Some(Sensitivity::Secret);
    }
    seen.to_json()
}

fn is_long(text: &str) -> bool {
    text.len() > INLINE_BYTES
}

fn text_of(event: &NewEvent) -> Option<String> {
    event.content.get("text").and_then(Value::as_str).map(str::to_owned)
}

/// Hash of what the client said, so that the same id with other words is noticed. The order of keys says nothing.
fn hash_of(event: &NewEvent) -> String {
    let mut said = serde_json::to_value(event).expect("an event is plain data");
    said.sort_all_objects();
    let said = serde_json::to_vec(&said).expect("JSON is JSON");
    store::blob::data_hash(&said)
}

/// Cuts an event's text into the chunks that are indexed; with their words in them when the event does not keep the whole text.
/// Cutting it again makes the same, under the same ids.
pub(crate) fn chunks_of(event_id: &str, indexed: &str, keep_text: bool) -> Vec<PreparedChunk> {
    let make = |(place, (start, end)): (usize, (usize, usize))| PreparedChunk {
        chunk_id: kernel::id::derived("chk", event_id, place as u64),
        start,
        end,
        token_est: estimate_tokens(&indexed[start..end]),
        text: keep_text.then(|| indexed[start..end].to_owned()),
    };
    chunk(indexed)
        .into_iter()
        .enumerate()
        .filter(|(_, (start, end))| !indexed[*start..*end].contains(MARK))
        .map(make)
        .collect()
}

fn artifact_of(text: &str, now: Micros) -> PreparedArtifact {
    PreparedArtifact {
        artifact_id: kernel::id::new_id("art", now),
        media_type: "text/plain; charset=utf-8",
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        excerpt: text.chars().filter(|c| *c != '\0').take(200).collect(),
        blob_key: String::new(),
    }
}

fn check(ctx: &Ctx, event: &NewEvent, now: Micros) -> Result<()> {
    ctx.check_tenant(event.tenant_id.as_deref())?;
    check_name("session_id", Some(&event.session_id))?;
    check_name("actor.id", Some(&event.actor.id))?;
    check_name("actor.name", event.actor.name.as_deref())?;
    check_name("user_id", event.user_id.as_deref())?;
    check_name("agent_id", event.agent_id.as_deref())?;
    check_name("client_event_id", event.client_event_id.as_deref())?;
    check_list("tags", &event.tags, 100, 64)?;
    check_list("refs", &event.refs, 256, 200)?;
    if event.occurred_at.is_some_and(|at| at > now.plus(Micros::DAY)) {
        return Err(Error::field("occurred_at", "may lie at most 24 hours ahead"));
    }
    if event.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expires_at", "lies in the past"));
    }
    check_content(event)
}

fn check_content(event: &NewEvent) -> Result<()> {
    let size = serde_json::to_string(&event.content).map_or(usize::MAX, |text| text.len());
    if size > MAX_EVENT_BYTES {
        let text = format!("an event holds at most {MAX_EVENT_BYTES} bytes; nothing was stored");
        return Err(Error::new(ErrorKind::TooLarge, "event_too_large", text));
    }
    let other_than_text =
        |name: &&&str| event.content.get(**name).is_some_and(|v| !v.is_string() && !v.is_null());
    if let Some(name) = ["text", "excerpt_text", "caption", "image_query"].iter().find(other_than_text) {
        return Err(Error::field(format!("content.{name}"), "is text"));
    }
    let needs_text = matches!(event.kind, super::EventKind::Message | super::EventKind::Note);
    if needs_text && text_of(event).is_none_or(|text| text.is_empty()) {
        return Err(Error::field("content.text", "holds the words of the event and may not be empty"));
    }
    Ok(())
}

/// The caller's own ids: 1–256 characters without control characters; everything else is ordinary text.
pub(crate) fn check_name(field: &str, value: Option<&str>) -> Result<()> {
    let fits = |text: &str| (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match value {
        Some(text) if !fits(text) => {
            Err(Error::field(field, "is 1 to 256 characters without control characters"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn check_list(field: &str, items: &[String], most: usize, longest: usize) -> Result<()> {
    if items.len() > most {
        return Err(Error::field(field, format!("holds at most {most} items")));
    }
    let fits =
        |text: &String| (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match items.iter().position(|item| !fits(item)) {
        Some(at) => Err(Error::field(
            format!("{field}[{at}]"),
            format!("is 1 to {longest} characters without control characters"),
        )),
        None => Ok(()),
    }
}
