//! Who is signed in on this device.

use holdfast_core::{
    ids::{DeviceId, UserId},
    policy::Role,
    protocol::SignInResponse,
    schema::Schema,
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Replica, ReplicaError, kept, outbox, relayed, sight, sync, write_transaction::WriteTransaction};
use crate::{StoreError, meta};

/// Who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The server's address.
    pub server: String,
    /// `users.id`
    pub user_id: UserId,
    /// `users.username`
    pub username: String,
    /// First and last name.
    pub display_name: String,
    /// `users.role`
    pub role: String,
    /// This device.
    pub device_id: DeviceId,
}

/// The session and its secret, as the store keeps them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SignedIn {
    pub session: Session,
    /// None from signing out until the server has been asked again.
    token: Option<String>,
}

/// Whose store it is: who was signed in when it was last used.
pub(super) fn load(connection: &Connection) -> Result<Option<SignedIn>, StoreError> {
    let stored: Option<String> = meta::get(connection, "session")?;
    stored
        .map(|json| serde_json::from_str(&json).map_err(StoreError::corrupt))
        .transpose()
}

impl Replica {
    /// What goes into `Authorization: Bearer …`, while the server knows this session.
    pub fn token(&self) -> Option<&str> {
        self.session.as_ref().and_then(|s| s.token.as_deref())
    }

    /// Who is signed in.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref().map(|s| &s.session)
    }

    /// Somebody has signed in. Work of others on this device that waits is sent in their names. A sign-in to another hospital
    /// empties the replica and is refused while work is here. Columns that the role may not see are gone at once; those that
    /// it may see now come with a new copy of the hospital. While somebody else's work waits that writes to such columns,
    /// nobody who may not see them can sign in.
    pub fn begin_session(&mut self, response: &SignInResponse, server: &str) -> Result<Session, ReplicaError> {
        let signed_in = SignedIn {
            session: Session {
                server: server.to_owned(),
                user_id: response.user_id,
                username: response.username.clone(),
                display_name: response.display_name.clone(),
                role: response.role.clone(),
                device_id: self.device_id(),
            },
            token: Some(response.token.clone()),
        };
        let json = serde_json::to_string(&signed_in).map_err(StoreError::corrupt)?;
        let transaction = WriteTransaction::begin(&self.connection)?;
        prepare(&transaction, response)?;
        meta::set(&transaction, "session", json)?;
        transaction.commit()?;
        let session = signed_in.session.clone();
        self.session = Some(signed_in);
        self.round.signed_in();
        Ok(session)
    }

    /// Leaves the session: nobody can ask for anything until the next sign-in, or until the store is opened again by whom it
    /// belongs to (its key says so). What waits stays, and is sent when the server has been asked to sign in again.
    pub fn sign_out(&mut self) -> Result<(), StoreError> {
        if let Some(mut signed_in) = self.session.take() {
            signed_in.token = None;
            let json = serde_json::to_string(&signed_in).map_err(StoreError::corrupt)?;
            meta::set(&self.connection, "session", json)?;
        }
        self.round = sync::Round::default();
        Ok(())
    }
}

/// Makes sure that what is here is what the signed-in user may have.
fn prepare(connection: &Connection, response: &SignInResponse) -> Result<(), ReplicaError> {
    let known: Option<String> = meta::get(connection, "hospital_id")?;
    let (waiting, rejected) = (
        outbox::count(connection, "waiting")?,
        outbox::count(connection, "rejected")?,
    );
    if known.is_some_and(|known| known != response.hospital_id) {
        if waiting + rejected > 0 {
            return Err(ReplicaError::OtherHospital);
        }
        kept::forget(connection)?;
        empty(connection)?;
    }
    let role: Role = response.role.parse().unwrap_or(Role::Auditor);
    let sees = role.may_see_restricted();
    let secrets = sight::others_secrets(connection, response.user_id)?;
    if !sees && secrets > 0 {
        return Err(ReplicaError::WorkWaits(secrets));
    }
    sight::set(connection, sees)?;
    meta::set(connection, "hospital_id", &response.hospital_id)?;
    sync::hospital::forget(connection)?;
    Ok(())
}

/// Forgets the hospital, as if the replica were new. References wait for the end of the transaction.
fn empty(connection: &Connection) -> Result<(), StoreError> {
    let engine = [
        "sync_documents",
        "sync_claims",
        "sync_conflicts",
        "sync_actors",
        "sync_incoming",
    ];
    let tables = Schema::hospital().insert_order.iter().rev();
    for table in tables.map(|id| Schema::hospital().by_id(*id).name).chain(engine) {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    relayed::forget(connection)?;
    let keys = sync::META_KEYS.into_iter().chain(sync::sums::META_KEYS);
    for key in keys.chain(sync::relay::META_KEYS) {
        meta::remove(connection, key)?;
    }
    Ok(())
}
