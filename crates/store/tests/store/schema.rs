//! Both engines have the same tables after all migrations.

use std::collections::BTreeSet;

use testkit::{Home, homes};

use crate::support::{change, texts};

/// Columns with type and nullability, primary keys, foreign keys and indexes, a line each.
pub(crate) async fn lines(home: &Home) -> BTreeSet<String> {
    let queries = match home.engine {
        store::Engine::Sqlite => SQLITE,
        store::Engine::Postgres => POSTGRES,
    };
    let mut lines = BTreeSet::new();
    for sql in queries {
        lines.extend(texts(&home.store, sql).await);
    }
    lines
}

const SQLITE: [&str; 4] = [
    "SELECT m.name || '.' || p.name || ' #' || (p.cid + 1) || ' ' || lower(p.type)
         || CASE WHEN p.\"notnull\" = 1 THEN ' not null' ELSE '' END
     FROM sqlite_master AS m, pragma_table_info(m.name) AS p
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
    "SELECT 'primary key of ' || m.name || ': ' || group_concat(p.name, ', ' ORDER BY p.pk)
     FROM sqlite_master AS m, pragma_table_info(m.name) AS p
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND p.pk > 0
     GROUP BY m.name",
    "SELECT 'reference ' || m.name || '.' || f.\"from\" || ' to ' || f.\"table\"
     FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
     WHERE m.type = 'table'",
    "SELECT 'index ' || l.name || ' on ' || m.name || ' ('
         || (SELECT group_concat(i.name, ', ' ORDER BY i.seqno) FROM pragma_index_info(l.name) AS i) || ')'
         || CASE WHEN l.\"unique\" = 1 THEN ' unique' ELSE '' END
         || CASE WHEN l.partial = 1 THEN ' where ' || trim(substr(x.sql, instr(x.sql, 'WHERE') + 5)) ELSE '' END
     FROM sqlite_master AS m, pragma_index_list(m.name) AS l, sqlite_master AS x
     WHERE m.type = 'table' AND l.origin = 'c' AND x.type = 'index' AND x.name = l.name",
];

const POSTGRES: [&str; 4] = [
    "SELECT table_name || '.' || column_name || ' #' || ordinal_position || ' ' || data_type
         || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
     FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT 'primary key of ' || t.relname || ': ' || string_agg(a.attname, ', ' ORDER BY k.place)
     FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_namespace AS s ON s.oid = t.relnamespace,
         unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place), pg_attribute AS a
     WHERE i.indisprimary AND s.nspname = 'public' AND a.attrelid = t.oid AND a.attnum = k.number
     GROUP BY t.relname",
    "SELECT 'reference ' || t.relname || '.' || a.attname || ' to ' || f.relname
     FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_class AS f ON f.oid = c.confrelid
     JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey)
     WHERE c.contype = 'f'",
    "SELECT 'index ' || x.relname || ' on ' || t.relname || ' ('
         || (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k)
             FROM generate_series(1, i.indnkeyatts::int) AS k) || ')'
         || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
         || CASE WHEN i.indpred IS NULL THEN ''
             ELSE ' where ' || regexp_replace(regexp_replace(pg_get_expr(i.indpred, i.indrelid), '[()]|::text', '', 'g'), '= ANY ARRAY\\[([^]]*)\\]', 'IN (\\1)', 'g') END
     FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
     JOIN pg_namespace AS s ON s.oid = t.relnamespace
     WHERE NOT i.indisprimary AND s.nspname = 'public'",
];

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_tables_columns_keys_and_indexes() {
    let [sqlite, postgres] = homes().await;
    let (one, other) = (lines(&sqlite).await, lines(&postgres).await);
    for expected in [
        "events.seq #6 bigint not null",
        "primary key of vectors: owner_id, model",
        "reference chunks.event_id to events",
        "index ux_jobs_due_key on jobs (tenant_id, kind, job_key) unique where state = 'due'",
    ] {
        assert!(one.contains(expected), "SQLite lacks {expected}: {one:#?}");
    }
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&one, &other), Vec::<String>::new(), "only in SQLite");
    assert_eq!(only(&other, &one), Vec::<String>::new(), "only in PostgreSQL");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_comparison_notices_every_kind_of_difference() {
    for (home, difference) in homes().await.iter().flat_map(|home| {
        [
            "ALTER TABLE jobs ADD COLUMN extra TEXT",
            "CREATE TABLE extra (id TEXT NOT NULL PRIMARY KEY)",
            "CREATE INDEX ix_extra ON jobs (tenant_id) WHERE state = 'dead'",
            "DROP INDEX ix_jobs_state_run_at",
        ]
        .map(|difference| (home, difference))
    }) {
        let before = lines(home).await;
        change(&home.store, difference).await;
        assert_ne!(lines(home).await, before, "{}: {difference}", home.name);
    }
}
