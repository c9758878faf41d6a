//! A small hospital on a real server: people who can sign in, a ward, and a row in every table.

use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use holdfast_core::{
    ids::{RowId, UserId},
    row::RowWrite,
    schema::Schema,
};
use holdfast_server::{
    store::Store,
    writer::{OPERATOR, Writer},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    device::Device,
    postgres::block_on,
    sample::{Filling, Sample},
    server::{Kind, Server},
    writes::create,
};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// The salary of the nurse, which only some may see. Also how it looks inside a document.
pub const SALARY: &str = "43210.98";

/// An administrator, `ada`.
pub const ADA: Uuid = Uuid::from_u128(0xada);
/// A nurse, `nora`.
pub const NORA: Uuid = Uuid::from_u128(0x20a);
/// A manager, `mona`.
pub const MONA: Uuid = Uuid::from_u128(0x30a);
/// The department.
pub const SURGERY: Uuid = Uuid::from_u128(0x50);
/// Its room.
pub const ROOM: Uuid = Uuid::from_u128(0x60);
/// Its beds.
pub const BEDS: [Uuid; 3] = [Uuid::from_u128(0xb1), Uuid::from_u128(0xb2), Uuid::from_u128(0xb3)];
/// Patients: Anna, Bert, Cleo.
pub const PATIENTS: [Uuid; 3] = [Uuid::from_u128(0xa1), Uuid::from_u128(0xa2), Uuid::from_u128(0xa3)];
/// 100 pairs of gloves.
pub const GLOVES: Uuid = Uuid::from_u128(0x91);

/// A running server with the hospital in it.
pub struct Hospital {
    /// The server.
    pub server: Server,
    devices: tempfile::TempDir,
    count: usize,
}

impl Hospital {
    /// The hospital on a new, running server.
    pub fn open(kind: Kind) -> Self {
        Self::open_on(Server::prepare(kind))
    }

    /// The hospital on this server, which does not run yet.
    pub fn open_on(mut server: Server) -> Self {
        block_on(fill(&server));
        server.start();
        // Devices are in memory, or on the disk, as the server is.
        let beside = server.folder().parent().expect("a folder is in another");
        let devices = tempfile::tempdir_in(beside).expect("a temporary folder can be made");
        Self {
            server,
            devices,
            count: 0,
        }
    }

    /// A device of this user that has copied the hospital.
    pub fn device(&mut self, username: &str) -> Device {
        let mut device = self.new_device();
        device
            .sign_in(username, PASSWORD)
            .unwrap_or_else(|e| panic!("{username} cannot sign in: {e}\n{}", self.server.said()));
        device.sync();
        device
    }

    /// A device on which nobody is signed in.
    pub fn new_device(&mut self) -> Device {
        let file = self.new_file();
        Device::on_file(&file, &self.server.address())
    }

    /// Where a new device may keep its store.
    pub fn new_file(&mut self) -> PathBuf {
        self.count += 1;
        self.devices.path().join(format!("device-{}.sqlite", self.count))
    }
}

/// Writes the hospital's rows as the server's own import.
async fn fill(server: &Server) {
    let store = Store::open(&server.location()).await.expect("a new store opens");
    let mut writer = Writer::new(&store, OPERATOR).await.expect("the store has a key");
    let outcomes = writer
        .write("import", vec![rows()])
        .await
        .expect("the store takes rows");
    for outcome in outcomes {
        outcome.expect("the hospital's rows are right");
    }
    let hash = password_hash();
    for user in [ADA, NORA, MONA] {
        store
            .set_password(UserId(user), &hash)
            .await
            .expect("the store takes a password");
    }
    if let Store::Postgres(store) = &store {
        store.pool().close().await;
    }
}

fn rows() -> Vec<RowWrite> {
    let sample = Sample::new(33);
    let mut rows: Vec<RowWrite> = Schema::hospital()
        .tables
        .iter()
        .map(|table| sample.create(table, Filling::Ordinary))
        .collect();
    rows.extend(people());
    rows.extend(ward());
    rows
}

fn people() -> Vec<RowWrite> {
    let user = |id: Uuid, username: &str, role: &str, first: &str| {
        let values = json!({ "username": username, "email": format!("{username}@example.org"), "role": role,
            "first_name": first, "last_name": "Berg", "is_active": true });
        create("users", RowId(id), &values)
    };
    let nurse = json!({ "user_id": NORA.to_string(), "employee_id": "E-1", "department_id": SURGERY.to_string(),
        "position": "Nurse", "hire_date": "2020-01-01", "salary": SALARY, "status": "active" });
    let mut rows = vec![
        user(ADA, "ada", "admin", "Ada"),
        user(NORA, "nora", "nurse", "Nora"),
        user(MONA, "mona", "manager", "Mona"),
        create("departments", RowId(SURGERY), &json!({ "name": "Surgery" })),
        create("staff", RowId(Uuid::from_u128(0x20b)), &nurse),
    ];
    for (id, first) in PATIENTS.iter().zip(["Anna", "Bert", "Cleo"]) {
        let values = json!({ "patient_number": format!("P-{first}"), "first_name": first, "last_name": "Klein",
            "date_of_birth": "1980-05-05", "allergies": "nuts", "blood_type": "A+" });
        rows.push(create("patients", RowId(*id), &values));
    }
    rows
}

fn ward() -> Vec<RowWrite> {
    let room = json!({ "room_number": "101", "department_id": SURGERY.to_string(), "capacity": 3 });
    let category = Uuid::from_u128(0x90);
    let gloves = json!({ "item_code": "GL-1", "name": "gloves", "category_id": category.to_string(),
        "unit_of_measure": "pairs", "current_stock": 100, "minimum_stock_level": 10, "unit_cost": "0.25" });
    let mut rows = vec![
        create("rooms", RowId(ROOM), &room),
        create("supply_categories", RowId(category), &json!({ "name": "Protection" })),
        create("supplies", RowId(GLOVES), &gloves),
    ];
    for (number, id) in (1..).zip(&BEDS) {
        let values = json!({ "bed_number": number.to_string(), "room_id": ROOM.to_string(), "bed_type": "standard",
            "status": "available" });
        rows.push(create("beds", RowId(*id), &values));
    }
    rows
}

/// As weak as argon2 allows: these tests sign in often and keep nothing secret.
fn password_hash() -> String {
    let params = Params::new(8, 1, 1, None).expect("argon2 allows these parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(PASSWORD.as_bytes());
    hash.expect("argon2 hashes").to_string()
}
