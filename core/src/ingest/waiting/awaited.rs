//! What a transaction can wait for, what it brings to others, and how it is refused if that does not come.

use super::super::{Rejection, RowKey, references::references};
use crate::{
    document::{DocumentId, Facet},
    ids::ChangeHash,
    transaction::{ChangeName, Opened},
};

/// Something that a transaction needs and that has not come yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Awaited {
    /// A change that it builds on.
    Change(ChangeName),
    /// A row that it refers to. The first change of the row's document brings it.
    Row(RowKey),
}

impl Awaited {
    /// The document that it is, or that it is a change of.
    pub fn document(&self) -> DocumentId {
        match self {
            Self::Change(name) => name.document,
            Self::Row(key) => DocumentId::main(key.table, key.row),
        }
    }

    /// The change's hash, as stores keep it: 32 bytes; none for a row.
    pub fn hash(&self) -> &[u8] {
        match self {
            Self::Change(name) => &name.hash.0,
            Self::Row(_) => &[],
        }
    }

    /// The inverse of [`Awaited::document`] and [`Awaited::hash`]; `None` if this is not the length of a hash.
    pub fn from_parts(document: DocumentId, hash: &[u8]) -> Option<Self> {
        if hash.is_empty() {
            return Some(Self::Row(RowKey::of(&document)));
        }
        let hash = ChangeHash(hash.try_into().ok()?);
        Some(Self::Change(ChangeName { document, hash }))
    }
}

/// The changes of a transaction that only its device can have made. Expansions are anybody's: whether they come does not
/// depend on this transaction.
pub fn own_changes(opened: &Opened) -> impl Iterator<Item = ChangeName> {
    let device = Some(opened.body.device);
    let changes = opened.body.changes.iter().zip(&opened.changes);
    changes
        .filter(move |(_, change)| change.as_ref().is_some_and(|c| c.change.actor().device() == device))
        .map(|(name, _)| *name)
}

/// What a transaction brings and others do not: its device's own changes, and the rows that it makes.
pub fn brought(opened: &Opened) -> impl Iterator<Item = Awaited> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    // A document's first change builds on none.
    let first = |change: &Option<crate::document::DecodedChange>| {
        change.as_ref().is_some_and(|decoded| decoded.change.deps.is_empty())
    };
    let made = changes
        .filter(move |(name, change)| name.document.facet == Facet::Main && first(change))
        .map(|(name, _)| Awaited::Row(RowKey::of(&name.document)));
    own_changes(opened).map(Awaited::Change).chain(made)
}

/// What is there as soon as a transaction is accepted.
pub fn arrived(opened: &Opened) -> impl Iterator<Item = Awaited> {
    opened.body.changes.iter().flat_map(|name| {
        let main = name.document.facet == Facet::Main;
        let row = main.then(|| Awaited::Row(RowKey::of(&name.document)));
        std::iter::once(Awaited::Change(*name)).chain(row)
    })
}

/// Why what is awaited does not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It was refused.
    Refused,
    /// It has not come for [`super::MAX_WAIT`].
    Expired,
    /// It waits itself for what waits for it.
    Circle,
    /// It is not there, and nothing is waited for here: on a device, which makes transactions of what it has.
    Absent,
}

/// Something awaited that does not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unmet {
    /// What.
    pub awaited: Awaited,
    /// Why.
    pub why: Why,
}

impl Unmet {
    /// A change that was refused.
    pub fn refused(name: ChangeName) -> Self {
        Self {
            awaited: Awaited::Change(name),
            why: Why::Refused,
        }
    }

    /// The refusal of the transaction that needs it.
    pub fn rejection(&self, opened: &Opened) -> Rejection {
        match self.awaited {
            Awaited::Change(name) => self.unknown_dependency(&name),
            Awaited::Row(key) => self.broken_reference(key, opened),
        }
    }

    fn unknown_dependency(&self, name: &ChangeName) -> Rejection {
        let hash = name.hash;
        let (code, problem) = match self.why {
            Why::Refused => (
                "unknown_dependency",
                format!("builds on change {hash}, which was refused"),
            ),
            Why::Expired => (
                "unknown_dependency",
                format!("builds on change {hash}, which has not come for 30 days"),
            ),
            Why::Circle => (
                "circular_dependency",
                format!("builds on what itself builds on its change {hash}"),
            ),
            Why::Absent => (
                "unknown_dependency",
                format!("builds on change {hash}, which is not here"),
            ),
        };
        Rejection::dependency(code, name.document, problem)
    }

    fn broken_reference(&self, key: RowKey, opened: &Opened) -> Rejection {
        let which = match self.why {
            Why::Refused => "that was refused",
            Why::Expired => "that has not come for 30 days",
            Why::Absent => "that does not exist",
            Why::Circle => {
                let problem = "is new, and what it needs waits for it in turn".to_owned();
                return Rejection::dependency("circular_dependency", self.awaited.document(), problem);
            }
        };
        match references(opened).find(|reference| reference.target == key) {
            Some(reference) => reference.broken(which),
            None => Rejection::dependency("broken_reference", self.awaited.document(), format!("is a row {which}")),
        }
    }
}
