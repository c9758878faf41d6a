//! What people did, and what became of it, told apart from what the engine says of itself.
//!
//! A command is known by its device and the time at which it was given: both stay when its transaction is made again.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::ids::{DeviceId, RowId, Timestamp};
use holdfast_store::testing::Kept;
use serde_json::Value as Json;

use crate::{check::Violation, server::ServerNode};

/// Names a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// Where it was given.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub made_at: Timestamp,
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It waits on its device.
    Waits,
    /// Its device has it as refused.
    Refused,
    /// Its device was told that the stream has it.
    Acknowledged,
    /// When it was made again there was nothing left to do.
    Unneeded,
    /// It was given up, or its device's disk was put back to a time before it.
    GivenUp,
}

/// A command.
#[derive(Clone, Debug)]
pub struct Deed {
    /// As JSON.
    pub command: Json,
    /// What became of it.
    pub fate: Fate,
    /// Its device has forgotten that it did this: it cannot give it back to a server that was put back to a backup.
    pub forgotten: bool,
    /// It may disappear: see [`Fate::GivenUp`].
    excused: bool,
    /// The stream has had it. An answer that tells of it may come when the server was put back to a time before it.
    reached: bool,
}

impl Deed {
    /// The supply that it moves, and by how much.
    pub fn stock(&self) -> Option<(RowId, i64)> {
        let quantity = self.command["quantity"].as_i64()?;
        let supply = serde_json::from_value(self.command["supplyId"].clone()).ok()?;
        match self.command["type"].as_str()? {
            "takeStock" => Some((supply, -quantity)),
            "refillStock" => Some((supply, quantity)),
            _ => None,
        }
    }
}

/// All commands.
#[derive(Debug, Default)]
pub struct Ledger {
    deeds: BTreeMap<Key, Deed>,
}

impl Ledger {
    /// All commands.
    pub fn deeds(&self) -> &BTreeMap<Key, Deed> {
        &self.deeds
    }

    /// What a device has now may disappear.
    pub fn excuse(&mut self, device: DeviceId) {
        for (_, deed) in self.of_mut(device) {
            deed.excused = matches!(deed.fate, Fate::Waits | Fate::Refused);
            deed.forgotten |= deed.fate == Fate::Acknowledged;
        }
    }

    /// One command may disappear.
    pub fn excuse_one(&mut self, device: DeviceId, made_at: Timestamp) {
        if let Some(deed) = self.deeds.get_mut(&Key { device, made_at }) {
            deed.excused = true;
        }
    }

    fn of_mut(&mut self, device: DeviceId) -> impl Iterator<Item = (&Key, &mut Deed)> {
        self.deeds.iter_mut().filter(move |(key, _)| key.device == device)
    }

    /// Looks at what a device keeps. What is not there any more must have a reason: `unneeded` are those that there was
    /// nothing left to do for.
    pub fn observe(
        &mut self,
        device: DeviceId,
        kept: &[Kept],
        unneeded: &BTreeSet<Timestamp>,
        server: &ServerNode,
    ) -> Result<(), Violation> {
        for one in kept {
            let key = Key {
                device,
                made_at: one.made_at,
            };
            let fate = if one.state == "rejected" {
                Fate::Refused
            } else {
                Fate::Waits
            };
            let deed = self.deeds.entry(key).or_insert_with(|| Deed {
                command: one.command.clone(),
                fate,
                forgotten: false,
                excused: false,
                reached: false,
            });
            (deed.fate, deed.forgotten, deed.excused) = (fate, false, false);
            deed.reached = deed.reached || server.has(one.id)?;
        }
        let kept: BTreeSet<Timestamp> = kept.iter().map(|one| one.made_at).collect();
        for (key, deed) in self.of_mut(device) {
            if kept.contains(&key.made_at) || !matches!(deed.fate, Fate::Waits | Fate::Refused) {
                continue;
            }
            deed.fate = if deed.excused {
                Fate::GivenUp
            } else if deed.fate == Fate::Waits && unneeded.contains(&key.made_at) {
                Fate::Unneeded
            } else if deed.reached || server.count(*key)? > 0 {
                // Also what a hub refused and another way led to the hospital.
                deed.reached = true;
                Fate::Acknowledged
            } else {
                return Err(Violation::new(format!(
                    "a command disappeared from its device, {:?} until then: {}",
                    deed.fate, deed.command
                )));
            };
        }
        Ok(())
    }
}
