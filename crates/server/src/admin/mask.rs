//! What an operator may see of a job's payload: its shape and short values, no secret and no long text.

use serde_json::{Map, Value};

/// Longer texts are cut here, in characters.
const LONGEST: usize = 200;
/// A field whose name holds one of these words is hidden.
const SECRET_WORDS: [&str; 7] =
    ["secret", "password", "token", "api_key", "authorization", "cookie", "private_key"];

/// The payload as JSON; text that is no JSON is treated as one string.
pub(super) fn payload(text: &str) -> Value {
    masked(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
}

fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text)),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Object(fields) => Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>()),
        plain => plain,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let lower = name.to_ascii_lowercase();
    let is_secret = SECRET_WORDS.iter().any(|word| lower.contains(word));
    (name, if is_secret { Value::String("hidden".to_owned()) } else { masked(value) })
}

fn cut(text: String) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text;
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{kept}… ({} characters more)", length - LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_long_texts_cut_at_any_depth() {
        let long = "ü".repeat(201);
        let given = json!({"to": "ada", "list": [{"Reset_Token": "abc", "text": long}], "n": 7});
        let cut = format!("{}… (1 characters more)", "ü".repeat(200));
        let wanted = json!({"to": "ada", "list": [{"Reset_Token": "hidden", "text": cut}], "n": 7});
        assert_eq!(payload(&given.to_string()), wanted);
        assert_eq!(payload("scope_1"), json!("scope_1"));
    }
}
