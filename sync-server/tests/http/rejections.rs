//! Transactions that are not right: each is told which row and why, nothing of it is stored, and the others go on.

use holdfast_core::{
    document::DocumentId,
    ids::{DeviceId, Timestamp, TransactionId, UserId},
    protocol::PushOutcome,
    schema::{Schema, TableId},
    transaction::Transaction,
};
use uuid::Uuid;

use crate::support::{Device, Hospital, on_both_stores, users};

on_both_stores! {
    a_value_that_is_too_long_names_its_row
    a_broken_reference_names_both_rows
    an_unknown_table_and_an_unknown_column_are_refused
    a_role_without_rights_is_refused
    a_wrong_signature_is_refused
    another_devices_transaction_is_refused
    a_user_who_never_signed_in_here_is_refused
    a_transaction_without_its_changes_is_refused
    an_impossible_time_is_refused
    an_id_is_taken_once
    a_value_that_no_table_can_hold_stops_nobody
}

/// Pushes a bad transaction between two good ones: only it is rejected, and only they are stored.
fn rejection(hospital: &Hospital, device: &mut Device, bad: Transaction) -> (String, String) {
    let good: Vec<_> = (0..2)
        .map(|_| {
            let number = u32::from_be_bytes(holdfast_server::store::random::bytes());
            device.new_patient(&format!("G-{number}"))
        }.1)
        .collect();
    let (head, rows) = hospital.stored("patients");
    let outcomes = device.push_all(vec![good[0].transaction.clone(), bad, good[1].transaction.clone()]);
    assert!(matches!(outcomes[0], PushOutcome::Accepted { .. }), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[2], PushOutcome::Accepted { .. }), "{:?}", outcomes[2]);
    assert_eq!(hospital.stored("patients"), (head + 2, rows + 2));
    match &outcomes[1] {
        PushOutcome::Rejected { code, reason, .. } => (code.clone(), reason.clone()),
        other => panic!("it was not rejected: {other:?}"),
    }
}

fn a_value_that_is_too_long_names_its_row(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (row, bad) = phone.new_patient("123456789012345678901");
    let (code, reason) = rejection(hospital, &mut phone, bad.transaction);
    assert_eq!(code, "invalid_value");
    assert_eq!(
        reason,
        format!("patients.patient_number, row {row}: is too long: 21 characters where 20 fit")
    );
}

fn a_broken_reference_names_both_rows(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (room, refused) = phone.create("rooms", &[("room_number", "a number that is too long".into())]);
    let (bed, bad) = phone.create("beds", &[("bed_number", "1".into()), ("room_id", room.into())]);
    let outcomes = phone.push_all(vec![refused.transaction, bad.transaction]);
    let [PushOutcome::Rejected { .. }, PushOutcome::Rejected { code, reason, .. }] = &outcomes[..] else {
        panic!("not rejected: {outcomes:?}")
    };
    assert_eq!(code, "broken_reference");
    assert!(
        reason.contains(&bed.to_string()) && reason.contains(&room.to_string()),
        "{reason}"
    );
}

fn an_unknown_table_and_an_unknown_column_are_refused(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, mut bad) = phone.new_patient("P-1");
    bad.opened.body.changes[0].document.table = TableId(200);
    let bad = phone.sign(&bad);
    assert_eq!(rejection(hospital, &mut phone, bad).0, "unknown_table");

    // A change of one table, named as one of another: its columns are not there.
    let (row, mut bad) = phone.new_patient("P-2");
    let rooms = Schema::hospital().expect("supply_categories").id;
    for change in &mut bad.opened.body.changes {
        change.document = DocumentId::main(rooms, row);
    }
    let bad = phone.sign(&bad);
    let (code, reason) = rejection(hospital, &mut phone, bad);
    assert_eq!(code, "unknown_column", "{reason}");
    assert!(reason.contains(&row.to_string()), "{reason}");
}

fn a_role_without_rights_is_refused(hospital: &Hospital) {
    let mut auditor = hospital.device(users::AUDITOR);
    let (_, bad) = auditor.new_patient("P-1");
    let outcome = auditor.push(&bad.transaction);
    let PushOutcome::Rejected { code, reason, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(code, "not_allowed");
    assert!(reason.contains("role"), "{reason}");
    assert_eq!(hospital.stored("patients").1, 0);
}

fn a_wrong_signature_is_refused(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, mut bad) = phone.new_patient("P-1");
    bad.transaction.signature[5] ^= 1;
    assert_eq!(rejection(hospital, &mut phone, bad.transaction).0, "wrong_signature");

    let (_, bad) = phone.new_patient("P-2");
    let forged = Device::new(&hospital.url).sign(&bad);
    assert_eq!(rejection(hospital, &mut phone, forged).0, "wrong_signature");

    let (_, mut bad) = phone.new_patient("P-3");
    let last = bad.transaction.changes.len() - 1;
    if let Some(bytes) = &mut bad.transaction.changes[last] {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
    }
    let (code, _) = rejection(hospital, &mut phone, bad.transaction);
    assert!(["malformed", "wrong_hash"].contains(&code.as_str()), "{code}");
}

