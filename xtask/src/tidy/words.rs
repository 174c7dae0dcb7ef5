//! Words that belong to certain rooms only, and words that belong nowhere.

use crate::tree::{File, Tree};

/// A word, where it may stand, and why.
struct Rule {
    needles: &'static [&'static str],
    is_allowed: fn(&File) -> bool,
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        needles: &["sqlx::", "use sqlx"],
        is_allowed: |file| {
            in_room(file, "store") || file.name() == "store.rs" || file.path.contains("/store/")
        },
        reason: "SQL lives in the store crate and in files named store.rs",
    },
    Rule {
        needles: &["axum::", "use axum"],
        is_allowed: |file| {
            in_room(file, "httpkit")
                || in_room(file, "server")
                || file.name() == "routes.rs"
                || file.path.contains("/routes/")
        },
        reason: "HTTP types live in httpkit, server and files named routes.rs",
    },
    Rule {
        needles: &["env::var", "env::vars", "env::temp_dir"],
        is_allowed: |file| {
            file.path.starts_with("crates/server/src/config")
                || file.path.starts_with("xtask/")
                || file.name() == "build.rs"
        },
        reason: "environment variables are read in server/src/config only",
    },
    Rule {
        needles: &["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"],
        is_allowed: |file| in_room(file, "kernel"),
        reason: "the wall clock is read through kernel::Clock",
    },
    Rule {
        needles: &["getrandom", "rand::", "thread_rng", "fastrand", "OsRng"],
        is_allowed: |file| in_room(file, "kernel"),
        reason: "chance comes from kernel::random",
    },
];

/// Marks of unfinished or switched-off work, by file extension; tests are searched too.
const UNFINISHED: &[(&[&str], &[&str])] = &[
    (&["rs"], &["todo!(", "unimplemented!(", "#[ignore"]),
    (
        &["ts", "tsx", "mjs", "js"],
        &["it.skip", "test.skip", "describe.skip", "it.todo", "test.todo", ".only("],
    ),
];

/// Breaches of both tables. This folder is left out: it has to spell the words.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !file.path.starts_with("xtask/src/tidy/")) {
        found.extend(misplaced(file));
        found.extend(unfinished(file));
    }
    found
}

fn misplaced(file: &File) -> Vec<String> {
    if file.extension() != "rs" {
        return Vec::new();
    }
    let rules = RULES.iter().filter(|rule| !(rule.is_allowed)(file));
    rules
        .flat_map(|rule| {
            file.code_lines().filter_map(move |(number, line)| {
                let needle = rule.needles.iter().find(|needle| has_word(line, needle))?;
                Some(format!("{}:{number}: `{needle}`: {}", file.path, rule.reason))
            })
        })
        .collect()
}

fn unfinished(file: &File) -> Vec<String> {
    let needles = UNFINISHED
        .iter()
        .filter(|(extensions, _)| extensions.contains(&file.extension()))
        .flat_map(|(_, needles)| needles.iter());
    needles
        .flat_map(|needle| {
            let lines = file.text.lines().enumerate().filter(move |(_, line)| has_word(line, needle));
            lines.map(move |(index, _)| {
                format!("{}:{}: `{needle}`: unfinished or switched-off work", file.path, index + 1)
            })
        })
        .collect()
}

fn in_room(file: &File, room: &str) -> bool {
    file.path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()) == Some(room)
}

/// Does `needle` stand in the line without being the tail or head of a longer name?
fn has_word(line: &str, needle: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + needle.len()..].chars().next();
        let open_start = !needle.starts_with(is_part) || !before.is_some_and(is_part);
        let open_end = !needle.ends_with(is_part) || !after.is_some_and(is_part);
        open_start && open_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        problems(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn each_word_is_caught_outside_its_room_and_free_inside() {
        let table = [
            ("use sqlx::query;", "crates/memory/src/service.rs", "crates/memory/src/events/store.rs"),
            ("use axum::Json;", "crates/memory/src/service.rs", "crates/memory/src/events/routes.rs"),
            ("use axum::Router;", "crates/llm/src/lib.rs", "crates/server/src/router.rs"),
            ("std::env::var(x)", "crates/llm/src/lib.rs", "crates/server/src/config/layers.rs"),
            ("SystemTime::now()", "crates/store/src/lib.rs", "crates/kernel/src/time.rs"),
            ("jiff::Timestamp::now()", "crates/memory/src/lib.rs", "crates/kernel/src/time.rs"),
            ("rand::random()", "crates/memory/src/lib.rs", "crates/kernel/src/random.rs"),
        ];
        for (line, outside, inside) in table {
            assert_eq!(found(outside, line), 1, "{line} in {outside}");
            assert_eq!(found(inside, line), 0, "{line} in {inside}");
        }
    }

    #[test]
    fn tests_may_name_what_they_check() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use sqlx::query;\n}\n";
        assert_eq!(found("crates/memory/src/service.rs", text), 0);
        assert_eq!(found("crates/memory/tests/all.rs", "use sqlx::query;"), 0);
    }

    #[test]
    fn longer_names_and_comments_are_other_words() {
        assert_eq!(found("crates/memory/src/lib.rs", "let operand = strand::new(); // axum\n"), 0);
        assert_eq!(found("crates/memory/src/lib.rs", "use utoipa_axum::routes;"), 0);
    }

    #[test]
    fn unfinished_work_is_found_even_in_tests() {
        assert_eq!(found("crates/a/tests/b.rs", "#[ignore = \"later\"]\nfn c() { todo!() }"), 2);
        assert_eq!(found("ui/src/a.test.tsx", "it.only('x', f); describe.skip('y', g)"), 2);
        assert_eq!(found("crates/a/src/b.rs", "items.iter().skip(1)"), 0);
    }
}
