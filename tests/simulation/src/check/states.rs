//! What stores hold in the end.

use super::Violation;
use crate::world::World;

/// A server that had only the log would hold the same.
pub fn the_tables_are_the_fold_of_the_log(world: &World) -> Result<(), Violation> {
    let server = world.hospital().look();
    let state = server.state().map_err(Violation::engine)?;
    let fold = server.refolded().map_err(Violation::engine)?;
    match state.difference(&fold) {
        Some(difference) => Err(Violation::new(format!(
            "the server is not the fold of its log: {difference}"
        ))),
        None => Ok(()),
    }
}

/// All devices hold what the server holds, as far as they may see it.
pub fn all_replicas_are_equal(world: &World) -> Result<(), Violation> {
    let all = world.hospital().look().state().map_err(Violation::engine)?;
    let most = all.clone().unrestricted();
    for node in world.devices.iter().filter(|node| !node.revoked) {
        let state = node.look().state().map_err(Violation::engine)?;
        let sees = node.look().sees_restricted().map_err(Violation::engine)?;
        let difference = if sees {
            state.difference(&all)
        } else {
            state.unrestricted().difference(&most)
        };
        if let Some(difference) = difference {
            return Err(Violation::new(format!(
                "device {} and the server differ: {difference}",
                node.number
            )));
        }
    }
    Ok(())
}

/// Live queries were told of everything.
pub fn pages_show_what_is_there(world: &World) -> Result<(), Violation> {
    world.devices.iter().try_for_each(crate::device::DeviceNode::check_page)
}
