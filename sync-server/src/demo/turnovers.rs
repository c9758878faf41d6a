//! Beds between two patients. What is open now stands as far as the time since the discharge allows.
//!
//! ```text
//! discharge ─ minutes ─► cleaning: task after task ─► clean ─► inspected, ready ─ hours ─► next patient
//! ```

use holdfast_core::{
    ids::{RowId, Timestamp},
    value::Value,
};
use serde_json::json;

use super::{
    dice::MINUTE,
    record::json,
    stays,
    vocabulary::{CLEANING, DELAYS},
    world::{BedState, Stay, World},
};

/// When what happened; `None` if it has not yet.
struct Course {
    discharge: Timestamp,
    start: Option<Timestamp>,
    /// Begin and end of each task.
    tasks: Vec<(Option<Timestamp>, Option<Timestamp>)>,
    clean: Option<Timestamp>,
    ready: Option<Timestamp>,
    next: Option<(usize, Timestamp)>,
    cleaner: usize,
}

/// The turnovers after all stays of a bed that are told in detail.
pub(super) fn make(world: &mut World, unit: usize) {
    let bed = world.beds[unit].clone();
    let mut later: Option<Stay> = None;
    for at in bed.stays {
        let stay = world.stays[at].clone();
        if let Some(discharge) = stay.to.filter(|_| stays::is_detailed(world, &stay)) {
            let open = later.is_none() && bed.state == BedState::Cleaning;
            let next = later.as_ref().map(|next| (next.patient, next.from));
            let course = course(world, discharge, next, open);
            turnover(world, bed.id, &stay, &course);
            log(world, bed.id, &stay, &course);
        }
        later = Some(stay);
    }
}

fn course(world: &mut World, discharge: Timestamp, next: Option<(usize, Timestamp)>, open: bool) -> Course {
    let now = world.now();
    let past = |time: Timestamp| (time <= now).then_some(time);
    let housekeeping = world.department("Housekeeping");
    let cleaner = world.someone("cleaner", housekeeping);
    let begin = world.dice.after(discharge, 5 * MINUTE, 25 * MINUTE);
    let mut time = begin;
    let mut tasks = Vec::new();
    for (_, minutes, _) in CLEANING {
        let end = world.dice.after(time, (minutes - 2) * MINUTE, (minutes + 4) * MINUTE);
        tasks.push((past(time), past(end)));
        time = end;
    }
    let inspected = world.dice.after(time, 4 * MINUTE, 20 * MINUTE);
    Course {
        discharge,
        start: past(begin),
        tasks,
        clean: past(time),
        // Somebody has to look at it first; for a bed that is still in cleaning nobody has.
        ready: past(inspected).filter(|_| !open),
        next,
        cleaner,
    }
}

fn turnover(world: &mut World, bed: RowId, stay: &Stay, course: &Course) {
    let status = match course {
        Course { next: Some(_), .. } => "assigned",
        Course { ready: Some(_), .. } => "ready",
        Course { clean: Some(_), .. } => "cleaning_complete",
        Course { start: Some(_), .. } => "cleaning",
        _ => "initiated",
    };
    let inspector = world.someone("nurse", world.beds[stay.bed].department);
    let piece = world.dice.chance(40).then(|| world.dice.index(world.pieces.len()));
    let equipment: Vec<_> = piece
        .map(|at| json!({ "equipment_id": world.pieces[at].id.to_string(), "name": world.pieces[at].name }))
        .into_iter()
        .collect();
    let checklist: Vec<_> = CLEANING.iter().map(|(name, ..)| *name).collect();
    let minutes: i64 = CLEANING.iter().map(|(_, minutes, _)| minutes).sum();
    let inspected = course.ready.is_some();
    let values = vec![
        ("bed_id", bed.into()),
        ("previous_patient_id", world.patients[stay.patient].id.into()),
        (
            "next_patient_id",
            course.next.map(|(next, _)| world.patients[next].id).into(),
        ),
        ("status", status.into()),
        (
            "turnover_type",
            world.dice.weighted(&[("standard", 9), ("deep_clean", 1)]).into(),
        ),
        ("discharge_time", course.discharge.into()),
        ("cleaning_start_time", course.start.into()),
        ("cleaning_end_time", course.clean.into()),
        ("ready_time", course.ready.into()),
        ("next_assignment_time", course.next.map(|(_, time)| time).into()),
        ("estimated_cleaning_duration", minutes.into()),
        (
            "assigned_cleaner_id",
            course.start.map(|_| world.members[course.cleaner].user).into(),
        ),
        (
            "assigned_inspector_id",
            inspected.then_some(world.members[inspector].user).into(),
        ),
        ("equipment_requiring_cleaning", json(&json!(equipment))),
        ("equipment_cleaning_complete", Value::Bool(inspected)),
        ("cleaning_checklist", json(&json!(checklist))),
        ("inspection_passed", Value::Bool(inspected)),
    ];
    let id = world.row("bed_turnovers", course.discharge, values);
    if let Some(piece) = piece {
        equipment_turnover(world, id, piece, stay, course);
    }
}

