//! The rules for names and passwords, each refusal naming its field.

use kernel::{Error, Result, Secret, TenantId};

/// Checks a username: 1–64 characters of `a-z A-Z 0-9 . _ @ -`.
///
/// # Errors
/// `validation_failed` for the field `username`.
pub(crate) fn username(name: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::field("username", "is 1 to 64 characters of a-z, A-Z, 0-9, '.', '_', '@' and '-'"))
}

/// Checks a new password: 12–256 bytes, no control characters, not the username. Never trimmed.
///
/// # Errors
/// `validation_failed` for the field `password`.
pub(crate) fn new_password(username: &str, password: &Secret) -> Result<()> {
    let text = password.expose();
    let wrong = |message: &str| Err(Error::field("password", message));
    if !(12..=256).contains(&text.len()) {
        return wrong("is 12 to 256 bytes");
    }
    if text.chars().any(char::is_control) {
        return wrong("holds no control characters");
    }
    if text.eq_ignore_ascii_case(username) {
        return wrong("differs from the username");
    }
    Ok(())
}

/// Reads the name of a tenant from `field`.
///
/// # Errors
/// `validation_failed` for that field.
pub(crate) fn tenant(field: &'static str, name: &str) -> Result<TenantId> {
    TenantId::parse(name).map_err(|message| Error::field(field, message))
}

/// Checks an address for mail: at most 254 bytes around one `@`, no control characters or blanks.
///
/// # Errors
/// `validation_failed` for the field `email`.
pub(crate) fn email(text: &str) -> Result<()> {
    let parts = text.split_once('@');
    let whole = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if whole && text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(());
    }
    Err(Error::field("email", "is an address such as ada@example.org, at most 254 bytes"))
}

/// Checks the name of a key: 1–100 characters, no control characters.
///
/// # Errors
/// `validation_failed` for the field `name`.
pub(crate) fn key_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    if (1..=100).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::field("name", "is 1 to 100 characters without control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_keep_their_rules() {
        for good in ["a", "ada.lovelace@example.org", &"x".repeat(64)] {
            assert!(username(good).is_ok(), "{good}");
        }
        for bad in ["", " ada", "a\0b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(username(bad).unwrap_err().fields[0].field, "username", "{bad:?}");
        }
        let password = |text: &str| new_password("long-username", &Secret::new(text));
        assert!(password("            ").is_ok(), "blanks are kept, not trimmed");
        for bad in ["eleven char", "Long-Username", "with\0nul-in-it", &"x".repeat(257)] {
            assert_eq!(password(bad).unwrap_err().fields[0].field, "password", "{bad:?}");
        }
        assert!(email("ada@example.org").is_ok());
        for bad in ["ada", "@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }
}
