//! What secrets look like. One pass over a text; every pattern is linear in its length.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A place in a text that holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What stands for a secret already; found first, so that nothing in it is taken for one.
const PLACEHOLDER: &str = "placeholder";

/// Each pattern with the kind it finds; where it has a group, only that is the secret. Prefixes as their issuers publish
/// them.
const PATTERNS: &[(&str, &str)] = &[
    (PLACEHOLDER, r"\[secret:[a-z_]+:[0-9a-f]{8}\]"),
    (
        "private_key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (
        "provider_key",
        concat!(
            r"\b(?:sk-[A-Za-z0-9_-]{20,}|(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}",
            r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}",
            r"|xapp-[A-Za-z0-9-]{20,}|AIza[0-9A-Za-z_-]{35}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|hf_[A-Za-z0-9]{30,}",
            r"|gsk_[A-Za-z0-9]{40,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hk_[a-z0-9]{40,}|dop_v1_[a-f0-9]{60,}",
            r"|AGE-SECRET-KEY-1[0-9A-Z]{50,})",
        ),
    ),
    ("url_password", r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,64}:([^\s/@]{1,256})@"),
    ("credential", r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9+/._~-]{16,}={0,2})"),
    ("card", r"\b\d(?:[ -]?\d){12,18}\b"),
    (
        "assignment",
        concat!(
            r"(?i)(?:password|passwd|passphrase|passcode|\bpwd|secret|token|api[_ -]?key|access[_ -]?key|account[_ -]?key",
            r#"|shared[_ -]?key|private[_ -]?key|credentials?)[A-Za-z0-9_.-]{0,24}["'\]]{0,2}\s{0,3}(?:=>|:=|=|:|\bis\b|\bwas\b)\s{0,3}"#,
            r#"(?:"([^"\n]{4,512})"|'([^'\n]{4,512})'|([^\s"',;<>{}()\[\]]{4,512}))"#,
        ),
    ),
    (
        "high_entropy",
        r"(?i)\b(?:password|passphrase|secret|token|key|credentials?|login)\b[^\n]{0,40}?([A-Za-z0-9+/_=-]{16,})",
    ),
];

static COMPILED: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compile = |(kind, pattern): &(&'static str, &str)| {
        (*kind, Regex::new(pattern).expect("a pattern of ours is one"))
    };
    PATTERNS.iter().map(compile).collect()
});

/// A cheap look: texts that hold none of these hold no secret that [`find`] knows.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    let hints = r"(?i)pass|pwd|secret|token|key|credential|login|bearer|basic|://|\beyJ|sk[-_]|rk_|whsec_|AKIA|ASIA|gh[pousr]_|github_pat|glpat|xox|xapp|AIza|npm_|pypi-|hf_|gsk_|SG\.|hk_|dop_v1|\d(?:[ -]?\d){12}";
    Regex::new(hints).expect("the hints are a pattern")
});

/// All secrets in a text, in order and apart from each other. Of those that overlap the earlier pattern wins.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    if !HINT.is_match(text) {
        return found;
    }
    for (kind, regex) in COMPILED.iter() {
        for captures in regex.captures_iter(text) {
            let Some(place) = secret_of(kind, &captures) else { continue };
            if found.iter().all(|other| place.end <= other.start || other.end <= place.start) {
                found.push(place);
            }
        }
    }
    found.retain(|place| place.kind != PLACEHOLDER);
    found.sort_unstable_by_key(|place| place.start);
    found
}

fn secret_of(kind: &'static str, captures: &Captures<'_>) -> Option<Found> {
    let quoted = kind == "assignment" && (captures.get(1).or(captures.get(2))).is_some();
    let value = captures.iter().skip(1).flatten().next().or(captures.get(0))?;
    let whole = captures.get(0)?;
    let text = value.as_str();
    let before = &whole.as_str()[..value.start() - whole.start()];
    let is_secret = match kind {
        "card" => is_card(text),
        "high_entropy" => is_random(text),
        "url_password" | "credential" => !is_stand_in(text),
        "assignment" => !is_stand_in(text) && (quoted && !text.contains(' ') || is_value(before, text)),
        _ => true,
    };
    is_secret.then_some(Found { kind, start: value.start(), end: value.end() })
}

/// Whether an unquoted word after `before` (`token = `, `password is `) is a value and not a piece of code or prose.
fn is_value(before: &str, text: &str) -> bool {
    let has = |test: fn(&char) -> bool| text.chars().any(|c| test(&c));
    if has(char::is_ascii_digit) && has(|c| c.is_alphabetic()) || has(|c| "!@#$%^&*+~".contains(*c)) {
        return true;
    }
    // `password=hunter` of a settings file; `token = response` is code, `the secret is patience` prose.
    let is_tight = before.ends_with('=') && !before.ends_with(" =");
    is_tight
        && text.len() >= 6
        && !text.contains('.')
        && !before.to_lowercase().contains(&text.to_lowercase())
}

/// What people write where a secret would stand: nothing is lost when it stays.
pub(super) fn is_stand_in(text: &str) -> bool {
    const WORDS: [&str; 24] = [
        "null",
        "none",
        "nil",
        "true",
        "false",
        "undefined",
        "string",
        "required",
        "optional",
        "redacted",
        "changeme",
        "example",
        "placeholder",
        "password",
        "secret",
        "token",
        "unset",
        "missing",
        "invalid",
        "expired",
        "empty",
        "hidden",
        "here",
        "process.env",
    ];
    let plain = text.trim_matches(|c: char| "\"'`.,".contains(c)).to_lowercase();
    let is_marked = ["${", "{{", "$(", "<", "%(", "[secret:", "your-", "your_", "os.environ", "env."];
    is_marked.iter().any(|mark| plain.starts_with(mark))
        || WORDS.contains(&plain.as_str())
        || plain.starts_with("process.env")
        || (plain.starts_with('$') && plain[1..].chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        || plain.chars().all(|c| "*x.•-_".contains(c))
}

/// Letters and digits, and at least 3.3 bits a character (Shannon): hexadecimal keys have up to 4, base 64 up to 6, and
/// words of a language repeat their letters.
fn is_random(text: &str) -> bool {
    let has = |test: fn(&u8) -> bool| text.bytes().any(|b| test(&b));
    has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && entropy(text) >= 3.3
}

fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let length = text.len() as f64;
    let share = |count: &u32| f64::from(*count) / length;
    -counts.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>()
}

/// A payment card: an issuer's first digit and the check digit of ISO/IEC 7812-1 (Luhn).
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    (3..=6).contains(&digits[0]) && digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}
