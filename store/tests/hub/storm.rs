//! Three devices roam between a ward's hub and the hospital, links are cut, answers get lost or come twice, stores are closed
//! and put back to backups. In the end all hold the same.

use holdfast_store::testing::{Answer, Device, Disk, Mutation, TestServer};
use serde_json::json;

use crate::{
    chance::{Dice, command, settle_one},
    ward::{edit, hospital, id},
    world::all_equal,
};

struct Storm {
    dice: Dice,
    centre: TestServer,
    hub: TestServer,
    devices: Vec<Device>,
    mira: Device,
    backups: (Disk, Disk),
    seed: u64,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut centre = hospital();
        centre.pull_page = 3;
        centre.snapshot_page = 5;
        let mira = Device::new(&mut centre, 99, "mira").unwrap();
        let devices = [(10, "nora"), (20, "nils"), (30, "nora")]
            .into_iter()
            .map(|(n, name)| Device::new(&mut centre, n, name).unwrap())
            .collect();
        let mut hub = TestServer::hub(&centre, seed).unwrap();
        hub.exchange(&mut centre).unwrap();
        Self {
            dice: Dice(seed),
            backups: (centre.disk().unwrap(), hub.disk().unwrap()),
            centre,
            hub,
            devices,
            mira,
            seed: 1_000 * seed + 1_000,
        }
    }

    /// One request of a device to whichever server is near; the answer may get lost or come twice.
    fn device_asks(&mut self, at: usize) {
        let server = if self.dice.below(3) == 0 {
            &mut self.centre
        } else {
            &mut self.hub
        };
        let device = &mut self.devices[at];
        device.replica.wake();
        let Some(request) = device.replica.next_request().unwrap() else {
            return;
        };
        let response = device.send(server, &request).unwrap();
        for _ in 0..self.dice.below(3) {
            device.replica.take_response(&request.kind, &response).unwrap();
        }
    }

    /// One request of the hub; likewise.
    fn hub_asks(&mut self) {
        let answer = if self.dice.below(2) == 0 {
            Some(self.hub.ask_page(&self.centre).unwrap())
        } else {
            self.hub.ask_push(&mut self.centre).unwrap()
        };
        let Some(answer) = answer else { return };
        let times = if matches!(answer, Answer::Diverged) {
            1
        } else {
            self.dice.below(3)
        };
        for _ in 0..times {
            self.hub.take_answer(&answer).unwrap();
        }
    }

    fn step(&mut self, restores: bool) {
        let at = self.dice.below(self.devices.len());
        self.seed += 1;
        match self.dice.below(30) {
            0..11 => {
                let (kind, command) = command(&mut self.dice);
                let _refused = self.devices[at].run(kind, command);
            }
            11..18 => self.device_asks(at),
            18..24 => self.hub_asks(),
            24 => settle_one(&mut self.devices[at], &mut self.dice),
            25 => {
                let device = self.devices.remove(at);
                self.devices.push(device.reopen(&self.centre, self.seed).unwrap());
            }
            26 => {
                let role = self.dice.of(&["nurse", "cleaner"]);
                let _same = self
                    .mira
                    .run("editRow", edit("users", id(0x11), json!({ "role": role })));
                self.mira.sync(&mut self.centre).unwrap();
            }
            27 => {
                self.hub = TestServer::start(&self.hub.disk().unwrap(), self.centre.clock.clone(), self.seed).unwrap();
            }
            28 if restores => match self.dice.below(4) {
                0 => self.backups.0 = self.centre.disk().unwrap(),
                1 => self.backups.1 = self.hub.disk().unwrap(),
                2 => self.hub = TestServer::start(&self.backups.1, self.centre.clock.clone(), self.seed).unwrap(),
                _ => {
                    self.centre = TestServer::start(&self.backups.0, self.centre.clock.clone(), self.seed).unwrap();
                    self.centre.pull_page = 3;
                    self.centre.snapshot_page = 5;
                }
            },
            _ => drop(self.devices[at].sync(&mut self.hub).unwrap()),
        }
        self.hub.dump().unwrap();
        if !restores {
            self.what_is_acknowledged_is_in_the_stream();
        }
    }

    /// A hub's word for it would be one too many: its disk may be lost.
    fn what_is_acknowledged_is_in_the_stream(&self) {
        for device in &self.devices {
            for id in device.acknowledged().unwrap() {
                assert!(self.centre.is_in_log(id).unwrap(), "{id} is not in the stream");
            }
        }
    }

    /// All links are up again. Two days pass, so that nobody waits to ask again.
    fn calm(&mut self) {
        for _ in 0..6 {
            self.centre.clock.pass(25 * 60);
            // Who stays away from the ward would go on showing what it heard there, for thirty days.
            for device in &mut self.devices {
                device.sync(&mut self.hub).unwrap();
                device.sync(&mut self.centre).unwrap();
            }
            self.mira.sync(&mut self.centre).unwrap();
            self.hub.exchange(&mut self.centre).unwrap();
        }
    }
}

fn storm(seed: u64, restores: bool) {
    println!("seed {seed}");
    let mut storm = Storm::new(seed);
    for _ in 0..90 {
        storm.step(restores);
    }
    storm.calm();
    if !restores {
        assert_eq!(
            storm.hub.store.relay_count().unwrap().transactions,
            0,
            "all is in the stream"
        );
    }
    let late = Device::new(&mut storm.hub, 77, "nils");
    assert!(late.is_err(), "the hospital must see a new device first");
    all_equal(&storm.centre, &storm.hub, storm.devices.iter().chain([&storm.mira]));
}

#[test]
fn after_any_storm_hub_hospital_and_devices_are_equal() {
    for seed in 0..25 {
        storm(seed, false);
    }
}

#[test]
fn after_any_storm_with_backups_put_back_they_are_equal() {
    for seed in 100..125 {
        storm(seed, true);
    }
}

#[test]
fn storms_show_every_mistake_that_a_hub_can_make() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let shows = |mutation: &Mutation| {
        let _broken = mutation.turn_on();
        (0..60).any(|seed| std::panic::catch_unwind(|| storm(seed, false)).is_err())
    };
    let missed: Vec<_> = Mutation::OF_HUBS.iter().filter(|mutation| !shows(mutation)).collect();
    std::panic::set_hook(hook);
    assert!(missed.is_empty(), "{missed:?}");
}
