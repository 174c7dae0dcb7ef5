//! Text of events: what is indexed, how long it is, and where it is cut.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::events::EventKind;

/// Longest chunk, in estimated tokens.
pub(crate) const CHUNK_TOKENS: usize = 400;
/// Chunks of one event that are indexed.
pub(crate) const MAX_CHUNKS: usize = 256;
/// Text kept inline with its event, in bytes; longer text goes to the blob store.
pub(crate) const INLINE_BYTES: usize = 64 * 1024;
/// Of a long text the event keeps this much of its beginning and of its end, in bytes.
const EXCERPT_HEAD: usize = 48 * 1024;
const EXCERPT_TAIL: usize = 16 * 1024;

/// Estimates tokens: ASCII characters ÷ 4 rounded up, and one for every other character.
pub fn estimate_tokens(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let other = text.chars().filter(|c| !c.is_ascii()).count();
    ascii.div_ceil(4) + other
}

/// The text that is indexed for an event of `kind`; empty when it holds none.
pub(crate) fn indexed_text(kind: EventKind, content: &Map<String, Value>) -> String {
    let field = |name: &str| content.get(name).map(plain).unwrap_or_default();
    let joined = |names: &[&str]| {
        let parts: Vec<String> =
            names.iter().map(|name| field(name)).filter(|text| !text.is_empty()).collect();
        parts.join("\n")
    };
    match kind {
        EventKind::Message | EventKind::Note | EventKind::Artifact => field("text"),
        EventKind::ToolResult => {
            let excerpt = field("excerpt_text");
            if excerpt.is_empty() { field("text") } else { excerpt }
        }
        EventKind::ToolCall => joined(&["tool", "path", "arguments"]),
        EventKind::Decision => joined(&["decision", "text", "rationale"]),
        EventKind::TaskUpdate => joined(&["title", "details"]),
    }
}

/// The field whose text may be long, and moves to the blob store when it is.
pub(crate) fn long_field(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Message | EventKind::Note | EventKind::Artifact | EventKind::ToolResult => Some("text"),
        _ => None,
    }
}

/// Further text of a message that is indexed with it: what an image shows and was searched by.
pub(crate) fn extra_text(content: &Map<String, Value>) -> Vec<&str> {
    ["caption", "image_query"].iter().filter_map(|name| content.get(*name)?.as_str()).collect()
}

static FENCED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?s)<<<memory [0-9a-f]{8,64}:.*?(?:<<<end of memory [0-9a-f]{8,64}>>>|\z)";
    Regex::new(pattern).expect("a pattern of ours is one")
});

/// Byte ranges that lie inside fences of our own making: what came out of memory is never read into it again. A fence that
/// is not closed holds the rest of the text.
pub(crate) fn fences(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    FENCED.find_iter(text).map(|found| found.range())
}

/// The text without what lies inside fences.
pub(crate) fn without_fences(text: &str) -> String {
    FENCED.replace_all(text, "").into_owned()
}

/// A value as words: strings as they are, lists line by line, objects as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// Cuts text into chunks of at most [`CHUNK_TOKENS`], at paragraphs, then sentences, then words, then characters;
/// byte ranges that follow each other and lose nothing but white space between them. At most [`MAX_CHUNKS`].
pub(crate) fn chunk(text: &str) -> Vec<(usize, usize)> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while chunks.len() < MAX_CHUNKS {
        start += text[start..].len() - text[start..].trim_start().len();
        if start == text.len() {
            break;
        }
        let end = start + cut(&text[start..]);
        chunks.push((start, start + text[start..end].trim_end().len()));
        start = end;
    }
    chunks
}

/// Bytes of the longest beginning that fits, ending at the best boundary in its second half.
fn cut(text: &str) -> usize {
    let fit = fitting(text);
    if fit == text.len() {
        return fit;
    }
    let (head, half) = (&text[..fit], fit / 2);
    let after = |mark: &str| head.rfind(mark).map(|at| at + mark.len()).filter(|at| *at > half);
    let sentence = || [". ", "! ", "? ", ".\n", "。", "\n"].iter().filter_map(|mark| after(mark)).max();
    after("\n\n").or_else(sentence).or_else(|| after(" ")).unwrap_or(fit)
}

