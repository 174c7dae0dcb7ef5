//! A look over JSON text before it is read: depth, number of keys, and what no client of ours means to send.

use kernel::Error;

/// Arrays and objects may be nested this deep.
pub const MAX_DEPTH: usize = 32;
/// Keys a body may hold; a batch may hold this many for each of its items.
pub const MAX_KEYS: usize = 10_000;

/// Refuses JSON that is nested too deep or holds too many keys, before anything is built from it.
///
/// # Errors
/// `json_too_deep`, `json_too_many_keys`.
pub fn check_shape(text: &[u8], max_keys: usize) -> kernel::Result<()> {
    let (mut depth, mut keys) = (0_usize, 0_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::invalid(
                        "json_too_deep",
                        format!("JSON may be nested {MAX_DEPTH} deep"),
                    ));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' => {
                keys += 1;
                if keys > max_keys {
                    return Err(Error::invalid(
                        "json_too_many_keys",
                        format!("JSON may hold {max_keys} keys"),
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, keys: usize) -> &'static str {
        check_shape(text.as_bytes(), keys).map_or_else(|e| e.code, |()| "ok")
    }

    #[test]
    fn depth_and_keys_are_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(code(&nested(MAX_DEPTH), 1), "ok");
        assert_eq!(code(&nested(MAX_DEPTH + 1), 1), "json_too_deep");
        assert_eq!(code(r#"{"a":1,"b":2}"#, 2), "ok");
        assert_eq!(code(r#"{"a":1,"b":2}"#, 1), "json_too_many_keys");
    }

    #[test]
    fn brackets_and_colons_inside_strings_do_not_count() {
        assert_eq!(code(r#"["[[[[:::\"[[["]"#, 0), "ok");
        assert_eq!(code("\"unterminated \\", 0), "ok");
    }
}
