//! Every statement in the workspace's sources prepares on both engines.
//!
//! The texts are read out of the sources: string literals that begin with a word of SQL, `concat!` put together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use store::Reach;

use store::sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
use store::{Conn, Engine};
use testkit::homes;

/// Parts of statements that one engine alone understands. Each must still occur.
const POSTGRES_ONLY: [&str; 10] = [
    "FOR UPDATE SKIP LOCKED",
    "pg_advisory_lock",
    "current_setting",
    "current_schema",
    "pg_catalog",
    "pg_stat_activity",
    "pg_database_size",
    "pg_indexes",
    "pg_settings",
    "pg_control_system",
];
const SQLITE_ONLY: [&str; 2] = ["sqlite_master", "pragma_page_count"];

/// Files whose statements are examples or belong to tools, not to the servers' databases.
/// Texts made from a schema are run by the tests of their makers.
const LEFT_OUT: [&str; 5] = [
    "crates/testkit/",
    "crates/e2e/",
    "crates/store/src/rows.rs",
    "crates/store/src/backup/text.rs",
    "crates/store/src/rights/area.rs",
];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Word(String),
    Mark(char),
}

/// A statement and where it stands.
#[derive(Clone, Debug)]
struct Statement {
    file: String,
    sql: String,
}

/// Reads Rust source into strings, words and marks; comments, characters and lifetimes are passed over.
fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while at < text.len() {
        let rest = &text[at..];
        match rest[0] {
            '/' if rest.get(1) == Some(&'/') => at += rest.iter().take_while(|c| **c != '\n').count(),
            '"' => {
                let (string, length) = quoted(rest);
                found.push(Token::Text(string));
                at += length;
            }
            'r' if rest.get(1) == Some(&'"') || (rest.get(1) == Some(&'#') && rest.contains(&'"')) => {
                let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
                let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                if rest.get(1 + hashes) != Some(&'"') {
                    at += 1;
                    continue;
                }
                let body: String = rest[2 + hashes..].iter().collect();
                let length = body.find(&end).expect("a raw string ends");
                found.push(Token::Text(body[..length].to_owned()));
                at += 2 + hashes + body[..length].chars().count() + end.len();
            }
            '\'' if rest.get(1) == Some(&'\\') => {
                at += 3 + rest[3..].iter().take_while(|c| **c != '\'').count() + 1;
            }
            '\'' if rest.get(2) == Some(&'\'') => at += 3,
            c if is_word(c) => {
                let word: String = rest.iter().take_while(|c| is_word(**c)).collect();
                at += word.chars().count();
                found.push(Token::Word(word));
            }
            c => {
                if !c.is_whitespace() {
                    found.push(Token::Mark(c));
                }
                at += 1;
            }
        }
    }
    found
}

/// A string in quotes, and how long it is in the source.
fn quoted(rest: &[char]) -> (String, usize) {
    let (mut out, mut at) = (String::new(), 1);
    while rest[at] != '"' {
        if rest[at] == '\\' {
            at += 1;
            match rest[at] {
                'n' => out.push('\n'),
                '\n' => {
                    at += rest[at..].iter().take_while(|c| c.is_whitespace()).count();
                    continue;
                }
                c => out.push(c),
            }
        } else {
            out.push(rest[at]);
        }
        at += 1;
    }
    (out, at + 1)
}

/// `macro_rules! name { () => { "text" } }` in all sources.
fn text_macros(sources: &[(String, Vec<Token>)]) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for (_, tokens) in sources {
        for at in tokens.windows(3).enumerate().filter_map(|(at, w)| match w {
            [Token::Word(rules), Token::Mark('!'), Token::Word(_)] if rules == "macro_rules" => Some(at),
            _ => None,
        }) {
            let shape: Vec<&Token> = tokens[at + 2..].iter().take(9).collect();
            if let [
                Token::Word(name),
                Token::Mark('{'),
                Token::Mark('('),
                Token::Mark(')'),
                Token::Mark('='),
                Token::Mark('>'),
                Token::Mark('{'),
                Token::Text(text),
                Token::Mark('}'),
            ] = shape.as_slice()
            {
                found.insert(name.clone(), text.clone());
            }
        }
    }
    found
}

/// Puts `concat!(…)` together, so that only strings are left, in the order of the source.
fn strings(tokens: &[Token], macros: &HashMap<String, String>) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        match &tokens[at..] {
            [Token::Word(word), Token::Mark('!'), Token::Mark('('), ..] if word == "concat" => {
                let (mut whole, mut known) = (String::new(), true);
                at += 3;
                while tokens[at] != Token::Mark(')') {
                    match &tokens[at..] {
                        [Token::Text(text), ..] => {
                            whole.push_str(text);
                            at += 1;
                        }
                        [Token::Word(name), Token::Mark('!'), Token::Mark('('), Token::Mark(')'), ..] => {
                            known &= macros.contains_key(name);
                            whole.push_str(macros.get(name).map_or("", String::as_str));
                            at += 4;
                        }
                        [Token::Word(_), ..] => {
                            known = false;
                            at += 1;
                        }
                        _ => at += 1,
                    }
                }
                if known {
                    found.push(whole);
                }
            }
            [Token::Text(text), ..] => {
                found.push(text.clone());
                at += 1;
            }
            _ => at += 1,
        }
    }
    found
}

fn is_sql(text: &str) -> bool {
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "]
        .iter()
        .any(|word| text.trim_start().starts_with(word))
}

