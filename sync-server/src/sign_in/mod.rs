//! Who somebody is: passwords and how often they may be tried.

mod attempts;
pub mod password;

pub use attempts::Attempts;
