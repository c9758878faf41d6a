//! What rows and columns are called when the engine speaks to people.

use chrono::Timelike;

use crate::{
    command::{CommandError, draft::Draft, record::Record},
    ids::{RowId, Timestamp},
};

/// One row of the table: `patients` → `patient`.
pub(super) fn noun(table: &str) -> String {
    match table {
        "staff" => "member of staff".into(),
        "equipment" => "piece of equipment".into(),
        "patient_queue" => "queue entry".into(),
        "equipment_usage" => "use of equipment".into(),
        "extracted_medical_data" => "extracted medical value".into(),
        plural => {
            let words = plural.replace('_', " ");
            match words.strip_suffix("ies") {
                Some(stem) => format!("{stem}y"),
                None => words.strip_suffix('s').unwrap_or(&words).to_owned(),
            }
        }
    }
}

/// So many rows of the table: `1 patient`, `3 treatment records`.
pub(super) fn count(table: &str, number: usize) -> String {
    let noun = noun(table);
    match (number, noun.split_once(" of "), noun.strip_suffix('y')) {
        (1, _, _) => format!("1 {noun}"),
        (_, Some((head, rest)), _) => format!("{number} {head}s of {rest}"),
        (_, None, Some(stem)) => format!("{number} {stem}ies"),
        (_, None, None) => format!("{number} {noun}s"),
    }
}

/// `patient_number` → `Patient number`, `doctor_id` → `Doctor`
pub(super) fn label(column: &str) -> String {
    let words = column.strip_suffix("_id").unwrap_or(column).replace('_', " ");
    let (head, tail) = words.split_at(words.len().min(1));
    head.to_ascii_uppercase() + tail
}

/// `Anna Berg (P-1001)`, or for a user or a patient without a number only the name.
pub(super) fn person(record: &Record) -> String {
    let name = format!("{} {}", record.text("first_name"), record.text("last_name"));
    match record
        .table
        .column("patient_number")
        .map(|_| record.text("patient_number"))
    {
        Some(number) if !number.is_empty() => format!("{name} ({number})"),
        _ => name,
    }
}

/// The patient of this id, or words that say he is not here.
pub(super) fn patient(draft: &Draft, id: Option<RowId>) -> Result<String, CommandError> {
    let Some(id) = id else { return Ok("nobody".into()) };
    let table = crate::schema::Schema::hospital().expect("patients");
    Ok(draft
        .row_if_any(table, id)?
        .map_or_else(|| "a patient unknown here".into(), |record| person(&record)))
}

/// `bed 3 in room 101`
pub(super) fn bed(draft: &Draft, bed: &Record) -> Result<String, CommandError> {
    let number = bed.text("bed_number");
    Ok(match draft.referenced(bed, "room_id")? {
        Some(room) => format!("bed {number} in room {}", room.text("room_number")),
        None => format!("bed {number}"),
    })
}

/// The name of a member of staff.
pub(super) fn staff(draft: &Draft, staff: &Record) -> Result<String, CommandError> {
    let user = draft.referenced(staff, "user_id")?;
    Ok(user.map_or_else(
        || format!("employee {}", staff.text("employee_id")),
        |user| person(&user),
    ))
}

/// `2026-01-31 12:00 UTC`
pub(super) fn minute(time: Timestamp) -> String {
    time.to_datetime().map_or_else(
        || time.to_string(),
        |t| format!("{} {:02}:{:02} UTC", t.date_naive(), t.hour(), t.minute()),
    )
}

/// First letter large, as a summary begins: one of our own words, in ASCII.
pub(super) fn capitalised(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_columns_have_names_for_people() {
        assert_eq!(noun("supply_categories"), "supply category");
        assert_eq!(count("bed_turnover_logs", 2), "2 bed turnover logs");
        assert_eq!(count("staff", 2), "2 members of staff");
        assert_eq!(count("patient_queue", 3), "3 queue entries");
        assert_eq!(count("equipment_usage", 1), "1 use of equipment");
        assert_eq!(label("doctor_id"), "Doctor");
    }
}
