//! Beds, as the ward board shows them.

use holdfast_core::value::Value;

use super::world::{BedState, World};

pub(super) fn make(world: &mut World, unit: usize) {
    let bed = world.beds[unit].clone();
    let room = world.room_of(unit);
    let (room, created) = (room.id, room.created);
    let kind = world.departments[bed.department].kind;
    let latest = bed.stays.first().map(|stay| world.stays[*stay].clone());
    let status = match bed.state {
        BedState::Occupied => "occupied",
        BedState::Cleaning => "cleaning",
        BedState::Maintenance => "maintenance",
        BedState::Available => "available",
    };
    let present = latest.as_ref().filter(|stay| stay.to.is_none());
    let notes = match bed.state {
        BedState::Maintenance => Some("Side rail does not lock; the workshop has been told."),
        BedState::Occupied if world.dice.chance(5) => Some("Pressure-relief mattress"),
        _ => None,
    };
    let values = vec![
        ("bed_number", bed.number.as_str().into()),
        ("room_id", room.into()),
        ("bed_type", kind.bed_type.into()),
        ("status", status.into()),
        (
            "patient_id",
            present.map_or(Value::Null, |stay| world.patients[stay.patient].id.into()),
        ),
        ("admission_date", latest.as_ref().map(|stay| stay.from).into()),
        ("discharge_date", latest.as_ref().and_then(|stay| stay.to).into()),
        ("notes", notes.into()),
    ];
    world.row_with("beds", bed.id, created, values);
}
