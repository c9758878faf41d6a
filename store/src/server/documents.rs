//! Documents as they are, for what the server itself writes.

use std::collections::BTreeSet;

use holdfast_core::{
    document::DocumentId,
    ids::Timestamp,
    ingest::{Needs, WorkingSet},
    schema::Side,
};

use super::ServerStore;
use crate::{StoreError, writing::Writing};

impl ServerStore {
    /// These documents as they are, empty ones for those that are not there.
    pub fn documents(&self, ids: BTreeSet<DocumentId>) -> Result<WorkingSet, StoreError> {
        let mut writing = Writing::new(&self.connection, Side::Server, Timestamp::default());
        writing.load(&Needs {
            documents: ids,
            ..Needs::default()
        })?;
        Ok(writing.into_set())
    }
}
