//! Who lay where and when: each bed's stays, going back from what it is now, without overlap; and who was in charge.

use holdfast_core::ids::Timestamp;

use super::{
    dice::{DAY, HOUR, MINUTE},
    world::{BedState, Stay, World},
};

/// Decides each bed's state and stays. Patients are numbered: those in beds, those who have been here, the others.
pub(super) fn plan(world: &mut World, _: usize) {
    let mut order: Vec<usize> = (0..world.beds.len()).collect();
    world.dice.shuffle(&mut order);
    set_states(world, &order);
    let occupied: Vec<usize> = with_state(world, &order, BedState::Occupied);
    for (patient, bed) in occupied.iter().enumerate() {
        let from = world.dice.ago(2 * HOUR, 9 * DAY);
        stay(world, patient, *bed, from, None);
    }
    let mut patient = occupied.len();
    let end = patient + world.size.discharged();
    // Beds in cleaning come first: somebody must have left them.
    let mut turns = with_state(world, &order, BedState::Cleaning);
    turns.extend(order.iter().filter(|bed| world.beds[**bed].state != BedState::Cleaning));
    let mut free_until: Vec<Timestamp> = (0..world.beds.len()).map(|bed| first_gap(world, bed)).collect();
    while patient < end {
        for bed in turns.iter().take(end - patient) {
            let to = free_until[*bed];
            let length = world.dice.between(18 * HOUR, 8 * DAY);
            let from = Timestamp(to.0 - length);
            stay(world, patient, *bed, from, Some(to));
            free_until[*bed] = Timestamp(from.0 - world.dice.between(3 * HOUR, 30 * HOUR));
            patient += 1;
        }
    }
}

/// Three quarters occupied, the rest clean, being cleaned, or under repair.
fn set_states(world: &mut World, order: &[usize]) {
    let (beds, occupied) = (world.size.beds, world.size.inpatients());
    let cleaning = (beds * 7 / 100).max(2);
    let maintenance = (beds * 3 / 100).max(1);
    for (at, bed) in order.iter().enumerate() {
        world.beds[*bed].state = match at {
            _ if at < occupied => BedState::Occupied,
            _ if at < occupied + cleaning => BedState::Cleaning,
            _ if at < occupied + cleaning + maintenance => BedState::Maintenance,
            _ => BedState::Available,
        };
    }
}

fn with_state(world: &World, order: &[usize], state: BedState) -> Vec<usize> {
    order
        .iter()
        .copied()
        .filter(|bed| world.beds[*bed].state == state)
        .collect()
}

/// When the bed was last left.
fn first_gap(world: &mut World, bed: usize) -> Timestamp {
    match world.beds[bed].state {
        BedState::Occupied => {
            let admission = world.stays[world.beds[bed].stays[0]].from;
            Timestamp(admission.0 - world.dice.between(3 * HOUR, 20 * HOUR))
        }
        BedState::Cleaning => world.dice.ago(10 * MINUTE, 100 * MINUTE),
        BedState::Maintenance => world.dice.ago(2 * DAY, 20 * DAY),
        BedState::Available => world.dice.ago(3 * HOUR, 48 * HOUR),
    }
}

fn stay(world: &mut World, patient: usize, bed: usize, from: Timestamp, to: Option<Timestamp>) {
    let department = world.beds[bed].department;
    let diagnosis = world.dice.pick(world.departments[department].kind.diagnoses);
    let stay = Stay {
        patient,
        bed,
        from,
        to,
        doctor: world.someone("doctor", department),
        nurses: [world.someone("nurse", department), world.someone("nurse", department)],
        diagnosis,
    };
    world.beds[bed].stays.push(world.stays.len());
    world.stays.push(stay);
}

/// How far back staff, equipment and cleaning are told; older stays have their report alone.
pub(super) const DETAILED: i64 = 10 * DAY;

/// True if the stay is recent enough to be told in detail.
pub(super) fn is_detailed(world: &World, stay: &Stay) -> bool {
    stay.to.is_none_or(|to| to.0 > world.now().0 - DETAILED)
}

/// A doctor, one or two nurses; they end with the stay.
pub(super) fn assign_staff(world: &mut World, unit: usize) {
    let stay = world.stays[unit].clone();
    if !is_detailed(world, &stay) {
        return;
    }
    assignment(world, &stay, stay.doctor, "consultation", "doctor");
    assignment(world, &stay, stay.nurses[0], "primary_care", "primary_nurse");
    if stay.nurses[0] != stay.nurses[1] && world.dice.chance(45) {
        assignment(world, &stay, stay.nurses[1], "secondary_care", "secondary_nurse");
    }
}

fn assignment(world: &mut World, stay: &Stay, member: usize, kind: &'static str, bed_kind: &'static str) {
    let start = world.dice.after(stay.from, 2 * MINUTE, 45 * MINUTE);
    let staff = world.members[member].staff;
    let shift = match world.members[member].shift {
        "rotating" => "evening",
        fixed => fixed,
    };
    let (patient, bed) = (world.patients[stay.patient].id, world.beds[stay.bed].id);
    let responsibilities = match kind {
        "consultation" => "Daily round, orders, discharge",
        "primary_care" => "Care plan, medication, documentation",
        _ => "Stands in for primary care",
    };
    let values = vec![
        ("patient_id", patient.into()),
        ("staff_id", staff.into()),
        ("bed_id", bed.into()),
        ("assignment_type", kind.into()),
        ("start_date", start.into()),
        ("end_date", stay.to.into()),
        ("shift", shift.into()),
        ("responsibilities", responsibilities.into()),
    ];
    world.row("staff_assignments", start, values);
    let values = vec![
        ("bed_id", bed.into()),
        ("staff_id", staff.into()),
        ("patient_id", patient.into()),
        ("assignment_type", bed_kind.into()),
        ("assigned_at", start.into()),
        ("released_at", stay.to.into()),
        ("status", if stay.to.is_some() { "completed" } else { "active" }.into()),
        ("shift_type", shift.into()),
    ];
    world.row("bed_staff_assignments", start, values);
}
