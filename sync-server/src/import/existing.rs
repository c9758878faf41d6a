//! Rows that the hospital has already, from an earlier run or from its work since.

use std::collections::{BTreeSet, HashMap};

use holdfast_core::{
    document::DocumentId,
    ids::{RowId, Seq},
    ingest::Needs,
    schema::{Column, Table},
    value::Value,
};

use super::{ImportError, convert::Converted};
use crate::{
    store::Store,
    validate::session::{Dialect, Session, TextRow},
};

/// Looks into the tables.
pub struct Existing {
    session: Session,
    /// There was nothing before this import.
    is_new: bool,
}

/// What the hospital has of a row.
pub enum There {
    /// Nothing.
    No,
    /// The same values.
    Equal,
    /// The same but for the password, which nobody has set yet.
    WithoutPassword,
    /// Other values in these columns.
    Differs(Vec<&'static str>),
    /// Somebody deleted it.
    Deleted,
}

/// What a user without a password has in the tables.
const NO_PASSWORD: &str = "!";

impl Existing {
    pub async fn new(mut session: Session, store: &Store) -> Result<Self, ImportError> {
        if session.dialect() == Dialect::Postgres {
            // Rows are asked for by key; without fresh statistics the planner would read the table for each of them.
            let setting = "SET enable_seqscan = off";
            session.execute(setting, &[]).await.map_err(ImportError::Target)?;
        }
        let is_new = store.head().await? == Seq(0);
        Ok(Self { session, is_new })
    }

    /// The ids of a table's rows with the values that they claim.
    pub async fn claims(&mut self, table: &'static Table) -> Result<Vec<(RowId, Vec<(usize, Value)>)>, ImportError> {
        let claiming: Vec<&Column> = table.columns.iter().filter(|c| c.claim).collect();
        if self.is_new || (claiming.is_empty() && table.referenced_by.is_empty()) {
            return Ok(Vec::new());
        }
        let key = table.primary_key.iter().map(|id| table.by_id(*id));
        let columns: Vec<&Column> = key.chain(claiming.iter().copied()).collect();
        let rows = self
            .session
            .rows(&select(table, &columns), &[])
            .await
            .map_err(ImportError::Target)?;
        let read = |row: TextRow| {
            let values = values(&columns, &row);
            let id = key_of(table, &values[..table.primary_key.len()])?;
            let claims = values.into_iter().skip(table.primary_key.len());
            Some((
                id,
                claiming
                    .iter()
                    .map(|c| usize::from(c.id.0))
                    .zip(claims)
                    .filter(|(_, v)| !v.is_null())
                    .collect(),
            ))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// What the hospital has of each of these rows; `columns` are those that the source has.
    pub async fn of(
        &mut self,
        store: &Store,
        table: &'static Table,
        columns: &[&'static Column],
        rows: &[Converted],
    ) -> Result<Vec<There>, ImportError> {
        if self.is_new || rows.is_empty() {
            return Ok(rows.iter().map(|_| There::No).collect());
        }
        let shown = self.shown(table, rows).await?;
        let missing = rows.iter().filter(|row| !shown.contains_key(&row.id));
        let ids: BTreeSet<DocumentId> = missing.map(|row| DocumentId::main(table.id, row.id)).collect();
        let needs = Needs {
            documents: ids,
            ..Needs::default()
        };
        let set = store.load(needs).await?;
        let is_known = |row: &Converted| {
            let document = set.document(&DocumentId::main(table.id, row.id));
            document.is_some_and(|document| !document.is_empty())
        };
        let of = |row: &Converted| match shown.get(&row.id) {
            Some(values) => compare(table, columns, row, values),
            None if is_known(row) => There::Deleted,
            None => There::No,
        };
        Ok(rows.iter().map(of).collect())
    }

    async fn shown(
        &mut self,
        table: &'static Table,
        rows: &[Converted],
    ) -> Result<HashMap<RowId, Vec<Value>>, ImportError> {
        let key = table.by_id(table.primary_key[0]);
        let ids: BTreeSet<String> = rows.iter().filter_map(|row| row.get(key).to_sql_text()).collect();
        let columns: Vec<&Column> = table.columns.iter().collect();
        let (condition, list) = match self.session.dialect() {
            Dialect::Postgres => (
                format!("\"{}\" = ANY($1::text::uuid[])", key.name),
                format!("{{{}}}", ids.into_iter().collect::<Vec<_>>().join(",")),
            ),
            Dialect::Sqlite => (
                format!("\"{}\" IN (SELECT value FROM json_each(?1))", key.name),
                serde_json::json!(ids).to_string(),
            ),
        };
        let sql = format!("{} WHERE {condition}", select(table, &columns));
        let found = self
            .session
            .rows(&sql, &[Some(list)])
            .await
            .map_err(ImportError::Target)?;
        let read = |row: TextRow| {
            let values = values(&columns, &row);
            let key: Vec<Value> = table
                .primary_key
                .iter()
                .map(|id| values[usize::from(id.0)].clone())
                .collect();
            Some((key_of(table, &key)?, values))
        };
        Ok(found.into_iter().filter_map(read).collect())
    }
}

fn compare(table: &'static Table, columns: &[&'static Column], row: &Converted, there: &[Value]) -> There {
    let differs = |column: &&&'static Column| row.get(column) != &there[usize::from(column.id.0)];
    let differing: Vec<&'static str> = columns.iter().filter(differs).map(|column| column.name).collect();
    let password = table.column("password_hash");
    let unset = password.is_some_and(|c| there[usize::from(c.id.0)] == NO_PASSWORD.into());
    match differing.as_slice() {
        [] => There::Equal,
        ["password_hash"] if unset => There::WithoutPassword,
        _ => There::Differs(differing),
    }
}

fn select(table: &Table, columns: &[&Column]) -> String {
    let names: Vec<_> = columns
        .iter()
        .map(|c| format!("CAST(\"{}\" AS text)", c.name))
        .collect();
    format!("SELECT {} FROM {}", names.join(", "), table.name)
}

fn values(columns: &[&Column], row: &TextRow) -> Vec<Value> {
    let read = |(column, text): (&&Column, &Option<String>)| match text {
        Some(text) => Value::from_sql_text(column, text).unwrap_or(Value::Null),
        None => Value::Null,
    };
    columns.iter().zip(row).map(read).collect()
}

fn key_of(table: &Table, key: &[Value]) -> Option<RowId> {
    let part = |value: &Value| match value {
        Value::Uuid(id) => Some(*id),
        _ => None,
    };
    let key: Vec<_> = key.iter().map(part).collect::<Option<_>>()?;
    Some(table.row_id(&key))
}
