//! The text files of the checkout, held in memory so that rules are pure functions over them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// One text file.
pub(crate) struct File {
    /// Path from the top of the checkout, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

/// All text files under version control or about to be.
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

impl Tree {
    /// Reads what git tracks and what it would track; files that are no UTF-8 text are left out.
    ///
    /// # Errors
    /// When git is missing or this is no checkout.
    pub(crate) fn of_checkout() -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .context("listing files with git")?;
        ensure!(output.status.success(), "git ls-files failed: is this a checkout?");
        let listing = String::from_utf8(output.stdout).context("reading git's listing")?;
        let mut paths: Vec<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths
            .into_iter()
            .filter_map(|path| {
                let text = std::fs::read_to_string(root().join(path)).ok()?;
                Some(File { path: path.to_owned(), text })
            })
            .collect();
        Ok(Self { files })
    }

    /// A tree for tests: pairs of path and text.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let files = pairs
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        Self { files }
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// All Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.extension() == "rs")
    }
}

impl File {
    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What follows the last dot of the name, or nothing.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Does the whole file exist for tests, benches or examples only?
    pub(crate) fn is_test(&self) -> bool {
        let name = self.name();
        self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.contains("/examples/")
            || ["tests.rs", "test.rs"].contains(&name)
            || name.ends_with("_tests.rs")
            || self.path.starts_with("crates/testkit/")
            || self.path.starts_with("crates/e2e/")
    }

    /// Numbered lines of code outside tests: `//` comments are blanked, a closing test module is cut off.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let whole = if self.is_test() { "" } else { self.text.as_str() };
        let end = test_module_start(whole).unwrap_or(whole.len());
        whole[..end].lines().enumerate().map(|(index, line)| (index + 1, without_comment(line)))
    }
}

/// Where the last `#[cfg(test)]` module with a body begins, in bytes.
fn test_module_start(text: &str) -> Option<usize> {
    let start = text.rfind("#[cfg(test)]")?;
    let item = text[start..].lines().find(|line| !line.trim_start().starts_with("#["))?;
    (item.trim_start().starts_with("mod ") && item.trim_end().ends_with('{')).then_some(start)
}

/// The line up to `//`, unless that stands inside a URL.
fn without_comment(line: &str) -> &str {
    match line.find("//") {
        Some(at) if at == 0 || !line[..at].ends_with(':') => &line[..at],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_leaves_out_comments_and_the_test_module() {
        let text = "use a; // sqlx\nlet url = \"http://x\";\n#[cfg(test)]\nmod tests {\n  use sqlx;\n}\n";
        let tree = Tree::of(&[("crates/a/src/lib.rs", text)]);
        let lines: Vec<_> = tree.files[0].code_lines().collect();
        assert_eq!(lines, [(1, "use a; "), (2, "let url = \"http://x\";")]);
    }

    #[test]
    fn a_test_only_import_cuts_nothing() {
        let text = "#[cfg(test)]\nuse a;\nfn b() {}\n";
        let tree = Tree::of(&[("crates/a/src/lib.rs", text)]);
        assert_eq!(tree.files[0].code_lines().count(), 3);
    }
}
