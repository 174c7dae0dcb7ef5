//! From a text to the clauses that rules may read: what is asked, supposed, quoted or reported is left out.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::fences;

/// Longest sentence that is read, in bytes; a longer one is not how people say such things.
const LONGEST: usize = 400;
/// Quotes of fewer words are names of things, and are read.
const QUOTE_WORDS: usize = 3;

/// Part of a sentence that says one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// The words with contractions written out, without what leads in and without the last mark.
    pub(super) text: String,
    /// Where it begins in the text it came from, bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it takes back what was said before ("no, actually …").
    pub(super) corrects: bool,
    /// Whether it ends in an exclamation mark.
    pub(super) is_exclaimed: bool,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours is one")
}

static CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)```.*?(?:```|\z)|`[^`\n]*`"));
static QUOTED_LINE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^[ \t]*>.*$"));
static QUOTE: LazyLock<Regex> = LazyLock::new(|| regex("[“\"„][^”\"“\n]*[”\"“]|«[^»\n]*»"));
static STOP: LazyLock<Regex> = LazyLock::new(|| regex(r#"[.!?…]+["')\]]*(?:\s+|\z)|\n+|;\s+"#));
static ABBREVIATION: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(?:^|[\s(])(?:dr|mr|mrs|ms|prof|st|ave|no|vs|etc|e\.g|i\.e|approx|inc|ltd|jr|sr|[a-z])$")
});
static SUPPOSED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix)\b(?:if|would|could|might|maybe|perhaps|possibly|probably|suppose|supposing|imagine|pretend|wish|unless
          |hypothetically|as\ though|let's\ say|say\ i|for\ example|e\.g\.|in\ (?:a|my|the|this)\ (?:dream|story|game|novel|
          movie|film|book|song|scene)|role-?play(?:ing)?|character|(?:just\ )?kidding|joking|sarcasm|almost|nearly|
          wanna\ say|what\ happens|whether)\b",
    )
});
static REPORTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix)\b(?:said|says|saying|told|tells|claims?|claimed|wrote|writes|replied|asked|asks|answered|announced|
          according\ to|quote[sd]?|lyrics?|the\ (?:song|poem|article|book|story)\ goes|once\ said|shouted)\b",
    )
});
static ASKED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:what|where|when|who|whom|whose|why|how|which|do|does|did|can|shall|should|will|is|are|am|was|were|has|have)\b",
    )
});
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix)^(?:well|oh|ah|yeah|yes|yep|yup|ok|okay|alright|so|and|but|also|btw|by\ the\ way|fyi|just\ so\ you\ know
          |honestly|anyway|plus|as\ you\ know|thanks|thank\ you|sure|great|cool|hmm+|haha|lol|please|again|basically
          |for\ your\ information|to\ be\ clear|right|look|listen|guess\ what|you\ know|first|second|finally|hi|hello|hey)
          (?:\b[,:.!\ —–-]+)",
    )
});
static GREETING: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^(?:hi|hello|hey|dear)\s+\p{L}+(?:\s+\p{L}+)?\s*[,!.:]\s*"));
static CORRECTION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:no|nope|wait|actually|sorry|correction|scratch that|i meant|i mean)\b(?:[,;:.! —–-]+)(?:(?:actually|wait|sorry|i meant|i mean)\b[,; ]*)*",
    )
});
static NEXT_CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:,?\s+(?:and|but|so|then)\s+|;\s+|\s+—\s+)((?:i|i'm|i’m|i've|i’ve|i'll|i’ll|my|we|we're|we’re|our)\b)",
    )
});
static CONTRACTION: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"(?i)\b(i)'m\b", "$1 am"),
        (r"(?i)\b(we|you|they)'re\b", "$1 are"),
        (r"(?i)\b(i|we|you|they)'ve\b", "$1 have"),
        (r"(?i)\b(\w+)'ll\b", "$1 will"),
        (r"(?i)\b(i|we|you|he|she|they)'d\b", "$1 would"),
        (r"(?i)\bname's\b", "name is"),
        (r"(?i)\b(he|she|it|that)'s\b", "$1 is"),
        (r"(?i)\bcan't\b", "cannot"),
        (r"(?i)\bwon't\b", "will not"),
        (r"(?i)\b(\w+)n't\b", "$1 not"),
        (r"(?i)\bgonna\b", "going to"),
        (r"(?i)\bgotta\b", "got to"),
        (r"(?i)^im\b", "i am"),
    ]
    .map(|(from, to)| (regex(from), to))
    .into()
});

/// Finds the clauses of a text that state something.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let masked = masked(text);
    let sentences = sentences(&masked).into_iter().filter(|(start, end)| is_stated(&masked[*start..*end]));
    sentences.flat_map(|(start, end)| split(&masked, start, end)).collect()
}

/// The text with spaces, byte for byte, in place of code, quotes and what came out of memory.
fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let is_long = |quote: &str| quote.split_whitespace().count() >= QUOTE_WORDS;
    let quotes = QUOTE.find_iter(text).filter(|found| is_long(found.as_str())).map(|found| found.range());
    let others = CODE.find_iter(text).chain(QUOTED_LINE.find_iter(text)).map(|found| found.range());
    for range in quotes.chain(others).chain(fences(text)) {
        bytes[range].fill(b' ');
    }
    String::from_utf8(bytes).expect("whole characters were replaced")
}

/// Byte ranges of sentences, with their marks.
fn sentences(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut start) = (Vec::new(), 0);
    for stop in STOP.find_iter(text) {
        if stop.as_str().starts_with('.') && ABBREVIATION.is_match(&text[start..stop.start()]) {
            continue;
        }
        found.push((start, stop.start() + stop.as_str().trim_end().len()));
        start = stop.end();
    }
    found.push((start, text.len()));
    let trim = |(start, end): (usize, usize)| {
        let lead = text[start..end].len() - text[start..end].trim_start().len();
        (start + lead, start + lead + text[start + lead..end].trim_end().len())
    };
    found.into_iter().map(trim).filter(|(start, end)| start < end).collect()
}

fn is_stated(sentence: &str) -> bool {
    let led = &sentence[led(sentence).0..];
    sentence.len() <= LONGEST
        && !sentence.trim_end_matches(['"', '\'', ')']).ends_with('?')
        && !SUPPOSED.is_match(sentence)
        && !SUPPOSED.is_match(&written_out(sentence))
        && !REPORTED.is_match(sentence)
        && !ASKED.is_match(led)
}

/// Bytes of what leads into a sentence, and whether it corrects.
fn led(sentence: &str) -> (usize, bool) {
    let (mut at, mut corrects) = (0, false);
    for _ in 0..4 {
        let rest = &sentence[at..];
        let lead = GREETING.find(rest).or_else(|| LEAD.find(rest));
        let correction = if lead.is_none() { CORRECTION.find(rest) } else { None };
        corrects |= correction.is_some();
        match lead.or(correction) {
            Some(found) if found.end() < rest.len() => at += found.end(),
            _ => break,
        }
    }
    (at, corrects)
}

fn split(text: &str, start: usize, end: usize) -> Vec<Clause> {
    let (lead, corrects) = led(&text[start..end]);
    let from = start + lead;
    let mut cuts = vec![from];
    let next = NEXT_CLAUSE.captures_iter(&text[from..end]).filter_map(|found| found.get(1));
    cuts.extend(next.map(|found| from + found.start()));
    cuts.push(end);
    let is_exclaimed = text[start..end].ends_with('!');
    let clause = |pair: &[usize]| {
        let piece = text[pair[0]..pair[1]].trim_end();
        let piece = piece.trim_end_matches([',', ';']).trim_end();
        let piece = ["and", "but", "so", "then", "—"].iter().fold(piece, |piece, joint| {
            let cut = piece.strip_suffix(joint).filter(|rest| rest.ends_with([' ', ',']));
            cut.map_or(piece, |rest| rest.trim_end_matches([' ', ',']))
        });
        let words = written_out(piece.trim_end_matches(['.', '!', '…', ' ']));
        Clause { text: words, start: pair[0], end: pair[0] + piece.len(), corrects, is_exclaimed }
    };
    cuts.windows(2).map(clause).filter(|clause| clause.text.contains(' ')).collect()
}

/// Plain apostrophes, single spaces, and contractions in full.
fn written_out(text: &str) -> String {
    let plain = text.replace(['’', '‘'], "'");
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    for (short, full) in CONTRACTION.iter() {
        words = short.replace_all(&words, *full).into_owned();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::clauses;

    fn of(text: &str) -> Vec<String> {
        clauses(text).into_iter().map(|clause| clause.text).collect()
    }

    #[test]
    fn clauses_are_cut_and_their_place_is_exact() {
        let text = "Hi Bob, I’m Ana and I live in Lima. Dr. Who? No, actually I live in Quito!";
        let found = clauses(text);
        let words: Vec<&str> = found.iter().map(|clause| clause.text.as_str()).collect();
        assert_eq!(words, ["I am Ana", "I live in Lima", "I live in Quito"]);
        let places: Vec<&str> = found.iter().map(|clause| &text[clause.start..clause.end]).collect();
        assert_eq!(places, ["I’m Ana", "I live in Lima.", "I live in Quito!"]);
        assert_eq!(found.iter().map(|clause| clause.corrects).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn what_is_asked_supposed_quoted_or_fenced_is_not_stated() {
        for text in [
            "Do I live in Lima?",
            "If I move, I'll live in Lima.",
            "She said I live in Lima.",
            "\"I live in Lima\" is a song.",
            "> I live in Lima",
            "```\nI live in Lima\n```",
            "I'd live in Lima.",
            "<<<memory 0123456789ab: read>>>\n1. I live in Lima\n<<<end of memory 0123456789ab>>>",
            "<<<memory 0123456789ab: read>>>\n1. I live in Lima",
        ] {
            let found = of(text);
            assert!(!found.iter().any(|clause| clause.starts_with("I live")), "{text}: {found:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in "(\\PC|[ \n.!?\"`>]){0,300}") {
            for clause in clauses(&text) {
                proptest::prop_assert!(text.is_char_boundary(clause.start) && text.is_char_boundary(clause.end));
            }
        }
    }
}
