//! What a device was told, line by line: by its own store, and by the server. Held against the stream in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use holdfast_core::ids::{Seq, TransactionId};

/// What a command did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A new patient: must be there once.
    Patient,
    /// One pair of gloves less: must be counted once.
    Gloves,
    /// Another phone number: doing it twice does nothing.
    Phone,
}

/// One thing that a device was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// By its own store: it is kept.
    Made(TransactionId, Deed),
    /// By the server: it is in the stream, at this place.
    Accepted(TransactionId, Seq),
    /// By a hub: it is kept and passed on.
    Relayed(TransactionId),
    /// By the server: it builds on what did not come yet.
    Waiting(TransactionId),
    /// By the server: it is refused.
    Refused(TransactionId, String),
    /// By the server, with a status that is no success; true if it said when to come back.
    Status(u16, bool),
    /// By nobody: a push got no whole answer.
    Interrupted,
    /// Its own store could not keep a command, or not take an answer in.
    Unkept,
}

/// All that a device was told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes {
    /// What its store keeps.
    pub made: BTreeMap<TransactionId, Deed>,
    /// What the server has acknowledged, with its place.
    pub accepted: BTreeMap<TransactionId, Seq>,
    /// What a hub has acknowledged.
    pub relayed: BTreeSet<TransactionId>,
    /// What was acknowledged a second time with another place: the server had lost it.
    pub moved: u64,
    /// What the server had to let wait, then or for good.
    pub waited: BTreeSet<TransactionId>,
    /// What the server refused, and why.
    pub refused: BTreeMap<TransactionId, String>,
    /// How often which status came.
    pub statuses: BTreeMap<u16, u64>,
    /// How often a 429 or 503 did not say when to come back.
    pub without_time: u64,
    /// How often a push got no whole answer.
    pub interrupted: u64,
    /// How often its own store failed.
    pub unkept: u64,
    /// How often its process was killed: each time one command may be kept that nobody was told of.
    pub killed: u64,
}

impl Notes {
    /// Adds those of a later life of the same device.
    pub fn extend(&mut self, later: Self) {
        self.made.extend(later.made);
        for (id, seq) in later.accepted {
            self.add(Note::Accepted(id, seq));
        }
        self.relayed.extend(later.relayed);
        self.waited.extend(later.waited);
        self.moved += later.moved;
        self.refused.extend(later.refused);
        for (status, count) in later.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.without_time += later.without_time;
        self.interrupted += later.interrupted;
        self.unkept += later.unkept;
        self.killed += later.killed;
    }

    /// How many the server or a hub has acknowledged.
    pub fn acknowledged(&self) -> usize {
        let by_hub = self.relayed.iter().filter(|id| !self.accepted.contains_key(id));
        self.accepted.len() + by_hub.count()
    }

