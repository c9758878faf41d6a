//! The store of a ward's hub: a server's on SQLite that copies the hospital's stream and relays what its devices did.
//!
//! ```text
//!  stream of the hospital   1 ─ 2 ─ 3 ─ … ─ seq         copied: the same places, times and marks
//!  relayed                                   a ─ b ─ c   judged here, on their way, no place in the stream yet
//!
//!  document  =  base (as the stream has it)  +  the changes of what is relayed
//!
//!  relay(a) ─► Relayed ─► to_push ─► the hospital's server ─┬─► Accepted … follow(page with a) ─► in the stream
//!                                                           └─► Rejected ─► quarantine, withdrawn
//! ```
//!
//! There is one order, the hospital's: a hub never gives out a seq. What is relayed is a pending transaction as a device's own
//! that waits is, but it cannot be made anew, because nobody here has its maker's key: it is put back as it is, or falls away.
//!
//! *Architecture invariants*
//! - What was answered `Relayed` is in the store until the stream has it or it is in quarantine.
//! - The log, snapshots and checksums are those of the stream alone; the tables show what is relayed, too.
//! - For every document that something relayed writes to, the base holds the document as the stream has it so far.
//! - A transaction is in one of the log, the relay, the quarantine or among those that wait for what they build on.
//!
//! `sync-server verify` holds documents against the log as the stream has them: in the base where something relayed writes to one.
//! Tables and claims show what is relayed, too, so they are compared only while nothing is.

mod follow;
mod list;
mod push;
mod recopy;
pub(crate) mod relay;
mod sums;

use holdfast_core::ids::{DeviceId, HubId, Timestamp};
use rusqlite::{Connection, TransactionBehavior};
use uuid::Uuid;

pub use follow::Followed;
pub(crate) use list::open as open_list;
pub use list::{NoRelayPlace, RelayPlace};
pub use relay::RelayCount;
#[cfg(feature = "testing")]
pub(crate) use sums::DIFFERED;

use crate::{ServerStore, StoreError, meta, sql_value::uuid_text};

/// In `sync_meta`: names the hub, and makes the store one's.
const ID: &str = "hub_id";

/// In `sync_meta`: true until the hospital is copied.
const COPYING: &str = "hub_copying";

/// What a store knows of itself as a hub's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hub {
    /// Names it.
    pub id: HubId,
    /// The hospital is not copied yet, or is copied anew: devices are to be told to come back later (503). Whatever they were
    /// given now would miss most of the hospital.
    pub copying: bool,
}

impl ServerStore {
    /// Makes an empty store that of a hub of this hospital, whose stream it copies from now on. One that is so already stays
    /// as it is. [`StoreError::NotEmpty`] if it belongs to another hospital.
    pub fn become_hub(&mut self, hospital: Uuid) -> Result<HubId, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let named: Option<String> = meta::get(&transaction, "hospital_id")?;
        if let Some(hub) = id(&transaction)? {
            let same = named == Some(hospital.to_string());
            return if same { Ok(hub) } else { Err(StoreError::NotEmpty) };
        }
        if !is_empty(&transaction)? {
            return Err(StoreError::NotEmpty);
        }
        let hub = HubId(uuid::Builder::from_random_bytes(self.host.bytes()).into_uuid());
        meta::set(&transaction, ID, hub.to_string())?;
        meta::set(&transaction, COPYING, true)?;
        meta::set(&transaction, "hospital_id", hospital.to_string())?;
        // Nothing is written in this server's name.
        if let Some(seed) = meta::get(&transaction, "server_key")? {
            let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
            let device = DeviceId::of_public_key(&key.to_bytes());
            transaction.execute("DELETE FROM sync_devices WHERE device = ?1", [device.to_string()])?;
            meta::remove(&transaction, "server_key")?;
        }
        list::begin(&transaction, &mut self.host)?;
        transaction.commit()?;
        Ok(hub)
    }

    /// What kind of hub's store this is; `None` if it is none.
    pub fn hub(&self) -> Result<Option<Hub>, StoreError> {
        let copying = is_copying(&self.connection)?;
        Ok(id(&self.connection)?.map(|id| Hub { id, copying }))
    }
}

/// Names the hub; `None` if the store is none's.
pub(crate) fn id(connection: &Connection) -> Result<Option<HubId>, StoreError> {
    let id: Option<String> = meta::get(connection, ID)?;
    id.map(|id| uuid_text(&id).map(HubId)).transpose()
}

/// As [`id`], where only a hub's store will do.
fn require(connection: &Connection) -> Result<HubId, StoreError> {
    id(connection)?.ok_or(StoreError::NotHub)
}

fn is_copying(connection: &Connection) -> Result<bool, StoreError> {
    Ok(meta::get(connection, COPYING)?.unwrap_or(false))
}

fn is_empty(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sync_meta WHERE key = 'head' AND value > 0
        UNION ALL SELECT 1 FROM sync_documents UNION ALL SELECT 1 FROM sync_log
        UNION ALL SELECT 1 FROM sync_quarantine UNION ALL SELECT 1 FROM sync_waiting";
    Ok(!connection.prepare(sql)?.exists([])?)
}

/// A time so many microseconds later.
fn later(now: Timestamp, wait: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(wait))
}
