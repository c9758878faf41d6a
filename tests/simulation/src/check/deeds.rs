//! What became of what people did.

use std::collections::BTreeMap;

use holdfast_core::ids::RowId;

use super::Violation;
use crate::{hospital::SUPPLIES, ledger::Fate, world::World};

/// What a device was told that the stream has is there once; all else at most once; nothing waits any more.
pub fn nothing_is_lost_and_nothing_is_there_twice(world: &World) -> Result<(), Violation> {
    let locked_out = |device| world.devices.iter().any(|node| node.id == device && node.revoked);
    for (key, deed) in world.ledger.deeds() {
        let count = world.hospital().count(*key)?;
        let fits = match deed.fate {
            Fate::Acknowledged if world.hospital().restored && (deed.forgotten || locked_out(key.device)) => count <= 1,
            Fate::Acknowledged => count == 1,
            Fate::Refused | Fate::Unneeded => count == 0,
            Fate::Waits => locked_out(key.device) && count <= 1,
            Fate::GivenUp => count <= 1,
        };
        if !fits {
            return Err(Violation::new(format!(
                "a command is {count} times in the stream, {:?} on its device: {}",
                deed.fate, deed.command
            )));
        }
    }
    Ok(())
}

/// The server has what it refused, for the auditor. (That devices have it is said in the ledger.)
pub fn what_was_refused_is_kept(world: &World) -> Result<(), Violation> {
    let kept = world.hospital().look().quarantined().map_err(Violation::engine)?;
    match world.hospital().refused.iter().find(|id| !kept.contains(id)) {
        Some(lost) => Err(Violation::new(format!(
            "the server has not kept what it refused: {lost}"
        ))),
        None => Ok(()),
    }
}

/// What is in stock is what was there, less what was taken, and what was refilled.
pub fn stocks_are_the_sum_of_what_was_done(world: &World) -> Result<(), Violation> {
    let mut expected: BTreeMap<RowId, i64> = SUPPLIES.into_iter().collect();
    for (key, deed) in world.ledger.deeds() {
        if let Some((supply, by)) = deed.stock()
            && world.hospital().count(*key)? > 0
        {
            *expected.entry(supply).or_default() += by;
        }
        // A count that a person gave is not the sum of anything.
        let settled = deed.command["type"] == "settleConflict" && deed.command["value"].is_i64();
        if settled && world.hospital().count(*key)? > 0 {
            return Ok(());
        }
    }
    let server = world.hospital().look();
    for (supply, expected) in expected {
        let found = server.stock(supply).map_err(Violation::engine)?;
        if found != Some(expected) {
            return Err(Violation::new(format!(
                "{found:?} of supply {supply} are in stock, not {expected}"
            )));
        }
    }
    Ok(())
}
