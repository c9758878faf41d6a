//! A small hospital: three people, two beds, three patients, one supply.

use holdfast_core::ids::RowId;
use holdfast_store::{
    replica::{HttpRequest, HttpResponse},
    testing::{Device, TestServer},
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub const fn id(n: u128) -> RowId {
    RowId(Uuid::from_u128(n))
}

pub const BED_1: RowId = id(0x41);
pub const BED_2: RowId = id(0x42);
pub const ANNA: RowId = id(0x51);
pub const BERT: RowId = id(0x52);
pub const CLEO: RowId = id(0x53);
pub const GLOVES: RowId = id(0x61);
pub const SURGERY: RowId = id(0x21);

pub fn hospital() -> TestServer {
    let mut server = TestServer::new().unwrap();
    let mut given = |table, id, values: Json| {
        let outcome = server.import(table, id, &values).unwrap();
        assert!(
            matches!(outcome, holdfast_core::protocol::PushOutcome::Accepted { .. }),
            "{table}: {outcome:?}"
        );
    };
    for (n, username, role) in [
        (0x11, "nora", "nurse"),
        (0x12, "nils", "nurse"),
        (0x13, "mira", "manager"),
    ] {
        given(
            "users",
            id(n),
            json!({ "username": username, "email": format!("{username}@hospital.test"), "role": role,
                    "first_name": username, "last_name": "Berg" }),
        );
    }
    given("departments", SURGERY, json!({ "name": "Surgery" }));
    given(
        "rooms",
        id(0x31),
        json!({ "room_number": "101", "department_id": SURGERY }),
    );
    for (bed, number) in [(BED_1, "1"), (BED_2, "2")] {
        given("beds", bed, json!({ "bed_number": number, "room_id": id(0x31) }));
    }
    for (patient, name, number) in [(ANNA, "Anna", "P-1"), (BERT, "Bert", "P-2"), (CLEO, "Cleo", "P-3")] {
        given(
            "patients",
            patient,
            json!({ "patient_number": number, "first_name": name, "last_name": "Holm", "date_of_birth": "1980-05-06" }),
        );
    }
    given("supply_categories", id(0x60), json!({ "name": "Disposables" }));
    given(
        "supplies",
        GLOVES,
        json!({ "item_code": "G-1", "name": "gloves", "category_id": id(0x60), "unit_of_measure": "pairs",
                "current_stock": 10 }),
    );
    given(
        "staff",
        id(0x71),
        json!({ "user_id": id(0x13), "employee_id": "E-3", "department_id": SURGERY, "position": "manager",
                "hire_date": "2020-01-01", "salary": "4200.00" }),
    );
    server
}

/// Two nurses with a device each, in step with the server.
pub fn two_nurses(server: &mut TestServer) -> (Device, Device) {
    let nora = Device::new(server, 10, "nora").unwrap();
    let nils = Device::new(server, 20, "nils").unwrap();
    (nora, nils)
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
pub fn edit(table: &str, row: RowId, values: Json) -> Json {
    json!({ "table": table, "id": row, "values": values })
}

/// An answer of this server's hospital.
pub fn said(server: &TestServer, status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse {
        hospital: Some(server.store.hospital_id().unwrap().to_string()),
        ..unnamed(status, body)
    }
}

/// An answer that names no hospital, as a proxy gives it.
pub fn unnamed(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse {
        status,
        hospital: None,
        body,
    }
}

/// All exchange everything until nobody has anything new; then all tables are equal.
pub fn settle(server: &mut TestServer, devices: &mut [&mut Device]) {
    for _ in 0..3 {
        for device in &mut *devices {
            device.sync(server).unwrap();
            let status = device.replica.status().unwrap();
            assert_eq!(status.problem, None);
            assert_eq!(status.differences, 0, "it came to another checksum than the server");
        }
    }
    let mut expected = server.dump().unwrap();
    for device in devices {
        let mut found = device.dump().unwrap();
        // A nurse's device has no salaries.
        for dump in [&mut expected, &mut found] {
            for row in dump.get_mut("staff").unwrap() {
                *row = row
                    .split(' ')
                    .filter(|cell| !cell.starts_with("salary="))
                    .collect::<Vec<_>>()
                    .join(" ");
            }
        }
        assert_eq!(found, expected);
    }
}

/// A cell of a device's tables.
pub fn cell(device: &mut Device, table: &str, row: RowId, column: &str) -> Json {
    let sql = format!("SELECT {column} AS cell FROM {table} WHERE id = '{row}'");
    device.rows(&sql).unwrap()[0]["cell"].clone()
}

/// What a device asks next, and the server's answer, which may be taken later.
pub fn ask(device: &mut Device, server: &mut TestServer) -> (HttpRequest, HttpResponse) {
    device.replica.wake();
    let request = device.replica.next_request().unwrap().unwrap();
    let response = device.send(server, &request).unwrap();
    (request, response)
}

pub fn take(device: &mut Device, (request, response): &(HttpRequest, HttpResponse)) {
    device.replica.take_response(&request.kind, response).unwrap();
}

pub fn exchange(device: &mut Device, server: &mut TestServer) {
    let answered = ask(device, server);
    take(device, &answered);
}
