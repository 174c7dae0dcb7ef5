//! From text to index terms: words, stems, stop words, identifiers, bigrams and date words.

mod dates;
mod stop;
mod tokenise;

pub use dates::{civil, date_words, micros_of_civil};
pub use stop::is_stop_word;
pub use tokenise::{Language, Token, Tokeniser};
