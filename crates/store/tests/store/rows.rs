//! Many rows in one statement, many ids in one list.

use store::Reach;
use store::{Value, fetch_by_ids, fetch_joined, insert_many, insert_returning};
use testkit::on_both;

use crate::support::{number, with_notes};

fn rows(n: i64) -> Vec<Vec<Value>> {
    (0..n).map(|i| vec![Value::from(format!("id {i}")), Value::from(i)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_rows_is_inserted_and_found_again() {
    on_both(|home| async move {
        with_notes(&home).await;
        for n in [0, 1, 7, 300, 1000] {
            let (inserted, found, foreign) = home
                .store
                .write("test.rows", Reach::Everyone, move |tx| {
                    Box::pin(async move {
                        tx.batch("DELETE FROM notes").await?;
                        let inserted = insert_many(tx, "INSERT INTO notes (id, n)", "", rows(n)).await?;
                        let ids: Vec<String> = (0..n).map(|i| format!("id {i}")).collect();
                        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                        let head = "SELECT id, n FROM notes WHERE n >= $1 AND id IN";
                        let found: Vec<(String, i64)> =
                            fetch_by_ids(tx, head, &[Value::from(0_i64)], &ids).await?;
                        let foreign: Vec<(String, i64)> =
                            fetch_by_ids(tx, head, &[Value::from(0_i64)], &["nobody"; 9]).await?;
                        let (head, tail) = (
                            "SELECT id, n FROM (",
                            ") AS w JOIN notes ON id = w.column1 AND n BETWEEN w.column2 AND w.column2",
                        );
                        let joined: Vec<(String, i64)> = fetch_joined(tx, head, tail, rows(n)).await?;
                        assert_eq!(joined.len() as i64, n, "each given row meets its own");
                        Ok((inserted, found, foreign))
                    })
                })
                .await
                .unwrap();
            assert_eq!(inserted, n as u64);
            let mut found: Vec<i64> = found
                .into_iter()
                .map(|(id, n)| {
                    assert_eq!(id, format!("id {n}"));
                    n
                })
                .collect();
            found.sort_unstable();
            assert_eq!(found, (0..n).collect::<Vec<_>>(), "each of {n} once");
            assert_eq!(foreign, []);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_exist_are_passed_over_and_not_counted() {
    on_both(|home| async move {
        with_notes(&home).await;
        let counts = home
            .store
            .write("test.rows", Reach::Everyone, |tx| {
                Box::pin(async move {
                    let head = "INSERT INTO notes (id, n)";
                    let first = insert_many(tx, head, "", rows(70)).await?;
                    let again = insert_many(tx, head, "ON CONFLICT (id) DO NOTHING", rows(300)).await?;
                    let returned: Vec<(i64,)> = insert_returning(
                        tx,
                        head,
                        "ON CONFLICT (id) DO UPDATE SET n = notes.n + 1000 RETURNING n",
                        rows(301),
                    )
                    .await?;
                    Ok((first, again, returned))
                })
            })
            .await
            .unwrap();
        assert_eq!((counts.0, counts.1), (70, 230));
        let mut returned: Vec<i64> = counts.2.into_iter().map(|row| row.0).collect();
        returned.sort_unstable();
        let expected: Vec<i64> = std::iter::once(300).chain(1000..1300).collect();
        assert_eq!(returned, expected, "299 moved, one new");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    on_both(|home| async move {
        type Row = (String, Option<String>, Option<i64>, Option<f64>, bool, Option<Vec<u8>>);
        let found: Vec<Row> = home
            .store
            .write("test.values", Reach::Everyone, |tx| {
                Box::pin(async move {
                    tx.batch(
                        "CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, t TEXT, i BIGINT, r DOUBLE PRECISION,
                         b BOOLEAN NOT NULL, y BYTEA)",
                    )
                    .await?;
                    let full = vec![
                        "full".into(),
                        "’); DROP TABLE things; -- \u{1F525}".into(),
                        i64::MIN.into(),
                        0.1.into(),
                        true.into(),
                        vec![0, 255, 10].into(),
                    ];
                    let empty = vec![
                        "none".into(),
                        Value::Text(None),
                        Value::Int(None),
                        Value::Real(None),
                        false.into(),
                        Value::Bytes(None),
                    ];
                    insert_many(tx, "INSERT INTO things (id, t, i, r, b, y)", "", vec![full, empty]).await?;
                    let head = "SELECT id, t, i, r, b, y FROM things WHERE id IN";
                    Ok(fetch_by_ids(tx, head, &[], &["full", "none", "absent"]).await?)
                })
            })
            .await
            .unwrap();
        let full = found.iter().find(|row| row.0 == "full").unwrap();
        let text = "’); DROP TABLE things; -- \u{1F525}".to_owned();
        assert_eq!(
            full,
            &("full".to_owned(), Some(text), Some(i64::MIN), Some(0.1), true, Some(vec![0, 255, 10]))
        );
        let none = found.iter().find(|row| row.0 == "none").unwrap();
        assert_eq!(none, &("none".to_owned(), None, None, None, false, None));
        assert_eq!(number(&home.store, "SELECT COUNT(*) FROM things").await, 2);
    })
    .await;
}
