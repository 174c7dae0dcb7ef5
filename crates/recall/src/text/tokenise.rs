//! The tokeniser shared by documents and queries.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use super::stop::is_stop_word;

/// Longest term kept, in bytes; the rest of a longer word is ignored.
const MAX_TERM_BYTES: usize = 64;

/// How words of an index are reduced to terms. Documents and queries of one index share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Snowball English stems, English stop words.
    #[default]
    English,
    /// Case folding only.
    Plain,
}

/// One term with the bytes of the text it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Lower-cased, stemmed term; at most 64 bytes.
    pub term: String,
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte in the text; `text[start..end]` is the word form.
    pub end: usize,
}

/// Turns text into terms. Any text is safe, of any script and length.
pub struct Tokeniser {
    language: Language,
    stemmer: Stemmer,
}

impl Tokeniser {
    /// Creates a tokeniser for one language.
    pub fn new(language: Language) -> Self {
        Self { language, stemmer: Stemmer::create(Algorithm::English) }
    }

    /// Lists the terms of a text in order, stop words left out.
    ///
    /// Words end where UAX 29 says. Identifiers (`snake_case`, `camelCase`, `a.b`, `a/b`) give the whole and its
    /// parts. Runs of Han, kana and Hangul give overlapping pairs of characters.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let mut out = Vec::with_capacity(text.len() / 6);
        self.for_each(text, &mut |term, start, end| {
            out.push(Token { term: term.to_owned(), start, end });
        });
        out
    }

    /// Calls `emit(term, start, end)` for each term, as [`Tokeniser::tokens`] lists them.
    pub fn for_each(&self, text: &str, emit: &mut dyn FnMut(&str, usize, usize)) {
        let mut at = 0;
        while at < text.len() {
            let run = run_length(&text[at..]);
            let piece = &text[at..at + run];
            if piece.chars().next().is_some_and(is_pair_script) {
                pairs(piece, at, emit);
            } else {
                for (offset, word) in piece.unicode_word_indices() {
                    self.word(word, at + offset, emit);
                }
                paths(piece, at, emit);
            }
            at += run;
        }
    }

    fn word(&self, word: &str, start: usize, emit: &mut dyn FnMut(&str, usize, usize)) {
        let folded = word.to_lowercase().replace('\u{2019}', "'");
        if self.language == Language::English && is_stop_word(&folded) {
            return;
        }
        let end = start + word.len();
        let bare = strip_clitic(&folded);
        let pieces = parts(word);
        if pieces.len() > 1 {
            emit(clip(bare), start, end);
            for (from, to) in pieces {
                self.plain(&word[from..to].to_lowercase(), start + from, start + to, emit);
            }
        } else {
            self.plain(bare, start, end, emit);
        }
    }

    fn plain(&self, word: &str, start: usize, end: usize, emit: &mut dyn FnMut(&str, usize, usize)) {
        if word.is_empty() {
            return;
        }
        if self.language == Language::Plain || !word.bytes().all(|b| b.is_ascii_alphabetic()) {
            return emit(clip(word), start, end);
        }
        if !is_stop_word(word) {
            emit(clip(&self.stemmer.stem(clip(word))), start, end);
        }
    }
}

/// Length in bytes of the leading run of one kind: characters of a pair script, or the others.
fn run_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    let kind = is_pair_script(first);
    chars.find(|(_, c)| is_pair_script(*c) != kind).map_or(text.len(), |(at, _)| at)
}

/// Han, kana and Hangul: scripts whose words are not set apart by spaces, or carry endings.
fn is_pair_script(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{323af}')
}

fn pairs(run: &str, start: usize, emit: &mut dyn FnMut(&str, usize, usize)) {
    let ends: Vec<usize> = run.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    if ends.len() == 1 {
        return emit(run, start, start + run.len());
    }
    let mut from = 0;
    for (i, &to) in ends.iter().enumerate().skip(1) {
        emit(&run[from..to], start + from, start + to);
        from = ends[i - 1];
    }
}

/// Emits slash-separated paths whole; their parts are words already.
fn paths(piece: &str, base: usize, emit: &mut dyn FnMut(&str, usize, usize)) {
    if !piece.contains(['/', '\\']) {
        return;
    }
    for chunk in piece.split_whitespace() {
        let path = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        if path.contains(['/', '\\']) {
            let start = base + (path.as_ptr() as usize - piece.as_ptr() as usize);
            emit(clip(&path.to_lowercase()), start, start + path.len());
        }
    }
}

fn strip_clitic(word: &str) -> &str {
    match word.split_once('\'') {
        Some((head, "s" | "t" | "ll" | "re" | "ve" | "d" | "m" | "")) if !head.is_empty() => head,
        _ => word,
    }
}

/// Byte ranges of the parts of an identifier; a single range for an ordinary word.
fn parts(word: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut from = None;
    let mut previous = None::<char>;
    for (at, c) in word.char_indices() {
        if !c.is_alphanumeric() {
            if c == '\'' || c == '\u{2019}' {
                break;
            }
            out.extend(from.take().map(|f| (f, at)));
        } else if from.is_none() {
            from = Some(at);
        } else if c.is_uppercase() && previous.is_some_and(char::is_lowercase) {
            out.extend(from.replace(at).map(|f| (f, at)));
        }
        previous = Some(c);
    }
    if let Some(f) = from {
        let end = word[f..].find(['\'', '\u{2019}']).map_or(word.len(), |n| f + n);
        out.push((f, end));
    }
    out
}

fn clip(term: &str) -> &str {
    &term[..term.floor_char_boundary(MAX_TERM_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        Tokeniser::new(Language::English).tokens(text).into_iter().map(|t| t.term).collect()
    }

    #[test]
    fn words_are_folded_stemmed_and_stopped() {
        assert_eq!(terms("When did Caroline's friends go PAINTING?"), ["carolin", "friend", "go", "paint"]);
        assert_eq!(terms("I don’t know, it's 5:30"), ["know", "5", "30"]);
    }

    #[test]
    fn identifiers_stay_whole_and_split() {
        assert_eq!(terms("parseHttpBody"), ["parsehttpbody", "pars", "http", "bodi"]);
        assert_eq!(terms("max_retry_count"), ["max_retry_count", "max", "retri", "count"]);
        assert_eq!(terms("see src/main.rs."), ["see", "src", "main.rs", "main", "rs", "src/main.rs"]);
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        assert_eq!(terms("東京都 ok"), ["東京", "京都", "ok"]);
        assert_eq!(terms("水"), ["水"]);
        assert_eq!(terms("서울역"), ["서울", "울역"]);
    }

    #[test]
    fn spans_name_the_word_forms() {
        let text = "A photo of Mel's paintings";
        let forms: Vec<_> =
            Tokeniser::new(Language::English).tokens(text).iter().map(|t| &text[t.start..t.end]).collect();
        assert_eq!(forms, ["photo", "Mel's", "paintings"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in "\\PC{0,200}|[a-zA-Z_./\\\\'’ 東京ー한글\u{301}]{0,80}") {
            for language in [Language::English, Language::Plain] {
                for token in Tokeniser::new(language).tokens(&text) {
                    assert!(!token.term.is_empty() && token.term.len() <= MAX_TERM_BYTES);
                    assert!(text.get(token.start..token.end).is_some_and(|form| !form.is_empty()));
                }
            }
        }
    }
}
