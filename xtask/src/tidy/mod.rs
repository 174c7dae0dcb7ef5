//! The rules of the house, each with a test that shows it catching a planted fault.

mod imports;
mod links;
mod migrations;
mod sizes;
mod texts;
mod words;

use crate::tree::Tree;

/// Every breach in the tree, one line each, in the form `path:line: what and why`.
pub(crate) fn problems(tree: &Tree) -> Vec<String> {
    let rules = [
        imports::problems,
        words::problems,
        migrations::problems,
        sizes::problems,
        texts::problems,
        links::problems,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_part_of_the_whole() {
        let tree = Tree::of(&[
            ("crates/memory/src/service.rs", "use sqlx::query;\n"),
            ("migrations/sqlite/001_a.sql", ""),
            ("docs/a.md", "from crates.io, see [b](gone.md)\n"),
        ]);
        let found = problems(&tree).join("\n");
        for part in ["ARCHITECTURE.md", "sqlx", "rollback", "crates.io", "gone.md"] {
            assert!(found.contains(part), "nothing about {part} in:\n{found}");
        }
    }
}
