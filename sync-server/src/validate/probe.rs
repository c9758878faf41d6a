//! Rows that fit the schema, made up for a moment: what `validate` writes, reads, changes and deletes to see that it can.

use std::collections::HashMap;

use holdfast_core::schema::{Column, Schema, SqlType, Table, TableId};
use uuid::Uuid;

use super::session::{Dialect, TextRow};
use crate::store::random;

/// A valid row for each table, each referring to the others.
pub struct Probe {
    keys: HashMap<TableId, Uuid>,
    /// Makes unique values differ from those that are there.
    salt: String,
    dialect: Dialect,
}

impl Probe {
    /// New rows.
    pub fn new(dialect: Dialect) -> Self {
        let id = || uuid::Builder::from_random_bytes(random::bytes()).into_uuid();
        let keys = Schema::hospital().tables.iter().map(|table| (table.id, id())).collect();
        Self {
            keys,
            salt: id().simple().to_string(),
            dialect,
        }
    }

    /// The row's values, as SQL text.
    pub fn row(&self, table: &Table) -> TextRow {
        table
            .columns
            .iter()
            .map(|column| Some(self.value(table, column)))
            .collect()
    }

    fn value(&self, table: &Table, column: &Column) -> String {
        if let Some(target) = column.references {
            return self.keys[&target].to_string();
        }
        if column.primary_key {
            return self.keys[&table.id].to_string();
        }
        if column.json {
            return "{}".into();
        }
        match column.sql_type {
            SqlType::Uuid => self.keys[&table.id].to_string(),
            // Not likely to be an older system's number.
            SqlType::Integer if column.unique => "2147483001".into(),
            SqlType::Integer => "1".into(),
            SqlType::Boolean if self.dialect == Dialect::Sqlite => "1".into(),
            SqlType::Boolean => "true".into(),
            SqlType::Numeric { .. } => "1.00".into(),
            SqlType::Date => "2026-01-31".into(),
            SqlType::Timestamptz => "2026-01-31T12:00:00.000000Z".into(),
            SqlType::Varchar(_) | SqlType::Text if column.unique => self.unique_text(column),
            SqlType::Varchar(_) | SqlType::Text => column.values.first().copied().unwrap_or("v").into(),
        }
    }

    fn unique_text(&self, column: &Column) -> String {
        let limit = match column.sql_type {
            SqlType::Varchar(Some(limit)) => limit as usize,
            _ => self.salt.len(),
        };
        self.salt.chars().take(limit).collect()
    }

    /// A column to change, and to what; `None` where there is none but the key.
    pub fn change<'t>(&self, table: &'t Table) -> Option<(&'t Column, String)> {
        let free =
            |c: &&Column| !c.primary_key && !c.unique && c.references.is_none() && !c.json && c.values.is_empty();
        let column = table.columns.iter().find(free)?;
        let value = match column.sql_type {
            SqlType::Integer => "2".into(),
            SqlType::Boolean if self.dialect == Dialect::Sqlite => "0".into(),
            SqlType::Boolean => "false".into(),
            SqlType::Numeric { .. } => "2.00".into(),
            SqlType::Date => "2026-02-28".into(),
            SqlType::Timestamptz => "2026-02-28T12:00:00.000000Z".into(),
            SqlType::Uuid => self.keys[&table.id].to_string(),
            SqlType::Varchar(_) | SqlType::Text => "w".into(),
        };
        Some((column, value))
    }

    /// The key's values, in its order.
    pub fn key(&self, table: &Table) -> TextRow {
        table
            .primary_key
            .iter()
            .map(|id| Some(self.value(table, table.by_id(*id))))
            .collect()
    }

    /// A parameter of a column's type.
    fn parameter(&self, column: &Column, number: usize) -> String {
        match (self.dialect, column.sql_type) {
            (Dialect::Sqlite, _) => format!("?{number}"),
            // A cast to a length would shorten what is too long.
            (Dialect::Postgres, SqlType::Varchar(_)) => format!("${number}::text"),
            (Dialect::Postgres, other) => format!("${number}::text::{other}"),
        }
    }

    fn where_key(&self, table: &Table, first: usize) -> String {
        let part = |(at, id): (usize, &holdfast_core::schema::ColumnId)| {
            let column = table.by_id(*id);
            format!("{} = {}", column.name, self.parameter(column, first + at))
        };
        table
            .primary_key
            .iter()
            .enumerate()
            .map(part)
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// `INSERT`, its parameters: the row.
    pub fn insert(&self, table: &Table) -> String {
        let names: Vec<_> = table.columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
        let values: Vec<_> = table
            .columns
            .iter()
            .zip(1..)
            .map(|(c, n)| self.parameter(c, n))
            .collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            table.name,
            names.join(", "),
            values.join(", ")
        )
    }

    /// `SELECT` of all columns as text, its parameters: the key.
    pub fn select(&self, table: &Table) -> String {
        let names: Vec<_> = table
            .columns
            .iter()
            .map(|c| format!("CAST(\"{}\" AS text)", c.name))
            .collect();
        format!(
            "SELECT {} FROM {} WHERE {}",
            names.join(", "),
            table.name,
            self.where_key(table, 1)
        )
    }

    /// `UPDATE` of one column, its parameters: the value, the key. Where there is only a key it is set to itself.
    pub fn update(&self, table: &Table, change: Option<&Column>) -> String {
        let set = match change {
            Some(column) => format!("\"{}\" = {}", column.name, self.parameter(column, 1)),
            None => format!("{0} = {0}", table.key_names()[0]),
        };
        format!(
            "UPDATE {} SET {set} WHERE {}",
            table.name,
            self.where_key(table, 1 + usize::from(change.is_some()))
        )
    }

    /// `DELETE`, its parameters: the key.
    pub fn delete(&self, table: &Table) -> String {
        format!("DELETE FROM {} WHERE {}", table.name, self.where_key(table, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_core::value::Value;

    #[test]
    fn every_made_up_value_fits_its_column() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let probe = Probe::new(dialect);
            for table in &Schema::hospital().tables {
                for (column, text) in table.columns.iter().zip(probe.row(table)) {
                    let value = Value::from_sql_text(column, &text.unwrap()).unwrap();
                    value.check(column).unwrap();
                    value.check_vocabulary(column).unwrap();
                }
            }
        }
    }
}
