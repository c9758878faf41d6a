//! A bed between two patients: `bed_turnovers` (what is done now), `bed_turnover_logs` (how long it took) and the cleaning
//! tasks of the log. They are opened together when a patient leaves and closed when the next one comes.

use serde_json::json;

use crate::{
    command::{CommandError, draft::Draft, record::Record, words},
    ids::{RowId, Timestamp},
    value::Value,
};

/// What is done to every bed, and its minutes.
const CHECKLIST: [(&str, i64, &str); 6] = [
    (
        "Remove linen",
        5,
        "Strip the bed; used linen goes into the laundry bag at the bedside.",
    ),
    (
        "Remove waste",
        5,
        "Empty the bins and take out single-use material; sharps into their container.",
    ),
    (
        "Disinfect bed",
        10,
        "Wipe mattress, frame, rails and controls from clean to soiled; observe the contact time.",
    ),
    (
        "Disinfect surroundings",
        10,
        "Wipe locker, table, call button, light switches and door handles.",
    ),
    ("Clean floor", 10, "Mop the bed space wet, towards the door."),
    (
        "Make bed",
        5,
        "Fresh linen; bed lowered, brakes on, call button in reach.",
    ),
];

/// What a patient leaves behind.
#[derive(Default)]
pub(super) struct Released {
    /// Pieces of equipment that need cleaning.
    pub equipment: Vec<Record>,
    /// Staff were in charge of him or his bed.
    pub staff: bool,
}

/// Opens the bed's turnover after the patient has left.
pub(super) fn open(draft: &mut Draft, bed: &Record, patient: RowId, released: &Released) -> Result<(), CommandError> {
    let now = draft.now();
    let equipment: Vec<_> = released
        .equipment
        .iter()
        .map(|e| json!({ "equipment_id": e.text("equipment_id"), "name": e.text("name") }))
        .collect();
    let checklist: Vec<_> = CHECKLIST.iter().map(|(name, ..)| *name).collect();
    let values = vec![
        ("bed_id", bed.id().into()),
        ("previous_patient_id", patient.into()),
        ("discharge_time", now.into()),
        ("estimated_cleaning_duration", minutes().into()),
        ("equipment_requiring_cleaning", json!(equipment).to_string().into()),
        ("cleaning_checklist", json!(checklist).to_string().into()),
    ];
    let turnover = draft.create("bed_turnovers", values)?;
    for piece in &released.equipment {
        let values = vec![
            ("bed_turnover_id", turnover.into()),
            ("equipment_id", piece.id().into()),
            ("status", "needs_cleaning".into()),
            ("cleaning_type", "surface".into()),
            ("release_time", now.into()),
            ("released_by_staff_id", draft.maker.user.into()),
        ];
        draft.create("equipment_turnovers", values)?;
    }
    open_log(draft, bed, patient, released)
}

fn open_log(draft: &mut Draft, bed: &Record, patient: RowId, released: &Released) -> Result<(), CommandError> {
    let now = draft.now();
    let values = vec![
        ("bed_id", bed.id().into()),
        ("previous_patient_id", patient.into()),
        ("discharge_started_at", now.into()),
        ("discharge_completed_at", now.into()),
        ("cleaning_expected_duration", minutes().into()),
        ("cleaning_status", "pending".into()),
        (
            "equipment_released_at",
            (!released.equipment.is_empty()).then_some(now).into(),
        ),
        ("staff_released_at", released.staff.then_some(now).into()),
        ("status", "initiated".into()),
        ("priority", "normal".into()),
    ];
    let log = draft.create("bed_turnover_logs", values)?;
    for (name, minutes, description) in CHECKLIST {
        let values = vec![
            ("turnover_log_id", log.into()),
            ("task_name", name.into()),
            ("task_description", description.into()),
            ("estimated_duration", minutes.into()),
            ("status", "pending".into()),
        ];
        draft.create("bed_cleaning_tasks", values)?;
    }
    Ok(())
}

fn minutes() -> i64 {
    CHECKLIST.iter().map(|(_, minutes, _)| minutes).sum()
}

/// The bed's present turnover: the latest that has not ended with a new patient.
pub(super) fn current(draft: &Draft, bed: RowId) -> Result<Option<Record>, CommandError> {
    let turnovers = draft.find("bed_turnovers", &[("bed_id", bed.into())])?;
    let latest = turnovers.into_iter().max_by_key(|t| t.time("discharge_time"));
    Ok(latest.filter(|t| t.text("status") != "assigned"))
}

/// The log of the bed's latest turnover.
fn latest_log(draft: &Draft, bed: RowId) -> Result<Option<Record>, CommandError> {
    let logs = draft.find("bed_turnover_logs", &[("bed_id", bed.into())])?;
    Ok(logs.into_iter().max_by_key(|l| l.time("discharge_started_at")))
}

/// True until the bed is available again.
pub(super) fn is_open(log: &Record) -> bool {
    log.is_null("turnover_completed_at") && log.text("status") != "completed"
}

/// The cleaning tasks of a log.
pub(super) fn tasks(draft: &Draft, log: RowId) -> Result<Vec<Record>, CommandError> {
    draft.find("bed_cleaning_tasks", &[("turnover_log_id", log.into())])
}

