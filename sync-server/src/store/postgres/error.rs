//! What PostgreSQL's errors mean for us.

use super::StoreError;

/// True if the same thing may well succeed when it is done again.
pub(super) fn is_transient(error: &StoreError) -> bool {
    // 40001 serialization_failure, 40P01 deadlock_detected
    matches!(state(error).as_deref(), Some("40001" | "40P01"))
}

/// What the tables refused, if they did: a broken constraint (class 23), a value that a type cannot hold (class 22), a row
/// or an index entry that is too large (54000).
pub(super) fn refusal(error: &StoreError) -> Option<String> {
    let state = state(error)?;
    let refused = state.starts_with("23") || state.starts_with("22") || state == "54000";
    refused.then(|| error.to_string())
}

fn state(error: &StoreError) -> Option<String> {
    let StoreError::Postgres(sqlx::Error::Database(error)) = error else {
        return None;
    };
    error.code().map(std::borrow::Cow::into_owned)
}
