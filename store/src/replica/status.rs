//! What a person must always be able to see: is my work safe, and how old is what I look at.

use holdfast_core::ids::Timestamp;
use serde::Serialize;

use super::{Replica, Session, conflict, outbox, relayed, sync::hospital};
use crate::{StoreError, meta};

/// The state of the replica, for the page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Who is signed in.
    pub session: Option<Session>,
    /// How it stands with the server.
    pub connection: ConnectionState,
    /// Transactions that the server has not acknowledged.
    pub waiting: u64,
    /// Those of them that the server has and takes in when an earlier entry of another device comes.
    pub held: u64,
    /// Those of them that a hub keeps and passes on.
    pub at_hub: u64,
    /// The ward's hub, if one answered last.
    pub hub: Option<HubStatus>,
    /// Transactions that the server refused.
    pub rejected: u64,
    /// Open conflicts.
    pub conflicts: u64,
    /// True while the hospital is copied anew, because this replica and the server came to different checksums.
    pub renewing: bool,
    /// How often they did.
    pub differences: u64,
    /// Changes of the stream that this replica could not take in since it was copied.
    pub unfolded: u64,
    /// When the replica was last in step with the server. ISO 8601.
    pub last_in_step: Option<String>,
    /// The first copy, while it runs.
    pub first_sync: Option<FirstSync>,
    /// The last error of sync, for people, if the last attempt failed.
    pub problem: Option<String>,
}

/// How it stands with the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// The last exchange succeeded and nothing is left to exchange.
    Online,
    /// The last exchange failed, or there was none yet.
    Offline,
    /// There is more to exchange.
    Syncing,
    /// The server wants a new sign-in; work goes on.
    SignedOut,
    /// The address leads to another hospital's server: nothing is exchanged with it; work goes on.
    OtherHospital,
}

/// What a device knows of its ward's hub.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HubStatus {
    /// Its last exchange with the hospital went well, as it said when it answered last.
    pub linked: bool,
    /// When it last exchanged something with the hospital, if it did since its start. ISO 8601.
    pub contact: Option<String>,
    /// What others did, which is shown here and is on its way to the hospital.
    pub relayed: u64,
    /// What others did and cannot be shown yet: it builds on what was refused here, or is too much.
    pub left_out: u64,
}

/// How far the first copy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FirstSync {
    /// Documents that are here.
    pub received: u64,
    /// Documents in all; 0 while unknown.
    pub expected: u64,
}

impl Replica {
    /// The state now.
    pub fn status(&self) -> Result<Status, StoreError> {
        let number = |key| meta::get::<i64>(&self.connection, key);
        let count = |key| Ok::<_, StoreError>(number(key)?.unwrap_or(0) as u64);
        let copying = self.session.is_some() && number("cursor")?.is_none();
        Ok(Status {
            session: self.session().cloned(),
            connection: if hospital::is_elsewhere(&self.connection)? {
                ConnectionState::OtherHospital
            } else {
                self.round.state()
            },
            waiting: outbox::count(&self.connection, "waiting")?,
            held: outbox::count_held(&self.connection)?,
            at_hub: outbox::count_at_hub(&self.connection)?,
            hub: self.hub()?,
            rejected: outbox::count(&self.connection, "rejected")?,
            conflicts: conflict::count(&self.connection)?,
            renewing: number("differs_at")?.is_some(),
            differences: count("differences")?,
            unfolded: count("unfolded")?,
            last_in_step: number("last_in_step")?.map(|t| Timestamp(t).to_string()),
            first_sync: if copying {
                Some(FirstSync {
                    received: count("snapshot_received")?,
                    expected: count("snapshot_total")?,
                })
            } else {
                None
            },
            problem: self.round.problem.clone(),
        })
    }

    fn hub(&self) -> Result<Option<HubStatus>, StoreError> {
        let number = |key| meta::get::<i64>(&self.connection, key);
        if meta::get::<Vec<u8>>(&self.connection, "hub")?.is_none() {
            return Ok(None);
        }
        let ignored = number("relay_ignored")?.unwrap_or(0) as u64;
        Ok(Some(HubStatus {
            linked: meta::get(&self.connection, "relay_linked")?.unwrap_or(false),
            contact: number("relay_contact")?.map(|t| Timestamp(t).to_string()),
            relayed: relayed::count(&self.connection, "relayed")?,
            left_out: relayed::count(&self.connection, "left_out")? + ignored,
        }))
    }
}
