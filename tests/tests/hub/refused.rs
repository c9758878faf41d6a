//! What the hospital's server refuses leaves the ward again.

use holdfast_store::replica::Durability;
use holdfast_tests::{
    hospital::{Hospital, NORA},
    server::Kind,
    ward::Ward,
};
use serde_json::json;

use crate::{assert_equal_everywhere, device, durability, patient, shown};

#[test]
fn what_the_hospital_refuses_is_taken_out_of_the_ward_with_what_builds_on_it_and_its_maker_is_told() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    let mut ada = device(&mut hospital, &ward, "ada");
    let mut office = hospital.device("ada");
    ward.cut_off();
    // Nora is an auditor from now on, who only reads; the ward does not know it yet.
    let role = json!({ "table": "users", "id": NORA.to_string(), "values": { "role": "auditor" } });
    office.run("editRow", role);
    office.sync();
    let made = patient(&mut nora, "X-1");
    nora.sync();
    ada.sync();
    assert_eq!(shown(&mut ada, "X-1"), 1);
    let id = ada.text("SELECT id FROM patients WHERE patient_number = 'X-1'");
    let edit = json!({ "table": "patients", "id": id, "values": { "phone": "111" } });
    let built = ada.run("editRow", edit).transaction_id;
    let other = patient(&mut ada, "X-2");
    ada.sync();

    ward.line.mend();
    ward.wait_until_passed_on();
    nora.sync();
    ada.sync();
    assert_eq!(shown(&mut ada, "X-1"), 0);
    assert_eq!(durability(&nora, made), Some(Durability::Refused));
    assert_eq!(durability(&ada, built), Some(Durability::Refused));
    assert_eq!(durability(&ada, other), Some(Durability::Hospital));
    let told = nora.replica.outbox().expect("the outbox can be read");
    assert!(
        told[0].reason.as_ref().is_some_and(|reason| !reason.is_empty()),
        "{told:#?}"
    );
    assert_equal_everywhere(&hospital, &ward, &[&ada]);
}
