//! What a hub adds to the messages: a server for one ward that passes its devices' transactions on to the hospital's.
//!
//! ```text
//!  stream of the hospital   1 ─ 2 ─ 3 ─ … ─ seq         the same at the hospital, at the hub and on devices
//!  relayed by the hub                        a ─ b ─ c   on their way: no seq yet, and not in this order for good
//! ```
//!
//! There is one order, the hospital's. A hub never gives out a seq: it hands on the stream as it is, and beside it what it
//! has judged and not yet seen in the stream.

use minicbor::{Decode, Encode};

use crate::{
    ids::{HubId, Timestamp, TransactionId},
    transaction::Transaction,
};

/// What a hub relays, as a part of a pull: what happened since the device's place in the hub's list.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Relayed {
    /// Which hub.
    #[n(0)]
    pub hub: HubId,
    /// Names the list, whose places count from 1. A hub makes a new list with every start, so that a place of one that was
    /// put back to a backup is never taken for another.
    #[n(1)]
    pub list: RelayList,
    /// The place that the events follow: the device's, or 0 if the device is to begin with an empty list.
    #[n(2)]
    pub after: u64,
    /// In the list's order.
    #[n(3)]
    pub events: Vec<RelayEvent>,
    /// The device's place after these events.
    #[n(4)]
    pub place: u64,
    /// There are more events: ask again.
    #[n(5)]
    pub more: bool,
    /// When the hub last exchanged something with the hospital's server; `None` if not since its start.
    #[n(6)]
    pub contact: Option<Timestamp>,
    /// The hub's last exchange with the hospital's server went well. A device cannot tell from `contact`: its clock is not
    /// the hub's.
    #[n(7)]
    pub linked: bool,
}

/// Names a hub's list: 8 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct RelayList(#[n(0)] pub u64);

/// Something that happened to a hub's list.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct RelayEvent {
    /// Which transaction.
    #[n(0)]
    pub id: TransactionId,
    /// The transaction, as far as the reader may see it: it is on its way now. `None`: it is not any more, because the
    /// hospital's server refused it. One that came into the stream is only there, and no event.
    #[n(1)]
    pub transaction: Option<Transaction>,
}
