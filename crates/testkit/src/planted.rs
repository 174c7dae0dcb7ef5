//! Looking for planted text in everything that a home holds.

use std::path::Path;

use store::sqlx::{self, AssertSqlSafe, Connection, PgConnection};
use store::{Engine, Reach};

use crate::Home;

/// Every byte of a home's files (database, write-ahead log, objects), and on PostgreSQL every row as text.
///
/// # Panics
/// When something cannot be read.
pub async fn everything_in(home: &Home) -> Vec<u8> {
    let mut all = Vec::new();
    read_folder(home.folder(), &mut all);
    if home.engine == Engine::Postgres {
        let mut conn = home.store.read(Reach::Everyone).await.expect("the database answers");
        let tables = store::backup::tables(&mut conn).await.expect("the schema can be read");
        let mut conn = PgConnection::connect(&home.url).await.expect("the database answers");
        for table in tables {
            let sql = format!("SELECT CAST(t.* AS TEXT) FROM \"{}\" AS t", table.name);
            let rows: Vec<(String,)> =
                sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut conn).await.expect("rows are text");
            for (row,) in rows {
                all.extend_from_slice(row.as_bytes());
            }
        }
    }
    all
}

fn read_folder(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            read_folder(&path, all);
        } else {
            all.extend(std::fs::read(&path).expect("a file can be read"));
        }
    }
}

/// Whether `text` stands anywhere in `bytes`.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
