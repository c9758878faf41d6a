//! Departments, rooms, and the beds in them.

use holdfast_core::value::Value;

use super::{
    dice::DAY,
    people,
    vocabulary::DEPARTMENTS,
    world::{Bed, BedState, Department, Room, World},
};

/// How long ago the house was opened.
pub(super) const OPENED: i64 = 4_000 * DAY;

/// Heads are appointed once there are people: see [`super::workforce::appoint_heads`], which makes the rows.
pub(super) fn make_departments(world: &mut World, _: usize) {
    for kind in DEPARTMENTS {
        let opened = world.dice.ago(OPENED, OPENED + 90 * DAY);
        let id = world.dice.id(opened);
        world.departments.push(Department { id, kind });
    }
}

/// Rooms of one to four beds until each department has its share; the beds themselves come when it is known who lies in
/// them: see [`super::stays::plan`].
pub(super) fn make_rooms(world: &mut World, _: usize) {
    for department in 0..world.wards() {
        let mut left = share(world, department);
        let mut number = 0;
        while left > 0 {
            number += 1;
            let capacity = capacity(world, department).min(left);
            left -= capacity;
            room(world, department, number, capacity);
        }
    }
}

/// The department's part of the beds; the first takes what rounding leaves.
fn share(world: &World, department: usize) -> usize {
    let total: usize = world.departments.iter().map(|d| d.kind.share).sum();
    let of = |at: usize| (world.size.beds * world.departments[at].kind.share / total).max(1);
    match department {
        0 => world.size.beds - (1..world.wards()).map(of).sum::<usize>(),
        other => of(other),
    }
}

fn capacity(world: &mut World, department: usize) -> usize {
    match world.departments[department].kind.room_type {
        "private" => 1,
        "icu" => world.dice.weighted(&[(1, 2), (2, 3)]),
        _ => world.dice.weighted(&[(1, 2), (2, 5), (3, 2), (4, 3)]),
    }
}

fn room(world: &mut World, department: usize, number: usize, capacity: usize) {
    let kind = world.departments[department].kind;
    let name = format!("{}{}{:02}{}", kind.code, kind.floor, number, world.series);
    let created = world.dice.ago(OPENED - 60 * DAY, OPENED);
    let room_type = if capacity == 1 && kind.room_type == "general" {
        "private"
    } else {
        kind.room_type
    };
    let values = vec![
        ("room_number", name.as_str().into()),
        ("floor_number", kind.floor.into()),
        ("room_type", room_type.into()),
        ("department_id", world.departments[department].id.into()),
        ("capacity", Value::Int(capacity as i64)),
    ];
    let id = world.row("rooms", created, values);
    let room = world.rooms.len();
    world.rooms.push(Room {
        id,
        number: name,
        created,
    });
    for bed in 1..=capacity {
        let id = world.dice.id(created);
        world.beds.push(Bed {
            id,
            number: bed.to_string(),
            room,
            department,
            state: BedState::Available,
            stays: Vec::new(),
        });
    }
}

/// The department's row.
pub(super) fn department_row(world: &mut World, department: usize, head: Option<usize>) {
    let kind = world.departments[department].kind;
    let opened = world.dice.ago(OPENED, OPENED + 90 * DAY);
    let mail = kind.name.to_ascii_lowercase().replace(' ', "-");
    let values = vec![
        ("name", kind.name.into()),
        ("description", kind.description.into()),
        ("head_doctor_id", head.map(|head| world.members[head].user).into()),
        ("floor_number", kind.floor.into()),
        ("phone", people::phone(&mut world.dice).into()),
        ("email", format!("{mail}@hospital.example").into()),
    ];
    let id = world.departments[department].id;
    world.row_with("departments", id, opened, values);
}
