//! Who may import whom: the table in ARCHITECTURE.md against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- imports:begin -->";
const END: &str = "<!-- imports:end -->";

/// For each crate the crates it may depend on; `*` stands for all.
type Table = BTreeMap<String, BTreeSet<String>>;

/// Path dependencies, outside tests, that the table does not allow, and rows about nothing.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let table = match tree.text(PAGE).map(parse_table) {
        Some(Ok(table)) => table,
        Some(Err(problem)) => return vec![problem],
        None => {
            return vec![format!("{PAGE}: missing; it holds the table of who may import whom")];
        }
    };
    let manifests = manifests(tree);
    let mut found = strangers(&table, &manifests);
    for (name, (path, uses)) in &manifests {
        let used_rooms: Vec<&String> = uses.iter().filter(|used| manifests.contains_key(*used)).collect();
        let Some(allowed) = table.get(name) else {
            if !used_rooms.is_empty() {
                found.push(format!("{path}: crate {name} has no row in the import table of {PAGE}"));
            }
            continue;
        };
        for used in used_rooms {
            if !allowed.contains(used) && !allowed.contains("*") {
                found.push(format!("{path}: {name} may not depend on {used} ({PAGE}, import table)"));
            }
        }
    }
    found
}

/// Reads lines such as `memory -> kernel store`; fences and empty lines are passed over.
fn parse_table(page: &str) -> Result<Table, String> {
    let inner = page
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(inner, _)| inner)
        .ok_or_else(|| format!("{PAGE}: no import table between {BEGIN} and {END}"))?;
    let mut table = Table::new();
    for line in inner.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```")) {
        let (names, targets) = line.split_once("->").ok_or_else(|| {
            format!("{PAGE}: cannot read the import row `{line}`; write `crate -> crate crate`")
        })?;
        let targets: BTreeSet<String> = words(targets).collect();
        for name in words(names) {
            table.entry(name).or_default().extend(targets.iter().cloned());
        }
    }
    Ok(table)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([' ', ',', '\t']).filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Name → (manifest path, names of its dependencies outside tests), for every crate of the workspace.
fn manifests(tree: &Tree) -> BTreeMap<String, (String, Vec<String>)> {
    let is_manifest = |path: &str| path.starts_with("crates/") && path.ends_with("/Cargo.toml");
    tree.files
        .iter()
        .filter(|file| is_manifest(&file.path))
        .filter_map(|file| {
            let manifest: toml::Table = file.text.parse().ok()?;
            let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            let uses = ["dependencies", "build-dependencies"]
                .iter()
                .filter_map(|section| manifest.get(*section)?.as_table())
                .flat_map(|section| section.keys().cloned())
                .collect();
            Some((name, (file.path.clone(), uses)))
        })
        .collect()
}

/// Names in the table that no crate bears.
fn strangers(table: &Table, manifests: &BTreeMap<String, (String, Vec<String>)>) -> Vec<String> {
    let named: BTreeSet<&String> = table.keys().chain(table.values().flatten()).collect();
    named
        .into_iter()
        .filter(|name| *name != "*" && !manifests.contains_key(*name))
        .map(|name| format!("{PAGE}: the import table names {name}, which is no crate"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: (&str, &str) = ("crates/kernel/Cargo.toml", "[package]\nname = \"kernel\"\n");
    const PAGE_TEXT: &str =
        "x\n<!-- imports:begin -->\n```text\nkernel ->\nmemory -> kernel\n```\n<!-- imports:end -->\n";

    fn with_memory(manifest: &str) -> Vec<String> {
        problems(&Tree::of(&[("ARCHITECTURE.md", PAGE_TEXT), KERNEL, ("crates/memory/Cargo.toml", manifest)]))
    }

    #[test]
    fn an_allowed_import_passes() {
        let manifest =
            "[package]\nname = \"memory\"\n[dependencies]\nkernel.workspace = true\nserde = \"1\"\n";
        assert_eq!(with_memory(manifest), Vec::<String>::new());
    }

    #[test]
    fn an_import_against_the_table_is_found() {
        let page = PAGE_TEXT.replace("memory -> kernel", "memory ->");
        let manifest = "[package]\nname = \"memory\"\n[dependencies]\nkernel = { path = \"../kernel\" }\n";
        let tree = Tree::of(&[("ARCHITECTURE.md", &page), KERNEL, ("crates/memory/Cargo.toml", manifest)]);
        assert_eq!(
            problems(&tree),
            ["crates/memory/Cargo.toml: memory may not depend on kernel (ARCHITECTURE.md, import table)"]
        );
    }

    #[test]
    fn a_test_dependency_is_free() {
        let page = PAGE_TEXT.replace("memory -> kernel", "memory ->");
        let manifest = "[package]\nname = \"memory\"\n[dev-dependencies]\nkernel.workspace = true\n";
        let tree = Tree::of(&[("ARCHITECTURE.md", &page), KERNEL, ("crates/memory/Cargo.toml", manifest)]);
        assert!(problems(&tree).is_empty());
    }

    #[test]
    fn a_row_about_nothing_and_a_crate_without_row_are_found() {
        let page = PAGE_TEXT.replace("memory ->", "attic ->");
        let manifest = "[package]\nname = \"memory\"\n[dependencies]\nkernel.workspace = true\n";
        let tree = Tree::of(&[("ARCHITECTURE.md", &page), KERNEL, ("crates/memory/Cargo.toml", manifest)]);
        let found = problems(&tree).join("\n");
        assert!(found.contains("names attic"), "{found}");
        assert!(found.contains("memory has no row"), "{found}");
    }

    #[test]
    fn a_page_without_table_is_found() {
        let tree = Tree::of(&[("ARCHITECTURE.md", "no table")]);
        assert!(problems(&tree)[0].contains("no import table"));
    }
}