/// Refuses while the bed's cleaning is not finished. Where there are tasks they decide, because two cleaners who each
/// finish their own offline do not see that together they are done.
pub(super) fn refuse_unless_clean(draft: &Draft, bed: &Record) -> Result<(), CommandError> {
    let tasks = refuse_unless_tasks_done(draft, bed)?;
    let cleaning = current(draft, bed.id())?.is_some_and(|t| matches!(t.text("status"), "initiated" | "cleaning"));
    if cleaning && tasks == 0 {
        let name = words::capitalised(&words::bed(draft, bed)?);
        return Err(CommandError::refused(format!(
            "{name} is still being cleaned. Declare it ready first."
        )));
    }
    Ok(())
}

/// Refuses while cleaning tasks of the bed are open. Gives the number of those that are done.
pub(super) fn refuse_unless_tasks_done(draft: &Draft, bed: &Record) -> Result<usize, CommandError> {
    let Some(log) = latest_log(draft, bed.id())?.filter(is_open) else {
        return Ok(0);
    };
    let tasks = tasks(draft, log.id())?;
    let open: Vec<&str> = tasks
        .iter()
        .filter(|t| t.text("status") != "completed")
        .map(|t| t.text("task_name"))
        .collect();
    if open.is_empty() {
        return Ok(tasks.len());
    }
    let name = words::capitalised(&words::bed(draft, bed)?);
    let (number, open) = (words::count("bed_cleaning_tasks", open.len()), open.join(", "));
    Err(CommandError::refused(format!(
        "{name} is not clean yet, {number} left: {open}. Finish them first."
    )))
}

/// The first task has begun.
pub(super) fn cleaning_starts(draft: &mut Draft, log: &Record, cleaner: Option<&Record>) -> Result<(), CommandError> {
    let now = draft.now();
    if log.is_null("cleaning_started_at") {
        let expected = log.number("cleaning_expected_duration").unwrap_or_else(minutes);
        draft.edit(
            log,
            vec![
                ("cleaning_started_at", now.into()),
                (
                    "cleaning_estimated_completion",
                    Timestamp(now.0 + expected * 60_000_000).into(),
                ),
                ("cleaning_status", "in_progress".into()),
                ("status", "in_progress".into()),
            ],
        )?;
        if let Some(cleaner) = cleaner {
            draft.edit(log, vec![("cleaning_assigned_staff_id", cleaner.id().into())])?;
        }
    }
    let Some(turnover) = log
        .reference("bed_id")
        .map(|bed| current(draft, bed))
        .transpose()?
        .flatten()
    else {
        return Ok(());
    };
    if turnover.text("status") == "initiated" {
        draft.edit(
            &turnover,
            vec![("status", "cleaning".into()), ("cleaning_start_time", now.into())],
        )?;
        if let Some(user) = cleaner.and_then(|cleaner| cleaner.reference("user_id")) {
            draft.edit(&turnover, vec![("assigned_cleaner_id", user.into())])?;
        }
    }
    Ok(())
}

/// The last task is done.
pub(super) fn cleaning_ends(draft: &mut Draft, log: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    if log.text("cleaning_status") != "completed" {
        draft.edit(
            log,
            vec![
                ("cleaning_status", "completed".into()),
                ("cleaning_actual_completion", now.into()),
            ],
        )?;
    }
    let Some(turnover) = log
        .reference("bed_id")
        .map(|bed| current(draft, bed))
        .transpose()?
        .flatten()
    else {
        return Ok(());
    };
    if matches!(turnover.text("status"), "initiated" | "cleaning") {
        draft.edit(
            &turnover,
            vec![
                ("status", "cleaning_complete".into()),
                ("cleaning_end_time", now.into()),
            ],
        )?;
    }
    Ok(())
}

/// The bed is clean, inspected and available.
pub(super) fn ready(draft: &mut Draft, bed: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    if let Some(log) = latest_log(draft, bed.id())?.filter(is_open) {
        cleaning_ends(draft, &log)?;
        complete(draft, &log)?;
    }
    let Some(turnover) = current(draft, bed.id())? else {
        return Ok(());
    };
    if turnover.text("status") == "ready" {
        return Ok(());
    }
    let inspector = draft.maker.user;
    draft.edit(
        &turnover,
        vec![
            ("status", "ready".into()),
            ("ready_time", now.into()),
            ("inspection_passed", true.into()),
            ("assigned_inspector_id", inspector.into()),
        ],
    )
}

/// The next patient has the bed.
pub(super) fn end_with(draft: &mut Draft, bed: &Record, patient: RowId) -> Result<(), CommandError> {
    let now = draft.now();
    if let Some(log) = latest_log(draft, bed.id())?.filter(|log| log.is_null("next_patient_id")) {
        if is_open(&log) {
            cleaning_ends(draft, &log)?;
            complete(draft, &log)?;
        }
        draft.edit(
            &log,
            vec![
                ("next_patient_id", patient.into()),
                ("next_patient_assigned_at", now.into()),
            ],
        )?;
    }
    let Some(turnover) = current(draft, bed.id())? else {
        return Ok(());
    };
    if turnover.is_null("ready_time") {
        draft.edit(&turnover, vec![("ready_time", now.into())])?;
    }
    draft.edit(
        &turnover,
        vec![
            ("status", "assigned".into()),
            ("next_patient_id", patient.into()),
            ("next_assignment_time", now.into()),
        ],
    )
}

fn complete(draft: &mut Draft, log: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    let total: Value = log
        .time("discharge_started_at")
        .map(|start| now.minutes_since(start))
        .into();
    draft.edit(
        log,
        vec![
            ("status", "completed".into()),
            ("turnover_completed_at", now.into()),
            ("total_turnover_time", total),
        ],
    )
}
