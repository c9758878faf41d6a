//! Transactions that came before what they depend on: who waits for which change or row, and whose turn it is when that comes.
//!
//! ```text
//!                                 ┌─► accepted(arrived) ─► next(): Judge   ─► accepted or refused, and so on
//!  Missing ─► add ─► it waits ────┼─► refused(brought)  ─► next(): Refuse  ─► refused
//!               └─► Unkept        └─► expire(time)      ─► next(): Refuse  ─► refused
//! ```
//!
//! It holds names only; a store keeps the transactions themselves, and everything here durably.
//!
//! *Architecture invariants*
//! - What waits is bounded, in all and for each device, so that none can fill the server or keep the others out.
//! - What waits comes out again: when all that it waits for is there, when something of that is refused, or when it has waited
//!   too long. Nobody waits for himself, not in a circle either.
//! - A change that is refused never comes. A row may all the same: its device makes anew what it can of what was refused for
//!   another reason, under the same id. So only what the same device made, which it makes anew too, is refused with the row.
//! - What comes out comes in the order in which it went in.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

mod awaited;

pub use awaited::{Awaited, Unmet, Why, arrived, brought, own_changes};

use crate::{
    ids::{DeviceId, Timestamp, TransactionId},
    transaction::Opened,
};

/// How long a transaction may wait, in microseconds: 30 days.
pub const MAX_WAIT: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// A transaction that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// Which.
    pub id: TransactionId,
    /// Who sent it.
    pub device: DeviceId,
    /// Since when.
    pub since: Timestamp,
    /// How large the stored transaction is.
    pub bytes: usize,
    /// What it waits for, never empty.
    pub missing: BTreeSet<Awaited>,
    /// What it brings: see [`brought`].
    pub brings: BTreeSet<Awaited>,
}

impl Waiter {
    /// A transaction that begins to wait.
    pub fn new(opened: &Opened, missing: BTreeSet<Awaited>, bytes: usize, since: Timestamp) -> Self {
        Self {
            id: opened.body.id,
            device: opened.body.device,
            since,
            bytes,
            missing,
            brings: brought(opened).collect(),
        }
    }

    fn load(&self) -> Load {
        Load {
            transactions: 1,
            bytes: self.bytes,
            names: self.missing.len() + self.brings.len(),
        }
    }
}

/// How much waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Transactions.
    pub transactions: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Changes and rows that they wait for or bring.
    pub names: usize,
}

impl Load {
    fn and(self, more: Self) -> Self {
        Self {
            transactions: self.transactions + more.transactions,
            bytes: self.bytes + more.bytes,
            names: self.names + more.names,
        }
    }

    fn without(self, less: Self) -> Self {
        Self {
            transactions: self.transactions - less.transactions,
            bytes: self.bytes - less.bytes,
            names: self.names - less.names,
        }
    }

    fn fits(self, limit: Self) -> bool {
        self.transactions <= limit.transactions && self.bytes <= limit.bytes && self.names <= limit.names
    }
}

/// How much may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// In all.
    pub all: Load,
    /// Of one device.
    pub device: Load,
}

impl Default for Limits {
    /// What a server can look through with every push: some ten milliseconds.
    fn default() -> Self {
        Self {
            all: Load {
                transactions: 4_096,
                bytes: 64 << 20,
                names: 50_000,
            },
            device: Load {
                transactions: 1_024,
                bytes: 16 << 20,
                names: 10_000,
            },
        }
    }
}

/// Why a transaction cannot wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unkept {
    /// There is no room.
    Full,
    /// What it waits for does not come.
    Unmet(Unmet),
}

/// A transaction that waits no longer, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// All that it waited for is here: ingest it.
    Judge,
    /// It cannot be taken in.
    Refuse(Unmet),
}

/// The place in the queue.
type Turn = u64;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    limits: Limits,
    waiters: BTreeMap<Turn, Waiter>,
    turns: HashMap<TransactionId, Turn>,
    wait_for: BTreeSet<(Awaited, Turn)>,
    bring: BTreeSet<(Awaited, Turn)>,
    /// The rows that devices were refused to make since this was loaded.
    refused_rows: BTreeSet<(DeviceId, Awaited)>,
    due: BTreeMap<Turn, Due>,
    load: Load,
    loads: HashMap<DeviceId, Load>,
    last: Turn,
}

impl Waiting {
    /// Nothing waits yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Puts a waiter back that was kept before; to be called in the order in which they came. One that misses nothing is due.
    pub fn restore(&mut self, waiter: Waiter) {
        self.last += 1;
        let turn = self.last;
        if waiter.missing.is_empty() {
            self.due.insert(turn, Due::Judge);
        }
        self.load = self.load.and(waiter.load());
        let load = self.loads.entry(waiter.device).or_default();
        *load = load.and(waiter.load());
        self.turns.insert(waiter.id, turn);
        self.wait_for.extend(waiter.missing.iter().map(|name| (*name, turn)));
        self.bring.extend(waiter.brings.iter().map(|name| (*name, turn)));
        self.waiters.insert(turn, waiter);
    }

