//! Queries of the page: one read-only statement over the 33 tables.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{Replica, ReplicaError};

impl Replica {
    /// Runs one read-only statement over the 33 tables; `?1`, `?2` … are bound from `parameters` (text, numbers, null,
    /// booleans as 0 and 1). A row is an object by column name.
    pub fn query(&mut self, sql: &str, parameters: &[Json]) -> Result<Vec<Map<String, Json>>, ReplicaError> {
        todo!("{sql} {parameters:?}")
    }

    /// The tables that a query reads.
    pub fn tables_of(&mut self, sql: &str) -> Result<BTreeSet<&'static str>, ReplicaError> {
        todo!("{sql}")
    }
}
