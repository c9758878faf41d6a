//! Patients: of an age and sex that fit where they lie.

use holdfast_core::ids::Timestamp;
use serde_json::json;

use super::{
    dice::{DAY, HOUR, MINUTE},
    people::{self, Person},
    record::date,
    vocabulary::{ALLERGIES, BLOOD_TYPES, HISTORY},
    world::{Patient, World},
};

pub(super) fn make(world: &mut World, unit: usize) {
    let stay = world.stays.get(unit).map(|stay| (stay.bed, stay.from));
    debug_assert!(
        world.stays.get(unit).is_none_or(|stay| stay.patient == unit),
        "BUG: stays are in the order of patients"
    );
    let department = match stay {
        Some((bed, _)) => world.beds[bed].department,
        None => world.dice.index(world.wards()),
    };
    let registered = registered(world, stay.map(|(_, from)| from));
    let patient = invent(world, unit, department, registered);
    world.patients.push(patient);
}

/// On admission or long before it.
fn registered(world: &mut World, admission: Option<Timestamp>) -> Timestamp {
    let before = admission.unwrap_or(Timestamp(world.now().0 - HOUR));
    let earlier = if world.dice.chance(60) { 40 * MINUTE } else { 700 * DAY };
    let back = world.dice.between(5 * MINUTE, earlier);
    world.dice.after(before, -back, -back)
}

fn invent(world: &mut World, unit: usize, department: usize, registered: Timestamp) -> Patient {
    let kind = world.departments[department].kind;
    let mut person = Person::invent(&mut world.dice);
    while kind.women_only && !person.sounds_female() {
        person = Person::invent(&mut world.dice);
    }
    let now = world.now();
    let dice = &mut world.dice;
    let gender = match (kind.women_only, person.sounds_female(), dice.chance(1)) {
        (false, _, true) => "other",
        (true, ..) | (_, true, _) => "female",
        (_, false, _) => "male",
    };
    let age = dice.between(kind.ages.0 * 365, kind.ages.1 * 365);
    let born = Timestamp((now.0 - age * DAY).min(registered.0 - DAY));
    let blood = dice.weighted(BLOOD_TYPES);
    let allergy = dice.chance(18).then(|| *dice.pick(ALLERGIES));
    let contact = Person::invent(dice);
    let email = dice.chance(70).then(|| person.email(dice));
    let number = format!("P{}-{}", world.series, 100_001 + unit);
    let id = dice.id(registered);
    let values = vec![
        ("patient_number", number.as_str().into()),
        ("first_name", person.first.as_str().into()),
        ("last_name", person.last.as_str().into()),
        ("date_of_birth", date(born)),
        ("gender", gender.into()),
        ("phone", person.phone.as_str().into()),
        ("email", email.into()),
        ("address", people::address(dice).into()),
        (
            "emergency_contact_name",
            format!("{} {}", contact.first, person.last).into(),
        ),
        ("emergency_contact_phone", contact.phone.into()),
        ("blood_type", blood.into()),
        ("allergies", allergy.into()),
        ("medical_history", history(world).into()),
    ];
    world.row_with("patients", id, registered, values);
    let summary = json!({
        "name": person.name(),
        "patient_number": number,
        "date_of_birth": date(born).to_json(),
        "gender": gender,
        "blood_type": blood,
        "allergies": allergy,
    });
    Patient {
        id,
        number,
        person,
        registered,
        department,
        summary,
    }
}

fn history(world: &mut World) -> Option<String> {
    let dice = &mut world.dice;
    let number = dice.weighted(&[(0, 4), (1, 4), (2, 2)]);
    let mut items: Vec<&str> = (0..number).map(|_| *dice.pick(HISTORY)).collect();
    items.dedup();
    (!items.is_empty()).then(|| items.join("; "))
}
