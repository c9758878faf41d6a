//! A hospital with a listening server, and devices that talk to it.

mod client;
mod database;
mod device;
mod hospital;

pub use client::{Answer, get, request};
pub use database::Database;
pub use device::Device;
pub use hospital::{Hospital, PASSWORD, users};

/// Makes of each `fn name(hospital: &Hospital)` two tests: one on SQLite, one on PostgreSQL.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::support::Hospital::on_sqlite());
            })*
        }

        mod postgres {
            $(#[test]
            fn $name() {
                super::$name(&crate::support::Hospital::on_postgres());
            })*
        }
    };
}
pub(crate) use on_both_stores;
