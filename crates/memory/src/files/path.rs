//! Paths of files: one spelling for each, and none that could mean a place outside `/memories`.

use kernel::{Error, Result};

/// The folder that holds all files.
pub(crate) const ROOT: &str = "/memories";
/// Longest path, in characters.
pub(super) const MAX_PATH: usize = 256;
/// What a path may hold beside letters and digits. No `%` and no `\`: whoever decodes once more finds nothing to decode.
const MARKS: &str = "-_.,+=@#&!'~()[] ";

/// The one spelling of a path: `/memories`, or `/memories/` and names without empty ones and `.` between them.
///
/// `None` for what names no place under `/memories`, and for whatever somebody could read as `..` or as a separator: other
/// characters than letters, digits and [`MARKS`], such as escapes, backslashes, controls and look-alikes of dot and slash.
pub(crate) fn normalised(path: &str) -> Option<String> {
    let is_known = |c: char| c == '/' || c.is_alphanumeric() || MARKS.contains(c);
    if path.chars().count() > MAX_PATH || !path.starts_with('/') || !path.chars().all(is_known) {
        return None;
    }
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let is_name = |name: &&str| name.trim() == *name && !name.chars().all(|c| c == '.');
    let is_ours = names.first() == Some(&&ROOT[1..]) && names.iter().all(is_name);
    is_ours.then(|| format!("/{}", names.join("/")))
}

/// Checks the name of a block: one that begins with a slash is a file's path in its one spelling.
///
/// # Errors
/// `validation_failed`.
pub(crate) fn check_label(label: &str) -> Result<()> {
    let is_file = normalised(label).is_some_and(|path| path == label && path != ROOT);
    if label.starts_with('/') && !is_file {
        return Err(Error::field(
            "label",
            "is a path under /memories, or a name that does not begin with a slash",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (path, wanted) in [
            ("/memories", "/memories"),
            ("/memories/", "/memories"),
            ("//memories//a.md", "/memories/a.md"),
            ("/memories/./a/./b.md", "/memories/a/b.md"),
            ("/memories/été 2026 (draft).md", "/memories/été 2026 (draft).md"),
            ("/memories/.hidden", "/memories/.hidden"),
            ("/memories/日本語", "/memories/日本語"),
        ] {
            assert_eq!(normalised(path).as_deref(), Some(wanted), "{path}");
        }
    }

    #[test]
    fn nothing_that_could_lead_outside_is_a_path() {
        let corpus = [
            "",
            "/",
            "memories",
            "memories/a",
            "./memories/a",
            "/etc/passwd",
            "/memoriesx/a",
            "/Memories/a",
            "/memories/..",
            "/memories/../etc/passwd",
            "/memories/a/../../etc",
            "/memories/a/..",
            "/memories/...",
            "/memories/....//a",
            "/../memories/a",
            "/memories/%2e%2e/etc",
            "/memories/%2E%2E%2Fetc",
            "/memories/..%2fetc",
            "/memories/%252e%252e/a",
            "/memories/%c0%ae%c0%ae/a",
            "/memories/%u002e%u002e/a",
            "/memories/a%00b",
            "/memories/..\\etc",
            "\\memories\\a",
            "/memories\\..\\etc",
            "/memories/a\0",
            "/memories/\0../a",
            "/memories/a\n../b",
            "/memories/\u{2024}\u{2024}/a",
            "/memories/\u{2025}/a",
            "/memories/\u{2026}/a",
            "/memories/\u{ff0e}\u{ff0e}/a",
            "/memories/..\u{2215}etc",
            "/memories/..\u{2044}etc",
            "/memories/..\u{ff0f}etc",
            "/memories/..\u{ff3c}etc",
            "/memories/\u{fe52}\u{fe52}/a",
            "/memories/.\u{200b}./a",
            "/memories/.\u{feff}./a",
            "/memories/\u{202e}../a",
            "/memories/.. /a",
            "/memories/ ../a",
            "/memories/a /b",
            "file:///memories/a",
            "~/memories/a",
            "C:/memories/a",
            "/memories/a:b",
            "/memories/a*",
            "/memories/$HOME",
            "/memories/`id`",
            "/memories/a|b",
            "/memories/a;b",
            "/memories/<a>",
            "/memories/\"a\"",
        ];
        let allowed: Vec<&str> = corpus.into_iter().filter(|path| normalised(path).is_some()).collect();
        assert!(allowed.is_empty() && corpus.len() >= 30, "{allowed:?}");
        assert_eq!(normalised(&format!("/memories/{}", "a".repeat(250))), None);
    }

    #[test]
    fn a_block_whose_name_begins_with_a_slash_is_a_file() {
        for good in ["persona", "a/b", "/memories/a.md", "..", "%2e"] {
            assert!(check_label(good).is_ok(), "{good}");
        }
        for bad in ["/", "/memories", "/memories/", "/memories//a", "/memories/../a", "/etc/passwd"] {
            assert!(check_label(bad).is_err(), "{bad}");
        }
    }
}
