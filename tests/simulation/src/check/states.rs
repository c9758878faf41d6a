//! What stores hold in the end.

use super::Violation;
use crate::{device::DeviceNode, versions, world::World};

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
    world.devices.iter().try_for_each(DeviceNode::check_page)
}

/// Each device has the columns that only some may see if its person may, and only then.
pub fn columns_follow_the_role(world: &World) -> Result<(), Violation> {
    for node in world.devices.iter().filter(|node| !node.revoked) {
        nothing_is_shown_that_may_not_be(node)?;
        let device = node.look();
        let Some(session) = device.replica.session() else {
            continue;
        };
        let may = world.hospital().look().may_see_restricted(session.user_id);
        let (may, sees) = (
            may.map_err(Violation::engine)?,
            device.sees_restricted().map_err(Violation::engine)?,
        );
        if may != sees {
            return Err(Violation::new(format!(
                "device {} sees restricted columns: {sees}; {} may: {may}",
                node.number, session.username
            )));
        }
    }
    Ok(())
}

/// A device that may not have the columns that only some may see has nothing of them.
pub fn nothing_is_shown_that_may_not_be(node: &DeviceNode) -> Result<(), Violation> {
    let device = node.look();
    let sees = device.sees_restricted().map_err(Violation::engine)?;
    if !sees && device.holds_restricted().map_err(Violation::engine)? {
        return Err(Violation::new(format!(
            "device {} still holds columns that its person may not see",
            node.number
        )));
    }
    Ok(())
}

/// A column of a newer version is as Automerge's own library has it, though devices that do not know it edit the row.
pub fn what_nobody_knows_is_carried_along(world: &World) -> Result<(), Violation> {
    for patient in versions::PATIENTS {
        let (expected, found) = versions::column(world.hospital().look(), patient).map_err(Violation::engine)?;
        if expected != found {
            return Err(Violation::new(format!(
                "the unknown column of patient {patient:x} is {found:?}, not {expected:?}"
            )));
        }
    }
    Ok(())
}
