//! A hub that dies at any of its writes, and starts again.

use holdfast_core::ids::TransactionId;
use holdfast_store::testing::{Crash, CrashPoint, Device, TestServer};
use serde_json::{Value as Json, json};

use crate::{
    ward::{ANNA, BED_1, BERT, CLEO, edit, id},
    world::{in_log, settle, ward},
};

/// What happens while the hub may die, step by step.
struct Story {
    centre: TestServer,
    hub: TestServer,
    nora: Device,
    nils: Device,
    made: Vec<TransactionId>,
}

/// What a device hears of a hub that may die meanwhile.
fn sync(device: &mut Device, hub: &mut TestServer, crash: &Crash) {
    device.replica.wake();
    while let Some(request) = device.replica.next_request().unwrap() {
        match device.send(hub, &request) {
            Ok(response) if !crash.has_struck() => {
                drop(device.replica.take_response(&request.kind, &response).unwrap());
            }
            _ => device.replica.take_failure("the hub is gone"),
        }
    }
}

impl Story {
    fn new() -> Self {
        let (mut centre, hub, nora, nils) = ward();
        centre.pull_page = 2;
        Self {
            centre,
            hub,
            nora,
            nils,
            made: Vec::new(),
        }
    }

    fn nora_does(&mut self, kind: &str, command: Json) {
        self.made.push(self.nora.run(kind, command).unwrap().transaction_id);
    }

    fn step(&mut self, step: usize, crash: &Crash) {
        match step {
            0 => {
                self.nora_does("editRow", edit("patients", ANNA, json!({ "phone": "1" })));
                self.nora_does("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 }));
                sync(&mut self.nora, &mut self.hub, crash);
            }
            1 => {
                let made = self
                    .nils
                    .run("editRow", edit("patients", ANNA, json!({ "email": "a@home.test" })));
                self.made.push(made.unwrap().transaction_id);
                self.nils.sync(&mut self.centre).unwrap();
            }
            // Whoever dies here stops here.
            2 | 4 => drop(self.hub.exchange(&mut self.centre)),
            3 => {
                let mut mira = Device::new(&mut self.centre, 90, "mira").unwrap();
                mira.run("editRow", edit("users", id(0x11), json!({ "role": "cleaner" })))
                    .unwrap();
                mira.sync(&mut self.centre).unwrap();
                // Refused at the hospital, and what comes after it is not.
                self.nora_does("editRow", edit("patients", CLEO, json!({ "phone": "3" })));
                sync(&mut self.nora, &mut self.hub, crash);
                sync(&mut self.nils, &mut self.hub, crash);
            }
            5 => {
                sync(&mut self.nora, &mut self.hub, crash);
                drop(self.hub.store.diverged());
            }
            _ => drop(self.hub.follow(&self.centre)),
        }
    }
}

/// False if the hub did not come to the point.
fn dies_at(point: CrashPoint) -> bool {
    let mut story = Story::new();
    let crash = story.hub.crash_at(point).unwrap();
    let mut struck = false;
    for step in 0..7 {
        story.step(step, &crash);
        if crash.has_struck() && !struck {
            struck = true;
            story.hub = story.hub.restart(900).unwrap();
            crash.spare(true);
        }
    }
    if !struck {
        return false;
    }
    let Story {
        mut centre,
        mut hub,
        mut nora,
        mut nils,
        made,
    } = story;
    hub.exchange(&mut centre).unwrap();
    centre.clock.pass(25 * 60);
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
    let mut refused = centre.quarantined().unwrap();
    refused.extend(hub.quarantined().unwrap());
    for id in made {
        let places = in_log(&centre, id) + usize::from(refused.contains(&id));
        assert_eq!(places, 1, "{point:?}: {id:?}");
    }
    true
}

#[test]
fn a_hub_that_dies_before_or_after_any_commit_loses_and_doubles_nothing() {
    let deaths = (1..).take_while(|n| dies_at(CrashPoint::BeforeCommit(*n)) && dies_at(CrashPoint::AfterCommit(*n)));
    assert!(deaths.count() > 10);
}

#[test]
fn a_hub_that_dies_anywhere_loses_and_doubles_nothing() {
    let deaths = (1..).step_by(7).take_while(|n| dies_at(CrashPoint::Inside(*n)));
    assert!(deaths.count() > 5);
}
