//! Both stores keep the same things alike.

use std::str::FromStr;

use holdfast_core::ids::{DeviceId, Timestamp, UserId};
use holdfast_server::store::{Session, Store, now};
use serde_json::Value as Json;

use crate::support::{Hospital, on_both_stores, users};

on_both_stores! {
    the_servers_own_device_is_known
    a_sign_in_clears_all_expired_sessions
    the_sides_of_a_conflict_are_told_in_words
}

fn the_servers_own_device_is_known(hospital: &Hospital) {
    let key = hospital.block_on(hospital.store.server_key()).unwrap();
    let own = DeviceId::of_public_key(&key.verifying_key().to_bytes());
    let devices = hospital.block_on(hospital.store.devices()).unwrap();
    let (device, used_by) = &devices[0];
    assert_eq!((device.id, device.name.as_str()), (own, "server"));
    assert!(device.user.0.is_nil() && used_by.is_empty());
    assert!(now().0 - device.registered_at.0 < 600_000_000);
}

fn a_sign_in_clears_all_expired_sessions(hospital: &Hospital) {
    let (phone, tablet) = (hospital.device(users::NURSE), hospital.device(users::NURSE));
    let open = |token: u8, device: DeviceId, from: i64, to: i64| {
        let session = Session {
            user: phone.user,
            device,
            created_at: Timestamp(from),
            expires_at: Timestamp(to),
        };
        hospital
            .block_on(hospital.store.open_session([token; 32], session))
            .unwrap();
    };
    let session = |token: u8| {
        let found = hospital.store.signed_in([token; 32], Timestamp(50));
        hospital.block_on(found).unwrap()
    };
    open(1, phone.id(), 10, 100);
    assert!(session(1).is_some());
    open(2, tablet.id(), 100, 200);
    assert!(session(1).is_none() && session(2).is_some());
}

fn the_sides_of_a_conflict_are_told_in_words(hospital: &Hospital) {
    let (mut phone, mut tablet) = (hospital.device(users::NURSE), hospital.device(users::NURSE));
    let (row, made) = phone.new_patient("P-1");
    assert!(phone.accepted(&made));
    let one = phone.edit("patients", row, "blood_type", "A+".into());
    let other = tablet.edit_of_pulled("patients", UserId(row.0), "blood_type", "B+".into());
    assert!(phone.accepted(&one) && tablet.accepted(&other));
    let sides = match &hospital.store {
        Store::Sqlite(store) => {
            let connection = rusqlite::Connection::open(store.path()).unwrap();
            let sql = "SELECT sides FROM sync_conflicts";
            connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
        }
        Store::Postgres(store) => {
            let sides = sqlx::query_scalar("SELECT sides::text FROM sync.conflicts").fetch_one(store.pool());
            hospital.block_on(sides).unwrap()
        }
    };
    let sides: Vec<Json> = serde_json::from_str(&sides).unwrap();
    assert_eq!(sides.len(), 2, "{sides:?}");
    for side in sides {
        let mut names: Vec<_> = side.as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["actor", "shown", "time", "value"]);
        let time = side["time"].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z'), "{time}");
        assert!(i64::from_str(&time[..4]).unwrap() >= 2020, "{time}");
    }
}
