//! Connections are cut at random bytes, of requests and of answers.

use holdfast_tests::{
    contents::{Contents, assert_same, replicated},
    device::Device,
    hospital::{GLOVES, Hospital, PASSWORD},
    proxy::Proxy,
};
use serde_json::json;

crate::on_both_databases! {
    everything_arrives_once_though_connections_are_cut
}

const ROUNDS: usize = 40;
const EACH: usize = 3;

/// Syncs until it goes well.
fn insist(device: &mut Device) {
    for _ in 0..500 {
        if device.try_sync().is_ok() {
            return;
        }
    }
    panic!("500 attempts did not bring the device in step");
}

fn everything_arrives_once_though_connections_are_cut(mut hospital: Hospital) {
    let proxy = Proxy::start(&hospital.server.address(), 6);
    let mut device = hospital.device("ada");
    device.server = proxy.address();
    let mut made = Vec::new();
    for _ in 0..ROUNDS {
        for _ in 0..EACH {
            let command = json!({ "table": "supplies", "id": GLOVES.to_string(), "values": {},
                "add": { "current_stock": -1 } });
            made.push(device.run("editRow", command).transaction_id);
        }
        insist(&mut device);
    }
    // A new device copies everything through the same network.
    let file = hospital.new_file();
    let mut newcomer = Device::on_file(&file, &proxy.address());
    while newcomer.sign_in("ada", PASSWORD).is_err() {}
    insist(&mut newcomer);

    let logged = hospital.server.logged();
    let arrived = logged.iter().filter(|id| made.contains(id)).count();
    println!(
        "{} connections cut, made {}, arrived {arrived}",
        proxy.cuts(),
        made.len()
    );
    assert!(proxy.cuts() > 10, "hardly a connection was cut: the test shows nothing");
    assert_eq!(arrived, made.len());
    let server = hospital.server.contents(replicated);
    for device in [&mut device, &mut newcomer] {
        let stock = device.text(&format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'"));
        assert_eq!(stock, (100 - made.len() as i64).to_string());
        assert_same(
            "the server",
            &server,
            "a device",
            &Contents::of_sqlite(device.file(), replicated),
        );
    }
}
