//! Wards with hubs, in the runs of some seeds: devices are in a ward, at home, or go from one to the other; links are cut; hubs
//! die and are put back to backups.

use crate::{
    dice::Dice,
    hospital::HUBS,
    plan::{fate, point},
    step::{Errand, Fate, Run, Step},
};

/// More devices than this make such a run too long.
const MAX_DEVICES: u8 = 6;

/// Of a hundred runs, how many have hubs.
const SHARE: usize = 30;

struct Wards {
    devices: u8,
    hubs: u8,
    /// Of a hundred exchanges of a hub, how many are disturbed.
    network: usize,
    /// Of a hundred of its steps, how many are faults of the machine.
    machines: usize,
}

/// Gives the run of a seed its hubs, if it has any. It is chosen apart, so that the other runs stay as they are.
pub fn add(seed: u64, run: &mut Run) {
    let dice = Dice::new(seed ^ 0x4855_4253);
    if run.devices > MAX_DEVICES || !dice.percent(SHARE) {
        return;
    }
    let wards = Wards {
        devices: run.devices,
        hubs: dice.weighted(&[(3, 1), (1, HUBS as u8)]),
        network: dice.of(&[0, 20, 50]),
        machines: dice.of(&[0, 4, 12]),
    };
    run.hubs = wards.hubs;
    let mut steps = Vec::with_capacity(run.steps.len() * 2);
    for device in 0..wards.devices {
        if dice.percent(75) {
            steps.push(wards.roam(device, &dice));
        }
    }
    for step in run.steps.drain(..) {
        if dice.percent(40) {
            steps.push(wards.step(&dice));
        }
        steps.push(step);
    }
    run.steps = steps;
}

impl Wards {
    fn step(&self, dice: &Dice) -> Step {
        let hub = 1 + dice.below(self.hubs.into()) as u8;
        if dice.percent(self.machines) {
            return match dice.below(10) {
                0..4 => Step::CrashHub { hub, at: point(dice) },
                4 | 5 => Step::RestartHub { hub },
                6..9 => Step::BackupHub { hub },
                _ => Step::RestoreHub { hub },
            };
        }
        match dice.below(20) {
            0..11 => Step::Errand {
                hub,
                errand: dice.weighted(&[(1, Errand::Access), (4, Errand::Page), (4, Errand::Push)]),
                fate: if dice.percent(self.network) {
                    fate(dice)
                } else {
                    Fate::Arrives
                },
            },
            11..14 => Step::SyncHub { hub },
            14 | 15 => Step::Link {
                hub,
                up: !dice.percent(self.network),
            },
            _ => self.roam(dice.below(self.devices.into()) as u8, dice),
        }
    }

    fn roam(&self, device: u8, dice: &Dice) -> Step {
        let server = if dice.percent(30) {
            0
        } else {
            1 + dice.below(self.hubs.into()) as u8
        };
        Step::Roam { device, server }
    }
}
