//! A PostgreSQL database as a source: one state of it, read by cursors, every column as text.

use holdfast_core::schema::{Column, Table};

use super::{
    ImportError,
    source::{Inventory, PAGE, RawRow, shared_columns},
};
use crate::{
    store::Location,
    validate::{found, session::Session},
};

/// A database that is read in one transaction, which sees one state and can change nothing.
pub struct Database {
    session: Session,
    inventory: Inventory,
    columns: Vec<&'static Column>,
    /// Each table has a cursor of another name: the connection remembers what a statement's rows look like.
    cursor: Option<String>,
}

impl Database {
    pub async fn open(url: &str) -> Result<Self, ImportError> {
        let location = Location::Database(url.to_owned());
        let mut session = Session::open(&location).await.map_err(ImportError::Source)?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        session.execute(begin, &[]).await.map_err(ImportError::Source)?;
        let found = found::read(&mut session).await.map_err(ImportError::Source)?;
        let inventory = found.into_iter().map(|(name, table)| (name, table.order)).collect();
        Ok(Self {
            session,
            inventory,
            columns: Vec::new(),
            cursor: None,
        })
    }

    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    pub fn columns(&self) -> &[&'static Column] {
        &self.columns
    }

    pub async fn begin(&mut self, table: &'static Table) -> Result<bool, ImportError> {
        if let Some(cursor) = self.cursor.take() {
            let sql = format!("CLOSE {cursor}");
            self.session.execute(&sql, &[]).await.map_err(ImportError::Source)?;
        }
        let Some((_, there)) = self.inventory.iter().find(|(name, _)| name == table.name) else {
            return Ok(false);
        };
        self.columns = shared_columns(table, there)
            .into_iter()
            .map(|(column, _)| column)
            .collect();
        if self.columns.is_empty() {
            return Ok(false);
        }
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("\"{}\"::text", column.name))
            .collect();
        let cursor = format!("import_{}", table.name);
        let sql = format!(
            "DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {} FROM \"{}\"",
            names.join(", "),
            table.name
        );
        self.session.execute(&sql, &[]).await.map_err(ImportError::Source)?;
        self.cursor = Some(cursor);
        Ok(true)
    }

    pub async fn page(&mut self) -> Result<Vec<RawRow>, ImportError> {
        let Some(cursor) = &self.cursor else {
            return Ok(Vec::new());
        };
        let sql = format!("FETCH {PAGE} FROM {cursor}");
        let rows = self.session.rows(&sql, &[]).await.map_err(ImportError::Source)?;
        Ok(rows.into_iter().map(RawRow::Texts).collect())
    }
}
