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

use super::verify::Verified;
use crate::store::{Objection, Store, StoreError, Submission};

/// The role of whoever there is an objection to: it writes nothing.
const NOBODY: Role = Role::Auditor;

/// Gives each transaction its maker's role, or the objection to its maker.
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
    let admit_one = |one: Verified| {
        let maker = &makers[&(one.opened.body.device, one.opened.body.user)];
        Submission {
            role: maker.as_ref().map_or(NOBODY, |role| *role),
            transaction: one.transaction,
            opened: one.opened,
            import: false,
            objection: maker.as_ref().err().cloned(),
        }
    };
    Ok(verified.into_iter().map(|one| one.map(admit_one)).collect())
}

/// The role of a user who has signed in on the device, active or not.
async fn maker(store: &Store, device: DeviceId, user: UserId) -> Result<Result<Role, Objection>, StoreError> {
    let objection = |code, reason| Ok(Err(Objection { code, reason }));
    if !store.has_signed_in(device, user).await? {
        let reason = format!("User {user} has never signed in on this device.");
        return objection("unknown_user", reason);
    }
    let Some(account) = store.account(user).await? else {
        return objection("unknown_user", format!("There is no user {user} any more."));
    };
    if !account.is_active {
        // What was done was done: a drug given before the account was switched off must not be lost.
        tracing::warn!(%user, %device, "taking in work of a user who is not active");
    }
    match Role::from_str(&account.role) {
        Ok(role) => Ok(Ok(role)),
        Err(unknown) => objection("unknown_role", unknown.to_string()),
    }
}
