//! What hubs hold in the end.

use holdfast_core::policy::Role;
use holdfast_store::replica::ConnectionState;

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

/// A device that has just exchanged all with a hub has nothing from it that the hub does not relay any more.
pub fn a_device_in_step_with_a_hub_has_no_more_of_it(world: &World, device: usize) -> Result<(), Violation> {
    let node = &world.devices[device];
    let store = &world.servers[node.server].look().store;
    let Some(hub) = store.hub().map_err(Violation::engine)? else {
        return Ok(());
    };
    let status = node.look().replica.status().map_err(Violation::engine)?;
    if node.revoked || status.problem.is_some() || status.connection != ConnectionState::Online {
        return Ok(());
    }
    let relayed = store.relayed(None, Role::Admin, usize::MAX >> 1, usize::MAX);
    let relayed = relayed.map_err(Violation::engine)?;
    for id in node.look().relayed_by(hub.id).map_err(Violation::engine)? {
        if !relayed.events.iter().any(|event| event.id == id) {
            return Err(Violation::new(format!(
                "device {device} has {id} from a hub that does not relay it any more"
            )));
        }
    }
    Ok(())
}
