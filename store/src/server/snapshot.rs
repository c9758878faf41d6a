//! All documents, page by page, for a new device.

use holdfast_core::{document::DocumentId, protocol::SnapshotResponse};

use super::ServerStore;
use crate::StoreError;

impl ServerStore {
    /// A page of at most `limit` documents that the device may see, after those of the page that `after` came with. `None`
    /// if `after` isn't a token of this store.
    pub fn snapshot(
        &mut self,
        after: Option<&str>,
        limit: usize,
        may_see: &dyn Fn(&DocumentId) -> bool,
    ) -> Result<Option<SnapshotResponse>, StoreError> {
        let _ = (after, limit, may_see);
        todo!()
    }
}
