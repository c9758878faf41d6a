//! What people live through: the real server over HTTP, devices that were offline, on SQLite and on PostgreSQL.

mod arrivals;
mod conflicts;
mod refusals;
mod secrets;
mod waiting;

/// Runs each function on a hospital of its own on each database.
macro_rules! on_both_databases {
    ($($journey:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $journey() {
                super::$journey(holdfast_tests::hospital::Hospital::open(holdfast_tests::server::Kind::Sqlite));
            })*
        }

        mod postgres {
            $(#[test]
            fn $journey() {
                super::$journey(holdfast_tests::hospital::Hospital::open(holdfast_tests::server::Kind::Postgres));
            })*
        }
    };
}
use on_both_databases;

use holdfast_tests::{
    contents::{Contents, assert_same, replicated, unrestricted},
    device::Device,
    hospital::Hospital,
};

/// Devices exchange in this order until all have what all wrote.
fn all_sync(devices: &mut [&mut Device]) {
    for device in devices.iter_mut() {
        device.sync();
    }
    for device in devices.iter_mut() {
        device.sync();
    }
}

/// The server's tables, read with plain SQL, and the devices' hold the same rows.
fn assert_equal_everywhere(hospital: &Hospital, devices: &[&Device]) {
    let server = hospital.server.contents(replicated);
    assert_eq!(
        server.empty_tables(),
        Vec::<&str>::new(),
        "every table has rows to compare"
    );
    for device in devices {
        let sees_all = device.replica.session().is_some_and(|s| s.role != "nurse");
        if sees_all {
            let contents = Contents::of_sqlite(device.file(), replicated);
            assert_same("the server", &server, "a device", &contents);
        } else {
            let contents = Contents::of_sqlite(device.file(), unrestricted);
            assert_same(
                "the server",
                &hospital.server.contents(unrestricted),
                "a device",
                &contents,
            );
        }
    }
}
