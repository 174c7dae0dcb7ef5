//! What no text of the repository may contain: paths of one machine, addresses of package registries.

use crate::tree::{File, Tree};

/// Places that exist on somebody's machine only.
const MACHINE_PATHS: &[&str] = &["/work/", "/root/", "/tmp/dl", "/home/runner/"];

/// Package registries: clients know where they are, and a mirror's name is nobody's business.
const REGISTRIES: &[&str] = &[
    "crates.io",
    "pypi.org",
    "pythonhosted.org",
    "npmjs.org",
    "npmjs.com",
    "yarnpkg.com",
    "proxy.golang.org",
];

/// Lock files are written by the package clients, addresses included; these are the public ones.
const PUBLIC_SOURCES: &[&str] =
    &["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// Forbidden texts in all files outside this folder, which has to spell them.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    tree.files.iter().filter(|file| !file.path.starts_with("xtask/src/tidy/")).flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<String> {
    let is_lock = ["Cargo.lock", "package-lock.json"].contains(&file.name());
    let lines = file.text.lines().zip(1..);
    lines
        .filter_map(|(line, number)| {
            let problem = if is_lock { foreign_source(line) } else { forbidden(line) }?;
            Some(format!("{}:{number}: {problem}", file.path))
        })
        .collect()
}

fn forbidden(line: &str) -> Option<String> {
    let path = MACHINE_PATHS.iter().find(|path| has_path(line, path));
    if let Some(path) = path {
        return Some(format!("`{path}` is a path of one machine"));
    }
    let registry = REGISTRIES.iter().find(|registry| line.contains(**registry))?;
    Some(format!("`{registry}` names a package registry; say the package, not where it lies"))
}

/// Does an absolute path begin here? `../work/` and `https://host/work/` are other things.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-$}/".contains(c))
    })
}

/// A dependency that a lock file takes from somewhere else than the public registry.
fn foreign_source(line: &str) -> Option<String> {
    let line = line.trim_start();
    let is_source = line.starts_with("source = ") || line.starts_with("\"resolved\":");
    let is_public = PUBLIC_SOURCES.iter().any(|source| line.contains(source));
    (is_source && !is_public).then(|| "a dependency comes from a private source".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        problems(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn machine_paths_are_found() {
        assert_eq!(found("docs/a.md", "cd /work/hearth\n\nls /root/.cache\n"), 2);
        assert_eq!(found("docs/a.md", "see ../work/plan and https://example.com/work/\n"), 0);
    }

    #[test]
    fn registries_are_found() {
        assert_eq!(found("README.md", "pip install --index-url https://pypi.org/simple x"), 1);
        assert_eq!(
            found("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\""),
            0
        );
    }

    #[test]
    fn a_private_source_in_a_lock_file_is_found() {
        assert_eq!(found("ui/package-lock.json", "  \"resolved\": \"https://mirror.example/a.tgz\","), 1);
        assert_eq!(found("ui/package-lock.json", "  \"resolved\": \"https://registry.npmjs.org/a.tgz\","), 0);
    }
}
