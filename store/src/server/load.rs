//! What a working set needs, for what the server itself writes.

use holdfast_core::{
    ids::Timestamp,
    ingest::{Needs, WorkingSet},
    schema::Side,
};

use super::ServerStore;
use crate::{StoreError, writing::Writing};

impl ServerStore {
    /// Loads documents, presence, claims as they are now.
    pub fn load(&self, needs: &Needs) -> Result<WorkingSet, StoreError> {
        let mut writing = Writing::new(&self.connection, Side::Server, Timestamp::default());
        writing.load(needs)?;
        Ok(writing.into_set())
    }
}
