//! Migrations: numbered pairs with a rollback, the same on both engines.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::Tree;

const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Gaps in numbering, files without rollback (or the reverse) and files that one engine lacks.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let names: BTreeMap<&str, BTreeSet<String>> = ENGINES
        .iter()
        .map(|engine| (*engine, steps(tree, &format!("migrations/{engine}/"), ".sql")))
        .collect();
    let mut found = Vec::new();
    for (engine, up) in &names {
        found.extend(numbering(engine, up));
        found.extend(pairing(tree, engine, up));
    }
    for (here, there) in [("sqlite", "postgres"), ("postgres", "sqlite")] {
        for name in names[here].difference(&names[there]) {
            found.push(format!("migrations/{here}/{name}.sql: {there} has no migration of this name"));
        }
    }
    found
}

/// Stems of the files directly inside a folder that end in `ending`.
fn steps(tree: &Tree, folder: &str, ending: &str) -> BTreeSet<String> {
    tree.files
        .iter()
        .filter_map(|file| file.path.strip_prefix(folder)?.strip_suffix(ending))
        .filter(|stem| !stem.contains('/'))
        .map(str::to_owned)
        .collect()
}

fn numbering(engine: &str, up: &BTreeSet<String>) -> Vec<String> {
    up.iter()
        .zip(1..)
        .filter(|(name, number)| !name.starts_with(&format!("{number:03}_")))
        .map(|(name, number)| format!("migrations/{engine}/{name}.sql: expected number {number:03} here"))
        .collect()
}

fn pairing(tree: &Tree, engine: &str, up: &BTreeSet<String>) -> Vec<String> {
    let down = steps(tree, &format!("migrations/{engine}/rollbacks/"), "_rollback.sql");
    let lonely = up.difference(&down).map(|name| format!("migrations/{engine}/{name}.sql: has no rollback"));
    let stray = down
        .difference(up)
        .map(|name| format!("migrations/{engine}/rollbacks/{name}_rollback.sql: rolls back nothing"));
    lonely.chain(stray).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 4] = [
        ("migrations/postgres/001_a.sql", ""),
        ("migrations/postgres/rollbacks/001_a_rollback.sql", ""),
        ("migrations/sqlite/001_a.sql", ""),
        ("migrations/sqlite/rollbacks/001_a_rollback.sql", ""),
    ];

    #[test]
    fn a_whole_set_passes() {
        assert_eq!(problems(&Tree::of(&WHOLE)), Vec::<String>::new());
    }

    #[test]
    fn each_missing_file_is_found() {
        for missing in 0..WHOLE.len() {
            let mut files = WHOLE.to_vec();
            let (path, _) = files.remove(missing);
            assert!(!problems(&Tree::of(&files)).is_empty(), "nobody missed {path}");
        }
    }

    #[test]
    fn a_gap_in_the_numbers_is_found() {
        let files: Vec<_> = WHOLE.iter().map(|(path, text)| (path.replace("001", "002"), *text)).collect();
        let pairs: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let found = problems(&Tree::of(&pairs)).join("\n");
        assert!(found.contains("expected number 001"), "{found}");
    }
}
