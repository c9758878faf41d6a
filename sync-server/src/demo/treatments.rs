//! What is done about a stay's diagnosis.

use holdfast_core::ids::Timestamp;

use super::{
    dice::{DAY, HOUR, MINUTE},
    vocabulary::Treatment,
    world::{Stay, World},
};

pub(super) fn make(world: &mut World, unit: usize) {
    let stay = world.stays[unit].clone();
    for treatment in stay.diagnosis.treatments {
        record(world, &stay, treatment);
    }
}

/// When a stay's treatment ended, if it did: procedures at once, the rest after its time or with the stay.
pub(super) fn end(stay: &Stay, treatment: &Treatment, start: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let days = match (treatment.kind, treatment.duration) {
        ("procedure", _) => return Some(Timestamp(start.0 + HOUR)).filter(|end| *end <= now),
        (_, Some("7_days")) => 7,
        (_, Some("2_weeks")) => 14,
        _ => return None,
    };
    let planned = Timestamp(start.0 + days * DAY);
    let end = stay.to.map_or(planned, |to| to.min(planned));
    (end <= now).then_some(end)
}

fn record(world: &mut World, stay: &Stay, treatment: &Treatment) {
    let now = world.now();
    let start = world
        .dice
        .after(stay.from, 20 * MINUTE, 14 * HOUR)
        .min(stay.to.unwrap_or(now));
    let end = end(stay, treatment, start, now);
    let status = match end {
        Some(_) if treatment.kind == "medication" && world.dice.chance(6) => "discontinued",
        Some(_) => "completed",
        None => "active",
    };
    let rating = world
        .dice
        .weighted(&[("excellent", 3), ("good", 6), ("fair", 2), ("poor", 1)]);
    let values = vec![
        ("patient_id", world.patients[stay.patient].id.into()),
        ("doctor_id", world.members[stay.doctor].user.into()),
        ("bed_id", world.beds[stay.bed].id.into()),
        ("treatment_type", treatment.kind.into()),
        ("treatment_name", treatment.name.into()),
        (
            "description",
            format!("For {}", lower_first(stay.diagnosis.name)).into(),
        ),
        ("dosage", treatment.dosage.into()),
        ("frequency", treatment.frequency.into()),
        ("duration", treatment.duration.into()),
        ("start_date", start.into()),
        ("end_date", end.into()),
        ("status", status.into()),
        ("side_effects", (status == "discontinued").then_some("Nausea").into()),
        ("effectiveness", end.map(|_| rating).into()),
    ];
    world.row("treatment_records", start, values);
}

/// `Hip fracture` → `hip fracture`, but `COPD` stays.
pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
