//! Secrets taken out before anything is written: no row, index, job, log, blob or error ever holds one.

mod patterns;

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use kernel::Secret;
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// How every placeholder begins; chunks that hold it are not indexed.
pub(crate) const MARK: &str = "[secret:";
/// Names of fields whose whole text is a secret.
const FIELD_WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "access_token",
    "refresh_token",
];

/// Replaces secrets by `[secret:<kind>:<8 hex of a keyed hash>]`: equal secrets are recognised and never recovered.
#[derive(Clone)]
pub(crate) struct Redactor {
    key: Secret,
}

/// How many secrets of each kind were taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Redactions(BTreeMap<&'static str, usize>);

impl Redactions {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what another text held.
    pub(crate) fn join(&mut self, other: Self) {
        for (kind, count) in other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// `[{kind, count}]`, as answers and rows carry them.
    pub(crate) fn to_json(&self) -> Vec<Value> {
        self.0.iter().map(|(kind, count)| json!({"kind": kind, "count": count})).collect()
    }
}

impl Redactor {
    /// A redactor whose placeholders are alike for all who share `key`.
    pub(crate) fn new(key: &Secret) -> Self {
        Self { key: key.clone() }
    }

    /// Cleans a text.
    pub(crate) fn clean_text(&self, text: &mut String, seen: &mut Redactions) {
        let found = patterns::find(text);
        for place in found.iter().rev() {
            let placeholder = self.placeholder(place.kind, &text[place.start..place.end]);
            text.replace_range(place.start..place.end, &placeholder);
        }
        for place in found {
            note(seen, place.kind);
        }
    }

