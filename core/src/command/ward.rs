//! A small ward in memory, for the commands' tests: it reads, plans and applies.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    command::{Command, CommandError, Maker, OpenConflict, Plan, ReadError, Reader, plan, record::Record},
    ids::{RowId, Timestamp, UserId},
    row::{ColumnEditKind, Row, RowAction, RowWrite},
    schema::{ColumnId, Schema, Table, TableId},
    value::Value,
};

const fn id(number: u128) -> RowId {
    RowId(Uuid::from_u128(number))
}

pub const DOCTOR: RowId = id(0x10);
pub const NURSE: RowId = id(0x11);
pub const NURSE_STAFF: RowId = id(0x21);
pub const DOCTOR_STAFF: RowId = id(0x20);
pub const SURGERY: RowId = id(0x30);
pub const ROOM: RowId = id(0x40);
pub const BED_1: RowId = id(0x51);
pub const BED_2: RowId = id(0x52);
pub const ANNA: RowId = id(0x61);
pub const BERT: RowId = id(0x62);
pub const GLOVES: RowId = id(0x71);
pub const MONITOR: RowId = id(0x81);

/// The ward and who acts in it.
pub struct Ward {
    rows: BTreeMap<(TableId, RowId), Row>,
    pub conflicts: Vec<OpenConflict>,
    pub user: RowId,
    pub now: Timestamp,
    next_id: u128,
}

impl Ward {
    /// A doctor and a nurse (who acts), a room with two free beds, two patients, gloves and a monitor.
    pub fn new() -> Self {
        let now = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
        let mut ward = Self {
            rows: BTreeMap::new(),
            conflicts: Vec::new(),
            user: NURSE,
            now,
            next_id: 0x1_0000,
        };
        let user = |name: &str, role: &str| {
            json!({ "username": name, "email": format!("{name}@example.org"), "role": role, "first_name": name,
                    "last_name": "Berg" })
        };
        ward.given("users", DOCTOR, user("Dora", "doctor"));
        ward.given("users", NURSE, user("Nora", "nurse"));
        ward.given("departments", SURGERY, json!({ "name": "Surgery" }));
        for (staff, user, number) in [(DOCTOR_STAFF, DOCTOR, "E-1"), (NURSE_STAFF, NURSE, "E-2")] {
            let values = json!({ "user_id": user, "employee_id": number, "department_id": SURGERY,
                                 "position": "ward", "hire_date": "2020-01-01" });
            ward.given("staff", staff, values);
        }
        ward.given("rooms", ROOM, json!({ "room_number": "101", "department_id": SURGERY }));
        ward.given("beds", BED_1, json!({ "bed_number": "1", "room_id": ROOM }));
        ward.given("beds", BED_2, json!({ "bed_number": "2", "room_id": ROOM }));
        for (patient, name, number) in [(ANNA, "Anna", "P-1"), (BERT, "Bert", "P-2")] {
            let values = json!({ "patient_number": number, "first_name": name, "last_name": "Holm",
                                 "date_of_birth": "1980-05-06" });
            ward.given("patients", patient, values);
        }
        ward.given("supply_categories", id(0x70), json!({ "name": "Disposables" }));
        let gloves = json!({ "item_code": "G-1", "name": "gloves", "category_id": id(0x70), "unit_of_measure": "pairs",
                             "current_stock": 10, "unit_cost": "0.25" });
        ward.given("supplies", GLOVES, gloves);
        ward.given("equipment_categories", id(0x80), json!({ "name": "Monitoring" }));
        let monitor = json!({ "equipment_id": "M-1", "name": "monitor", "category_id": id(0x80) });
        ward.given("equipment", MONITOR, monitor);
        ward
    }

