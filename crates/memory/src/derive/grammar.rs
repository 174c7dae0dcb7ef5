//! Small changes of English words: from what somebody says of themselves to what is said of them.

/// The verb as a third person uses it: `live` → `lives`, `study` → `studies`.
pub(super) fn third(verb: &str) -> String {
    let lower = verb.to_lowercase();
    let irregular = match lower.as_str() {
        "am" | "are" => Some("is"),
        "have" => Some("has"),
        "do" => Some("does"),
        "go" => Some("goes"),
        "was" | "were" | "will" | "must" | "cannot" | "has" | "is" => Some(lower.as_str()),
        _ => None,
    };
    if let Some(word) = irregular {
        return word.to_owned();
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    match lower.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh", "o"]) => format!("{lower}es"),
        _ => format!("{lower}s"),
    }
}

/// The first word as a third person uses it, and what it was said of.
pub(super) fn third_phrase(phrase: &str) -> String {
    let (verb, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
    let joined = format!("{} {}", third(verb), of_them(rest));
    joined.trim_end().to_owned()
}

/// First persons become third ones: `my dog and me` → `their dog and them`.
pub(super) fn of_them(phrase: &str) -> String {
    let mut words = Vec::new();
    for word in phrase.split(' ') {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let other = match core.to_lowercase().as_str() {
            "my" | "our" => "their",
            "mine" | "ours" => "theirs",
            "me" | "us" => "them",
            "i" | "we" => "they",
            "myself" | "ourselves" => "themselves",
            "am" => "are",
            _ => core,
        };
        words.push(if other == core { word.to_owned() } else { word.replacen(core, other, 1) });
    }
    words.join(" ")
}

/// A phrase without what trails it: reasons, "now", "a lot", and the last mark.
pub(super) fn tidy(phrase: &str) -> String {
    const REASONS: [&str; 9] =
        [" because ", " since ", " but ", " although ", " though ", " so that ", ", which ", ", so ", " — "];
    const TRAILS: [&str; 22] = [
        "now",
        "these days",
        "at the moment",
        "anymore",
        "any more",
        "right now",
        "too",
        "as well",
        "a lot",
        "very much",
        "so much",
        "nowadays",
        "currently",
        "though",
        "either",
        "at all",
        "please",
        "actually",
        "again",
        "by the way",
        "the most",
        "already",
    ];
    let lower = phrase.to_ascii_lowercase();
    let end = REASONS.iter().filter_map(|reason| lower.find(reason)).min().unwrap_or(phrase.len());
    let mut phrase = phrase[..end].trim_matches([' ', ',', '.', '!', ':', ';']);
    while let Some(rest) = TRAILS.iter().find_map(|trail| {
        let at = phrase.len().checked_sub(trail.len() + 1).filter(|at| phrase.is_char_boundary(*at))?;
        let is_trail = phrase[at..].eq_ignore_ascii_case(&format!(" {trail}"));
        is_trail.then(|| phrase[..at].trim_end_matches([' ', ',']))
    }) {
        phrase = rest;
    }
    phrase.to_owned()
}

/// Whether a phrase names nothing by itself, as "it" and "that idea" do.
pub(super) fn points_elsewhere(phrase: &str) -> bool {
    const WORDS: [&str; 34] = [
        "it",
        "that",
        "this",
        "these",
        "those",
        "them",
        "him",
        "her",
        "you",
        "your",
        "yours",
        "how",
        "what",
        "when",
        "where",
        "why",
        "who",
        "one",
        "some",
        "any",
        "all",
        "both",
        "so",
        "here",
        "there",
        "everything",
        "nothing",
        "something",
        "anything",
        "someone",
        "not",
        "like",
        "than",
        "as",
    ];
    let first = phrase.split([' ', ',']).next().unwrap_or_default().to_lowercase();
    first.is_empty() || WORDS.contains(&first.as_str())
}

/// Whether a verb stands in the past, or belongs to talk rather than to habits.
pub(super) fn is_no_habit(phrase: &str) -> bool {
    const WORDS: [&str; 26] = [
        "said",
        "meant",
        "knew",
        "thought",
        "did",
        "was",
        "were",
        "had",
        "been",
        "got",
        "went",
        "felt",
        "saw",
        "told",
        "made",
        "heard",
        "understood",
        "believed",
        "found",
        "know",
        "mean",
        "ever",
        "a",
        "the",
        "wonder",
        "forget",
    ];
    let first = phrase.split(' ').next().unwrap_or_default().to_lowercase();
    WORDS.contains(&first.as_str()) || (first.ends_with("ed") && first != "need")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_oneself_is_said_of_somebody() {
        assert_eq!(
            ["live", "study", "play", "watch", "go", "have", "am"].map(third),
            ["lives", "studies", "plays", "watches", "goes", "has", "is"]
        );
        assert_eq!(third_phrase("walk my dog, Rex, with me"), "walks their dog, Rex, with them");
        assert_eq!(tidy("Lima now, because it is warm."), "Lima");
        assert_eq!(tidy("coffee a lot too"), "coffee");
        assert!(points_elsewhere("that idea") && !points_elsewhere("the sea"));
        assert!(is_no_habit("wanted one") && !is_no_habit("need coffee"));
    }
}
