//! What a database has against what the schema says.

use std::collections::BTreeSet;

use holdfast_core::schema::{Column, Schema, SqlType, Table};

use super::{
    found::{Found, FoundTable},
    report::Check,
    session::Dialect,
};

const RESTORE: &str = "restore it from the last backup, or undo the change that was made by hand";

/// Tables, columns and keys.
pub fn compare(found: &Found, dialect: Dialect) -> Vec<Check> {
    let schema = Schema::hospital();
    vec![
        tables(schema, found),
        columns(schema, found, dialect),
        primary_keys(schema, found),
        foreign_keys(schema, found),
        unique_keys(schema, found),
    ]
}

/// Tables that are not Holdfast's: named and left alone.
pub fn extra_tables(found: &Found) -> Option<Check> {
    let ours = |name: &&String| Schema::hospital().table(name).is_some() || name.starts_with("sync_");
    let extra: Vec<String> = found.keys().filter(|name| !ours(name)).cloned().collect();
    let plural = if extra.len() == 1 { "" } else { "s" };
    (!extra.is_empty()).then(|| {
        let found = format!(
            "{} table{plural} of others, left alone: {}",
            extra.len(),
            extra.join(", ")
        );
        Check::note("other tables", found, Vec::new())
    })
}

fn tables(schema: &Schema, found: &Found) -> Check {
    let missing: Vec<String> = schema
        .tables
        .iter()
        .filter(|table| !found.contains_key(table.name))
        .map(|table| format!("{} is missing", table.name))
        .collect();
    Check::counted("tables", schema.tables.len(), missing.len(), missing, RESTORE)
}

fn each_table<'a>(schema: &'a Schema, found: &'a Found) -> impl Iterator<Item = (&'a Table, Option<&'a FoundTable>)> {
    schema.tables.iter().map(|table| (table, found.get(table.name)))
}

/// One problem for each, under a number that counts each: what a missing table lacks is counted, but named once.
fn counted(name: &'static str, wants: &BTreeSet<String>, has: &BTreeSet<String>, found: &Found) -> Check {
    let wrong: Vec<&String> = wants.difference(has).collect();
    let named = |key: &&&String| found.contains_key(key.split(['.', ' ']).next().unwrap_or_default());
    let mut problems: Vec<String> = wrong
        .iter()
        .filter(named)
        .map(|key| format!("{key} is missing"))
        .collect();
    if problems.len() < wrong.len() {
        problems.push(format!(
            "{} belong to tables that are missing",
            wrong.len() - problems.len()
        ));
    }
    Check::counted(name, wants.len(), wrong.len(), problems, RESTORE)
}

fn columns(schema: &Schema, found: &Found, dialect: Dialect) -> Check {
    let (mut expected, mut wrong, mut unnamed, mut problems) = (0, 0, 0, Vec::new());
    for (table, found) in each_table(schema, found) {
        expected += table.columns.len();
        let Some(found) = found else {
            wrong += table.columns.len();
            unnamed += table.columns.len();
            continue;
        };
        for column in &table.columns {
            if let Some(problem) = column_problem(column, found, dialect) {
                wrong += 1;
                problems.push(format!("{}.{} {problem}", table.name, column.name));
            }
        }
    }
    if unnamed > 0 {
        problems.push(format!("{unnamed} belong to tables that are missing"));
    }
    Check::counted("columns", expected, wrong, problems, RESTORE)
}

fn column_problem(column: &Column, table: &FoundTable, dialect: Dialect) -> Option<String> {
    let Some(found) = table.columns.get(column.name) else {
        return Some("is missing".into());
    };
    let expected = match dialect {
        Dialect::Postgres => column.sql_type.to_string(),
        Dialect::Sqlite => sqlite_type(column),
    };
    if found.sql_type != expected {
        return Some(format!("is {} where {expected} is due", found.sql_type));
    }
    match (found.not_null, column.not_null) {
        (true, false) => Some("must not be empty, though it may".into()),
        (false, true) => Some("may be empty, though it must not".into()),
        _ => None,
    }
}

/// As SQLite keeps it: storage, and the check that stands for length or truth.
fn sqlite_type(column: &Column) -> String {
    let name = column.name;
    match column.sql_type {
        SqlType::Integer => "INTEGER".into(),
        SqlType::Boolean => format!("INTEGER {name} IN (0, 1)"),
        SqlType::Varchar(Some(limit)) => format!("TEXT length({name}) <= {limit}"),
        _ => "TEXT".into(),
    }
}

fn primary_keys(schema: &Schema, found: &Found) -> Check {
    let wants = schema
        .tables
        .iter()
        .map(|t| format!("{} ({})", t.name, t.key_names().join(", ")))
        .collect();
    let has = found
        .iter()
        .map(|(name, t)| format!("{name} ({})", t.primary_key.join(", ")))
        .collect();
    counted("primary keys", &wants, &has, found)
}

fn foreign_keys(schema: &Schema, found: &Found) -> Check {
    let mut wants = BTreeSet::new();
    for table in &schema.tables {
        for (column, target) in table.columns.iter().filter_map(|c| Some((c, c.references?))) {
            wants.insert(format!(
                "{}.{} → {}.id",
                table.name,
                column.name,
                schema.by_id(target).name
            ));
        }
    }
    let keys = |(name, table): (&String, &FoundTable)| -> Vec<String> {
        let one = |(column, target, key): &(String, String, String)| format!("{name}.{column} → {target}.{key}");
        table.foreign_keys.iter().map(one).collect()
    };
    let has = found.iter().flat_map(keys).collect();
    counted("foreign keys", &wants, &has, found)
}

fn unique_keys(schema: &Schema, found: &Found) -> Check {
    let of = |table: &Table| -> Vec<String> {
        table
            .columns
            .iter()
            .filter(|c| c.unique)
            .map(|c| format!("{}.{}", table.name, c.name))
            .collect()
    };
    let wants = schema.tables.iter().flat_map(of).collect();
    let has = found
        .iter()
        .flat_map(|(name, t)| t.unique.iter().map(move |c| format!("{name}.{c}")))
        .collect();
    counted("unique keys", &wants, &has, found)
}
