//! `GET /v1/pull`.

use holdfast_core::{
    document::Facet,
    ids::Seq,
    protocol::{SnapshotResponse, decode},
    transaction::DeviceKey,
};

use crate::support::{Hospital, on_both_stores, users};

on_both_stores! {
    pages_follow_the_cursor
    what_a_role_may_not_see_is_withheld_and_the_signature_still_holds
    a_bad_cursor_is_refused
}

fn pages_follow_the_cursor(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let before = hospital.stored("patients").0;
    for i in 0..5 {
        let (_, made) = phone.new_patient(&format!("P-{i}"));
        assert!(phone.accepted(&made));
    }
    let first = phone.pull(before, 2);
    assert_eq!(
        (first.entries.len(), first.cursor, first.head),
        (2, Seq(before + 2), Seq(before + 5))
    );
    let rest = phone.pull(first.cursor.0, 100);
    assert_eq!((rest.entries.len(), rest.cursor), (3, Seq(before + 5)));
    let none = phone.pull(rest.cursor.0, 100);
    assert_eq!((none.entries.len(), none.cursor), (0, rest.cursor));
}

fn what_a_role_may_not_see_is_withheld_and_the_signature_still_holds(hospital: &Hospital) {
    let mut admin = hospital.device(users::ADMIN);
    let nurse = hospital.device(users::NURSE);
    let (department, made) = admin.create("departments", &[("name", "Surgery".into())]);
    assert!(admin.accepted(&made));
    let before = hospital.stored("staff").0;
    let (_, hired) = admin.create(
        "staff",
        &[
            ("user_id", nurse.user.into()),
            ("employee_id", "E-1".into()),
            ("department_id", department.into()),
            ("position", "Nurse".into()),
            ("hire_date", "2020-01-01".into()),
            ("salary", "3210.50".into()),
        ],
    );
    assert!(admin.accepted(&hired));

    let seen = admin.pull(before, 10).entries.remove(0).transaction;
    assert_eq!(seen, hired.transaction);
    let withheld = nurse.pull(before, 10).entries.remove(0).transaction;
    let body = withheld.body().unwrap();
    let key = DeviceKey::new(&admin.key.verifying_key().to_bytes());
    withheld.verify(&body, &key).unwrap();
    for (name, bytes) in body.changes.iter().zip(&withheld.changes) {
        assert_eq!(bytes.is_some(), name.document.facet == Facet::Main);
    }
    let restricted = |device: &crate::support::Device| {
        let answer = device.send("GET", "/v1/snapshot", &[], &[]);
        assert!(!answer.body.windows(7).any(|w| w == b"3210.50") || device.user == admin.user);
        let page: SnapshotResponse = decode(&answer.body).unwrap();
        page.documents
            .iter()
            .filter(|d| d.id.facet == Facet::Restricted)
            .count()
    };
    assert_eq!((restricted(&nurse), restricted(&admin)), (0, 1));
}

fn a_bad_cursor_is_refused(hospital: &Hospital) {
    let phone = hospital.device(users::NURSE);
    for query in ["after=-1", "after=x", "after=1&limit=x"] {
        let answer = phone.send("GET", &format!("/v1/pull?{query}"), &[], &[]);
        assert_eq!(answer.error(), (400, "malformed".to_owned()), "{query}");
    }
    for after in [1_000_000, u64::MAX] {
        let beyond = phone.pull(after, 10);
        assert!(beyond.entries.is_empty() && beyond.head.0 < after);
    }
}