/// Makes whole what `insert_many`, `fetch_by_ids` and `fetch_joined` complete at run time: heads, tails and lists.
fn complete(strings: &[String]) -> Vec<String> {
    let whole = |(at, text): (usize, &String)| {
        let text = text.trim();
        let is_head = text.starts_with("INSERT INTO") && text.ends_with(')') && !text.contains("VALUES");
        if is_head && !text.contains("SELECT") {
            let columns = text.matches(',').count() + 1;
            let values: Vec<String> = (1..=columns).map(|n| format!("${n}")).collect();
            let tail = strings.get(at + 1).filter(|next| next.starts_with("ON CONFLICT"));
            let tail = tail.map_or("", String::as_str);
            return format!("{text} VALUES ({}) {tail}", values.join(", "));
        }
        if text.ends_with("FROM (") {
            // A given row's values are of the types that the join compares them with.
            let tail = strings.get(at + 1).filter(|next| next.starts_with(") AS w"));
            return format!("{text}SELECT 1{}", tail.map_or("", String::as_str).replace("w.column", "$"));
        }
        if text.ends_with(" IN") {
            let last = (1..100).rev().find(|n| text.contains(&format!("${n}"))).unwrap_or(0);
            return format!("{text} (${})", last + 1);
        }
        text.to_owned()
    };
    let all = strings.iter().enumerate();
    all.filter(|(_, text)| is_sql(text)).map(whole).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Every statement in `crates/*/src`, tests left out.
fn statements() -> Vec<Statement> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut sources = Vec::new();
    for room in std::fs::read_dir(root.join("crates")).unwrap() {
        let folder = room.unwrap().path().join("src");
        let paths = if folder.is_dir() { rust_files(&folder) } else { Vec::new() };
        for path in paths {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let source = std::fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            if !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out)) {
                sources.push((name, tokens(code)));
            }
        }
    }
    let macros = text_macros(&sources);
    let of = |(file, tokens): &(String, Vec<Token>)| {
        let found = complete(&strings(tokens, &macros));
        let file = file.clone();
        found.into_iter().map(move |sql| Statement { file: file.clone(), sql }).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

/// The sources send the type of each parameter along; here `$n IS NULL` alone would not tell it.
fn with_types(sql: &str) -> String {
    let mut out = sql.to_owned();
    for n in 1..40 {
        out = out.replace(&format!("(${n} IS NULL OR"), &format!("(CAST(${n} AS TEXT) IS NULL OR"));
    }
    out
}

async fn prepare(conn: &mut Conn, sql: &str) -> Result<(), String> {
    let sql = AssertSqlSafe(with_types(sql)).into_sql_str();
    match conn {
        Conn::Sqlite(conn) => (&mut **conn).prepare(sql).await.map(|_| ()),
        Conn::Postgres(conn) => (&mut **conn).prepare(sql).await.map(|_| ()),
    }
    .map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_sources_prepares_on_both_engines() {
    let all = statements();
    for room in ["crates/store/", "crates/identity/", "crates/memory/"] {
        let found = all.iter().filter(|statement| statement.file.starts_with(room)).count();
        assert!(found > 5, "only {found} statements were found in {room}");
    }
    for part in POSTGRES_ONLY.into_iter().chain(SQLITE_ONLY) {
        let occurs = all.iter().any(|statement| statement.sql.contains(part));
        assert!(occurs, "nothing says {part} any more; take it off the list");
    }
    let mut refused = Vec::new();
    for home in homes().await {
        let mut conn = home.store.read(Reach::Everyone).await.unwrap();
        for Statement { file, sql } in &all {
            let others: &[&str] = if home.engine == Engine::Sqlite { &POSTGRES_ONLY } else { &SQLITE_ONLY };
            if others.iter().any(|part| sql.contains(part)) {
                continue;
            }
            if let Err(why) = prepare(&mut conn, sql).await {
                refused.push(format!("{} refuses {file}: {why}\n{sql}", home.name));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_with_a_wrong_column_is_noticed() {
    let source = r#"
        // "SELECT comment FROM nowhere"
        macro_rules! columns { () => { "job_id, \
            no_such_column" }; }
        const A: &str = concat!("SELECT ", columns!(), " FROM jobs WHERE job_id = $1");
        insert_many(tx, "INSERT INTO jobs (tenant_id, job_id)", "ON CONFLICT (nothing) DO NOTHING");
        fetch_by_ids(conn, "SELECT job_id FROM jobs WHERE kind = $1 AND job_idx IN");
        fetch_joined(conn, "SELECT j.job_idx FROM (", ") AS w JOIN jobs AS j ON j.job_id = w.column1");
        let fine = ('"', "SELECT job_id FROM jobs WHERE kind = $1 AND job_id IN");
    "#;
    let tokens = vec![("a.rs".to_owned(), tokens(source))];
    let macros: HashMap<String, String> = text_macros(&tokens);
    let found = complete(&strings(&tokens[0].1, &macros));
    assert_eq!(
        found,
        [
            "SELECT job_id, no_such_column FROM jobs WHERE job_id = $1",
            "INSERT INTO jobs (tenant_id, job_id) VALUES ($1, $2) ON CONFLICT (nothing) DO NOTHING",
            "SELECT job_id FROM jobs WHERE kind = $1 AND job_idx IN ($2)",
            "SELECT j.job_idx FROM (SELECT 1) AS w JOIN jobs AS j ON j.job_id = $1",
            "SELECT job_id FROM jobs WHERE kind = $1 AND job_id IN ($2)",
        ]
    );
    for home in homes().await {
        let mut conn = home.store.read(Reach::Everyone).await.unwrap();
        for bad in &found[..4] {
            assert!(prepare(&mut conn, bad).await.is_err(), "{}: {bad}", home.name);
        }
        prepare(&mut conn, &found[4]).await.unwrap();
    }
}
