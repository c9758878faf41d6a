//! What the server refuses is not lost, and does not take later work with it.

use holdfast_tests::hospital::{Hospital, MONA, PATIENTS, SURGERY};
use serde_json::json;

use crate::assert_equal_everywhere;

crate::on_both_databases! {
    a_refused_transaction_is_kept_with_its_reason_and_later_work_survives
    who_was_locked_out_keeps_his_work
}

/// The manager's role is taken from her while her device is offline.
fn a_refused_transaction_is_kept_with_its_reason_and_later_work_survives(mut hospital: Hospital) {
    let (mut ada, mut mona) = (hospital.device("ada"), hospital.device("mona"));
    let demote = json!({ "table": "users", "id": MONA.to_string(), "values": { "role": "nurse" } });
    ada.run("editRow", demote);
    ada.sync();

    let (department, patient) = (SURGERY.to_string(), PATIENTS[0].to_string());
    mona.run(
        "editRow",
        json!({ "table": "patients", "id": patient, "values": { "phone": "1" } }),
    );
    mona.run(
        "editRow",
        json!({ "table": "departments", "id": department, "values": { "phone": "2" } }),
    );
    mona.run(
        "editRow",
        json!({ "table": "patients", "id": patient, "values": { "email": "m@example.org" } }),
    );
    mona.sync();

    let outbox = mona.replica.outbox().unwrap_or_default();
    assert_eq!(outbox.len(), 1, "only what was refused is left: {outbox:#?}");
    assert_eq!(
        (outbox[0].state.as_str(), outbox[0].command.as_str()),
        ("rejected", "editRow")
    );
    let reason = outbox[0].reason.clone().unwrap_or_default();
    assert!(
        reason.contains("departments") && reason.contains(&department),
        "which row: {reason}"
    );
    assert!(reason.contains("role"), "and why: {reason}");
    let phone = format!("SELECT phone FROM departments WHERE id = '{department}'");
    assert_eq!(mona.text(&phone), "null", "what was refused is taken back");
    let survived = format!("SELECT phone || ' ' || email AS t FROM patients WHERE id = '{patient}'");
    ada.sync();
    for device in [&mut ada, &mut mona] {
        assert_eq!(device.text(&survived), "1 m@example.org");
    }
    // Her device goes on: she reads and decides.
    let id = outbox[0].transaction_id;
    mona.replica.discard(id).unwrap_or_else(|e| panic!("{e}"));
    assert_equal_everywhere(&hospital, &[&ada]);
}

fn who_was_locked_out_keeps_his_work(mut hospital: Hospital) {
    let (mut ada, mut mona) = (hospital.device("ada"), hospital.device("mona"));
    let users = |active: bool| json!({ "table": "users", "id": MONA.to_string(), "values": { "is_active": active } });
    ada.run("editRow", users(false));
    ada.sync();
    let patient = PATIENTS[0].to_string();
    mona.run(
        "editRow",
        json!({ "table": "patients", "id": patient, "values": { "phone": "1" } }),
    );
    let problem = mona.try_sync().err().unwrap_or_default();
    assert!(problem.contains("not active"), "she is told why: {problem}");
    assert_eq!(mona.replica.status().map(|s| s.waiting).unwrap_or_default(), 1);
    ada.run("editRow", users(true));
    ada.sync();
    mona.sync();
    ada.sync();
    assert_eq!(mona.replica.status().map(|s| s.waiting).unwrap_or_default(), 0);
    assert_eq!(
        ada.text(&format!("SELECT phone FROM patients WHERE id = '{patient}'")),
        "1"
    );
    assert_equal_everywhere(&hospital, &[&ada, &mona]);
}
