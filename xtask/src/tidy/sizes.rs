//! Files that one can still read in one sitting.

use crate::tree::Tree;

/// Lines of one Rust file outside its tests.
const LIMIT: usize = 400;

/// Files that may be longer, each with the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Rust files over the limit, and allowances nobody needs any more.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    check(tree, ALLOWED)
}

fn check(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<String> {
    let is_allowed = |path: &str| allowed.iter().any(|(name, _)| *name == path);
    let long: Vec<(&str, usize)> = tree
        .rust()
        .map(|file| (file.path.as_str(), file.code_lines().count()))
        .filter(|(_, lines)| *lines > LIMIT)
        .collect();
    let over = long.iter().filter(|(path, _)| !is_allowed(path)).map(|(path, lines)| {
        format!("{path}: {lines} lines outside tests, at most {LIMIT}; split it by subject")
    });
    let idle = allowed
        .iter()
        .filter(|(name, _)| !long.iter().any(|(path, _)| path == name))
        .map(|(name, _)| format!("{name}: no longer over {LIMIT} lines; remove it from the list in xtask"));
    over.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_a_long_test_is_not() {
        let long = "fn a() {}\n".repeat(LIMIT + 1);
        let tested = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let tree = Tree::of(&[("crates/a/src/b.rs", &long), ("crates/a/src/c.rs", &tested)]);
        let found = check(&tree, &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/a/src/b.rs: 401 lines"), "{found:?}");
    }

    #[test]
    fn an_allowance_counts_only_while_needed() {
        let long = "fn a() {}\n".repeat(LIMIT + 1);
        let tree = Tree::of(&[("crates/a/src/b.rs", &long)]);
        assert!(check(&tree, &[("crates/a/src/b.rs", "a table")]).is_empty());
        assert_eq!(check(&Tree::of(&[]), &[("crates/a/src/b.rs", "a table")]).len(), 1);
    }
}
