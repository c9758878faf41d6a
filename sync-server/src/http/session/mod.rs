//! `/v1/session`: signing in and out, and who is signed in.

mod at_hub;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod read;
