//! A ward with a hub: the real binary as the hospital's server and as the hub, real devices, and a line between the two servers
//! that can be cut.

mod access;
mod busy;
mod damaged;
mod killed;
mod outage;
mod refused;
mod roaming;
mod start;
mod tls;

use holdfast_core::ids::TransactionId;
use holdfast_store::replica::Durability;
use holdfast_tests::{
    contents::{Contents, assert_same, replicated, unrestricted},
    device::Device,
    hospital::{Hospital, PASSWORD},
    ward::Ward,
};
use serde_json::json;

/// A device of this user that has copied the hospital from the ward's hub.
fn device(hospital: &mut Hospital, ward: &Ward, username: &str) -> Device {
    let mut device = hospital.new_device();
    device.server = ward.address();
    device
        .sign_in(username, PASSWORD)
        .unwrap_or_else(|e| panic!("{username} cannot sign in: {e}\n{}", ward.hub.said()));
    device.sync();
    device
}

/// Makes a patient.
fn patient(device: &mut Device, number: &str) -> TransactionId {
    let values = json!({ "patient_number": number, "first_name": "A", "last_name": "B",
        "date_of_birth": "1980-05-05" });
    let receipt = device.run("createRow", json!({ "table": "patients", "values": values }));
    receipt.transaction_id
}

/// How many patients with this number a device shows.
fn shown(device: &mut Device, number: &str) -> usize {
    device
        .rows(&format!("SELECT id FROM patients WHERE patient_number = '{number}'"))
        .len()
}

fn durability(device: &Device, id: TransactionId) -> Option<Durability> {
    device.replica.durability(id).expect("the store can be read")
}

/// Passes everything on, and lets all devices have it.
fn all_arrives(ward: &Ward, devices: &mut [&mut Device]) {
    for _ in 0..2 {
        for device in devices.iter_mut() {
            device.sync();
        }
        ward.wait_until_passed_on();
    }
    for device in devices.iter_mut() {
        device.sync();
    }
}

/// Hospital, hub and devices have the same rows; hospital and hub the same stream, with nothing twice.
fn assert_equal_everywhere(hospital: &Hospital, ward: &Ward, devices: &[&Device]) {
    let stream = hospital.server.stream();
    assert_eq!(ward.hub.stream(), stream, "the hub has the hospital's stream");
    let mut ids: Vec<_> = stream.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), stream.len(), "nothing is in the stream twice");
    let server = hospital.server.contents(replicated);
    assert_same("the hospital", &server, "the hub", &ward.hub.contents(replicated));
    for device in devices {
        let sees_all = device.replica.session().is_some_and(|s| s.role != "nurse");
        let compared = if sees_all { replicated } else { unrestricted };
        let contents = Contents::of_sqlite(device.file(), compared);
        assert_same(
            "the hospital",
            &hospital.server.contents(compared),
            "a device",
            &contents,
        );
    }
    if let Err(said) = hospital.server.verify() {
        panic!("the hospital's tables are not what its log says: {said}");
    }
}
