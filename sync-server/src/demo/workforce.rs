//! The people of the house: users and staff. The first of each role is the demo sign-in of that name.

use holdfast_core::{ids::Timestamp, value::Value};

use super::{
    Size,
    dice::DAY,
    people::Person,
    places,
    record::{date, money},
    world::{Member, World},
};

/// The roles that one may sign in as, and what they are there for.
pub const SIGN_INS: [&str; 7] = [
    "nurse",
    "doctor",
    "cleaner",
    "receptionist",
    "manager",
    "admin",
    "auditor",
];

/// How many there are of each role.
fn roles(size: Size) -> [(&'static str, usize); 7] {
    let per_100_beds = |number: usize, least: usize| (size.beds * number / 100).max(least);
    [
        ("nurse", per_100_beds(60, 12)),
        ("doctor", per_100_beds(20, 10)),
        ("cleaner", per_100_beds(10, 3)),
        ("receptionist", per_100_beds(2, 2)),
        ("manager", per_100_beds(1, 2)),
        ("admin", 2),
        ("auditor", 1),
    ]
}

pub(super) fn count(world: &World) -> usize {
    roles(world.size).iter().map(|(_, number)| number).sum()
}

pub(super) fn make(world: &mut World, unit: usize) {
    let (role, at) = role_of(world.size, unit);
    let person = Person::invent(&mut world.dice);
    let username = if at == 0 {
        sign_in_name(role, &world.series)
    } else {
        let name = world.usernames.give(&person);
        format!("{name}{}", world.series.to_ascii_lowercase())
    };
    let hired = world.dice.ago(40 * DAY, 3_600 * DAY);
    let (user, staff) = (world.dice.id(hired), world.dice.id(hired));
    let member = Member {
        user,
        staff,
        role,
        person,
        username,
        department: department(world, role, at),
        hired,
        active: at == 0 || world.dice.chance(96),
        shift: world.dice.weighted(&[("day", 5), ("night", 2), ("rotating", 3)]),
    };
    user_row(world, &member);
    if member.active && role != "auditor" {
        let team = world.teams.entry((member.department, role)).or_default();
        team.push(unit);
    }
    world.members.push(member);
}

/// The user name of a demo sign-in.
pub(super) fn sign_in_name(role: &str, series: &str) -> String {
    match series {
        "" => role.to_owned(),
        series => format!("{role}-{}", series.to_ascii_lowercase()),
    }
}

fn role_of(size: Size, unit: usize) -> (&'static str, usize) {
    let mut before = 0;
    for (role, number) in roles(size) {
        if unit < before + number {
            return (role, unit - before);
        }
        before += number;
    }
    unreachable!("BUG: more people than all roles together")
}

/// Doctors and nurses are spread over the wards by their beds' share, the first few one to each.
fn department(world: &mut World, role: &str, at: usize) -> usize {
    match role {
        "nurse" | "doctor" if at < world.wards() => at,
        "nurse" | "doctor" => {
            let shares: Vec<(usize, u32)> = (0..world.wards())
                .map(|ward| (ward, u32::try_from(world.departments[ward].kind.share).unwrap_or(1)))
                .collect();
            world.dice.weighted(&shares)
        }
        "cleaner" => world.department("Housekeeping"),
        _ => world.department("Administration"),
    }
}

fn user_row(world: &mut World, member: &Member) {
    let values = vec![
        ("username", member.username.as_str().into()),
        ("email", format!("{}@hospital.example", member.username).into()),
        ("role", member.role.into()),
        ("first_name", member.person.first.as_str().into()),
        ("last_name", member.person.last.as_str().into()),
        ("phone", member.person.phone.as_str().into()),
        ("is_active", Value::Bool(true)),
    ];
    world.row_with("users", member.user, member.hired, values);
}

/// Departments with their heads, then everybody as staff of one.
pub(super) fn appoint_heads(world: &mut World, _: usize) {
    for department in 0..world.departments.len() {
        let head = world.teams.get(&(department, "doctor")).map(|team| team[0]);
        places::department_row(world, department, head);
    }
    for at in 0..world.members.len() {
        let member = world.members[at].clone();
        staff_row(world, at, &member);
    }
}

fn staff_row(world: &mut World, at: usize, member: &Member) {
    let kind = world.departments[member.department].kind;
    let doctor = member.role == "doctor";
    let licensed = doctor || member.role == "nurse";
    let license = format!(
        "{}{:06}",
        if doctor { "MD-" } else { "RN-" },
        world.dice.between(100_000, 999_999)
    );
    let values = vec![
        ("user_id", member.user.into()),
        ("employee_id", format!("E{}{:05}", world.series, at + 1).into()),
        ("department_id", world.departments[member.department].id.into()),
        ("position", position(world, member.role).into()),
        ("specialization", doctor.then_some(kind.specialization).into()),
        ("license_number", licensed.then_some(license).into()),
        ("hire_date", date(member.hired)),
        ("salary", salary(world, member.role)),
        ("shift_pattern", member.shift.into()),
        ("status", if member.active { "active" } else { "on_leave" }.into()),
    ];
    world.row_with("staff", member.staff, member.hired, values);
}

fn position(world: &mut World, role: &str) -> &'static str {
    match role {
        "doctor" => world
            .dice
            .weighted(&[("Resident", 5), ("Attending physician", 4), ("Senior physician", 2)]),
        "nurse" => world
            .dice
            .weighted(&[("Registered nurse", 8), ("Charge nurse", 1), ("Nursing assistant", 3)]),
        "cleaner" => "Cleaner",
        "receptionist" => "Receptionist",
        "manager" => "Ward manager",
        "admin" => "System administrator",
        _ => "Auditor",
    }
}

/// A year's, in whole hundreds.
fn salary(world: &mut World, role: &str) -> Value {
    let (low, high) = match role {
        "doctor" => (720, 1_600),
        "manager" => (600, 950),
        "nurse" | "admin" | "auditor" => (420, 700),
        _ => (280, 400),
    };
    money(world.dice.between(low, high) * 100 * 100)
}

/// A time when somebody of the house was at work: not before the hiring.
pub(super) fn not_before(member: &Member, time: Timestamp) -> Timestamp {
    time.max(member.hired)
}