fn equipment_turnover(world: &mut World, turnover: RowId, piece: usize, stay: &Stay, course: &Course) {
    let status = match course {
        Course { ready: Some(_), .. } => "returned",
        Course { clean: Some(_), .. } => "clean",
        Course { start: Some(_), .. } => "cleaning",
        _ => "needs_cleaning",
    };
    let values = vec![
        ("bed_turnover_id", turnover.into()),
        ("equipment_id", world.pieces[piece].id.into()),
        ("status", status.into()),
        (
            "cleaning_type",
            world
                .dice
                .weighted(&[("surface", 8), ("deep", 1), ("sterilization", 1)])
                .into(),
        ),
        ("release_time", course.discharge.into()),
        ("cleaning_start_time", course.start.into()),
        ("cleaning_end_time", course.clean.into()),
        ("return_time", course.ready.into()),
        ("released_by_staff_id", world.members[stay.nurses[0]].user.into()),
        (
            "cleaned_by_staff_id",
            course.clean.map(|_| world.members[course.cleaner].user).into(),
        ),
        ("cleaning_checklist", json(&json!(["Wipe down", "Check function"]))),
        ("inspection_passed", Value::Bool(course.ready.is_some())),
    ];
    world.row("equipment_turnovers", course.discharge, values);
}

fn log(world: &mut World, bed: RowId, stay: &Stay, course: &Course) {
    let minutes: i64 = CLEANING.iter().map(|(_, minutes, _)| minutes).sum();
    let cleaning = match course {
        Course { clean: Some(_), .. } => "completed",
        Course { start: Some(_), .. } => "in_progress",
        _ => "pending",
    };
    let status = match course {
        Course { ready: Some(_), .. } => "completed",
        Course { start: Some(_), .. } => "in_progress",
        _ => "initiated",
    };
    let delay = world.dice.chance(8).then(|| *world.dice.pick(DELAYS));
    let expected = course.start.map(|start| Timestamp(start.0 + minutes * MINUTE));
    let cleaner = world.members[course.cleaner].staff;
    let values = vec![
        ("bed_id", bed.into()),
        ("previous_patient_id", world.patients[stay.patient].id.into()),
        (
            "next_patient_id",
            course.next.map(|(next, _)| world.patients[next].id).into(),
        ),
        ("discharge_started_at", course.discharge.into()),
        ("discharge_completed_at", course.discharge.into()),
        ("cleaning_started_at", course.start.into()),
        ("cleaning_expected_duration", minutes.into()),
        ("cleaning_estimated_completion", expected.into()),
        ("cleaning_actual_completion", course.clean.into()),
        ("cleaning_status", cleaning.into()),
        ("cleaning_assigned_staff_id", course.start.map(|_| cleaner).into()),
        ("staff_released_at", course.discharge.into()),
        ("next_patient_assigned_at", course.next.map(|(_, time)| time).into()),
        ("turnover_completed_at", course.ready.into()),
        ("status", status.into()),
        (
            "total_turnover_time",
            course.ready.map(|ready| ready.minutes_since(course.discharge)).into(),
        ),
        (
            "delays",
            delay.map_or(Value::Null, |reason| {
                json(&json!([{ "reason": reason, "minutes": 10 }]))
            }),
        ),
        (
            "priority",
            world.dice.weighted(&[("normal", 7), ("high", 2), ("urgent", 1)]).into(),
        ),
    ];
    let id = world.row("bed_turnover_logs", course.discharge, values);
    for (task, times) in CLEANING.iter().zip(&course.tasks) {
        cleaning_task(world, id, task, *times, course);
    }
}

fn cleaning_task(
    world: &mut World,
    log: RowId,
    (name, minutes, description): &(&str, i64, &str),
    (start, end): (Option<Timestamp>, Option<Timestamp>),
    course: &Course,
) {
    let status = match (start, end) {
        (_, Some(_)) => "completed",
        (Some(_), None) => "in_progress",
        _ => "pending",
    };
    let values = vec![
        ("turnover_log_id", log.into()),
        ("task_name", (*name).into()),
        ("task_description", (*description).into()),
        ("estimated_duration", (*minutes).into()),
        (
            "actual_duration",
            start.zip(end).map(|(start, end)| end.minutes_since(start)).into(),
        ),
        ("status", status.into()),
        ("started_at", start.into()),
        ("completed_at", end.into()),
        (
            "assigned_staff_id",
            start.map(|_| world.members[course.cleaner].staff).into(),
        ),
        ("quality_check_passed", end.map(|_| true).into()),
    ];
    world.row("bed_cleaning_tasks", course.discharge, values);
}
