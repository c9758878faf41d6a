//! Two devices and a server exchange bytes by hand.

mod conflicts;
mod lost;
mod merge;
mod refused;
mod session;
mod ward;
