//! A transaction in the making: what a command has read, checked and decided to write so far.
//!
//! Reads show the rows as they were before the command. Each write is checked when it is drafted, so that a finished draft
//! keeps every constraint that can be seen from here.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    command::{CommandError, Maker, Reader, check, record::Record, words},
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::{Column, Default, Merge, Schema, Table, TableId},
    value::Value,
};

/// Values by column name.
pub(super) type NamedValues<'v> = Vec<(&'v str, Value)>;

/// See the module.
pub(super) struct Draft<'a, 'm> {
    reader: &'a dyn Reader,
    pub maker: &'a mut Maker<'m>,
    writes: Vec<RowWrite>,
    created: HashSet<(TableId, RowId)>,
    /// The conflict that the transaction settles.
    pub settles: Option<String>,
}

impl<'a, 'm> Draft<'a, 'm> {
    pub fn new(reader: &'a dyn Reader, maker: &'a mut Maker<'m>) -> Self {
        Self {
            reader,
            maker,
            writes: Vec::new(),
            created: HashSet::new(),
            settles: None,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.maker.now
    }

    pub fn new_id(&mut self) -> Uuid {
        (self.maker.new_id)()
    }

    pub fn reader(&self) -> &'a dyn Reader {
        self.reader
    }

    /// What has been drafted.
    pub fn into_writes(self) -> Vec<RowWrite> {
        self.writes
    }

    /// The row that a command's field names.
    pub fn row(&self, table: &'static Table, id: RowId, field: &str) -> Result<Record, CommandError> {
        self.row_if_any(table, id)?.ok_or_else(|| {
            let noun = words::noun(table.name);
            CommandError::not_found(
                field,
                format!("There is no {noun} with the id {id} here. Choose another one."),
            )
        })
    }

    /// The row with this id, in a table that the code names.
    pub fn named_row(&self, table: &str, id: RowId, field: &str) -> Result<Record, CommandError> {
        self.row(Schema::hospital().expect(table), id, field)
    }

    /// The row with this id, if it is here.
    pub fn row_if_any(&self, table: &'static Table, id: RowId) -> Result<Option<Record>, CommandError> {
        Ok(self.reader.row(table, id)?.map(|row| Record { table, row }))
    }

    /// The row that a foreign key names, if it is set and here.
    pub fn referenced(&self, record: &Record, column: &str) -> Result<Option<Record>, CommandError> {
        let target = record
            .table
            .expect(column)
            .references
            .expect("BUG: the column is no foreign key");
        match record.reference(column) {
            Some(id) => self.row_if_any(Schema::hospital().by_id(target), id),
            None => Ok(None),
        }
    }

    /// Rows whose columns have exactly these values, in a table that the code names.
    pub fn find(&self, table: &str, filter: &[(&str, Value)]) -> Result<Vec<Record>, CommandError> {
        let table = Schema::hospital().expect(table);
        let filter: Vec<_> = filter
            .iter()
            .map(|(name, value)| (table.expect(name).id, value.clone()))
            .collect();
        let rows = self.reader.find(table, &filter)?;
        Ok(rows.into_iter().map(|row| Record { table, row }).collect())
    }

    /// A new row with a new id in a table that the code names.
    pub fn create(&mut self, table: &str, values: NamedValues<'_>) -> Result<RowId, CommandError> {
        self.create_with(Schema::hospital().expect(table), None, values)
    }