/// Bytes of the longest beginning within [`CHUNK_TOKENS`].
fn fitting(text: &str) -> usize {
    let (mut ascii, mut other) = (0_usize, 0_usize);
    for (at, c) in text.char_indices() {
        if c.is_ascii() {
            ascii += 1;
        } else {
            other += 1;
        }
        if ascii.div_ceil(4) + other > CHUNK_TOKENS {
            return at;
        }
    }
    text.len()
}

/// What an event keeps of a long text: beginning and end, with the gap named.
pub(crate) fn excerpt(text: &str) -> String {
    let head = &text[..text.floor_char_boundary(EXCERPT_HEAD)];
    let tail = &text[text.ceil_char_boundary(text.len() - EXCERPT_TAIL)..];
    format!("{head}\n[… {} bytes left out …]\n{tail}", text.len() - head.len() - tail.len())
}

/// Replaces U+0000, which PostgreSQL cannot keep, by U+FFFD in every string and key; tells whether there was any.
pub(crate) fn sanitise(value: &mut Value) -> bool {
    match value {
        Value::String(text) => sanitise_text(text),
        Value::Array(items) => items.iter_mut().fold(false, |any, item| sanitise(item) | any),
        Value::Object(map) => sanitise_map(map),
        _ => false,
    }
}

/// As [`sanitise`], for an object.
pub(crate) fn sanitise_map(map: &mut Map<String, Value>) -> bool {
    let mut any = map.values_mut().fold(false, |any, item| sanitise(item) | any);
    if map.keys().any(|key| key.contains('\0')) {
        any = true;
        *map = std::mem::take(map)
            .into_iter()
            .map(|(key, item)| (key.replace('\0', "\u{FFFD}"), item))
            .collect();
    }
    any
}

/// As [`sanitise`], for one text.
pub(crate) fn sanitise_text(text: &mut String) -> bool {
    let found = text.contains('\0');
    if found {
        *text = text.replace('\0', "\u{FFFD}");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn tokens_are_estimated_by_the_published_rule() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("abcde"), 2);
        assert_eq!(estimate_tokens("añb"), 1 + 1);
        assert_eq!(estimate_tokens("日本語"), 3);
    }

    #[test]
    fn an_ordinary_turn_is_one_chunk_and_a_long_text_is_cut_at_paragraphs() {
        assert_eq!(chunk("Hello <b>there</b>, Ana."), [(0, 24)]);
        assert_eq!(chunk("  \n "), []);
        let paragraph = "word ".repeat(200);
        let text = format!("{}\n\n{}\n\n{}", paragraph.trim(), paragraph.trim(), paragraph.trim());
        let pieces: Vec<&str> = chunk(&text).iter().map(|(a, b)| &text[*a..*b]).collect();
        assert_eq!(pieces, [paragraph.trim(); 3]);
    }

    #[test]
    fn each_kind_offers_its_text() {
        let of = |kind, content: Value| indexed_text(kind, content.as_object().unwrap());
        assert_eq!(of(EventKind::Message, json!({"text": "hi", "other": 1})), "hi");
        assert_eq!(of(EventKind::ToolResult, json!({"text": "long", "excerpt_text": "short"})), "short");
        let call = json!({"tool": "grep", "path": "a.rs", "arguments": {"x": 1}});
        assert_eq!(of(EventKind::ToolCall, call), "grep\na.rs\n{\"x\":1}");
        assert_eq!(
            of(EventKind::Decision, json!({"decision": "use SQL", "rationale": ["a", "b"]})),
            "use SQL\na\nb"
        );
        assert_eq!(of(EventKind::TaskUpdate, json!({"title": "ship"})), "ship");
    }

    proptest! {
        #[test]
        fn chunks_cover_all_but_white_space(text in "(\\PC|[ \n]){0,3000}") {
            let chunks = chunk(&text);
            let mut at = 0;
            for (start, end) in &chunks {
                prop_assert!(text[at..*start].trim().is_empty());
                prop_assert!(estimate_tokens(&text[*start..*end]) <= CHUNK_TOKENS);
                at = *end;
            }
            prop_assert!(chunks.len() == MAX_CHUNKS || text[at..].trim().is_empty());
        }

        #[test]
        fn an_excerpt_names_its_gap(n in 70_000_usize..90_000) {
            let text = "é".repeat(n);
            let kept = excerpt(&text);
            prop_assert!(kept.len() < INLINE_BYTES + 64 && kept.contains("bytes left out"));
        }
    }
}
