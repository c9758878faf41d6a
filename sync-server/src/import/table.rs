//! One table's rows: converted, checked, written in groups; a group that is refused is tried again row by row.

use holdfast_core::{
    ids::UserId,
    row::RowWrite,
    schema::{Column, Merge, Table},
    value::Value,
};
use serde::Serialize;

use super::{
    ImportError, Incident, Kind, Listener,
    convert::{Bad, Converted, convert},
    existing::{Existing, There},
    known::Known,
    source::{RawRow, Source},
};
use crate::{store::Store, writer::Writer};

/// Rows of one transaction: few enough for a phone that pulls it, many enough to be fast.
const GROUP: usize = 250;

/// What became of a table's rows.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct TableSummary {
    /// The table's name.
    pub table: &'static str,
    /// Rows in the source.
    pub read: u64,
    /// Rows that are new here.
    pub imported: u64,
    /// Rows that were here already, with the same values or others.
    pub there: u64,
    /// Of those, rows with other values.
    pub differing: u64,
    /// Rows that were not imported.
    pub refused: u64,
    /// Unusual things about rows that were imported.
    pub warnings: u64,
    /// Users whose password cannot be used here.
    pub passwords_to_reset: u64,
}

/// What goes on from table to table.
pub struct Taking<'a> {
    store: &'a Store,
    writer: Writer<'a>,
    existing: Existing,
    known: Known,
}

/// The table that is being imported.
struct Present<'l> {
    table: &'static Table,
    columns: Vec<&'static Column>,
    summary: TableSummary,
    listener: &'l mut dyn Listener,
}

/// A row with its key as the source has it.
struct Keyed {
    key: String,
    row: Converted,
}

impl<'a> Taking<'a> {
    pub fn new(store: &'a Store, writer: Writer<'a>, existing: Existing) -> Self {
        Self {
            store,
            writer,
            existing,
            known: Known::default(),
        }
    }

    /// Imports the table that the source stands at.
    pub async fn table(
        &mut self,
        table: &'static Table,
        source: &mut Source,
        listener: &mut dyn Listener,
    ) -> Result<TableSummary, ImportError> {
        self.known.begin(table, self.existing.claims(table).await?);
        let summary = TableSummary {
            table: table.name,
            ..TableSummary::default()
        };
        let mut present = Present {
            table,
            columns: source.columns().to_vec(),
            summary,
            listener,
        };
        loop {
            let page = source.page().await?;
            if page.is_empty() {
                break;
            }
            present.summary.read += page.len() as u64;
            let converted = page.into_iter().filter_map(|raw| present.convert(raw)).collect();
            let new = self.new_rows(&mut present, converted).await?;
            self.write(&mut present, new).await?;
            present.listener.progress(table.name, present.summary.read);
        }
        Ok(present.summary)
    }

    /// Leaves out rows that are here already and such as would break a rule.
    async fn new_rows(&mut self, present: &mut Present<'_>, rows: Vec<Keyed>) -> Result<Vec<Keyed>, ImportError> {
        let (keys, rows): (Vec<String>, Vec<Converted>) = rows.into_iter().map(|k| (k.key, k.row)).unzip();
        let there = self
            .existing
            .of(self.store, present.table, &present.columns, &rows)
            .await?;
        let mut new = Vec::new();
        for ((key, row), there) in keys.into_iter().zip(rows).zip(there) {
            let taken = self.known.take(present.table, &row);
            if !matches!(there, There::No) {
                if matches!(there, There::WithoutPassword) {
                    self.set_password(present, &row).await?;
                }
                present.already_there(key, &there);
                continue;
            }
            match taken {
                Err(bad) => present.refuse(key, bad),
                Ok(claims) => {
                    for (column, reason) in row.warnings.iter().cloned().chain(claims.warning) {
                        present.warn(&key, column, reason);
                    }
                    new.push(Keyed { key, row });
                }
            }
        }
        Ok(new)
    }

