//! Numbers for people that a device can give out offline: the date and five random characters, which two devices
//! hit upon together once in 33 million.

use crate::command::{CommandError, draft::Draft};

/// Crockford's alphabet: no letter that is read as a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A number that no row has in this column: `P-20260131-7K2QD`.
pub(super) fn unused(draft: &mut Draft, prefix: &str, table: &str, column: &str) -> Result<String, CommandError> {
    loop {
        let number = make(draft, prefix);
        if draft.find(table, &[(column, number.as_str().into())])?.is_empty() {
            return Ok(number);
        }
    }
}

fn make(draft: &mut Draft, prefix: &str) -> String {
    let date = draft
        .now()
        .to_datetime()
        .map(|t| t.date_naive().to_string().replace('-', ""))
        .unwrap_or_default();
    // The low bits of a UUID v7 are the random ones.
    let random = draft.new_id().as_u128();
    let letters = (0..5).map(|at| char::from(ALPHABET[(random >> (5 * at)) as usize & 31]));
    format!("{prefix}-{date}-{}", letters.collect::<String>())
}