    /// A new row. Defaults are filled in, every value is checked, references and unique values too.
    pub fn create_with(
        &mut self,
        table: &'static Table,
        id: Option<&[Uuid]>,
        mut given: NamedValues<'_>,
    ) -> Result<RowId, CommandError> {
        for (name, _) in &given {
            check::writable(check::column(table, name)?)?;
        }
        let key = self.key(table, id, &mut given)?;
        let id = table.row_id(&key);
        if self.row_if_any(table, id)?.is_some() {
            let message = format!(
                "This {} exists already. Change that one instead.",
                words::noun(table.name)
            );
            return Err(CommandError::invalid(table.key_names()[0], message));
        }
        let mut values = Vec::new();
        for column in table
            .columns
            .iter()
            .filter(|c| !matches!(c.merge, Merge::Derived | Merge::Server))
        {
            let part = table
                .primary_key
                .iter()
                .position(|k| *k == column.id)
                .map(|at| Value::Uuid(key[at]));
            let value = match part.or_else(|| take(&mut given, column.name)).unwrap_or(Value::Null) {
                Value::Null => self.default(column),
                value => value,
            };
            check::new_value(column, &value)?;
            self.check_reference(column, &value)?;
            self.check_claim(table, column, &value, id)?;
            if !value.is_null() {
                values.push((column.id, value));
            }
        }
        self.created.insert((table.id, id));
        self.writes.push(RowWrite {
            table: table.id,
            row: id,
            action: RowAction::Create(values),
        });
        Ok(id)
    }

    /// The new row's key: from the id that was given, the key columns, or made here.
    fn key(
        &mut self,
        table: &'static Table,
        id: Option<&[Uuid]>,
        given: &mut NamedValues<'_>,
    ) -> Result<Vec<Uuid>, CommandError> {
        let mut key = Vec::new();
        for (at, column) in table.primary_key.iter().map(|k| table.by_id(*k)).enumerate() {
            let from_id = id.map(|parts| parts[at]);
            let from_values = match take(given, column.name) {
                None | Some(Value::Null) => None,
                Some(Value::Uuid(part)) => Some(part),
                Some(_) => return Err(CommandError::invalid(column.name, "A key is a UUID. Leave it out.")),
            };
            key.push(match (from_id, from_values, column.default) {
                (Some(a), Some(b), _) if a != b => {
                    let message = format!("The id and {} differ. Give only one of them.", column.name);
                    return Err(CommandError::invalid(column.name, message));
                }
                (Some(part), _, _) | (None, Some(part), _) => part,
                (None, None, Some(Default::Uuid)) => self.new_id(),
                (None, None, _) => {
                    let message = format!("{} must not be empty. Please fill it in.", words::label(column.name));
                    return Err(CommandError::invalid(column.name, message));
                }
            });
        }
        Ok(key)
    }

    fn default(&mut self, column: &Column) -> Value {
        match column.default {
            None => Value::Null,
            Some(Default::Now) => self.now().into(),
            Some(Default::Uuid) => self.new_id().into(),
            Some(Default::Literal(literal)) => {
                Value::from_sql_text(column, literal).expect("BUG: a default of the schema does not fit its column")
            }
        }
    }

    /// Writes those of the values that differ from the present ones.
    pub fn edit(&mut self, record: &Record, values: NamedValues<'_>) -> Result<(), CommandError> {
        for (name, value) in values {
            let column = record.table.expect(name);
            if !check::same(column, &value, record.get(name)) {
                self.set(record, column, value, record.get(name).clone())?;
            }
        }
        Ok(())
    }

    /// Writes a value, whatever the present one is. `seen` is what the person started from.
    pub fn set(&mut self, record: &Record, column: &Column, value: Value, seen: Value) -> Result<(), CommandError> {
        check::editable(column)?;
        if column.merge == Merge::Counter {
            return self.count(record, column, &value, &seen);
        }
        check::new_value(column, &value)?;
        self.check_reference(column, &value)?;
        self.check_claim(record.table, column, &value, record.id())?;
        let seen = matches!(column.merge, Merge::Text | Merge::Json).then_some(seen);
        self.push_edit(
            record,
            ColumnEdit {
                column: column.id,
                kind: ColumnEditKind::Set { value, seen },
            },
        );
        Ok(())
    }

    /// A counter that somebody saw at one value and wants at another changes by the difference.
    fn count(&mut self, record: &Record, column: &Column, value: &Value, seen: &Value) -> Result<(), CommandError> {
        let number = |value: &Value| match value {
            Value::Int(number) => Ok(*number),
            Value::Null => Ok(0),
            _ => Err(CommandError::invalid(
                column.name,
                format!("{} is a number.", words::label(column.name)),
            )),
        };
        self.add(record, column, number(value)? - number(seen)?)
    }

