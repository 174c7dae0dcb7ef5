//! Rows in every table there is, so that what must not forget a table can be seen to.

use bytes::Bytes;
use store::backup::{Kind, Table, tables};
use store::{Blobs, Reach, Store, Value, insert_many};

/// Adds `count` rows to every table and an object for each that names one. Columns of the same name hold the same values
/// in the same row, so that references hold. Rows begin at `first`, for a second call.
///
/// # Panics
/// When the database refuses a row.
pub async fn fill_every_table(store: &Store, blobs: &Blobs, first: usize, count: usize) {
    let mut conn = store.read(Reach::Everyone).await.expect("the database answers");
    let all = tables(&mut conn).await.expect("the schema can be read");
    drop(conn);
    for table in all {
        let mut rows = Vec::with_capacity(count);
        for number in first..first + count {
            rows.push(row(&table, number, blobs).await);
        }
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        // As many texts as tables, for the life of a test.
        let head = format!("INSERT INTO \"{}\" ({})", table.name, columns.join(", ")).leak();
        let insert = store.write("test.fill", Reach::Everyone, move |tx| {
            Box::pin(async move { Ok(insert_many(tx, head, "", rows).await?) })
        });
        insert.await.expect("the rows fit");
    }
}

async fn row(table: &Table, number: usize, blobs: &Blobs) -> Vec<Value> {
    let mut values = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let value = match column.kind {
            Kind::Text if column.name == "blob_key" => {
                let tenant = kernel::TenantId::parse(&format!("tenant_id-{number}")).expect("a proper name");
                let bytes = Bytes::from(vec![number as u8; 10 + number * 37 % 5_000]);
                Value::from(blobs.put(&tenant, bytes).await.expect("objects can be stored"))
            }
            Kind::Text => Value::from(format!("{}-{number}{}", column.name, ending(&column.name, number))),
            Kind::Int => Value::from(integer(number)),
            Kind::Real => {
                Value::from(number as f64 / 7.0 * if number.is_multiple_of(2) { 1e-200 } else { -3.0 })
            }
            Kind::Bool => Value::from(number.is_multiple_of(3)),
            Kind::Bytes => Value::from((0..384).map(|at| (at * 31 + number * 17) as u8).collect::<Vec<_>>()),
        };
        values.push(value);
    }
    values
}

/// Text that is hard to carry, where nothing refers to it.
fn ending(column: &str, number: usize) -> &'static str {
    const HARD: [&str; 4] = ["", " 'quote\" \\ tab\t line\n end\r", " é漢🦀\u{2028}", " {\"a\": [null]}"];
    if column.ends_with("_id") { "" } else { HARD[number % HARD.len()] }
}

fn integer(number: usize) -> i64 {
    match number % 4 {
        0 => number as i64,
        1 => -(number as i64),
        2 => i64::MAX - number as i64,
        _ => i64::MIN + number as i64,
    }
}
