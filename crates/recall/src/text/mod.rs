//! From text to index terms: words, stems, stop words, identifiers, bigrams and dates.

mod dates;
mod stop;
mod tokenise;
mod when;

pub use dates::{civil, date_words, micros_of_civil};
pub use stop::is_stop_word;
pub use tokenise::{Language, Token, Tokeniser};
pub use when::{Window, is_calendar_word};