    /// Anna lies in bed 1.
    pub fn with_anna_in_bed_1() -> Self {
        let mut ward = Self::new();
        ward.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }))
            .unwrap();
        ward
    }

    /// A row that is there already.
    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    pub fn given(&mut self, table: &str, row: RowId, values: Json) {
        self.run("createRow", json!({ "table": table, "id": row, "values": values }))
            .unwrap();
    }

    /// Carries out a command as the page gives it.
    pub fn run(&mut self, name: &str, mut command: Json) -> Result<Plan, CommandError> {
        command["type"] = name.into();
        let command: Command = serde_json::from_value(command).unwrap();
        let mut next_id = self.next_id;
        let mut new_id = || {
            next_id += 1;
            Uuid::from_u128(next_id)
        };
        let mut maker = Maker {
            user: UserId(self.user.0),
            now: self.now,
            new_id: &mut new_id,
        };
        let plan = plan(&command, &mut maker, self)?;
        self.next_id = next_id;
        plan.writes.iter().for_each(|write| self.apply(write));
        Ok(plan)
    }

    fn apply(&mut self, write: &RowWrite) {
        let table = Schema::hospital().by_id(write.table);
        match &write.action {
            RowAction::Create(values) => {
                let empty = Row {
                    table: table.id,
                    id: write.row,
                    values: vec![Value::Null; table.columns.len()],
                };
                let row = self.rows.entry((table.id, write.row)).or_insert(empty);
                for (column, value) in values {
                    row.values[usize::from(column.0)] = value.clone();
                }
            }
            RowAction::Edit(edits) => {
                let row = self.rows.get_mut(&(table.id, write.row)).unwrap();
                for edit in edits {
                    let place = &mut row.values[usize::from(edit.column.0)];
                    match &edit.kind {
                        ColumnEditKind::Set { value, .. } => *place = value.clone(),
                        ColumnEditKind::Add(amount) => match place {
                            Value::Int(number) => *number += amount,
                            _ => *place = Value::Int(*amount),
                        },
                    }
                }
            }
            RowAction::Delete => drop(self.rows.remove(&(table.id, write.row)).unwrap()),
        }
    }

    /// What the command is refused for.
    pub fn refusal(&mut self, name: &str, command: Json) -> CommandError {
        self.run(name, command).unwrap_err()
    }

    /// Minutes go by.
    pub fn wait(&mut self, minutes: i64) {
        self.now.0 += minutes * 60_000_000;
    }

    pub fn row(&self, table: &str, row: RowId) -> Record {
        let table = Schema::hospital().expect(table);
        Record {
            table,
            row: self.rows[&(table.id, row)].clone(),
        }
    }

    pub fn rows(&self, table: &str) -> Vec<Record> {
        let table = Schema::hospital().expect(table);
        let rows = self.rows.values().filter(|row| row.table == table.id);
        rows.map(|row| Record {
            table,
            row: row.clone(),
        })
        .collect()
    }

    /// The only row of a table.
    pub fn only(&self, table: &str) -> Record {
        let rows = self.rows(table);
        assert_eq!(rows.len(), 1, "rows of {table}");
        rows.into_iter().next().unwrap()
    }

    /// The column of the row as text.
    pub fn text(&self, table: &str, row: RowId, column: &str) -> String {
        self.row(table, row).get(column).to_sql_text().unwrap_or_default()
    }

    /// Does all cleaning tasks that are open.
    pub fn clean(&mut self) {
        for task in self.rows("bed_cleaning_tasks") {
            if task.text("status") != "completed" {
                self.run("finishCleaning", json!({ "taskId": task.id() })).unwrap();
            }
        }
    }

    /// An open conflict about a column.
    pub fn conflict(&mut self, table: &str, row: RowId, column: Option<&str>, sides: Vec<Value>) {
        let table = Schema::hospital().expect(table);
        let column = column.map(|name| table.expect(name).id);
        self.conflicts.push(OpenConflict {
            id: "c1".into(),
            table: table.id,
            row,
            column,
            sides,
        });
    }
}

impl Reader for Ward {
    fn row(&self, table: &Table, id: RowId) -> Result<Option<Row>, ReadError> {
        Ok(self.rows.get(&(table.id, id)).cloned())
    }

    fn find(&self, table: &Table, filter: &[(ColumnId, Value)]) -> Result<Vec<Row>, ReadError> {
        let fits = |row: &&Row| row.table == table.id && filter.iter().all(|(column, value)| row.get(*column) == value);
        Ok(self.rows.values().filter(fits).cloned().collect())
    }

    fn conflict(&self, id: &str) -> Result<Option<OpenConflict>, ReadError> {
        Ok(self.conflicts.iter().find(|conflict| conflict.id == id).cloned())
    }
}
