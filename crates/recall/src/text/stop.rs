//! A short list of English words that carry no subject: articles, pronouns, auxiliaries, question words.

/// Sorted, so that a lookup is a binary search.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can",
    "can't", "could", "did", "didn't", "do", "does", "doesn't", "doing", "don't", "for", "from", "had",
    "has", "have", "having", "he", "her", "hers", "him", "his", "how", "i", "if", "in", "into", "is",
    "isn't", "it", "it's", "its", "just", "me", "my", "of", "off", "on", "or", "our", "ours", "out", "she",
    "should", "so", "some", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "to", "too", "up", "us", "very", "was", "wasn't", "we", "were", "what", "when", "where",
    "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "yours",
];

/// Tells whether a lower-cased English word (with its apostrophe, if any) is on the stop list.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_answers() {
        assert!(STOP_WORDS.is_sorted());
        assert!(is_stop_word("the") && is_stop_word("don't"));
        assert!(!is_stop_word("painting"));
    }
}
