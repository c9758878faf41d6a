//! A run from a seed. Each seed has its own temper: how many devices, how bad the network, how often machines die.

use std::collections::BTreeSet;

use holdfast_store::testing::CrashPoint;

use crate::{
    dice::Dice,
    hospital::{self, PEOPLE},
    step::{Fate, Run, Step},
    wards,
    work::WEIGHTS,
};

/// How a run is.
struct Temper {
    devices: u8,
    /// Of a hundred exchanges, how many are disturbed.
    network: usize,
    /// Of a hundred steps, how many are faults of machines.
    machines: usize,
    /// Of a hundred steps, how many are commands.
    work: usize,
    /// Of a hundred steps, how many are such as this hospital has more often than others.
    trouble: Option<(usize, Trouble)>,
}

/// What happens too often in some hospitals.
#[derive(Clone, Copy)]
enum Trouble {
    /// The server is put back to backups, again and again, also while devices copy it anew.
    Restores,
    /// People get other roles, who may see more or less.
    Roles,
}

/// The roles that people get: one that sees restricted columns, three that do not, one of which may write little.
const ROLES: [&str; 5] = ["nurse", "cleaner", "doctor", "manager", "manager"];

/// The run of a seed.
pub fn plan(seed: u64) -> Run {
    let dice = Dice::new(seed);
    let temper = Temper {
        devices: dice.weighted(&[(12, 2), (12, 3), (8, 4), (4, 6), (2, 12), (1, 24), (1, 40)]),
        network: dice.of(&[0, 10, 30, 60]),
        machines: dice.of(&[0, 3, 8, 15]),
        work: dice.of(&[30, 50, 65]),
        trouble: dice.of(&[
            None,
            None,
            None,
            Some((8, Trouble::Restores)),
            Some((8, Trouble::Roles)),
        ]),
    };
    let length = 40 + dice.below(120) + usize::from(temper.devices) * 5;
    let mut picks = BTreeSet::new();
    let mut steps = Vec::with_capacity(length);
    // Most have their copy of the hospital when it begins.
    steps.extend(
        (0..temper.devices)
            .filter(|_| dice.percent(85))
            .map(|device| Step::Sync { device }),
    );
    let begun = steps.len();
    while steps.len() < length {
        steps.push(step(&temper, &dice, &mut picks));
    }
    // Chosen apart, so that the other runs stay as they are.
    if Dice::new(!seed).percent(10) {
        lose_a_day(&mut steps, begun, temper.devices);
    }
    let mut run = Run {
        devices: temper.devices,
        page: dice.of(&[2, 5, 20, 100]),
        hubs: 0,
        processes: 1,
        personal: dice.percent(30),
        steps,
    };
    wards::add(seed, &mut run);
    if Dice::new(seed ^ 0x5052_4f43).percent(25) {
        run.processes = 2;
    }
    // Apart, too.
    let dice = Dice::new(seed ^ 0x4f4c_4445_5253);
    if dice.percent(10) {
        add_older_devices(&mut run.steps, &dice, &mut picks);
    }
    run
}

/// Not all devices have the new version yet.
fn add_older_devices(steps: &mut Vec<Step>, dice: &Dice, picks: &mut BTreeSet<u32>) {
    for _ in 0..=dice.below(8) {
        let at = dice.below(steps.len() + 1);
        let pick = pick(dice, picks);
        steps.insert(at, Step::Older { pick });
    }
}

/// The server loses what devices did, told one another and went on with: its disk is put back to the beginning.
fn lose_a_day(steps: &mut Vec<Step>, begun: usize, devices: u8) {
    let exchange = || (0..devices).map(|device| Step::Sync { device });
    let (told, lost) = (steps.len() / 2, steps.len() * 3 / 4);
    steps.splice(lost..lost, exchange().chain([Step::RestoreServer]));
    steps.splice(told..told, exchange());
    steps.insert(begun, Step::BackupServer);
}

