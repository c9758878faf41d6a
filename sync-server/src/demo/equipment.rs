//! Equipment: what there is, and what is or was in use for whom.

use fake::faker::company::en::CompanyName;
use holdfast_core::{
    ids::{RowId, Timestamp},
    value::Value,
};
use serde_json::json;

use super::{
    dice::{DAY, HOUR, MINUTE},
    places::OPENED,
    record::{date, json, money},
    stays,
    vocabulary::{EQUIPMENT, Equipment},
    world::{Piece, Stay, World},
};

/// A category with its pieces.
pub(super) fn make(world: &mut World, unit: usize) {
    let kind = &EQUIPMENT[unit];
    let mut stays: Vec<usize> = (0..world.size.inpatients()).collect();
    world.dice.shuffle(&mut stays);
    let created = world.dice.ago(OPENED - 30 * DAY, OPENED);
    let values = vec![("name", kind.category.into()), ("description", kind.description.into())];
    let category = world.row("equipment_categories", created, values);
    let manufacturers: [String; 2] = std::array::from_fn(|_| world.dice.fake(&CompanyName()));
    for number in 0..(world.size.beds * kind.per_100_beds / 100).max(2) {
        let stay = number
            .is_multiple_of(2)
            .then(|| stays.get(number / 2).copied())
            .flatten();
        let bought = world.dice.ago(60 * DAY, 2_500 * DAY);
        plan_piece(world, kind, stay, bought);
        let maker = world.dice.pick(&manufacturers).clone();
        piece_row(world, world.pieces.len() - 1, category, bought, &maker);
    }
}

/// Every other piece is in use, each for another patient.
fn plan_piece(world: &mut World, kind: &'static Equipment, stay: Option<usize>, bought: Timestamp) {
    let department = match stay {
        Some(stay) => world.beds[world.stays[stay].bed].department,
        None => world.dice.index(world.wards()),
    };
    let piece = Piece {
        id: world.dice.id(bought),
        name: (*world.dice.pick(kind.names)).to_owned(),
        kind,
        department,
        stay,
    };
    if let Some(stay) = stay {
        world.in_use.entry(stay).or_default().push(world.pieces.len());
    }
    world.pieces.push(piece);
}

fn piece_row(world: &mut World, at: usize, category: RowId, bought: Timestamp, maker: &str) {
    let piece = world.pieces[at].clone();
    let status = match piece.stay {
        Some(_) => "in_use",
        None => world
            .dice
            .weighted(&[("available", 88), ("maintenance", 8), ("out_of_order", 4)]),
    };
    let serviced = world.dice.ago(5 * DAY, 330 * DAY).max(bought);
    let location = match piece.stay.map(|stay| world.stays[stay].bed) {
        Some(bed) => format!("Room {}", world.room_of(bed).number),
        None => format!("{}, equipment room", world.departments[piece.department].kind.name),
    };
    let values = vec![
        ("equipment_id", format!("EQ{}-{:05}", world.series, at + 1).into()),
        ("name", piece.name.as_str().into()),
        ("category_id", category.into()),
        (
            "model",
            format!("{}{}", initials(&piece.name), world.dice.between(100, 990)).into(),
        ),
        ("manufacturer", maker.into()),
        (
            "serial_number",
            format!("SN{:08}", world.dice.between(1, 99_999_999)).into(),
        ),
        ("purchase_date", date(bought)),
        ("warranty_expiry", date(Timestamp(bought.0 + 1_095 * DAY))),
        ("location", location.into()),
        ("department_id", world.departments[piece.department].id.into()),
        ("status", status.into()),
        ("last_maintenance", date(serviced)),
        ("next_maintenance", date(Timestamp(serviced.0 + 365 * DAY))),
        (
            "cost",
            money(world.dice.between(piece.kind.cost.0, piece.kind.cost.1) * 100),
        ),
        ("notes", (status == "out_of_order").then_some("Display is dark").into()),
    ];
    world.row_with("equipment", piece.id, bought, values);
}

fn initials(name: &str) -> String {
    name.split([' ', '-'])
        .filter_map(|word| word.chars().next())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// What is in use now; and for past stays that are told in detail one use that has ended.
pub(super) fn use_in_stay(world: &mut World, unit: usize) {
    let stay = world.stays[unit].clone();
    if stay.to.is_none() {
        for piece in world.in_use.remove(&unit).unwrap_or_default() {
            usage(world, &stay, piece, None);
        }
    } else if stays::is_detailed(world, &stay) && world.dice.chance(60) {
        let piece = world.dice.index(world.pieces.len());
        let start = world.dice.after(stay.from, HOUR, 6 * HOUR);
        let end = world.dice.after(start, HOUR, 10 * HOUR);
        usage(world, &stay, piece, Some((start, end)));
    }
}

fn usage(world: &mut World, stay: &Stay, at: usize, past: Option<(Timestamp, Timestamp)>) {
    let piece = world.pieces[at].clone();
    let now = world.now();
    let start = match past {
        Some((start, _)) => start,
        None => world.dice.after(stay.from, 5 * MINUTE, 90 * MINUTE),
    };
    let end = past.map(|(_, end)| end);
    let (patient, bed) = (world.patients[stay.patient].id, world.beds[stay.bed].id);
    let staff = world.members[stay.nurses[0]].staff;
    let values = vec![
        ("patient_id", patient.into()),
        ("equipment_id", piece.id.into()),
        ("staff_id", staff.into()),
        ("bed_id", bed.into()),
        ("start_time", start.into()),
        ("end_time", end.into()),
        ("duration_minutes", end.map(|end| end.minutes_since(start)).into()),
        ("purpose", piece.kind.purpose.into()),
        ("settings", json(&json!({ "mode": "standard", "alarms": true }))),
        ("readings", readings(world, piece.kind, start, end.unwrap_or(now))),
        ("status", if end.is_some() { "completed" } else { "active" }.into()),
    ];
    world.row("equipment_usage", start, values);
    let values = vec![
        ("bed_id", bed.into()),
        ("equipment_id", piece.id.into()),
        ("patient_id", patient.into()),
        ("assigned_at", start.into()),
        ("released_at", end.into()),
        ("status", if end.is_some() { "released" } else { "in_use" }.into()),
        ("assigned_by_staff_id", staff.into()),
    ];
    world.row("bed_equipment_assignments", start, values);
}

fn readings(world: &mut World, kind: &Equipment, from: Timestamp, to: Timestamp) -> Value {
    let (name, low, high) = kind.reading;
    let mut times: Vec<Timestamp> = (0..3).map(|_| world.dice.time(from, to)).collect();
    times.sort_unstable();
    let readings: Vec<_> = times
        .iter()
        .map(|time| json!({ "time": time.to_string(), name: world.dice.between(low, high) }))
        .collect();
    json(&json!(readings))
}
