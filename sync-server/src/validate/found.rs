//! What a database has: read from PostgreSQL's catalogs or by SQLite's pragmas.

use std::collections::{BTreeMap, BTreeSet};

use super::session::{Dialect, Session, SessionError, TextRow};

/// A column as the database has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundColumn {
    /// In the words of the schema (`varchar(50)`, `timestamptz`); SQLite's with its check.
    pub sql_type: String,
    /// `NOT NULL`
    pub not_null: bool,
}

/// A table as the database has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundTable {
    /// In the order of the table.
    pub order: Vec<String>,
    /// By name.
    pub columns: BTreeMap<String, FoundColumn>,
    /// Columns of the primary key, in its order.
    pub primary_key: Vec<String>,
    /// Column, referenced table, referenced column.
    pub foreign_keys: BTreeSet<(String, String, String)>,
    /// Columns that are unique by themselves.
    pub unique: BTreeSet<String>,
}

/// Tables by name.
pub type Found = BTreeMap<String, FoundTable>;

const POSTGRES_COLUMNS: &str =
    "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname, a.attnum";

/// Unique indexes count as unique keys: that is what they are.
const POSTGRES_KEYS: &str = "SELECT c.relname::text, CASE WHEN i.indisprimary THEN 'p' ELSE 'u' END,
        (SELECT string_agg(a.attname::text, ',' ORDER BY k.n)
         FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum),
        NULL::text, NULL::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
        AND i.indisvalid
    UNION ALL
    SELECT c.relname::text, 'f', a.attname::text, t.relname::text, b.attname::text
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
        JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = f.confkey[1]
    WHERE f.contype = 'f' AND f.convalidated AND array_length(f.conkey, 1) = 1
        AND c.relnamespace = current_schema()::regnamespace";

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.type, CAST(c.\"notnull\" AS TEXT), m.sql
    FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
    ORDER BY m.name, c.cid";

const SQLITE_KEYS: &str = "SELECT name, kind, cols, target, target_column FROM (
    SELECT m.name, 'p' AS kind, group_concat(c.name, ',' ORDER BY c.pk) AS cols, NULL AS target, NULL AS target_column
    FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.pk > 0 GROUP BY m.name
    UNION ALL
    SELECT m.name, 'u', group_concat(c.name), NULL, NULL
    FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
    WHERE m.type = 'table' AND i.\"unique\" = 1 AND i.origin <> 'pk' AND i.partial = 0 GROUP BY m.name, i.name
    UNION ALL
    SELECT m.name, 'f', f.\"from\", f.\"table\", coalesce(f.\"to\", 'id')
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table')";

/// Reads all tables of the database; on PostgreSQL those of the current schema.
pub async fn read(session: &mut Session) -> Result<Found, SessionError> {
    let mut found = Found::new();
    let (columns, keys) = match session.dialect() {
        Dialect::Postgres => (POSTGRES_COLUMNS, POSTGRES_KEYS),
        Dialect::Sqlite => (SQLITE_COLUMNS, SQLITE_KEYS),
    };
    for row in session.rows(columns, &[]).await? {
        let (Some(table), Some(name)) = (text(&row, 0), text(&row, 1)) else {
            continue;
        };
        let table = found.entry(table.to_owned()).or_default();
        table.order.push(name.to_owned());
        table.columns.insert(name.to_owned(), column(&row, name));
    }
    for row in session.rows(keys, &[]).await? {
        let (Some(table), Some(columns)) = (text(&row, 0), text(&row, 2)) else {
            continue;
        };
        let Some(table) = found.get_mut(table) else { continue };
        key(table, &row, columns);
    }
    Ok(found)
}

fn text(row: &TextRow, at: usize) -> Option<&str> {
    row.get(at)?.as_deref()
}

fn column(row: &TextRow, name: &str) -> FoundColumn {
    let declared = text(row, 2).unwrap_or_default();
    let sql_type = match text(row, 4) {
        Some(statement) => sqlite_type(declared, name, statement),
        None => postgres_type(declared),
    };
    let not_null = matches!(text(row, 3), Some("true" | "1"));
    FoundColumn { sql_type, not_null }
}

/// PostgreSQL's long names in the schema's words.
fn postgres_type(declared: &str) -> String {
    declared
        .replace("character varying", "varchar")
        .replace("timestamp with time zone", "timestamptz")
        .replace("timestamp without time zone", "timestamp")
}

/// The declared type and the check that limits it: `TEXT length(name) <= 50`.
fn sqlite_type(declared: &str, name: &str, statement: &str) -> String {
    let line = statement
        .lines()
        .map(str::trim_start)
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    let check = line
        .and_then(|line| line.split_once("CHECK ("))
        .map(|(_, check)| check.trim_end_matches(','));
    match check.and_then(|check| check.strip_suffix(')')) {
        Some(check) => format!("{declared} {check}"),
        None => declared.to_owned(),
    }
}

fn key(table: &mut FoundTable, row: &TextRow, columns: &str) {
    match text(row, 1) {
        Some("p") => table.primary_key = columns.split(',').map(str::to_owned).collect(),
        Some("f") => {
            let target = text(row, 3).unwrap_or_default().to_owned();
            let target_column = text(row, 4).unwrap_or_default().to_owned();
            table.foreign_keys.insert((columns.to_owned(), target, target_column));
        }
        _ if !columns.contains(',') => {
            table.unique.insert(columns.to_owned());
        }
        _ => {}
    }
}
