//! The hospital that every run begins with. It is made once in a process.

use std::sync::OnceLock;

use holdfast_core::{ids::RowId, protocol::PushOutcome};
use holdfast_store::{
    StoreError,
    testing::{Clock, Device, Disk, TestServer},
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// Who works here: user name and role. Managers see salaries.
pub const PEOPLE: [(&str, &str); 8] = [
    ("nora", "nurse"),
    ("nils", "nurse"),
    ("dora", "doctor"),
    ("rita", "receptionist"),
    ("carl", "cleaner"),
    ("mira", "manager"),
    ("aron", "auditor"),
    ("nina", "nurse"),
];

/// So many of them, the first, may get another role.
pub const CHANGING: u128 = 6;

/// The supplies that are counted, and how many there are.
pub const SUPPLIES: [(RowId, i64); 3] = [(id(0x61), 40), (id(0x62), 15), (id(0x63), 100)];

/// There are no more hubs than this.
pub const HUBS: usize = 2;

/// A row's id.
pub const fn id(n: u128) -> RowId {
    RowId(Uuid::from_u128(n))
}

/// The server's disk at the beginning.
pub fn server() -> &'static Disk {
    static DISK: OnceLock<Disk> = OnceLock::new();
    DISK.get_or_init(|| build().expect("BUG: the hospital cannot be made"))
}

/// The disk of a hub that has copied the beginning. Hubs are numbered from 1.
pub fn hub(number: usize) -> &'static Disk {
    static DISKS: [OnceLock<Disk>; HUBS] = [const { OnceLock::new() }; HUBS];
    DISKS[number - 1].get_or_init(|| build_hub(number).expect("BUG: the hub cannot be made"))
}

fn build_hub(number: usize) -> Result<Disk, StoreError> {
    let mut hospital = TestServer::start(server(), Clock::default(), 1)?;
    let mut hub = TestServer::hub(&hospital, number as u64)?;
    hub.exchange(&mut hospital)?;
    hub.disk()
}

/// The disk of a new device.
pub fn device() -> &'static Disk {
    static DISK: OnceLock<Disk> = OnceLock::new();
    DISK.get_or_init(|| Device::blank().expect("BUG: a new device cannot be made"))
}

fn build() -> Result<Disk, StoreError> {
    let mut server = TestServer::new()?;
    let mut given = |table: &str, row: u128, values: Json| -> Result<(), StoreError> {
        let outcome = server.import(table, id(row), &values)?;
        assert!(
            matches!(outcome, PushOutcome::Accepted { .. }),
            "BUG: {table}: {outcome:?}"
        );
        Ok(())
    };
    for (n, (username, role)) in (0x10..).zip(PEOPLE) {
        let email = format!("{username}@hospital.test");
        let user =
            json!({ "username": username, "email": email, "role": role, "first_name": username, "last_name": "Berg" });
        given("users", n, user)?;
    }
    for (n, name) in [(0x21, "Surgery"), (0x22, "Medicine")] {
        given("departments", n, json!({ "name": name }))?;
    }
    for n in 0..5_u128 {
        let staff = json!({ "user_id": id(0x10 + n), "employee_id": format!("E-{n}"), "department_id": id(0x21 + n % 2),
            "position": "ward", "hire_date": "2020-01-01", "salary": format!("{}.00", 3_000 + n) });
        given("staff", 0x30 + n, staff)?;
    }
    for n in 0..2_u128 {
        given(
            "rooms",
            0x41 + n,
            json!({ "room_number": format!("10{n}"), "department_id": id(0x21 + n) }),
        )?;
    }
    for n in 0..4_u128 {
        given(
            "beds",
            0x51 + n,
            json!({ "bed_number": n.to_string(), "room_id": id(0x41 + n % 2) }),
        )?;
    }
    for n in 0..6_u128 {
        let patient = json!({ "patient_number": format!("P-{n}"), "first_name": format!("Anna{n}"), "last_name": "Holm",
            "date_of_birth": "1980-05-06", "allergies": "Nuts and penicillin." });
        given("patients", 0x81 + n, patient)?;
    }
    given("supply_categories", 0x60, json!({ "name": "Disposables" }))?;
    for (n, (_, stock)) in (0x61..).zip(SUPPLIES) {
        let supply = json!({ "item_code": format!("S-{n}"), "name": "gloves", "category_id": id(0x60),
            "unit_of_measure": "pairs", "current_stock": stock, "unit_cost": "0.25" });
        given("supplies", n, supply)?;
    }
    given("equipment_categories", 0x70, json!({ "name": "Monitoring" }))?;
    for n in 0..2_u128 {
        let monitor = json!({ "equipment_id": format!("M-{n}"), "name": "monitor", "category_id": id(0x70) });
        given("equipment", 0x71 + n, monitor)?;
    }
    server.disk()
}
