//! What older systems and assistants left: questions to assistants, notes on contacts with patients, former users.

use fake::faker::internet::en::SafeEmail;
use holdfast_core::value::Value;

use super::{
    dice::DAY,
    people::{self, Person},
    record::date,
    vocabulary::QUESTIONS,
    world::World,
};

/// Six of ten are notes, two each are questions and former users.
pub(super) fn count(world: &World) -> usize {
    (world.size.patients / 5).max(30)
}

pub(super) fn make(world: &mut World, unit: usize) {
    match unit % 10 {
        0 | 1 => question(world),
        2 | 3 => former_user(world, unit),
        _ => note(world, unit),
    }
}

fn question(world: &mut World) {
    let (agent, query, response, action) = *world.dice.pick(QUESTIONS);
    let time = world.dice.ago(0, 30 * DAY);
    let role = world.dice.weighted(&[("nurse", 6), ("manager", 2), ("doctor", 3)]);
    let by = world.anyone(role);
    let values = vec![
        ("agent_type", agent.into()),
        ("user_id", world.members[by].user.into()),
        ("query", query.into()),
        ("response", response.into()),
        ("action_taken", action.into()),
        (
            "confidence_score",
            format!("0.{:02}", world.dice.between(55, 99)).into(),
        ),
        ("execution_time_ms", world.dice.between(80, 4_200).into()),
    ];
    world.row("agent_interactions", time, values);
}

fn former_user(world: &mut World, unit: usize) {
    let person = Person::invent(&mut world.dice);
    let mail: String = world.dice.fake(&SafeEmail());
    let number = unit as i64 / 10 * 2 + unit as i64 % 10 - 1;
    let legacy = world.series.is_empty().then_some(number);
    let values = vec![
        ("legacy_id", legacy.into()),
        ("name", person.name().into()),
        (
            "email",
            format!("{}{number}.{mail}", world.series.to_ascii_lowercase()).into(),
        ),
        ("address", people::address(&mut world.dice).into()),
        ("phone", person.phone.into()),
    ];
    let created = world.dice.ago(900 * DAY, 3_000 * DAY);
    world.row("legacy_users", created, values);
}

fn note(world: &mut World, unit: usize) {
    let at = world.dice.index(world.patients.len());
    let patient = world.patients[at].clone();
    let role = world.dice.weighted(&[("nurse", 7), ("doctor", 3)]);
    let member = world.someone(role, patient.department);
    let time = world.dice.time(patient.registered, world.now());
    let kind = world.dice.weighted(&[
        ("consultation", 3),
        ("treatment", 3),
        ("monitoring", 3),
        ("phone_call", 1),
    ]);
    let description = match kind {
        "consultation" => "Findings and next steps were explained.",
        "treatment" => "Dressing changed, no sign of infection.",
        "monitoring" => "Vital signs taken and within the expected range.",
        _ => "Relatives called about visiting hours.",
    };
    let legacy = world.series.is_empty().then_some(unit as i64 + 1);
    let values = vec![
        ("legacy_id", legacy.into()),
        ("patient_id", patient.number.as_str().into()),
        ("staff_name", world.members[member].person.name().into()),
        ("staff_role", role.into()),
        ("interaction_type", kind.into()),
        ("description", description.into()),
        ("interaction_date", date(time)),
        ("duration_minutes", Value::Int(world.dice.between(1, 8) * 5)),
    ];
    world.row("staff_interactions", time, values);
}