fn another_devices_transaction_is_refused(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let mut tablet = hospital.device(users::NURSE);
    let (_, made) = tablet.new_patient("P-1");
    assert_eq!(
        rejection(hospital, &mut phone, made.transaction.clone()).0,
        "wrong_device"
    );
    assert!(tablet.accepted(&made), "its own device may still send it");

    let (_, mut bad) = phone.new_patient("P-2");
    bad.opened.body.device = DeviceId(Uuid::from_u128(9));
    let bad = phone.sign(&bad);
    assert_eq!(rejection(hospital, &mut phone, bad).0, "wrong_device");
}

fn a_user_who_never_signed_in_here_is_refused(hospital: &Hospital) {
    let admin = hospital.device(users::ADMIN);
    let mut phone = hospital.device(users::NURSE);
    for user in [admin.user, UserId(Uuid::nil())] {
        let (_, mut bad) = phone.new_patient("P-1");
        bad.opened.body.user = user;
        let bad = phone.sign(&bad);
        assert_eq!(rejection(hospital, &mut phone, bad).0, "unknown_user");
    }
}

fn a_transaction_without_its_changes_is_refused(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, mut bad) = phone.new_patient("P-1");
    bad.transaction.changes[0] = None;
    assert_eq!(rejection(hospital, &mut phone, bad.transaction).0, "incomplete");
    let (_, mut bad) = phone.new_patient("P-2");
    bad.transaction.changes.pop();
    assert_eq!(rejection(hospital, &mut phone, bad.transaction).0, "malformed");
    let (_, mut bad) = phone.new_patient("P-3");
    bad.opened.body.changes.clear();
    bad.transaction.changes.clear();
    let bad = phone.sign(&bad);
    assert_eq!(rejection(hospital, &mut phone, bad).0, "empty");
}

fn an_impossible_time_is_refused(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    for time in [i64::MAX, i64::MIN, 300_000_000_000_000_000] {
        let (_, mut bad) = phone.new_patient("P-1");
        bad.opened.body.time = Timestamp(time);
        bad.opened.body.id = TransactionId(holdfast_server::store::random::new_id());
        let bad = phone.sign(&bad);
        assert_eq!(rejection(hospital, &mut phone, bad).0, "invalid_time");
    }
}

/// Whatever became of the first transaction with an id, another one with that id never gets its outcome.
fn an_id_is_taken_once(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, good) = phone.new_patient("P-1");
    let (_, refused) = phone.new_patient(&"9".repeat(21));
    let mut pretend = |number: &str, id: TransactionId| {
        let (_, mut other) = phone.new_patient(number);
        other.opened.body.id = id;
        phone.sign(&other)
    };
    let (like_good, like_refused) = (
        pretend("P-2", good.opened.body.id),
        pretend("P-3", refused.opened.body.id),
    );
    let all = vec![good.transaction, refused.transaction, like_good, like_refused];
    let judge = |outcomes: &[PushOutcome]| {
        let codes: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                PushOutcome::Accepted { .. } => "accepted",
                PushOutcome::Rejected { code, .. } => code,
                PushOutcome::Waiting { .. } | PushOutcome::Later { .. } => "waiting",
                PushOutcome::Relayed { .. } => "relayed",
            })
            .map(str::to_owned)
            .collect();
        assert_eq!(hospital.stored("patients").1, 1);
        codes
    };
    let expected = ["accepted", "invalid_value", "id_taken", "id_taken"];
    assert_eq!(judge(&phone.push_all(all.clone())), expected, "in one push");
    assert_eq!(judge(&phone.push_all(all.clone())), expected, "the same again");
    let apart: Vec<_> = all.iter().map(|t| phone.push(t)).collect();
    assert_eq!(judge(&apart), expected, "each for itself");
    let backwards: Vec<_> = all.into_iter().rev().collect();
    let mut outcomes = judge(&phone.push_all(backwards));
    outcomes.reverse();
    assert_eq!(outcomes, expected, "in another order");
    assert_eq!(hospital.block_on(hospital.store.quarantine(10)).unwrap().len(), 1);
}

/// PostgreSQL cannot index a value of this size; SQLite can. Both refuse it, and everybody else's work arrives.
fn a_value_that_no_table_can_hold_stops_nobody(hospital: &Hospital) {
    let mut admin = hospital.device(users::ADMIN);
    let noise: String = (0..9_000u32)
        .map(|i| char::from(b'a' + (i.wrapping_mul(2_654_435_761) >> 27) as u8 % 26))
        .collect();
    let (_, long) = admin.create(
        "legacy_users",
        &[
            ("email", noise.into()),
            ("name", "Old".into()),
            ("address", "Old Street".into()),
            ("phone", "1".into()),
        ],
    );
    let (_, good) = admin.new_patient("P-1");
    let outcomes = admin.push_all(vec![long.transaction, good.transaction]);
    assert!(matches!(outcomes[1], PushOutcome::Accepted { .. }), "{:?}", outcomes[1]);
    match &outcomes[0] {
        PushOutcome::Rejected { code, reason, .. } => assert_eq!(code, "invalid_value", "{reason}"),
        other => panic!("it was not rejected: {other:?}"),
    }
    assert_eq!(hospital.stored("patients").1, 1);
}
