//! A command as a page gives it: read, written again, and planned on a ward where nothing is yet.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    command::{Command, Maker, OpenConflict, ReadError, Reader, plan},
    ids::{RowId, Timestamp, UserId},
    row::Row,
    schema::{ColumnId, Table},
    value::Value,
};
use uuid::Uuid;

fn run(data: &[u8]) {
    let Ok(command) = serde_json::from_slice::<Command>(data) else {
        return;
    };
    let written = serde_json::to_string(&command).expect("what was read can be written");
    let again: Command = serde_json::from_str(&written).expect("it is read as it was written");
    assert_eq!(again, command);
    let mut ids = 0;
    let mut new_id = || {
        ids += 1;
        Uuid::from_u128(ids)
    };
    let mut maker = Maker {
        user: UserId(Uuid::from_u128(1)),
        now: Timestamp(1_769_860_800_000_000),
        new_id: &mut new_id,
    };
    for ward in [Ward::Empty, Ward::OneBlankRow] {
        let _ = plan(&command, &mut maker, &ward);
    }
}

/// What a command finds.
enum Ward {
    Empty,
    /// Every row that it looks for, with nothing in it.
    OneBlankRow,
}

impl Ward {
    fn blank(&self, table: &Table, id: RowId) -> Option<Row> {
        matches!(self, Self::OneBlankRow).then(|| Row {
            table: table.id,
            id,
            values: vec![Value::Null; table.columns.len()],
        })
    }
}

impl Reader for Ward {
    fn row(&self, table: &Table, id: RowId) -> Result<Option<Row>, ReadError> {
        Ok(self.blank(table, id))
    }

    fn find(&self, table: &Table, filter: &[(ColumnId, Value)]) -> Result<Vec<Row>, ReadError> {
        // A command that looks for a number nobody has must find one.
        if filter.iter().any(|(_, value)| matches!(value, Value::Text(_))) {
            return Ok(Vec::new());
        }
        Ok(self.blank(table, RowId(Uuid::from_u128(9))).into_iter().collect())
    }

    fn conflict(&self, _: &str) -> Result<Option<OpenConflict>, ReadError> {
        Ok(None)
    }
}

holdfast_fuzz::target!(run);
