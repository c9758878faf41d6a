//! Who made the transactions: a shared device, and a hub, may send what several people did, each with their own rights.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    str::FromStr,
};

use holdfast_core::{
    ids::{DeviceId, UserId},
    policy::Role,
    protocol::PushOutcome,
};

use super::verify::{Verified, rejected};
use crate::store::{Store, StoreError, Submission};

/// Why a maker's transactions are not taken.
type Objection = (&'static str, String);

/// Gives each transaction its maker's role.
pub(super) async fn admit(
    store: &Store,
    verified: Vec<Result<Verified, PushOutcome>>,
) -> Result<Vec<Result<Submission, PushOutcome>>, StoreError> {
    let mut makers: BTreeMap<(DeviceId, UserId), Result<Role, Objection>> = BTreeMap::new();
    for one in verified.iter().flatten() {
        let (device, user) = (one.opened.body.device, one.opened.body.user);
        if let Entry::Vacant(unknown) = makers.entry((device, user)) {
            unknown.insert(maker(store, device, user).await?);
        }
    }
    let admit_one = |one: Verified| match &makers[&(one.opened.body.device, one.opened.body.user)] {
        Ok(role) => Ok(Submission {
            role: *role,
            transaction: one.transaction,
            opened: one.opened,
            import: false,
        }),
        Err((code, reason)) => Err(rejected(one.opened.body.id, code, reason.clone())),
    };
    Ok(verified.into_iter().map(|one| one.and_then(admit_one)).collect())
}

/// The role of a user who has signed in on the device, active or not.
async fn maker(store: &Store, device: DeviceId, user: UserId) -> Result<Result<Role, Objection>, StoreError> {
    if !store.has_signed_in(device, user).await? {
        let reason = format!("User {user} has never signed in on this device.");
        return Ok(Err(("unknown_user", reason)));
    }
    let Some(account) = store.account(user).await? else {
        return Ok(Err(("unknown_user", format!("There is no user {user} any more."))));
    };
    if !account.is_active {
        // What was done was done: a drug given before the account was switched off must not be lost.
        tracing::warn!(%user, %device, "taking in work of a user who is not active");
    }
    Ok(Role::from_str(&account.role).map_err(|unknown| ("unknown_role", unknown.to_string())))
}
