//! Those who wait for a bed.

use holdfast_core::value::Value;
use serde_json::json;

use super::{
    dice::{HOUR, MINUTE},
    record::json,
    vocabulary::QUEUE_NEEDS,
    world::World,
};

/// The last patients wait; each department counts its own queue.
pub(super) fn make(world: &mut World, unit: usize) {
    let at = world.size.patients - world.size.waiting() + unit;
    let patient = world.patients[at].clone();
    let first = world.size.patients - world.size.waiting();
    let position = world.patients[first..=at]
        .iter()
        .filter(|p| p.department == patient.department)
        .count();
    let kind = world.departments[patient.department].kind;
    let waiting = world.size.waiting() - unit;
    // Who came first stands first.
    let longest = HOUR + waiting as i64 * 20 * MINUTE;
    let entered = world.dice.ago(longest - 20 * MINUTE, longest).max(patient.registered);
    let doctor = world.someone("doctor", patient.department);
    let needs = world.dice.chance(30).then(|| *world.dice.pick(QUEUE_NEEDS));
    let diagnosis = world.dice.pick(kind.diagnoses);
    let values = vec![
        ("patient_id", patient.id.into()),
        ("department_id", world.departments[patient.department].id.into()),
        ("queue_position", Value::Int(position as i64)),
        ("bed_type_required", kind.queue_type.into()),
        (
            "priority_level",
            world
                .dice
                .weighted(&[("normal", 6), ("high", 2), ("urgent", 1), ("low", 1)])
                .into(),
        ),
        (
            "admission_type",
            world
                .dice
                .weighted(&[("emergency", 5), ("scheduled", 4), ("transfer", 1)])
                .into(),
        ),
        ("queue_entry_time", entered.into()),
        ("estimated_wait_time", (world.dice.between(2, 24) * 10).into()),
        ("medical_condition", diagnosis.name.into()),
        (
            "special_requirements",
            needs.map_or(Value::Null, |need| json(&json!([need]))),
        ),
        ("doctor_id", world.members[doctor].user.into()),
        ("status", "waiting".into()),
    ];
    world.row("patient_queue", entered, values);
}
