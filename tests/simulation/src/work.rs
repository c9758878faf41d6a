//! What people do: every command of the ward, with details that come from what the device shows.

use holdfast_store::{replica::ReplicaError, testing::Device};
use serde_json::{Map, Value as Json, json};

use crate::dice::Dice;

macro_rules! works {
    ($($(#[doc = $doc:literal])* $weight:literal $name:ident,)*) => {
        /// Something that a person does.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Work {
            $($(#[doc = $doc])* $name,)*
        }

        /// How often each is done, as a ward works.
        pub const WEIGHTS: &[(u32, Work)] = &[$(($weight, Work::$name)),*];
    };
}

works! {
    /// `registerPatient`
    5 RegisterPatient,
    /// `queuePatient`
    6 QueuePatient,
    /// `admitPatient`, into a bed that looks free
    12 AdmitPatient,
    /// `transferPatient`
    6 TransferPatient,
    /// `dischargePatient`
    7 DischargePatient,
    /// `startCleaning`
    5 StartCleaning,
    /// `finishCleaning`
    10 FinishCleaning,
    /// `bedReady`
    3 BedReady,
    /// `recordTreatment`
    5 RecordTreatment,
    /// `assignStaff`
    4 AssignStaff,
    /// `takeStock`
    10 TakeStock,
    /// `refillStock`
    4 RefillStock,
    /// `useEquipment`
    5 UseEquipment,
    /// `releaseEquipment`
    4 ReleaseEquipment,
    /// `bookAppointment`
    5 BookAppointment,
    /// `moveAppointment`
    3 MoveAppointment,
    /// `callMeeting`
    2 CallMeeting,
    /// `settleConflict`
    8 SettleConflict,
    /// `editRow` of a phone number: few values, so that people agree by chance
    5 EditPhone,
    /// `editRow` of a column that is reviewed
    5 EditReviewed,
    /// `editRow` of a text
    8 EditText,
    /// `editRow` of JSON
    3 EditJson,
    /// `editRow` of a number that must be unique, to one of few
    5 EditNumber,
    /// `editRow` of a bed's state
    4 EditBed,
    /// `editRow` of a salary
    2 EditSalary,
    /// `editRow` of somebody's role
    1 EditRole,
    /// `createRow` with a number that must be unique, one of few
    4 CreatePatient,
    /// `createRow` of a row with a composite key
    2 CreateParticipant,
    /// `deleteRow`
    5 DeletePatient,
    /// `deleteRow` of what was registered at the desk
    2 DeleteAppointment,
    /// A command that cannot be carried out
    2 Nonsense,
}

/// A command as the page gives it; `None` if there is nothing here to do this with.
pub fn command(work: Work, device: &mut Device, dice: &Dice) -> Result<Option<Json>, ReplicaError> {
    let mut eyes = Eyes { device, dice };
    Ok(eyes.command(work)?.map(|(kind, mut command)| {
        command["type"] = kind.into();
        command
    }))
}

type Found = Result<Option<(&'static str, Json)>, ReplicaError>;

/// Looks at the device's tables.
struct Eyes<'a> {
    device: &'a mut Device,
    dice: &'a Dice,
}

/// A piece of a command, or there is nothing to do.
macro_rules! need {
    ($found:expr) => {
        match $found? {
            Some(found) => found,
            None => return Ok(None),
        }
    };
}

impl Eyes<'_> {
    /// One of the rows that a query finds.
    fn row(&mut self, sql: &str) -> Result<Option<Map<String, Json>>, ReplicaError> {
        let mut rows = self.device.rows(sql)?;
        Ok((!rows.is_empty()).then(|| rows.swap_remove(self.dice.below(rows.len()))))
    }

    /// The id of one of the rows that a query finds.
    fn id(&mut self, table: &str, condition: &str) -> Result<Option<Json>, ReplicaError> {
        let found = self.row(&format!("SELECT id FROM {table} WHERE {condition} ORDER BY id"))?;
        Ok(found.map(|mut row| row["id"].take()))
    }

    fn any(&mut self, table: &str) -> Result<Option<Json>, ReplicaError> {
        self.id(table, "true")
    }

    fn doctor(&mut self) -> Result<Option<Json>, ReplicaError> {
        self.id("users", "role = 'doctor'")
    }

    fn when(&self) -> String {
        format!(
            "2026-02-{:02}T{:02}:00:00Z",
            self.dice.below(28) + 1,
            self.dice.below(24)
        )
    }

    fn word(&self) -> &'static str {
        self.dice
            .of(&["rest", "fluids", "walks twice a day", "no visitors", "é€😀", "low salt"])
    }

    fn command(&mut self, work: Work) -> Found {
        match work {
            Work::RegisterPatient
            | Work::QueuePatient
            | Work::AdmitPatient
            | Work::TransferPatient
            | Work::DischargePatient => self.patient(work),
            Work::StartCleaning | Work::FinishCleaning | Work::BedReady | Work::EditBed => self.bed(work),
            Work::RecordTreatment | Work::AssignStaff | Work::UseEquipment | Work::ReleaseEquipment => self.care(work),
            Work::TakeStock | Work::RefillStock => self.stock(work),
            Work::BookAppointment | Work::MoveAppointment | Work::CallMeeting => self.calendar(work),
            Work::SettleConflict => self.conflict(),
            Work::EditPhone
            | Work::EditReviewed
            | Work::EditText
            | Work::EditJson
            | Work::EditNumber
            | Work::EditSalary
            | Work::EditRole => self.edit(work),
            Work::CreatePatient | Work::CreateParticipant => self.create(work),
            Work::DeletePatient => self.delete("patients"),
            Work::DeleteAppointment => self.delete("appointments"),
            Work::Nonsense => Ok(Some(self.nonsense())),
        }
    }

    fn patient(&mut self, work: Work) -> Found {
        if work == Work::RegisterPatient {
            let values = json!({ "first_name": "New", "last_name": self.word(), "date_of_birth": "1990-01-01" });
            return Ok(Some(("registerPatient", json!({ "values": values }))));
        }
        let lying = "SELECT id AS bed, patient_id AS patient FROM beds WHERE patient_id IS NOT NULL ORDER BY id";
        let elsewhere = "id NOT IN (SELECT patient_id FROM beds WHERE patient_id IS NOT NULL)";
        let free = "status = 'available' AND patient_id IS NULL";
        Ok(Some(match work {
            Work::QueuePatient => {
                let (patient, department) = (need!(self.any("patients")), need!(self.any("departments")));
                (
                    "queuePatient",
                    json!({ "patientId": patient, "departmentId": department }),
                )
            }
            Work::AdmitPatient => {
                let (patient, bed) = (need!(self.id("patients", elsewhere)), need!(self.id("beds", free)));
                ("admitPatient", json!({ "patientId": patient, "bedId": bed }))
            }
            Work::TransferPatient => {
                let from = need!(self.row(lying));
                let to = need!(self.id("beds", free));
                let command = json!({ "patientId": from["patient"], "fromBedId": from["bed"], "toBedId": to });
                ("transferPatient", command)
            }
            _ => {
                let from = need!(self.row(lying));
                (
                    "dischargePatient",
                    json!({ "patientId": from["patient"], "bedId": from["bed"] }),
                )
            }
        }))
    }

    fn bed(&mut self, work: Work) -> Found {
        Ok(Some(match work {
            Work::StartCleaning => {
                let task = need!(self.id("bed_cleaning_tasks", "status IN ('pending', 'failed')"));
                let staff = need!(self.any("staff"));
                ("startCleaning", json!({ "taskId": task, "staffId": staff }))
            }
            Work::FinishCleaning => {
                let task = need!(self.id("bed_cleaning_tasks", "status <> 'completed'"));
                let passed = self.dice.percent(90);
                (
                    "finishCleaning",
                    json!({ "taskId": task, "qualityCheckPassed": passed, "notes": self.word() }),
                )
            }
            Work::BedReady => {
                let bed = need!(self.id("beds", "status IN ('cleaning', 'maintenance')"));
                ("bedReady", json!({ "bedId": bed }))
            }
            _ => {
                let bed = need!(self.any("beds"));
                let status = self.dice.of(&["available", "maintenance", "cleaning"]);
                (
                    "editRow",
                    json!({ "table": "beds", "id": bed, "values": { "status": status } }),
                )
            }
        }))
    }

    fn care(&mut self, work: Work) -> Found {
        Ok(Some(match work {
            Work::RecordTreatment => {
                let (patient, doctor) = (need!(self.any("patients")), need!(self.doctor()));
                let command = json!({ "patientId": patient, "doctorId": doctor, "treatmentType": "medication",
                    "treatmentName": "ibuprofen", "dosage": format!("{} mg", 100 * self.dice.below(9)) });
                ("recordTreatment", command)
            }
            Work::AssignStaff => {
                let (patient, staff) = (need!(self.any("patients")), need!(self.any("staff")));
                let kind = self.dice.of(&["primary_nurse", "doctor", "primary"]);
                (
                    "assignStaff",
                    json!({ "patientId": patient, "staffId": staff, "assignmentType": kind }),
                )
            }
            Work::UseEquipment => {
                let equipment = need!(self.id("equipment", "status = 'available'"));
                let (patient, staff) = (need!(self.any("patients")), need!(self.any("staff")));
                (
                    "useEquipment",
                    json!({ "equipmentId": equipment, "patientId": patient, "staffId": staff }),
                )
            }
            _ => {
                let usage = need!(self.id("equipment_usage", "status = 'active'"));
                ("releaseEquipment", json!({ "usageId": usage, "notes": self.word() }))
            }
        }))
    }

    fn stock(&mut self, work: Work) -> Found {
        let supply = need!(self.any("supplies"));
        let quantity = self.dice.below(9) + 1;
        let kind = if work == Work::TakeStock {
            "takeStock"
        } else {
            "refillStock"
        };
        Ok(Some((kind, json!({ "supplyId": supply, "quantity": quantity }))))
    }

    fn calendar(&mut self, work: Work) -> Found {
        let date = self.when();
        Ok(Some(match work {
            Work::BookAppointment => {
                let (patient, doctor) = (need!(self.any("patients")), need!(self.doctor()));
                let department = need!(self.any("departments"));
                let command = json!({ "patientId": patient, "doctorId": doctor, "departmentId": department,
                    "appointmentDate": date, "reason": self.word() });
                ("bookAppointment", command)
            }
            Work::MoveAppointment => {
                let appointment = need!(self.id("appointments", "status = 'scheduled'"));
                (
                    "moveAppointment",
                    json!({ "appointmentId": appointment, "appointmentDate": date }),
                )
            }
            _ => {
                let (one, other) = (need!(self.any("staff")), need!(self.any("staff")));
                let command = json!({ "title": self.word(), "meetingTime": date, "organizerStaffId": one,
                    "participantStaffIds": [other] });
                ("callMeeting", command)
            }
        }))
    }

    fn conflict(&mut self) -> Found {
        let conflicts = self.device.replica.conflicts()?;
        if conflicts.is_empty() {
            return Ok(None);
        }
        let conflict = &conflicts[self.dice.below(conflicts.len())];
        let value = match conflict.kind.as_str() {
            "deleted" => json!(self.dice.percent(50)),
            "negative" => json!(5),
            _ => conflict.sides[self.dice.below(conflict.sides.len())].value.clone(),
        };
        Ok(Some((
            "settleConflict",
            json!({ "conflictId": conflict.id, "value": value }),
        )))
    }

    fn edit(&mut self, work: Work) -> Found {
        let typed = self.word();
        let few = self.dice.of(&["1", "2", "3"]);
        let (table, id, values, seen) = match work {
            Work::EditPhone => (
                "patients",
                need!(self.any("patients")),
                json!({ "phone": few }),
                json!({}),
            ),
            Work::EditReviewed => {
                let values = json!({ "blood_type": self.dice.of(&["A+", "B-", "O+"]) });
                ("patients", need!(self.any("patients")), values, json!({}))
            }
            Work::EditText => {
                let mut row = need!(self.row("SELECT id, allergies FROM patients ORDER BY id"));
                let was = row["allergies"].as_str().unwrap_or_default().to_owned();
                let now = retype(&was, typed, self.dice);
                (
                    "patients",
                    row["id"].take(),
                    json!({ "allergies": now }),
                    json!({ "allergies": was }),
                )
            }
            Work::EditJson => {
                let usage = need!(self.any("equipment_usage"));
                let settings = json!({ few: { "alarm": self.dice.below(9) }, "mode": [typed] }).to_string();
                ("equipment_usage", usage, json!({ "settings": settings }), json!({}))
            }
            Work::EditNumber => {
                let values = json!({ "patient_number": format!("Q-{few}") });
                ("patients", need!(self.any("patients")), values, json!({}))
            }
            Work::EditSalary => {
                let values = json!({ "salary": format!("{}.00", 3_000 + self.dice.below(9)) });
                ("staff", need!(self.any("staff")), values, json!({}))
            }
            _ => {
                let user = need!(self.id("users", "role IN ('nurse', 'cleaner', 'doctor')"));
                let values = json!({ "role": self.dice.of(&["nurse", "nurse", "cleaner"]) });
                ("users", user, values, json!({}))
            }
        };
        Ok(Some((
            "editRow",
            json!({ "table": table, "id": id, "values": values, "seen": seen }),
        )))
    }

    fn create(&mut self, work: Work) -> Found {
        let (table, values) = if work == Work::CreatePatient {
            let number = format!("Q-{}", self.dice.of(&["1", "2", "3"]));
            let values = json!({ "patient_number": number, "first_name": "New", "last_name": self.word(),
                "date_of_birth": "1990-01-01" });
            ("patients", values)
        } else {
            let (meeting, staff) = (need!(self.any("staff_meetings")), need!(self.any("staff")));
            (
                "staff_meeting_participants",
                json!({ "meeting_id": meeting, "staff_id": staff }),
            )
        };
        Ok(Some(("createRow", json!({ "table": table, "values": values }))))
    }

    fn delete(&mut self, table: &'static str) -> Found {
        let id = need!(self.any(table));
        Ok(Some(("deleteRow", json!({ "table": table, "id": id }))))
    }

    fn nonsense(&mut self) -> (&'static str, Json) {
        let nobody = "00000000-0000-7000-8000-00000000dead";
        match self.dice.below(4) {
            0 => (
                "editRow",
                json!({ "table": "patients", "id": nobody, "values": { "phone": "1" } }),
            ),
            1 => ("editRow", json!({ "table": "no_table", "id": nobody, "values": {} })),
            2 => (
                "createRow",
                json!({ "table": "patients", "values": { "first_name": "A".repeat(99) } }),
            ),
            _ => ("admitPatient", json!({ "patientId": nobody, "bedId": nobody })),
        }
    }
}

/// The text after somebody typed a word somewhere, or took some out.
fn retype(text: &str, word: &str, dice: &Dice) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = dice.below(characters.len() + 1);
    let (before, after) = characters.split_at(at);
    if dice.percent(30) {
        let kept = after.iter().skip(dice.below(8));
        return before.iter().chain(kept).collect();
    }
    before
        .iter()
        .copied()
        .chain(word.chars())
        .chain(after.iter().copied())
        .collect()
}