    /// Adds one.
    pub fn add(&mut self, note: Note) {
        match note {
            Note::Made(id, deed) => drop(self.made.insert(id, deed)),
            Note::Accepted(id, seq) => {
                let before = self.accepted.insert(id, seq);
                self.moved += u64::from(before.is_some_and(|before| before != seq));
            }
            Note::Relayed(id) => drop(self.relayed.insert(id)),
            Note::Waiting(id) => drop(self.waited.insert(id)),
            Note::Refused(id, reason) => drop(self.refused.insert(id, reason)),
            Note::Status(status, says_when) => {
                *self.statuses.entry(status).or_default() += 1;
                self.without_time += u64::from(matches!(status, 429 | 503) && !says_when);
            }
            Note::Interrupted => self.interrupted += 1,
            Note::Unkept => self.unkept += 1,
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patient => "patient",
            Self::Gloves => "gloves",
            Self::Phone => "phone",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(id, deed) => write!(f, "made {id} {deed}"),
            Self::Accepted(id, seq) => write!(f, "accepted {id} {seq}"),
            Self::Relayed(id) => write!(f, "relayed {id}"),
            Self::Waiting(id) => write!(f, "waiting {id}"),
            Self::Refused(id, reason) => write!(f, "refused {id} {reason}"),
            Self::Status(status, says_when) => write!(f, "status {status} {says_when}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Unkept => f.write_str("unkept"),
        }
    }
}

impl FromStr for Note {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let wrong = || format!("no note: {line}");
        let id = |word: &str| word.parse().map(TransactionId).map_err(|_| wrong());
        Ok(match words.as_slice() {
            ["made", name, "patient"] => Self::Made(id(name)?, Deed::Patient),
            ["made", name, "gloves"] => Self::Made(id(name)?, Deed::Gloves),
            ["made", name, "phone"] => Self::Made(id(name)?, Deed::Phone),
            ["accepted", name, seq] => Self::Accepted(id(name)?, Seq(seq.parse().map_err(|_| wrong())?)),
            ["relayed", name] => Self::Relayed(id(name)?),
            ["waiting", name] => Self::Waiting(id(name)?),
            ["refused", name, reason] => Self::Refused(id(name)?, (*reason).to_owned()),
            ["status", status, says_when] => Self::Status(
                status.parse().map_err(|_| wrong())?,
                says_when.parse().map_err(|_| wrong())?,
            ),
            ["interrupted"] => Self::Interrupted,
            ["unkept"] => Self::Unkept,
            _ => return Err(wrong()),
        })
    }
}

/// How it goes for all devices together, while it goes.
#[derive(Debug)]
pub struct Pulse(Mutex<Counts>);

#[derive(Clone, Copy, Debug)]
struct Counts {
    acknowledged: u64,
    unavailable: u64,
    unkept: u64,
    last: Instant,
    longest: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            acknowledged: 0,
            unavailable: 0,
            unkept: 0,
            last: Instant::now(),
            longest: Duration::ZERO,
        }))
    }
}

impl Pulse {
    /// A device was told something.
    pub fn feel(&self, note: &Note) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match note {
            Note::Accepted(..) | Note::Relayed(_) => {
                counts.acknowledged += 1;
                counts.longest = counts.longest.max(counts.last.elapsed());
                counts.last = Instant::now();
            }
            Note::Status(503, _) => counts.unavailable += 1,
            Note::Unkept => counts.unkept += 1,
            _ => {}
        }
    }

    /// How many transactions the server, or a hub, has acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.counts().acknowledged
    }

    /// How often it answered that it is unavailable.
    pub fn unavailable(&self) -> u64 {
        self.counts().unavailable
    }

    /// How often a device's own store failed.
    pub fn unkept(&self) -> u64 {
        self.counts().unkept
    }

    /// The longest time in which no device was told of an acknowledgement.
    pub fn longest_pause(&self) -> Duration {
        let counts = self.counts();
        counts.longest.max(counts.last.elapsed())
    }

    /// Waits until a count has grown by `by`. False if it takes too long.
    pub fn wait(&self, count: fn(&Self) -> u64, by: u64, patience: Duration) -> bool {
        let (begun, goal) = (Instant::now(), count(self) + by);
        while count(self) < goal {
            if begun.elapsed() > patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn counts(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let id = TransactionId(uuid::Uuid::from_u128(7));
        for note in [
            Note::Made(id, Deed::Patient),
            Note::Made(id, Deed::Gloves),
            Note::Made(id, Deed::Phone),
            Note::Accepted(id, Seq(9)),
            Note::Relayed(id),
            Note::Waiting(id),
            Note::Refused(id, "it was late".to_owned()),
            Note::Status(503, true),
            Note::Interrupted,
            Note::Unkept,
        ] {
            assert_eq!(note.to_string().parse(), Ok(note));
        }
        assert!("made 1".parse::<Note>().is_err());
    }

    #[test]
    fn what_is_acknowledged_at_two_places_was_lost_once() {
        let (id, mut notes) = (TransactionId(uuid::Uuid::from_u128(7)), Notes::default());
        for seq in [3, 3, 4] {
            notes.add(Note::Accepted(id, Seq(seq)));
        }
        assert_eq!((notes.moved, notes.accepted.len()), (1, 1));
    }
}
