//! All that the tables hold, to be compared.

use std::collections::BTreeMap;

use holdfast_core::schema::Schema;
use rusqlite::Connection;

use crate::{StoreError, tables::Tables};

/// Every row of every table as text, by table.
pub type Dump = BTreeMap<&'static str, Vec<String>>;

pub(super) fn dump(connection: &Connection) -> Result<Dump, StoreError> {
    let mut all = Dump::new();
    for table in &Schema::hospital().tables {
        let rows = Tables(connection).select(table, &[])?;
        let text = |row: &holdfast_core::row::Row| {
            let cells = table.columns.iter().zip(&row.values);
            let cells = cells.filter_map(|(c, v)| Some(format!("{}={}", c.name, v.to_sql_text()?)));
            cells.collect::<Vec<_>>().join(" ")
        };
        all.insert(table.name, rows.iter().map(text).collect());
    }
    Ok(all)
}

/// Checks what every store promises, besides what its constraints hold: references lead to rows, documents that are shown have
/// their rows, the base has no documents that nothing waits on.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    if statement.exists([])? {
        return Err(StoreError::corrupt("a foreign key leads nowhere"));
    }
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    for table in &Schema::hospital().tables {
        let part = table.id.0;
        let documents = number(&format!(
            "SELECT count(*) FROM sync_documents WHERE part = {part} AND shown"
        ))?;
        let rows = number(&format!("SELECT count(*) FROM {}", table.name))?;
        if documents != rows {
            let name = table.name;
            return Err(StoreError::corrupt(format!(
                "{name} has {rows} rows of {documents} documents"
            )));
        }
    }
    let pending = if connection.table_exists(None, "sync_relay")? {
        "SELECT n FROM sync_relay"
    } else {
        "SELECT n FROM sync_outbox WHERE state IN ('waiting', 'relayed')"
    };
    let unfit = format!(
        "SELECT count(*) FROM sync_base AS b WHERE pending = ',' OR EXISTS
            (SELECT 1 FROM json_each('[' || trim(b.pending, ',') || ']') AS p WHERE p.value NOT IN ({pending}))"
    );
    if number(&unfit)? > 0 {
        return Err(StoreError::corrupt("the base does not fit what is pending"));
    }
    Ok(())
}