    /// Cleans every string and key of a value, at any depth.
    pub(crate) fn clean(&self, value: &mut Value, seen: &mut Redactions) {
        match value {
            Value::String(text) => self.clean_text(text, seen),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item, seen)),
            Value::Object(map) => self.clean_map(map, seen),
            // A card number is a number, too.
            Value::Number(number) => {
                let mut text = number.to_string();
                let before = seen.clone();
                self.clean_text(&mut text, seen);
                if *seen != before {
                    *value = Value::String(text);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// As [`Redactor::clean`], for an object.
    pub(crate) fn clean_map(&self, map: &mut Map<String, Value>, seen: &mut Redactions) {
        for (key, value) in map.iter_mut() {
            match value {
                Value::String(text)
                    if names_a_secret(key) && text.len() >= 4 && !patterns::is_stand_in(text) =>
                {
                    *text = self.placeholder("field", text);
                    note(seen, "field");
                }
                value => self.clean(value, seen),
            }
        }
        if map.keys().any(|key| !patterns::find(key).is_empty()) {
            let clean_key = |(mut key, value)| {
                self.clean_text(&mut key, seen);
                (key, value)
            };
            *map = std::mem::take(map).into_iter().map(clean_key).collect();
        }
    }

    fn placeholder(&self, kind: &str, secret: &str) -> String {
        format!("{MARK}{kind}:{}]", &self.keyed_hash(secret)[..8])
    }

    /// HMAC-SHA-256 in lower-case hexadecimal: tells whether two texts are equal, to holders of the key alone.
    pub(crate) fn keyed_hash(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    }
}

fn note(seen: &mut Redactions, kind: &'static str) {
    *seen.0.entry(kind).or_default() += 1;
    metrics::counter!("hearth_memory_redactions_total", "kind" => kind).increment(1);
}

fn names_a_secret(key: &str) -> bool {
    let key: String = key.to_lowercase().replace('-', "_");
    FIELD_WORDS.iter().any(|word| key == *word || key.ends_with(&format!("_{word}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> (String, Redactions) {
        let (mut text, mut seen) = (text.to_owned(), Redactions::default());
        Redactor::new(&Secret::new("a key")).clean_text(&mut text, &mut seen);
        (text, seen)
    }

    /// Kind, text and the secret in it. The secrets are invented, and put together here so that no scanner of sources
    /// takes them for real ones.
    fn secrets() -> Vec<(&'static str, String, String)> {
        let long = "a8Kd93hfQp27LmZx04Rt61Ws";
        let of = |kind, before: &str, secret: String, after: &str| {
            (kind, format!("{before}{secret}{after}"), secret)
        };
        vec![
            of("provider_key", "use ", format!("sk-{long}"), " for it"),
            of("provider_key", "", format!("sk-ant-api03-{long}{long}"), ""),
            of("provider_key", "aws ", format!("AKIA{}", "IOSFODNN7EXAMPLQ"), "\n"),
            of("provider_key", "", format!("ghp_{long}{}", "abcdefABCDEF"), "."),
            of("provider_key", "(", format!("xoxb-{}-{long}", "123456789012"), ")"),
            of("provider_key", "", format!("AIza{}", "SyA1234567890abcdefghijklmnopqrstuv"), ""),
            of("provider_key", "stripe ", format!("sk_live_{long}"), ""),
            of(
                "private_key",
                "key:\n",
                format!(
                    "-----BEGIN RSA {}-----\nMIIE\nabc\n-----END RSA {}-----",
                    "PRIVATE KEY", "PRIVATE KEY"
                ),
                "\nthanks",
            ),
            of("private_key", "cut off: ", format!("-----BEGIN {}-----\nMIIE\nab", "PRIVATE KEY"), ""),
            of("jwt", "cookie ", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{long}"), ";"),
            of("url_password", "postgres://app:", "S3cr3t!pw".to_owned(), "@db.example/app"),
            of("credential", "Authorization: Bearer ", format!("{long}.x"), ""),
            of("credential", "authorization: basic ", "YWRtaW46aHVudGVyMjIy".to_owned(), ""),
            of("card", "pay with ", "4111 1111 1111 1111".to_owned(), " today"),
            of("assignment", "DB_PASSWORD=", "hunterhunter".to_owned(), "\n"),
            of("assignment", "password = \"", "correct-horse".to_owned(), "\""),
            of("assignment", "my password is ", "Winter2026!".to_owned(), ""),
            of("assignment", "AccountKey=", format!("{long}=="), ";EndpointSuffix=x"),
            of("assignment", "{'client_secret': '", "abcd1234".to_owned(), "'}"),
            of("high_entropy", "the key for the door was always ", format!("{long}9"), ""),
        ]
    }

    #[test]
    fn every_kind_of_secret_is_taken_out_and_what_stands_around_it_stays() {
        for (kind, text, secret) in secrets() {
            let (clean, seen) = cleaned(&text);
            assert!(!clean.contains(&secret), "{kind}: {clean}");
            assert_eq!(seen.to_json(), [json!({"kind": kind, "count": 1})], "{text}");
            let (before, after) = text.split_once(&secret).unwrap();
            assert!(clean.starts_with(before) && clean.ends_with(after), "{clean}");
            assert_eq!(cleaned(&clean), (clean, Redactions::default()), "a placeholder is no secret");
        }
    }

    #[test]
    fn code_markup_and_ordinary_words_stay_byte_for_byte() {
        for text in [
            "the secret is patience, and the key to it is time",
            "let token = response.headers.get('x');",
            "token: string;\npassword?: string\nconst secret = process.env.SECRET",
            "password = os.environ[\"DB_PASSWORD\"]",
            "def f(token=token, key=None): return sorted(x, key=lambda x: x.id)",
            "<input type=\"password\" name=\"password\" value=\"\">",
            "api_key: ${API_KEY}  # or <your key>",
            "password=********",
            "call me on +44 20 7946 0958 or 1234 5678 9012 3456",
            "https://example.org/a:b@c and git@github.com:a/b.git",
            "commit 3f2a9c1e8b7d6f5a4c3b2a1908f7e6d5c4b3a291 fixed it",
            "keyboard monkey token-based tokenizer secretary",
            "basic understanding, bearer of news",
        ] {
            assert_eq!(cleaned(text), (text.to_owned(), Redactions::default()));
        }
    }

    #[test]
    fn values_and_keys_are_searched_at_every_depth() {
        let secret = format!("ghp_{}", "a8Kd93hfQp27LmZx04Rt61WsabcdefABCDEF");
        let mut value = json!({"a": [{"b": {secret.clone(): [1, secret.clone()]}}], "db_password": "tiny5",
            "card": 4_111_111_111_111_111_u64, "count": 12, "password": null, "token_count": "55"});
        let mut seen = Redactions::default();
        Redactor::new(&Secret::new("a key")).clean(&mut value, &mut seen);
        let text = value.to_string();
        assert!(!text.contains(&secret) && !text.contains("tiny5") && !text.contains("4111111"), "{text}");
        assert!(text.contains("\"count\":12") && text.contains("\"token_count\":\"55\""), "{text}");
        let kinds: Vec<_> = seen.to_json().iter().map(|r| (r["kind"].clone(), r["count"].clone())).collect();
        assert_eq!(
            kinds,
            [(json!("card"), json!(1)), (json!("field"), json!(1)), (json!("provider_key"), json!(2))]
        );
    }

    #[test]
    fn equal_secrets_have_equal_placeholders_under_one_key_alone() {
        let text = "my password is Winter2026!";
        let other = |key: &str| {
            let mut text = text.to_owned();
            Redactor::new(&Secret::new(key)).clean_text(&mut text, &mut Redactions::default());
            text
        };
        assert_eq!(other("one"), other("one"));
        assert_ne!(other("one"), other("two"));
    }
}
