//! What hubs hold in the end.

use super::Violation;
use crate::world::World;

/// Hubs hold what the hospital's server holds, and nothing is left that only they know.
pub fn hubs_hold_what_the_hospital_holds(world: &World) -> Result<(), Violation> {
    if world.hubs().is_empty() {
        return Ok(());
    }
    let expected = world.hospital().look().state().map_err(Violation::engine)?;
    for hub in world.hubs() {
        let (number, server) = (hub.number, hub.look());
        let state = server.state().map_err(Violation::engine)?;
        if let Some(difference) = state.difference(&expected) {
            return Err(Violation::new(format!(
                "hub {number} and the hospital's server differ: {difference}"
            )));
        }
        let relayed = server.store.relay_count().map_err(Violation::engine)?.transactions;
        if relayed > 0 {
            return Err(Violation::new(format!("hub {number} still relays {relayed}")));
        }
    }
    Ok(())
}

/// A hub has what it refused, for the auditor, unless the hospital took it after all.
pub fn what_hubs_refused_is_kept(world: &World) -> Result<(), Violation> {
    for hub in world.hubs() {
        let kept = hub.look().quarantined().map_err(Violation::engine)?;
        for id in hub.refused.difference(&kept) {
            if !world.hospital().has(*id)? {
                return Err(Violation::new(format!(
                    "hub {} has not kept what it refused: {id}",
                    hub.number
                )));
            }
        }
    }
    Ok(())
}
