//! One row for each of the 33 tables, every column filled, with values at the edges of what the columns can hold.

use std::collections::BTreeMap;

use holdfast_core::{
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::{Column, Merge, Schema, SqlType, Table, TableId},
    value::Value,
};

use crate::dice::Dice;

/// Which values a row has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filling {
    /// Short, with microseconds, quotes and line ends.
    Ordinary,
    /// As long, large and late as the column allows, beyond the basic plane of Unicode; infinity.
    Most,
    /// As small and early as the column allows; minus infinity.
    Least,
    /// NULL wherever that is allowed.
    Null,
}

/// The rows' ids.
pub struct Sample {
    rows: BTreeMap<TableId, RowId>,
}

impl Sample {
    /// Ids from a seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut rows: BTreeMap<TableId, RowId> = BTreeMap::new();
        for id in &Schema::hospital().insert_order {
            let table = Schema::hospital().by_id(*id);
            let key: Vec<uuid::Uuid> = table
                .primary_key
                .iter()
                .map(|column| match table.by_id(*column).references {
                    Some(target) => rows[&target].0,
                    None => dice.uuid(),
                })
                .collect();
            rows.insert(*id, table.row_id(&key));
        }
        Self { rows }
    }

    /// The row of a table.
    pub fn row(&self, table: &Table) -> RowId {
        self.rows[&table.id]
    }

    /// Makes the row.
    pub fn create(&self, table: &Table, filling: Filling) -> RowWrite {
        let columns = table.columns.iter();
        let written = columns.filter(|c| !matches!(c.merge, Merge::Derived | Merge::Server));
        let values = written.map(|c| (c.id, self.value(table, c, filling))).collect();
        RowWrite {
            table: table.id,
            row: self.row(table),
            action: RowAction::Create(values),
        }
    }

    /// Gives all columns that can change another filling; `None` if none can.
    pub fn edit(&self, table: &Table, from: Filling, to: Filling) -> Option<RowWrite> {
        let edits: Vec<ColumnEdit> = table
            .columns
            .iter()
            .filter(|c| changes(c))
            .filter(|c| self.value(table, c, from) != self.value(table, c, to))
            .map(|c| ColumnEdit {
                column: c.id,
                kind: self.edit_kind(table, c, from, to),
            })
            .collect();
        (!edits.is_empty()).then(|| RowWrite {
            table: table.id,
            row: self.row(table),
            action: RowAction::Edit(edits),
        })
    }

    fn edit_kind(&self, table: &Table, column: &Column, from: Filling, to: Filling) -> ColumnEditKind {
        let (seen, value) = (self.value(table, column, from), self.value(table, column, to));
        match (column.merge, &seen, &value) {
            (Merge::Counter, Value::Int(seen), Value::Int(value)) => ColumnEditKind::Add(value - seen),
            _ => ColumnEditKind::Set {
                value,
                seen: Some(seen),
            },
        }
    }

    /// What a column of the row holds.
    pub fn value(&self, table: &Table, column: &Column, filling: Filling) -> Value {
        if column.primary_key && column.references.is_none() {
            return self.row(table).into();
        }
        let may_be_null = !column.not_null && column.merge != Merge::Counter;
        if filling == Filling::Null && may_be_null {
            return Value::Null;
        }
        match column.references {
            Some(target) => self.rows[&target].into(),
            None => filled(table, column, filling),
        }
    }
}

/// True if an edit may change the column.
pub fn changes(column: &Column) -> bool {
    matches!(
        column.merge,
        Merge::Register | Merge::Counter | Merge::Text | Merge::Json
    )
}

fn filled(table: &Table, column: &Column, filling: Filling) -> Value {
    if !column.values.is_empty() {
        let words = column.values.len();
        return column.values[filling as usize % words].into();
    }
    if column.json {
        return json(filling).into();
    }
    match column.sql_type {
        SqlType::Uuid => panic!("BUG: {}.{} is a UUID that refers to nothing", table.name, column.name),
        SqlType::Varchar(limit) => words(table, filling, limit.unwrap_or(300) as usize).into(),
        SqlType::Text => words(table, filling, 3_000).into(),
        SqlType::Integer => Value::Int(match filling {
            Filling::Ordinary | Filling::Null => 42,
            Filling::Most => i64::from(i32::MAX),
            Filling::Least => i64::from(i32::MIN),
        }),
        SqlType::Numeric { precision, scale } => numeric(precision, scale, filling).into(),
        SqlType::Boolean => (filling != Filling::Least).into(),
        SqlType::Date => match filling {
            Filling::Ordinary | Filling::Null => "2024-02-29".into(),
            Filling::Most => "infinity".into(),
            Filling::Least => "0001-01-01".into(),
        },
        SqlType::Timestamptz => Value::Timestamp(match filling {
            // 2026-01-31T12:00:00.000001Z
            Filling::Ordinary | Filling::Null => Timestamp(1_769_860_800_000_001),
            Filling::Most => Timestamp::INFINITY,
            Filling::Least => Timestamp::NEG_INFINITY,
        }),
    }
}

fn words(table: &Table, filling: Filling, limit: usize) -> String {
    let own = format!("{:x}{}", table.id.0, filling as u8);
    match filling {
        Filling::Most => {
            let long = "\u{1f3e5}\u{e4}\u{df}\u{6f22}\u{1f469}\u{200d}\u{2695}\u{fe0f}\u{301}"
                .chars()
                .cycle();
            own.chars().chain(long).take(limit).collect()
        }
        Filling::Least => own.chars().take(limit).collect(),
        Filling::Ordinary | Filling::Null => {
            let text = format!("{own} \"O'Neil\" \\ {{x,y}}\t100%\r\nline 2 \u{fc}\u{1f642} ");
            text.chars().take(limit).collect()
        }
    }
}

fn json(filling: Filling) -> &'static str {
    match filling {
        Filling::Ordinary | Filling::Null => r#"{"beds":[1,-2,2.5,null,true,"ü\n\"x\""],"empty":{},"none":[]}"#,
        Filling::Most => r#"{"a":{"b":{"c":[[[1]]]}},"n":9007199254740991,"🙂":"\u0001"}"#,
        Filling::Least => "{}",
    }
}

fn numeric(precision: u8, scale: u8, filling: Filling) -> String {
    let nines = |n: u8| "9".repeat(usize::from(n));
    let most = format!("{}.{}", nines(precision - scale), nines(scale));
    match filling {
        Filling::Ordinary | Filling::Null => format!("0.{}", &"50000"[..usize::from(scale)]),
        Filling::Most => most,
        Filling::Least => format!("-{most}"),
    }
}