fn step(temper: &Temper, dice: &Dice, picks: &mut BTreeSet<u32>) -> Step {
    let device = dice.below(temper.devices.into()) as u8;
    if let Some((share, trouble)) = temper.trouble
        && dice.percent(share)
    {
        return trouble.step(dice);
    }
    if dice.percent(temper.machines) {
        return fault(device, dice, picks);
    }
    if dice.percent(temper.work) {
        return Step::Do {
            device,
            work: dice.weighted(WEIGHTS),
            pick: pick(dice, picks),
        };
    }
    match dice.below(20) {
        0..10 => Step::Exchange {
            device,
            fate: if dice.percent(temper.network) {
                fate(dice)
            } else {
                Fate::Arrives
            },
        },
        10..14 => Step::Sync { device },
        14 | 15 => Step::Arrive {
            message: dice.below(16) as u8,
        },
        16 => Step::Line {
            device,
            up: !dice.percent(temper.network),
        },
        17 => Step::SignIn {
            device,
            person: dice.below(PEOPLE.len()) as u8,
        },
        _ => Step::Pass {
            minutes: dice.of(&[1, 10, 60, 480, 1_440, 4_320, 10_080]),
        },
    }
}

/// A number that no other step has: ids are drawn from it.
fn pick(dice: &Dice, picks: &mut BTreeSet<u32>) -> u32 {
    loop {
        let pick = dice.number() as u32;
        if picks.insert(pick) {
            return pick;
        }
    }
}

pub(crate) fn fate(dice: &Dice) -> Fate {
    match dice.below(7) {
        0 => Fate::RequestLost,
        1 => Fate::AnswerLost,
        2 => Fate::AnswerCut(dice.below(1_000) as u16),
        3 => Fate::AnswerTwice,
        4 => Fate::RequestTwice,
        5 => Fate::RequestLate,
        _ => Fate::AnswerLate,
    }
}

fn fault(device: u8, dice: &Dice, picks: &mut BTreeSet<u32>) -> Step {
    match dice.below(42) {
        0..10 => Step::Crash {
            device,
            at: point(dice),
        },
        10..14 => Step::CrashServer { at: point(dice) },
        14..18 => Step::Restart { device },
        18..22 => Step::Backup { device },
        22..25 => Step::Restore { device },
        25..29 => Step::Clock {
            device,
            minutes: minutes(dice),
        },
        29 => Step::ServerClock { minutes: minutes(dice) },
        30..32 => Step::SignOut { device },
        32 => Step::Discard { device },
        33 => Step::EndSessions,
        37..40 => role(dice),
        34..36 => Step::Newer {
            pick: pick(dice, picks),
        },
        40 => Step::BackupServer,
        41 => Step::RestoreServer,
        36 if dice.percent(20) => Step::Revoke { device },
        _ => Step::Line {
            device,
            up: dice.percent(50),
        },
    }
}

impl Trouble {
    fn step(self, dice: &Dice) -> Step {
        match self {
            Self::Restores if dice.percent(60) => Step::BackupServer,
            Self::Restores => Step::RestoreServer,
            Self::Roles => role(dice),
        }
    }
}

fn role(dice: &Dice) -> Step {
    Step::Role {
        person: dice.below(hospital::CHANGING as usize) as u8,
        role: dice.of(&ROLES),
    }
}

pub(crate) fn point(dice: &Dice) -> CrashPoint {
    match dice.below(3) {
        0 => CrashPoint::BeforeCommit(1 + dice.below(3) as u32),
        1 => CrashPoint::AfterCommit(1 + dice.below(3) as u32),
        _ => CrashPoint::Inside(1 + dice.below(400) as u32),
    }
}

/// Days, forwards or back.
fn minutes(dice: &Dice) -> i32 {
    let days = dice.of(&[1, 2, 10, 400]) * 1_440;
    if dice.percent(50) { days } else { -days }
}