    /// Lets a transaction wait. Returns for how many changes and rows. One that waits already stays as it is.
    pub fn add(&mut self, waiter: Waiter) -> Result<usize, Unkept> {
        if let Some(missing) = self.missing(waiter.id) {
            return Ok(missing);
        }
        if let Some(unmet) = self.refused_for(&waiter).or_else(|| self.circle(&waiter)) {
            return Err(Unkept::Unmet(unmet));
        }
        let device = self.loads.get(&waiter.device).copied().unwrap_or_default();
        let fits =
            self.load.and(waiter.load()).fits(self.limits.all) && device.and(waiter.load()).fits(self.limits.device);
        if !fits {
            return Err(Unkept::Full);
        }
        let missing = waiter.missing.len();
        self.restore(waiter);
        Ok(missing)
    }

    /// For how many changes and rows a transaction waits; `None` if it doesn't wait.
    pub fn missing(&self, id: TransactionId) -> Option<usize> {
        Some(self.waiters.get(self.turns.get(&id)?)?.missing.len())
    }

    /// How much waits.
    pub fn load(&self) -> Load {
        self.load
    }

    /// These are here: see [`arrived`]. Returns those that were waited for.
    pub fn accepted(&mut self, arrived: impl IntoIterator<Item = Awaited>) -> Vec<Awaited> {
        let mut awaited = Vec::new();
        for name in arrived {
            let turns = turns_of(&self.wait_for, name);
            if !turns.is_empty() {
                awaited.push(name);
            }
            for turn in turns {
                self.wait_for.remove(&(name, turn));
                let Some(waiter) = self.waiters.get_mut(&turn) else {
                    continue;
                };
                waiter.missing.remove(&name);
                self.load.names -= 1;
                if let Some(load) = self.loads.get_mut(&waiter.device) {
                    load.names -= 1;
                }
                if waiter.missing.is_empty() {
                    self.due.insert(turn, Due::Judge);
                }
            }
        }
        awaited
    }

    /// A transaction of this device is refused, and with it what it `brought`. Unless somebody else who waits brings it too,
    /// who waits for one of these changes is due to be refused, and who waits for one of these rows, if the device made both.
    pub fn refused(&mut self, device: DeviceId, brought: impl IntoIterator<Item = Awaited>) {
        for awaited in brought {
            if matches!(awaited, Awaited::Row(_)) {
                self.refused_rows.insert((device, awaited));
            }
            if self.is_brought(awaited) {
                continue;
            }
            for turn in turns_of(&self.wait_for, awaited) {
                let own = self.waiters.get(&turn).is_some_and(|waiter| waiter.device == device);
                if own || matches!(awaited, Awaited::Change(_)) {
                    let why = Why::Refused;
                    self.due.entry(turn).or_insert(Due::Refuse(Unmet { awaited, why }));
                }
            }
        }
    }

    /// Whoever waits for more than [`MAX_WAIT`] is due to be refused.
    pub fn expire(&mut self, now: Timestamp) {
        for (turn, waiter) in &self.waiters {
            let waited = now.0.saturating_sub(waiter.since.0);
            if let (true, Some(awaited)) = (waited > MAX_WAIT, waiter.missing.first().copied()) {
                let why = Why::Expired;
                self.due.entry(*turn).or_insert(Due::Refuse(Unmet { awaited, why }));
            }
        }
    }

    /// Takes out the first transaction that is due. What becomes of it goes back into [`Waiting::accepted`] or
    /// [`Waiting::refused`] before the next is asked for.
    pub fn next_due(&mut self) -> Option<(Waiter, Due)> {
        let (turn, due) = self.due.pop_first()?;
        let waiter = self.waiters.remove(&turn).expect("BUG: who is due has waited");
        self.turns.remove(&waiter.id);
        for name in &waiter.missing {
            self.wait_for.remove(&(*name, turn));
        }
        for name in &waiter.brings {
            self.bring.remove(&(*name, turn));
        }
        self.load = self.load.without(waiter.load());
        if let Entry::Occupied(mut load) = self.loads.entry(waiter.device) {
            let left = load.get().without(waiter.load());
            if left.transactions == 0 {
                load.remove();
            } else {
                load.insert(left);
            }
        }
        Some((waiter, due))
    }

    fn is_brought(&self, awaited: Awaited) -> bool {
        !turns_of(&self.bring, awaited).is_empty()
    }

    /// A row that the same device was refused to make.
    fn refused_for(&self, new: &Waiter) -> Option<Unmet> {
        let refused = |awaited: &&Awaited| self.refused_rows.contains(&(new.device, **awaited));
        let awaited = *new.missing.iter().filter(refused).find(|a| !self.is_brought(**a))?;
        let why = Why::Refused;
        Some(Unmet { awaited, why })
    }

    /// Follows what a new waiter waits for to who brings it, what that one waits for, and so on; the way must not lead to
    /// what the new one itself brings. (Depth-first search; each waiter is visited once.)
    fn circle(&self, new: &Waiter) -> Option<Unmet> {
        let mut seen = BTreeSet::new();
        let mut ahead: Vec<Awaited> = new.missing.iter().copied().collect();
        while let Some(awaited) = ahead.pop() {
            if new.brings.contains(&awaited) {
                let why = Why::Circle;
                return Some(Unmet { awaited, why });
            }
            for turn in turns_of(&self.bring, awaited) {
                if seen.insert(turn) {
                    ahead.extend(&self.waiters[&turn].missing);
                }
            }
        }
        None
    }
}

fn turns_of(all: &BTreeSet<(Awaited, Turn)>, awaited: Awaited) -> Vec<Turn> {
    all.range((awaited, Turn::MIN)..=(awaited, Turn::MAX))
        .map(|(_, turn)| *turn)
        .collect()
}
