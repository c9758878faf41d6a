//! The end of a run: all faults end, and all exchange everything.

use super::{Done, HOSPITAL, World};
use crate::{
    check::{self, Violation},
    hospital::PEOPLE,
    step::Step,
};

/// A little more than the time after which a device or a hub asks again about what it was told is kept.
const DAY: u16 = 25 * 60;

/// A little more than the server keeps what waits for something.
const MONTH: u16 = 32 * 1_440;

/// So often all exchange everything in the end before it is an error that they have not come to rest.
const MAX_ROUNDS: usize = 12;

/// The rounds before which a month passes: what was made anew after the first may wait for what is gone once more.
const MONTHS_IN: [usize; 2] = [6, 9];

impl World {
    /// All faults end: what is under way arrives, whoever was signed out signs in, and all exchange everything until nothing
    /// is left.
    pub(super) fn heal(&mut self) -> Done {
        self.next_step();
        for server in &mut self.servers {
            server.link = true;
            // Else one machine would not see in months that what another one keeps has waited for long enough.
            server.set_clocks_right();
            server.restart().map_err(Violation::engine)?;
        }
        for node in &mut self.devices {
            node.line = true;
            node.restart().map_err(Violation::engine)?;
        }
        for message in 0..40 {
            self.arrive(message)?;
        }
        let mut head = None;
        for round in 0..MAX_ROUNDS {
            self.sync_hubs()?;
            if MONTHS_IN.contains(&round) && (self.hospital().restored || !self.hubs().is_empty()) {
                // What builds on what nobody can give back is answered in the end.
                self.step(&Step::Pass { minutes: MONTH })?;
            }
            for device in 0..self.devices.len() {
                self.next_step();
                self.devices[device].server = self.server_in_round(device, round);
                self.sign_in_again(device)?;
                self.sync(device)?;
                check::a_device_in_step_with_a_hub_has_no_more_of_it(self, device)?;
            }
            self.sync_hubs()?;
            let now = self.hospital().look().store.head().map_err(Violation::engine)?;
            if head.replace(now) == Some(now) && self.are_all_at_the_hospital() && self.is_quiet()? {
                return self.observe_all();
            }
        }
        Err(check::unrest(self))
    }

    /// Every other time all go to the hospital, in between to the hubs in turn: who heard of something at a hub hears there
    /// what became of it.
    fn server_in_round(&self, device: usize, round: usize) -> usize {
        match round % 2 {
            0 => (device + round / 2) % self.servers.len(),
            _ => HOSPITAL,
        }
    }

    /// A device at a hub does not know yet what the hospital's server may have lost: hubs may be behind.
    fn are_all_at_the_hospital(&self) -> bool {
        self.devices.iter().all(|device| device.server == HOSPITAL)
    }

    /// What a device was told is with a hub, or what a hub asks again about, is due.
    fn sync_hubs(&mut self) -> Done {
        if self.hubs().is_empty() {
            return Ok(());
        }
        self.next_step();
        self.step(&Step::Pass { minutes: DAY })?;
        for hub in 1..self.servers.len() {
            self.sync_hub(hub)?;
        }
        self.observe_all()
    }

    /// Whoever was there last signs in again, or if that cannot be, somebody else.
    fn sign_in_again(&mut self, device: usize) -> Done {
        let last = self.devices[device].person;
        for person in [last].into_iter().chain(0..PEOPLE.len()) {
            let node = &self.devices[device];
            if node.revoked || (node.look().replica.token().is_some() && !node.is_signed_out()) {
                return Ok(());
            }
            self.sign_in(device, person)?;
        }
        Err(Violation::new(format!("nobody can sign in on device {device}")))
    }

    fn is_quiet(&self) -> Result<bool, Violation> {
        for node in self.devices.iter().filter(|node| !node.revoked) {
            let status = node.look().replica.status().map_err(Violation::engine)?;
            if status.waiting > 0 || status.problem.is_some() {
                return Ok(false);
            }
        }
        self.hubs_are_quiet()
    }
}