    async fn write(&mut self, present: &mut Present<'_>, rows: Vec<Keyed>) -> Result<(), ImportError> {
        let table = present.table;
        let groups: Vec<&[Keyed]> = rows.chunks(GROUP).collect();
        let writes = |group: &&[Keyed]| -> Vec<RowWrite> { group.iter().map(|k| k.row.write(table)).collect() };
        let outcomes = self.writer.write("import", groups.iter().map(writes).collect()).await?;
        for (group, outcome) in groups.into_iter().zip(outcomes) {
            if outcome.is_ok() {
                self.accepted(present, group).await?;
            } else {
                self.one_by_one(present, group).await?;
            }
        }
        Ok(())
    }

    async fn one_by_one(&mut self, present: &mut Present<'_>, group: &[Keyed]) -> Result<(), ImportError> {
        let table = present.table;
        let writes = group.iter().map(|keyed| vec![keyed.row.write(table)]).collect();
        let outcomes = self.writer.write("import", writes).await?;
        for (keyed, outcome) in group.iter().zip(outcomes) {
            match outcome {
                Ok(_) => self.accepted(present, std::slice::from_ref(keyed)).await?,
                Err(error) => {
                    self.known.forget(table.id, keyed.row.id);
                    present.refuse(
                        keyed.key.clone(),
                        Bad {
                            column: None,
                            reason: error.to_string(),
                        },
                    );
                }
            }
        }
        Ok(())
    }

    async fn accepted(&mut self, present: &mut Present<'_>, rows: &[Keyed]) -> Result<(), ImportError> {
        present.summary.imported += rows.len() as u64;
        for keyed in rows {
            self.set_password(present, &keyed.row).await?;
        }
        Ok(())
    }

    /// Keeps a user's password hash as it is. One that another program made opens nothing here.
    async fn set_password(&self, present: &mut Present<'_>, row: &Converted) -> Result<(), ImportError> {
        let Some(column) = present.table.columns.iter().find(|c| c.merge == Merge::Server) else {
            return Ok(());
        };
        let usable = match row.get(column) {
            Value::Text(hash) => {
                self.store.set_password(UserId(row.id.0), hash).await?;
                hash.starts_with("$argon2")
            }
            _ => false,
        };
        present.summary.passwords_to_reset += u64::from(!usable);
        Ok(())
    }
}

impl Present<'_> {
    fn convert(&mut self, raw: RawRow) -> Option<Keyed> {
        let texts = match raw {
            RawRow::Texts(texts) => texts,
            RawRow::Unreadable(place, reason) => {
                self.refuse(place, Bad { column: None, reason });
                return None;
            }
        };
        let key = self.key(&texts);
        match convert(self.table, &self.columns, &texts) {
            Ok(row) => Some(Keyed { key, row }),
            Err(bad) => {
                self.refuse(key, bad);
                None
            }
        }
    }

    /// The key as the source has it; without one the row's number.
    fn key(&self, texts: &[Option<String>]) -> String {
        let parts = self.columns.iter().zip(texts).filter(|(column, _)| column.primary_key);
        let parts: Vec<&str> = parts.filter_map(|(_, text)| text.as_deref()).collect();
        if parts.is_empty() {
            format!("without key, among the first {}", self.summary.read)
        } else {
            parts.join(" ")
        }
    }

    fn tell(&mut self, kind: Kind, key: String, column: Option<&str>, reason: String) {
        let table = self.table.name.to_owned();
        let column = column.map(str::to_owned);
        self.listener.incident(&Incident {
            kind,
            table,
            key,
            column,
            reason,
        });
    }

    fn refuse(&mut self, key: String, bad: Bad) {
        self.summary.refused += 1;
        self.tell(Kind::Refused, key, bad.column, bad.reason);
    }

    fn warn(&mut self, key: &str, column: &str, reason: String) {
        self.summary.warnings += 1;
        self.tell(Kind::Warning, key.to_owned(), Some(column), reason);
    }

    fn already_there(&mut self, key: String, there: &There) {
        self.summary.there += 1;
        let reason = match there {
            There::Differs(columns) => format!(
                "is here already with other values in {}; left as it is",
                columns.join(", ")
            ),
            There::Deleted => "was deleted here; left deleted".to_owned(),
            There::No | There::Equal | There::WithoutPassword => return,
        };
        self.summary.differing += 1;
        self.tell(Kind::Differs, key, None, reason);
    }
}
