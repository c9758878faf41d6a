//! Commands: what people do. Each is planned, by reading alone, into the row writes of one transaction.
//!
//! ```text
//!  page ── JSON ──► Command ── plan(maker, reader) ──► Plan { writes } ──► one transaction
//!                                  │
//!                                  └──► CommandError: what is wrong, and what to do
//! ```
//!
//! A plan is checked against the rows as they are seen here: types, lengths, vocabularies, references, unique values, and
//! what the ward permits (nobody is put into an occupied bed). What others do at the same time elsewhere is not seen
//! here; it is settled when the transaction reaches the stream.
//!
//! *Architecture invariant*: one command, one file; what several share is named after the thing it is about (`bed`,
//! `queue`, `stay`, `turnover`).

mod check;
mod declare;
mod draft;
mod error;
mod reader;
mod record;
mod row_key;
mod typescript;
mod words;

mod appointment;
mod bed;
mod discharge_summary;
mod equipment;
mod maker;
mod number;
mod queue;
mod stay;
mod stock;
mod turnover;

#[cfg(test)]
mod ward;

pub use error::{CommandError, ReadError};
pub use maker::Maker;
pub use reader::{OpenConflict, Reader};
pub use typescript::typescript;

use declare::{Described, Description, camel_case};
use draft::Draft;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value as Json};

use crate::row::RowWrite;

/// What a command does, ready to be made into a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The command's name, as the page gives it: `admitPatient`.
    pub name: &'static str,
    /// What it was about, for people: `Admit Anna Berg (P-1001) to bed 3 in room 101`.
    pub summary: String,
    /// One per row; empty if nothing differs from what is there already.
    pub writes: Vec<RowWrite>,
    /// The conflict that it settles.
    pub settles: Option<String>,
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])* $module:ident $variant:ident $name:literal,)*) => {
        $(mod $module;)*
        $(pub use $module::$variant;)*

        /// What a person does. As JSON: `{"type": "admitPatient", "patientId": …, "bedId": …}`.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(tag = "type", rename_all = "camelCase")]
        pub enum Command {
            $($(#[doc = $doc])* $variant($variant),)*
        }

        const DESCRIPTIONS: &[(&str, Description)] = &[$(($name, $variant::DESCRIPTION)),*];

        impl Command {
            /// Its name, as the page gives it: `admitPatient`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            fn read(mut fields: Map<String, Json>) -> Result<Self, String> {
                let name: String = declare::take(&mut fields, "type")?;
                let command = match name.as_str() {
                    $($name => Self::$variant($variant::read(&mut fields)?),)*
                    _ => return Err(format!("there is no command `{name}`")),
                };
                match fields.keys().next() {
                    None => Ok(command),
                    Some(unknown) => Err(format!("`{name}` has no field `{unknown}`")),
                }
            }

            fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
                match self {
                    $(Self::$variant(command) => command.draft(draft),)*
                }
            }
        }
    };
}

commands! {
    /// Makes a row of any table.
    create_row CreateRow "createRow",
    /// Changes columns of a row of any table.
    edit_row EditRow "editRow",
    /// Hides a row of any table.
    delete_row DeleteRow "deleteRow",
    /// Takes a new patient into the hospital's books.
    register_patient RegisterPatient "registerPatient",
    /// Lets a patient wait for a bed.
    queue_patient QueuePatient "queuePatient",
    /// Gives a patient a bed.
    admit_patient AdmitPatient "admitPatient",
    /// Moves a patient to another bed.
    transfer_patient TransferPatient "transferPatient",
    /// Ends a patient's stay.
    discharge_patient DischargePatient "dischargePatient",
    /// Begins a cleaning task.
    start_cleaning StartCleaning "startCleaning",
    /// Ends a cleaning task.
    finish_cleaning FinishCleaning "finishCleaning",
    /// Declares a bed ready for the next patient.
    bed_ready BedReady "bedReady",
    /// Records a treatment.
    record_treatment RecordTreatment "recordTreatment",
    /// Puts a member of staff in charge of a patient.
    assign_staff AssignStaff "assignStaff",
    /// Takes supplies out of stock.
    take_stock TakeStock "takeStock",
    /// Puts supplies into stock.
    refill_stock RefillStock "refillStock",
    /// Puts equipment to use.
    use_equipment UseEquipment "useEquipment",
    /// Ends a use of equipment.
    release_equipment ReleaseEquipment "releaseEquipment",
    /// Books an appointment.
    book_appointment BookAppointment "bookAppointment",
    /// Moves an appointment.
    move_appointment MoveAppointment "moveAppointment",
    /// Calls a meeting.
    call_meeting CallMeeting "callMeeting",
    /// Settles a conflict.
    settle_conflict SettleConflict "settleConflict",
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Plans a command: reads what it needs, checks it, and says what to write.
pub fn plan(command: &Command, maker: &mut Maker, reader: &dyn Reader) -> Result<Plan, CommandError> {
    let mut draft = Draft::new(reader, maker);
    let summary = command
        .draft(&mut draft)
        .map_err(|error| error.renamed(|column| field_of(command, column)))?;
    let settles = draft.settles.take();
    Ok(Plan {
        name: command.name(),
        summary,
        writes: draft.into_writes(),
        settles,
    })
}

/// The command's own field for a column, if it has one: `doctor_id` → `doctorId`.
fn field_of(command: &Command, column: &str) -> Option<String> {
    let (_, description) = DESCRIPTIONS.iter().find(|(name, _)| *name == command.name())?;
    description
        .fields
        .iter()
        .any(|field| field.name == column)
        .then(|| camel_case(column))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_command_is_named_as_serde_names_it() {
        for (name, description) in DESCRIPTIONS {
            let mut command = json!({ "type": name });
            for field in description.fields.iter().filter(|field| !field.optional) {
                command[camel_case(field.name)] = example(field.type_name);
            }
            let read: Command = serde_json::from_value(command.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(read.name(), *name);
            assert_eq!(
                serde_json::to_value(&read).unwrap(),
                command,
                "{name} comes out as it went in"
            );
            command["unknown"] = 1.into();
            assert!(
                serde_json::from_value::<Command>(command).is_err(),
                "{name} refuses what it does not know"
            );
        }
    }

    #[test]
    fn a_command_that_cannot_be_read_says_where() {
        let words = |command| serde_json::from_value::<Command>(command).unwrap_err().to_string();
        let edit = |id: serde_json::Value| json!({ "type": "editRow", "table": "beds", "id": id, "values": {} });
        assert_eq!(words(json!({ "type": "editRow", "table": "beds" })), "`id`: is missing");
        assert_eq!(words(json!({ "table": "beds" })), "`type`: is missing");
        assert_eq!(words(json!({ "type": "fly" })), "there is no command `fly`");
        assert!(words(edit(7.into())).starts_with("`id`: invalid type: integer"));
        let mut command = edit("1".into());
        command["wings"] = 2.into();
        assert_eq!(words(command), "`editRow` has no field `wings`");
    }

    #[test]
    fn null_stands_for_a_field_that_is_left_out() {
        let read = |command| serde_json::from_value::<Command>(command).unwrap();
        let create = json!({ "type": "createRow", "table": "beds", "values": {} });
        let mut with_null = create.clone();
        with_null["id"] = serde_json::Value::Null;
        assert_eq!(read(with_null), read(create));
    }

    fn example(type_name: &str) -> serde_json::Value {
        match type_name {
            "string" => json!("00000000-0000-7000-8000-000000000001"),
            "string[]" => json!([]),
            "number" | "ColumnValue" => json!(1),
            "Values" => json!({}),
            other => panic!("no example of {other}"),
        }
    }
}
