//! Three devices do what comes to their minds, answers get lost, stores are closed in between, roles change. In the end all
//! tables are equal.

use holdfast_store::testing::{Device, TestServer};
use serde_json::json;

use crate::{
    chance::{Dice, command, settle_one},
    ward::{edit, hospital, id, settle},
};

/// One request, whose answer may get lost or come twice.
fn exchange(device: &mut Device, server: &mut TestServer, dice: &mut Dice) {
    device.replica.wake();
    let Some(request) = device.replica.next_request().unwrap() else {
        return;
    };
    let response = device.send(server, &request).unwrap();
    for _ in 0..dice.below(3) {
        device.replica.take_response(&request.kind, &response).unwrap();
    }
}

fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let mut server = hospital();
    server.pull_page = 3;
    server.snapshot_page = 5;
    let mut mira = Device::new(&mut server, 99, "mira").unwrap();
    let mut devices: Vec<Device> = [(10, "nora"), (20, "nils"), (30, "nora")]
        .into_iter()
        .map(|(n, name)| Device::new(&mut server, n, name).unwrap())
        .collect();
    for step in 0..80 {
        let at = dice.below(devices.len());
        match dice.below(20) {
            0..10 => {
                let (kind, command) = command(&mut dice);
                let _refused = devices[at].run(kind, command);
            }
            10..16 => exchange(&mut devices[at], &mut server, &mut dice),
            16 => settle_one(&mut devices[at], &mut dice),
            17 => {
                let device = devices.remove(at);
                devices.push(device.reopen(&server, 1_000 + step).unwrap());
            }
            18 => {
                let role = dice.of(&["nurse", "cleaner"]);
                let _same = mira.run("editRow", edit("users", id(0x11), json!({ "role": role })));
                mira.sync(&mut server).unwrap();
            }
            _ => drop(devices[at].sync(&mut server).unwrap()),
        }
        devices[at.min(devices.len() - 1)].dump().unwrap();
    }
    let mut all: Vec<&mut Device> = devices.iter_mut().collect();
    settle(&mut server, &mut all);
    let mut late = Device::new(&mut server, 77, "nils").unwrap();
    settle(&mut server, &mut [&mut late]);
    let open = |device: &Device| {
        let mut ids: Vec<String> = device.replica.conflicts().unwrap().into_iter().map(|c| c.id).collect();
        ids.sort();
        ids
    };
    for device in &devices {
        assert_eq!(open(device), open(&late));
    }
}

#[test]
fn after_any_storm_all_tables_and_conflicts_are_equal() {
    for seed in 0..40 {
        println!("seed {seed}");
        storm(seed);
    }
}
