//! What the 33 tables hold, read with plain SQL and compared by value.

use std::{collections::BTreeMap, path::Path};

use holdfast_core::{
    schema::{Column, Merge, Schema, SqlType, Table},
    value::Value,
};
use rusqlite::types::ValueRef;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

/// The rows of every table, by primary key. A value is its canonical SQL text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contents(BTreeMap<&'static str, BTreeMap<Vec<String>, RowValues>>);

/// By column name.
type RowValues = BTreeMap<&'static str, Option<String>>;

/// Which columns are compared.
pub type Compared = fn(&Column) -> bool;

/// All that devices may get: password hashes stay with the server.
pub fn replicated(column: &Column) -> bool {
    column.merge != Merge::Server
}

/// What every role's devices get.
pub fn unrestricted(column: &Column) -> bool {
    replicated(column) && !column.restricted
}

impl Contents {
    /// Of a server's or a device's SQLite file.
    pub fn of_sqlite(file: &Path, compared: Compared) -> Self {
        let connection = rusqlite::Connection::open(file).expect("the SQLite file opens");
        Self::of_connection(&connection, compared)
    }

    /// Of an open SQLite database.
    pub fn of_connection(connection: &rusqlite::Connection, compared: Compared) -> Self {
        let mut contents = Self::default();
        for table in &Schema::hospital().tables {
            let columns: Vec<&'static Column> = table.columns.iter().filter(|c| compared(c)).collect();
            let names: Vec<&str> = columns.iter().map(|c| c.name).collect();
            let sql = format!("SELECT {} FROM {}", names.join(", "), table.name);
            let mut statement = connection.prepare(&sql).expect("the table is there with its columns");
            let mut found = statement.query([]).expect("the table can be read");
            while let Some(row) = found.next().expect("the row can be read") {
                let value = |(i, column): (usize, &&Column)| text(column, row.get_ref(i).expect("the column is read"));
                contents.insert(table, &columns, columns.iter().enumerate().map(value).collect());
            }
        }
        contents
    }

    /// Of a PostgreSQL database.
    pub async fn of_postgres(url: &str, compared: Compared) -> Self {
        let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
        sqlx::query("SET TimeZone = 'UTC'")
            .execute(&mut connection)
            .await
            .expect("the time zone is set");
        let mut contents = Self::default();
        for table in &Schema::hospital().tables {
            let columns: Vec<&'static Column> = table.columns.iter().filter(|c| compared(c)).collect();
            let texts: Vec<String> = columns.iter().map(|c| format!("\"{}\"::text", c.name)).collect();
            let sql = format!("SELECT ARRAY[{}] FROM {}", texts.join(", "), table.name);
            let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            for record in found.expect("the table is there with its columns") {
                let values: Vec<Option<String>> = record.try_get(0).expect("values are texts");
                let canonical =
                    |(column, value): (&&Column, Option<String>)| value.map(|text| canonical(column, &text));
                contents.insert(table, &columns, columns.iter().zip(values).map(canonical).collect());
            }
        }
        contents
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, BTreeMap::len)
    }

    /// A column's value in the only row of a table.
    pub fn value(&self, table: &str, column: &str) -> Option<String> {
        let rows: Vec<_> = self.0.get(table).into_iter().flat_map(BTreeMap::values).collect();
        let [row] = rows.as_slice() else {
            panic!("{table} has {} rows where one was expected", rows.len())
        };
        row.get(column).cloned().flatten()
    }

    /// How many rows there are in all.
    pub fn total(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Tables that have no row.
    pub fn empty_tables(&self) -> Vec<&'static str> {
        let names = Schema::hospital().tables.iter().map(|t| t.name);
        names.filter(|name| self.count(name) == 0).collect()
    }

    fn insert(&mut self, table: &'static Table, columns: &[&'static Column], values: Vec<Option<String>>) {
        let is_key = |(column, _): &(&&Column, &Option<String>)| column.primary_key;
        let key = columns.iter().zip(&values).filter(is_key);
        let key = key.map(|(_, value)| value.clone().unwrap_or_default()).collect();
        let values = columns.iter().map(|c| c.name).zip(values).collect();
        self.0.entry(table.name).or_default().insert(key, values);
    }
}

/// Fails with the first rows that differ.
pub fn assert_same(left_name: &str, left: &Contents, right_name: &str, right: &Contents) {
    for table in &Schema::hospital().tables {
        let (none_left, none_right) = (BTreeMap::new(), BTreeMap::new());
        let l = left.0.get(table.name).unwrap_or(&none_left);
        let r = right.0.get(table.name).unwrap_or(&none_right);
        for key in l.keys().chain(r.keys()) {
            assert_eq!(
                l.get(key),
                r.get(key),
                "the row {key:?} of {} differs: left is {left_name}, right is {right_name}",
                table.name
            );
        }
    }
}

fn text(column: &Column, value: ValueRef<'_>) -> Option<String> {
    let text = match (column.sql_type, value) {
        (_, ValueRef::Null) => return None,
        (SqlType::Boolean, ValueRef::Integer(i)) => (i != 0).to_string(),
        (_, ValueRef::Integer(i)) => i.to_string(),
        (_, ValueRef::Text(text)) => String::from_utf8(text.to_vec()).expect("text is UTF-8"),
        (_, other) => panic!("{} holds {:?}", column.name, other.data_type()),
    };
    Some(canonical(column, &text))
}

/// One text for one value, however a database writes it.
fn canonical(column: &Column, text: &str) -> String {
    let value = Value::from_sql_text(column, text);
    let value = value.unwrap_or_else(|error| panic!("{} holds {text:?}: {error}", column.name));
    value.to_sql_text().unwrap_or_default()
}
