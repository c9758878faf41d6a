//! Meetings, of both kinds that hospitals keep.

use holdfast_core::ids::{RowId, Timestamp};

use super::{
    dice::{DAY, HOUR, MINUTE},
    vocabulary::MEETINGS,
    world::World,
};

pub(super) fn count(world: &World) -> usize {
    (world.size.beds / 6).max(6)
}

/// Alternately one of each kind, around now.
pub(super) fn make(world: &mut World, unit: usize) {
    let department = world.dice.index(world.wards());
    let day = world.dice.between(-20, 14);
    let start = Timestamp((world.now().0.div_euclid(DAY) + day) * DAY + world.dice.between(28, 62) * 15 * MINUTE);
    let called = world.dice.after(start, -25 * DAY, -21 * DAY);
    let title = *world.dice.pick(MEETINGS);
    let people = participants(world, department);
    if unit.is_multiple_of(2) {
        meeting(world, title, department, start, called, &people);
    } else {
        staff_meeting(world, title, department, start, called, &people);
    }
}

/// The first is the organizer.
fn participants(world: &mut World, department: usize) -> Vec<usize> {
    let mut people = vec![world.someone("doctor", department)];
    for _ in 0..world.dice.between(3, 7) {
        let role = world.dice.weighted(&[("nurse", 6), ("doctor", 3), ("manager", 1)]);
        let member = world.someone(role, department);
        if !people.contains(&member) {
            people.push(member);
        }
    }
    people
}

fn meeting(world: &mut World, title: &str, department: usize, start: Timestamp, called: Timestamp, people: &[usize]) {
    let over = start.0 + HOUR <= world.now().0;
    let cancelled = world
        .dice
        .chance(6)
        .then_some(Timestamp(start.0 - 22 * HOUR))
        .filter(|time| *time <= world.now());
    let status = match (cancelled, over) {
        (Some(_), _) => "cancelled",
        (None, true) => "completed",
        (None, false) => "scheduled",
    };
    let letters = |world: &mut World, number| -> String {
        (0..number)
            .map(|_| char::from(b'a' + world.dice.index(26) as u8))
            .collect()
    };
    let code = format!("{}-{}-{}", letters(world, 3), letters(world, 4), letters(world, 3));
    let values = vec![
        ("title", title.into()),
        (
            "description",
            format!("{title}, {}", world.departments[department].kind.name).into(),
        ),
        ("meeting_datetime", start.into()),
        (
            "duration_minutes",
            world.dice.weighted(&[(30_i64, 3), (45, 2), (60, 2)]).into(),
        ),
        (
            "location",
            format!("Conference room {}", world.dice.between(1, 6)).into(),
        ),
        ("google_meet_link", format!("https://meet.example.com/{code}").into()),
        (
            "google_event_id",
            format!("event{}", world.dice.between(100_000, 999_999)).into(),
        ),
        ("google_meet_room_code", code.into()),
        ("organizer_id", world.members[people[0]].user.into()),
        ("department_id", world.departments[department].id.into()),
        (
            "meeting_type",
            world
                .dice
                .weighted(&[("routine", 6), ("training", 2), ("emergency", 1)])
                .into(),
        ),
        ("status", status.into()),
        (
            "priority",
            world.dice.weighted(&[("normal", 7), ("high", 2), ("low", 1)]).into(),
        ),
        ("email_sent", true.into()),
        ("calendar_invites_sent", true.into()),
        ("reminder_sent", over.into()),
        ("agenda", format!("1. Open points\n2. {title}\n3. Next steps").into()),
        (
            "meeting_notes",
            (status == "completed").then_some("All points were covered.").into(),
        ),
        (
            "action_items",
            (status == "completed").then_some("Update the ward board guide.").into(),
        ),
        ("cancelled_at", cancelled.into()),
    ];
    let id = world.row("meetings", called, values);
    for member in people {
        participant(world, id, *member, start, called, status);
    }
}

fn participant(world: &mut World, meeting: RowId, member: usize, start: Timestamp, called: Timestamp, status: &str) {
    let answer = world.dice.weighted(&[("accepted", 8), ("declined", 1), ("invited", 1)]);
    let attended = status == "completed" && answer == "accepted";
    let answered = world.dice.after(called, 10 * MINUTE, 2 * DAY).min(start);
    let values = vec![
        ("meeting_id", meeting.into()),
        ("staff_id", world.members[member].staff.into()),
        ("attendance_status", if attended { "attended" } else { answer }.into()),
        (
            "response_datetime",
            (answer != "invited" && answered <= world.now())
                .then_some(answered)
                .into(),
        ),
        ("join_datetime", attended.then_some(start).into()),
        (
            "leave_datetime",
            attended.then_some(Timestamp(start.0 + 30 * MINUTE)).into(),
        ),
    ];
    world.row("meeting_participants", called, values);
}

fn staff_meeting(
    world: &mut World,
    title: &str,
    department: usize,
    start: Timestamp,
    called: Timestamp,
    people: &[usize],
) {
    let minutes = world.dice.weighted(&[(15_i64, 2), (30, 4), (60, 1)]);
    let now = world.now().0;
    let status = match (start.0 > now, start.0 + minutes * MINUTE > now) {
        (true, _) => "scheduled",
        (false, true) => "in_progress",
        (false, false) => "completed",
    };
    let values = vec![
        ("title", title.into()),
        (
            "description",
            format!("{title} of {}", world.departments[department].kind.name).into(),
        ),
        ("meeting_time", start.into()),
        ("duration_minutes", minutes.into()),
        (
            "location",
            format!("Staff room, floor {}", world.departments[department].kind.floor).into(),
        ),
        ("organizer_id", world.members[people[0]].staff.into()),
        ("department_id", world.departments[department].id.into()),
        ("status", status.into()),
    ];
    let id = world.row("staff_meetings", called, values);
    for member in people {
        let staff = world.members[*member].staff;
        world.pair("staff_meeting_participants", [("meeting_id", id), ("staff_id", staff)]);
    }
}
