//! Holdfast's side of the talk with Automerge's own library in `tests/automerge`: histories to load there, and an ear for
//! what that library writes.

pub mod desk;
pub mod histories;
pub mod state;
