//! The tables in SQLite, strictly typed: lengths are checked, times are fixed-width UTC text, numerics are text at their scale.
//! There are no defaults: the engine writes every column itself. Foreign keys wait for the end of the transaction.

use super::{Column, Merge, Schema, SqlType, Table};

/// Whose tables they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// A server or a hub: every column.
    Server,
    /// A device: all but the columns that never leave the server.
    Device,
}

impl Side {
    /// True if tables on this side have the column.
    pub fn holds(self, column: &Column) -> bool {
        self == Self::Server || column.merge != Merge::Server
    }
}

/// The statements that make the tables, their keys and their indexes, referenced tables first. Running them again changes
/// nothing.
pub fn sqlite(schema: &Schema, side: Side) -> Vec<String> {
    schema
        .insert_order
        .iter()
        .map(|id| schema.by_id(*id))
        .flat_map(|table| std::iter::once(create_table(schema, table, side)).chain(table.foreign_key_indexes()))
        .collect()
}

fn create_table(schema: &Schema, table: &Table, side: Side) -> String {
    let name = table.name;
    let held = || table.columns.iter().filter(|c| side.holds(c));
    let mut lines: Vec<String> = held().map(column_line).collect();
    lines.push(format!(
        "CONSTRAINT {name}_pkey PRIMARY KEY ({})",
        table.key_names().join(", ")
    ));
    for column in held().filter(|c| c.unique).map(|c| c.name) {
        lines.push(format!("CONSTRAINT {name}_{column}_key UNIQUE ({column})"));
    }
    for (column, target) in held().filter_map(|c| Some((c.name, c.references?))) {
        let target = schema.by_id(target).name;
        lines.push(format!(
            "CONSTRAINT {name}_{column}_fkey FOREIGN KEY ({column}) REFERENCES {target} (id) DEFERRABLE INITIALLY DEFERRED"
        ));
    }
    format!(
        "CREATE TABLE IF NOT EXISTS {name} (\n    {}\n) STRICT",
        lines.join(",\n    ")
    )
}

fn column_line(column: &Column) -> String {
    let name = column.name;
    let not_null = if column.not_null { " NOT NULL" } else { "" };
    let (storage, check) = match column.sql_type {
        SqlType::Integer => ("INTEGER", None),
        SqlType::Boolean => ("INTEGER", Some(format!("{name} IN (0, 1)"))),
        SqlType::Varchar(Some(limit)) => ("TEXT", Some(format!("length({name}) <= {limit}"))),
        SqlType::Varchar(None)
        | SqlType::Uuid
        | SqlType::Text
        | SqlType::Numeric { .. }
        | SqlType::Date
        | SqlType::Timestamptz => ("TEXT", None),
    };
    let check = check.map(|c| format!(" CHECK ({c})")).unwrap_or_default();
    format!("{name} {storage}{not_null}{check}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(side: Side, pattern: &str) -> usize {
        sqlite(Schema::hospital(), side)
            .iter()
            .map(|s| s.matches(pattern).count())
            .sum()
    }

    #[test]
    fn every_table_and_key_of_the_declaration_is_made() {
        let unique = Schema::hospital()
            .tables
            .iter()
            .flat_map(|t| &t.columns)
            .filter(|c| c.unique)
            .count();
        for side in [Side::Server, Side::Device] {
            assert_eq!(count(side, "CREATE TABLE IF NOT EXISTS "), 33);
            assert_eq!(count(side, ") STRICT"), 33);
            assert_eq!(count(side, " PRIMARY KEY ("), 33);
            assert_eq!(count(side, " FOREIGN KEY ("), 69);
            assert_eq!(count(side, " UNIQUE ("), unique);
            assert_eq!(count(side, "CREATE INDEX IF NOT EXISTS "), 68);
        }
    }

    #[test]
    fn every_column_stands_in_its_table() {
        let statements = sqlite(Schema::hospital(), Side::Server);
        for table in &Schema::hospital().tables {
            let start = format!("CREATE TABLE IF NOT EXISTS {} (", table.name);
            let statement = statements.iter().find(|s| s.starts_with(&start)).unwrap();
            for column in &table.columns {
                assert!(
                    statement.contains(&format!("\n    {}", column_line(column))),
                    "{}.{}",
                    table.name,
                    column.name
                );
            }
        }
    }

    #[test]
    fn a_device_has_no_place_for_a_password_hash() {
        assert_eq!(count(Side::Server, "password_hash TEXT"), 1);
        assert_eq!(count(Side::Device, "password_hash"), 0);
    }

    #[test]
    fn lengths_and_truth_values_are_checked() {
        let table = Schema::hospital().expect("users");
        assert_eq!(
            column_line(table.expect("username")),
            "username TEXT NOT NULL CHECK (length(username) <= 50)"
        );
        assert_eq!(
            column_line(table.expect("is_active")),
            "is_active INTEGER CHECK (is_active IN (0, 1))"
        );
    }
}
