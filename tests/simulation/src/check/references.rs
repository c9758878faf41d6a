//! What became of references to rows that were on their way.

use std::collections::BTreeMap;

use holdfast_core::{
    document::Facet,
    ids::DeviceId,
    ingest::{Needs, RowKey},
};

use super::Violation;
use crate::world::World;

/// A server waits for a row that another device made, for thirty days. Who has refused it meanwhile was too quick.
pub fn nobody_was_refused_for_a_row_that_came_later(world: &World) -> Result<(), Violation> {
    let server = world.hospital().look();
    let refused = server.store.quarantine(usize::MAX >> 1).map_err(Violation::engine)?;
    let mut early = refused
        .iter()
        .filter(|one| one.code == "broken_reference" && !one.reason.contains("30 days"))
        .peekable();
    if early.peek().is_none() {
        return Ok(());
    }
    let makers = makers(world)?;
    for one in early {
        let opened = one.transaction.open().map_err(Violation::engine)?;
        let named = |key: &RowKey| one.reason.ends_with(&key.row.to_string());
        let came = |key: &RowKey| makers.get(key).is_some_and(|maker| *maker != one.device);
        if Needs::of(&opened).presence.iter().any(|key| named(key) && came(key)) {
            return Err(Violation::new(format!(
                "something was refused for a row that came later: {}",
                one.reason
            )));
        }
    }
    Ok(())
}

/// The devices that made the rows of the server.
fn makers(world: &World) -> Result<BTreeMap<RowKey, DeviceId>, Violation> {
    let mut makers = BTreeMap::new();
    for entry in world.hospital().look().log().map_err(Violation::engine)? {
        let body = entry.transaction.body().map_err(Violation::engine)?;
        for name in body.changes.iter().filter(|name| name.document.facet == Facet::Main) {
            makers.entry(RowKey::of(&name.document)).or_insert(body.device);
        }
    }
    Ok(makers)
}
