//! `/v1/session`: signing in and out, and who is signed in.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod read;
