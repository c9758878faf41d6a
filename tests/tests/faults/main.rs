//! What goes wrong: processes killed, databases stopped, connections cut, disks full, requests that are none.

mod bad_input;
mod forged;
mod under_load;

/// Runs each function on a hospital of its own on each database.
macro_rules! on_both_databases {
    ($($fault:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $fault() {
                super::$fault(holdfast_tests::hospital::Hospital::open(holdfast_tests::server::Kind::Sqlite));
            })*
        }

        mod postgres {
            $(#[test]
            fn $fault() {
                super::$fault(holdfast_tests::hospital::Hospital::open(holdfast_tests::server::Kind::Postgres));
            })*
        }
    };
}
use on_both_databases;
