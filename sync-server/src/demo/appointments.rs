//! Appointments of the last weeks and the next.

use super::{
    dice::{DAY, HOUR, MINUTE},
    vocabulary::VISIT_REASONS,
    workforce,
    world::World,
};
use holdfast_core::ids::Timestamp;

/// Seven of ten patients have one; who lies in a bed or waits for one has none.
pub(super) fn make(world: &mut World, unit: usize) {
    let in_house = unit < world.size.inpatients() || unit >= world.size.patients - world.size.waiting();
    if in_house || !world.dice.chance(70) {
        return;
    }
    let patient = world.patients[unit].clone();
    let discharged = world.stays.get(unit).and_then(|stay| stay.to);
    let earliest = discharged.map_or(patient.registered, |to| Timestamp(to.0 + 2 * DAY));
    let earliest = earliest.max(Timestamp(world.now().0 - 45 * DAY));
    let latest = Timestamp(world.now().0 + 21 * DAY);
    let time = office_hours(world, earliest, latest);
    let doctor = world.someone("doctor", patient.department);
    let status = if time > world.now() {
        world.dice.weighted(&[("scheduled", 94), ("cancelled", 6)])
    } else {
        world
            .dice
            .weighted(&[("completed", 86), ("cancelled", 7), ("no_show", 7)])
    };
    let booked = world.dice.after(time, -20 * DAY, -DAY);
    let booked = workforce::not_before(&world.members[doctor], booked)
        .max(patient.registered)
        .min(world.now());
    let reason = if discharged.is_some() {
        VISIT_REASONS[0]
    } else {
        *world.dice.pick(VISIT_REASONS)
    };
    let notes = (status == "no_show").then_some("Did not come; called, no answer.");
    let values = vec![
        ("patient_id", patient.id.into()),
        ("doctor_id", world.members[doctor].user.into()),
        ("department_id", world.departments[patient.department].id.into()),
        ("appointment_date", time.into()),
        (
            "duration_minutes",
            world.dice.weighted(&[(15_i64, 2), (30, 6), (45, 1), (60, 1)]).into(),
        ),
        ("status", status.into()),
        ("reason", reason.into()),
        ("notes", notes.into()),
    ];
    world.row("appointments", booked, values);
}

/// A quarter hour between 8 and 16 o'clock (UTC) of a day between these times.
fn office_hours(world: &mut World, from: Timestamp, to: Timestamp) -> Timestamp {
    let day = world.dice.time(from, to).0.div_euclid(DAY);
    let quarter = world.dice.between(0, 31);
    Timestamp(day * DAY + 8 * HOUR + quarter * 15 * MINUTE)
}
