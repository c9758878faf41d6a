//! What must hold after a run, when everything is healed and all is exchanged.

mod deeds;
mod hubs;
mod references;
mod states;
mod violation;

pub use hubs::a_device_in_step_with_a_hub_has_no_more_of_it;
pub use states::nothing_is_shown_that_may_not_be;
pub use violation::Violation;

use crate::world::World;

/// Checks everything.
pub fn all(world: &World) -> Result<(), Violation> {
    holdfast_store::testing::unbroken(|| {
        states::the_tables_are_the_fold_of_the_log(world)?;
        states::all_replicas_are_equal(world)?;
        states::columns_follow_the_role(world)?;
        states::pages_show_what_is_there(world)?;
        states::what_nobody_knows_is_carried_along(world)?;
        hubs::hubs_hold_what_the_hospital_holds(world)?;
        deeds::nothing_is_lost_and_nothing_is_there_twice(world)?;
        deeds::what_was_refused_is_kept(world)?;
        hubs::what_hubs_refused_is_kept(world)?;
        deeds::stocks_are_the_sum_of_what_was_done(world)?;
        references::nobody_was_refused_for_a_row_that_came_later(world)
    })
}

/// Somebody has not come to rest.
pub fn unrest(world: &World) -> Violation {
    let mut who = Vec::new();
    for node in world.devices.iter().filter(|node| !node.revoked) {
        if let Ok(status) = node.look().replica.status()
            && (status.waiting > 0 || status.problem.is_some())
        {
            who.push(format!(
                "device {}: {} wait, {:?}",
                node.number, status.waiting, status.problem
            ));
        }
    }
    for hub in world.hubs() {
        if let (Ok(relayed), Ok(head)) = (hub.look().store.relay_count(), hub.look().store.head()) {
            who.push(format!("hub {}: at {head}, {relayed:?}", hub.number));
        }
    }
    let who = who.join("\n  ");
    Violation::new(format!("not everything comes to rest:\n  {who}"))
}
