//! Discharge reports of the stays that have ended, with the keys that a discharge in the app writes.

use serde_json::{Value as Json, json};

use super::{
    dice::HOUR,
    record::json,
    treatments,
    vocabulary::{FOLLOW_UP, INSTRUCTIONS, Treatment},
    world::{Stay, World},
};
use holdfast_core::ids::Timestamp;

pub(super) fn make(world: &mut World, unit: usize) {
    let stay = world.stays[unit].clone();
    let Some(to) = stay.to else { return };
    let condition = world
        .dice
        .weighted(&[("improved", 70), ("stable", 26), ("critical", 2), ("deceased", 2)]);
    let destination = match condition {
        "deceased" => None,
        "critical" => Some("transfer"),
        _ => Some(world.dice.weighted(&[
            ("home", 80),
            ("rehabilitation", 12),
            ("nursing_home", 6),
            ("transfer", 2),
        ])),
    };
    let alive = condition != "deceased";
    let instructions = *world.dice.pick(INSTRUCTIONS);
    let follow_up = *world.dice.pick(FOLLOW_UP);
    let number = format!("D{}-{}-{:05}", world.series, day(to), unit + 1);
    let values = vec![
        ("patient_id", world.patients[stay.patient].id.into()),
        ("bed_id", world.beds[stay.bed].id.into()),
        ("generated_by", world.members[stay.doctor].user.into()),
        ("report_number", number.into()),
        ("admission_date", stay.from.into()),
        ("discharge_date", to.into()),
        ("length_of_stay_days", nights(stay.from, to).into()),
        ("patient_summary", json(&world.patients[stay.patient].summary)),
        ("treatment_summary", json(&treatment_summary(&stay, to))),
        ("equipment_summary", json(&json!([]))),
        ("staff_summary", json(&staff_summary(world, &stay, to))),
        ("medications", json(&medications(&stay))),
        ("procedures", json(&procedures(&stay))),
        ("discharge_instructions", alive.then_some(instructions).into()),
        (
            "follow_up_required",
            (alive && !unit.is_multiple_of(3)).then_some(follow_up).into(),
        ),
        ("discharge_condition", condition.into()),
        ("discharge_destination", destination.into()),
    ];
    world.row("discharge_reports", to, values);
}

fn day(time: Timestamp) -> String {
    time.to_datetime()
        .map(|t| t.format("%Y%m%d").to_string())
        .unwrap_or_default()
}

/// Midnights passed.
fn nights(from: Timestamp, to: Timestamp) -> Option<i64> {
    Some((to.to_datetime()?.date_naive() - from.to_datetime()?.date_naive()).num_days())
}

fn treatment_summary(stay: &Stay, to: Timestamp) -> Json {
    let one = |t: &Treatment| {
        let end = treatments::end(stay, t, stay.from, to);
        let status = if end.is_some() { "completed" } else { "active" };
        json!({ "treatment_type": t.kind, "treatment_name": t.name, "start_date": stay.from.to_string(), "status": status })
    };
    stay.diagnosis.treatments.iter().map(one).collect()
}

fn of_kind<'a>(stay: &'a Stay, kind: &'static str) -> impl Iterator<Item = &'static Treatment> + 'a {
    stay.diagnosis.treatments.iter().filter(move |t| t.kind == kind)
}

fn medications(stay: &Stay) -> Json {
    of_kind(stay, "medication")
        .map(|t| {
            json!({ "treatment_name": t.name, "dosage": t.dosage, "frequency": t.frequency, "duration": t.duration })
        })
        .collect()
}

fn procedures(stay: &Stay) -> Json {
    let start = Timestamp(stay.from.0 + HOUR).to_string();
    of_kind(stay, "procedure")
        .map(|t| json!({ "treatment_name": t.name, "start_date": start, "status": "completed" }))
        .collect()
}

fn staff_summary(world: &World, stay: &Stay, to: Timestamp) -> Json {
    let one = |member: usize, kind: &str| {
        json!({
            "name": world.members[member].person.name(),
            "assignment_type": kind,
            "start_date": stay.from.to_string(),
            "end_date": to.to_string(),
        })
    };
    json!([one(stay.doctor, "consultation"), one(stay.nurses[0], "primary_care")])
}