    /// Adds to a counter.
    pub fn add(&mut self, record: &Record, column: &Column, amount: i64) -> Result<(), CommandError> {
        check::editable(column)?;
        if column.merge != Merge::Counter {
            let message = format!(
                "{} is not counted up. Set its value instead.",
                words::label(column.name)
            );
            return Err(CommandError::invalid(column.name, message));
        }
        let present = record.number(column.name).unwrap_or(0);
        check::new_value(column, &Value::Int(present.saturating_add(amount)))?;
        if amount != 0 {
            self.push_edit(
                record,
                ColumnEdit {
                    column: column.id,
                    kind: ColumnEditKind::Add(amount),
                },
            );
        }
        Ok(())
    }

    /// Keeps a row that somebody has deleted: made again, without other values, it is no longer hidden.
    pub fn keep(&mut self, record: &Record) {
        let action = RowAction::Create(Vec::new());
        self.writes.push(RowWrite {
            table: record.table.id,
            row: record.id(),
            action,
        });
    }

    /// Hides the row.
    pub fn delete(&mut self, record: &Record) {
        self.writes.push(RowWrite {
            table: record.table.id,
            row: record.id(),
            action: RowAction::Delete,
        });
    }

    /// All edits of a row are one write; of two of the same column the later counts.
    fn push_edit(&mut self, record: &Record, edit: ColumnEdit) {
        let same_row = |w: &&mut RowWrite| w.table == record.table.id && w.row == record.id();
        if let Some(RowWrite {
            action: RowAction::Edit(edits),
            ..
        }) = self.writes.iter_mut().find(same_row)
        {
            edits.retain(|e| e.column != edit.column);
            edits.push(edit);
        } else {
            let action = RowAction::Edit(vec![edit]);
            self.writes.push(RowWrite {
                table: record.table.id,
                row: record.id(),
                action,
            });
        }
    }

    fn check_reference(&self, column: &Column, value: &Value) -> Result<(), CommandError> {
        let (Some(target), Value::Uuid(id)) = (column.references, value) else {
            return Ok(());
        };
        if self.created.contains(&(target, RowId(*id))) {
            return Ok(());
        }
        self.row(Schema::hospital().by_id(target), RowId(*id), column.name)
            .map(|_| ())
    }

    /// Refuses a value that another row claims, unless that row gives it up in this very transaction.
    fn check_claim(&self, table: &Table, column: &Column, value: &Value, id: RowId) -> Result<(), CommandError> {
        if !column.claim || value.is_null() {
            return Ok(());
        }
        let others = self.reader.find(table, &[(column.id, value.clone())])?;
        if others
            .iter()
            .all(|row| row.id == id || self.gives_up(table, column, row.id))
        {
            return Ok(());
        }
        let (noun, label) = (words::noun(table.name), words::label(column.name));
        let message = if column.references.is_some() {
            format!(
                "Another {noun} has this {} already. Free it there first.",
                label.to_ascii_lowercase()
            )
        } else {
            let text = value.to_sql_text().unwrap_or_default();
            format!("{label} {text} belongs to another {noun}. Choose another one.")
        };
        Err(CommandError::invalid(column.name, message))
    }

    fn gives_up(&self, table: &Table, column: &Column, row: RowId) -> bool {
        self.writes
            .iter()
            .filter(|w| w.table == table.id && w.row == row)
            .any(|write| match &write.action {
                RowAction::Edit(edits) => edits.iter().any(|edit| edit.column == column.id),
                RowAction::Delete => true,
                RowAction::Create(_) => false,
            })
    }
}

fn take(given: &mut NamedValues<'_>, name: &str) -> Option<Value> {
    let at = given.iter().position(|(n, _)| *n == name)?;
    Some(given.swap_remove(at).1)
}

/// Reads a command's values, in the order of the table's columns.
pub(super) fn read_values<'v>(
    table: &'static Table,
    values: &'v Map<String, Json>,
) -> Result<NamedValues<'v>, CommandError> {
    values
        .iter()
        .map(|(name, json)| Ok((name.as_str(), check::read(check::column(table, name)?, json)?)))
        .collect()
}
