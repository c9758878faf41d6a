//! How claims are stored.

use holdfast_core::{
    document::Place,
    ids::{RowId, Timestamp},
    ingest::{Claim, Claimant},
};

use super::StoreError;

/// The key of `sync.claims`: table, column, value.
pub(super) fn key(claim: &Claim) -> (i16, i16, String) {
    (
        i16::from(claim.table.0),
        claim.column.0 as i16,
        claim.value.to_sql_text().unwrap_or_default(),
    )
}

/// The claimants of one value, in order.
pub(super) fn encode(claimants: &[Claimant]) -> Vec<u8> {
    let plain: Vec<(Place, Timestamp, RowId)> = claimants.iter().map(|c| (c.place, c.time, c.row)).collect();
    minicbor::to_vec(plain).expect("BUG: encoding into memory cannot fail")
}

/// Reads [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Claimant>, StoreError> {
    let plain: Vec<(Place, Timestamp, RowId)> =
        minicbor::decode(bytes).map_err(|_| StoreError::Corrupt("stored claimants cannot be read"))?;
    Ok(plain
        .into_iter()
        .map(|(place, time, row)| Claimant { place, time, row })
        .collect())
}
