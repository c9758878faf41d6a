//! Two people work on the same things without knowing of each other.

use holdfast_store::replica::Conflict;
use holdfast_tests::{
    device::Device,
    hospital::{BEDS, GLOVES, Hospital, PATIENTS},
};
use serde_json::{Value as Json, json};

use crate::{all_sync, assert_equal_everywhere};

crate::on_both_databases! {
    different_columns_of_one_patient_both_survive
    the_same_column_of_one_patient_is_settled_by_a_person_who_sees_both_sides
    one_bed_given_to_two_patients_is_the_firsts_in_the_stream_and_a_task
    stock_taken_on_two_devices_is_taken_twice
    stock_that_was_not_there_is_recorded_and_counted_again
    what_one_deletes_and_another_edits_is_kept_until_somebody_decides
    words_of_both_stay_in_a_text
    a_number_given_twice_is_the_firsts_and_the_other_patient_stays
}

fn two(hospital: &mut Hospital) -> (Device, Device) {
    (hospital.device("ada"), hospital.device("nora"))
}

fn edit(device: &mut Device, patient: usize, values: &Json) {
    let id = PATIENTS[patient].to_string();
    device.run("editRow", json!({ "table": "patients", "id": id, "values": values }));
}

/// The one open conflict, which both see alike.
fn shared_conflict(a: &Device, b: &Device) -> Conflict {
    let (mut on_a, on_b) = (
        a.replica.conflicts().unwrap_or_default(),
        b.replica.conflicts().unwrap_or_default(),
    );
    let ids = |conflicts: &[Conflict]| conflicts.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&on_a), ids(&on_b), "both see the same conflicts");
    assert_eq!(on_a.len(), 1, "there is one conflict: {on_a:#?}");
    on_a.remove(0)
}

fn settle(device: &mut Device, conflict: &Conflict, value: &Json) {
    device.run("settleConflict", json!({ "conflictId": conflict.id, "value": value }));
}

fn assert_none_open(devices: &[&Device]) {
    for device in devices {
        let open = device.replica.conflicts().unwrap_or_default();
        assert!(open.is_empty(), "a conflict is left: {open:#?}");
    }
}

fn different_columns_of_one_patient_both_survive(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    edit(&mut a, 0, &json!({ "phone": "111" }));
    edit(&mut b, 0, &json!({ "email": "anna@example.org" }));
    all_sync(&mut [&mut a, &mut b]);
    for device in [&mut a, &mut b] {
        let text = device.text("SELECT phone || ' ' || email AS t FROM patients WHERE patient_number = 'P-Anna'");
        assert_eq!(text, "111 anna@example.org");
    }
    assert_none_open(&[&a, &b]);
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn the_same_column_of_one_patient_is_settled_by_a_person_who_sees_both_sides(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    edit(&mut a, 0, &json!({ "blood_type": "0-" }));
    edit(&mut b, 0, &json!({ "blood_type": "AB+" }));
    all_sync(&mut [&mut b, &mut a]);
    let conflict = shared_conflict(&a, &b);
    assert_eq!(
        (conflict.kind.as_str(), conflict.column.as_deref()),
        ("concurrent", Some("blood_type"))
    );
    let mut sides: Vec<_> = conflict
        .sides
        .iter()
        .map(|side| {
            (
                side.value.as_str().unwrap_or_default(),
                side.user_name.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    sides.sort_unstable();
    assert_eq!(sides, [("0-", "Ada Berg"), ("AB+", "Nora Berg")]);
    assert_eq!(
        conflict.sides.iter().filter(|s| s.shown).count(),
        1,
        "the tables show one of them"
    );
    assert_equal_everywhere(&hospital, &[&a, &b]);

    settle(&mut b, &conflict, &json!("0-"));
    all_sync(&mut [&mut b, &mut a]);
    assert_none_open(&[&a, &b]);
    let sql = "SELECT blood_type FROM patients WHERE patient_number = 'P-Anna'";
    assert_eq!((a.text(sql), b.text(sql)), ("0-".into(), "0-".into()));
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn one_bed_given_to_two_patients_is_the_firsts_in_the_stream_and_a_task(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    let bed = BEDS[0].to_string();
    // The device of the second was earlier by the clock: it is the stream that counts.
    b.run(
        "admitPatient",
        json!({ "patientId": PATIENTS[1].to_string(), "bedId": bed }),
    );
    a.run(
        "admitPatient",
        json!({ "patientId": PATIENTS[0].to_string(), "bedId": bed }),
    );
    all_sync(&mut [&mut a, &mut b]);
    let sql = format!("SELECT patient_id FROM beds WHERE id = '{bed}'");
    for device in [&mut a, &mut b] {
        assert_eq!(
            device.text(&sql),
            PATIENTS[0].to_string(),
            "the first in the stream has the bed"
        );
    }
    let (on_a, on_b) = (
        a.replica.conflicts().unwrap_or_default(),
        b.replica.conflicts().unwrap_or_default(),
    );
    let of_bed = |conflicts: &[Conflict]| {
        let found = conflicts.iter().find(|c| c.column.as_deref() == Some("patient_id"));
        found
            .cloned()
            .unwrap_or_else(|| panic!("no conflict about the bed: {conflicts:#?}"))
    };
    let conflict = of_bed(&on_a);
    assert_eq!(conflict.id, of_bed(&on_b).id);
    assert_eq!(conflict.kind, "claim");
    assert!(conflict.task.contains("bed"), "the task is told: {}", conflict.task);
    assert_equal_everywhere(&hospital, &[&a, &b]);

    // Somebody decides: the first stays, the other waits again.
    settle(&mut b, &conflict, &json!(PATIENTS[0].to_string()));
    all_sync(&mut [&mut b, &mut a]);
    let open = a.replica.conflicts().unwrap_or_default();
    assert!(open.iter().all(|c| c.id != conflict.id), "{open:#?}");
    let waits = format!("SELECT status FROM patient_queue WHERE patient_id = '{}'", PATIENTS[1]);
    assert_eq!(a.text(&waits), "waiting");
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn take(device: &mut Device, quantity: i64) {
    device.run(
        "takeStock",
        json!({ "supplyId": GLOVES.to_string(), "quantity": quantity }),
    );
}

fn stock(device: &mut Device) -> String {
    device.text(&format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'"))
}

fn stock_taken_on_two_devices_is_taken_twice(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    take(&mut a, 7);
    take(&mut b, 5);
    take(&mut b, 1);
    all_sync(&mut [&mut a, &mut b]);
    assert_eq!((stock(&mut a), stock(&mut b)), ("87".into(), "87".into()));
    let taken = format!("SELECT sum(quantity) AS n FROM inventory_transactions WHERE supply_id = '{GLOVES}'");
    assert_eq!(a.text(&taken), "13", "counter and records agree");
    assert_none_open(&[&a, &b]);
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn stock_that_was_not_there_is_recorded_and_counted_again(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    take(&mut a, 60);
    take(&mut b, 60);
    all_sync(&mut [&mut a, &mut b]);
    assert_eq!(stock(&mut b), "-20", "what was handed out is never dropped");
    let conflict = shared_conflict(&a, &b);
    assert_eq!(conflict.kind, "negative");
    settle(&mut a, &conflict, &json!(3));
    all_sync(&mut [&mut a, &mut b]);
    assert_eq!(stock(&mut b), "3");
    assert_none_open(&[&a, &b]);
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn what_one_deletes_and_another_edits_is_kept_until_somebody_decides(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    let made = a.run(
        "createRow",
        json!({ "table": "supply_categories", "values": { "name": "Masks" } }),
    );
    all_sync(&mut [&mut a, &mut b]);
    let id = made.rows[0].id.clone();
    a.run("deleteRow", json!({ "table": "supply_categories", "id": id }));
    let values = json!({ "description": "FFP2" });
    b.run(
        "editRow",
        json!({ "table": "supply_categories", "id": id, "values": values }),
    );
    all_sync(&mut [&mut a, &mut b]);
    let conflict = shared_conflict(&a, &b);
    assert_eq!(
        (conflict.kind.as_str(), conflict.row.as_str()),
        ("deleted", id.as_str())
    );
    let sql = format!("SELECT description FROM supply_categories WHERE id = '{id}'");
    assert_eq!((a.text(&sql), b.text(&sql)), ("FFP2".into(), "FFP2".into()));
    assert_equal_everywhere(&hospital, &[&a, &b]);

    settle(&mut b, &conflict, &json!(false));
    all_sync(&mut [&mut b, &mut a]);
    assert!(a.rows(&sql).is_empty() && b.rows(&sql).is_empty(), "now it is deleted");
    assert_none_open(&[&a, &b]);
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn words_of_both_stay_in_a_text(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    let id = PATIENTS[0].to_string();
    let write = |text: &str| json!({ "table": "patients", "id": id, "values": { "medical_history": text }, "seen": { "medical_history": null } });
    a.run("editRow", write("Asthma."));
    all_sync(&mut [&mut a, &mut b]);
    let seen = json!({ "medical_history": "Asthma." });
    for (device, text) in [(&mut a, "Severe Asthma."), (&mut b, "Asthma. Smoker.")] {
        let values = json!({ "medical_history": text });
        device.run(
            "editRow",
            json!({ "table": "patients", "id": id, "values": values, "seen": seen }),
        );
    }
    all_sync(&mut [&mut a, &mut b]);
    let sql = format!("SELECT medical_history FROM patients WHERE id = '{id}'");
    assert_eq!(
        (a.text(&sql), b.text(&sql)),
        ("Severe Asthma. Smoker.".into(), "Severe Asthma. Smoker.".into())
    );
    assert_equal_everywhere(&hospital, &[&a, &b]);
}

fn a_number_given_twice_is_the_firsts_and_the_other_patient_stays(mut hospital: Hospital) {
    let (mut a, mut b) = two(&mut hospital);
    for (device, first) in [(&mut a, "Ida"), (&mut b, "Jon")] {
        let values = json!({ "patient_number": "P-77", "first_name": first, "last_name": "Roth",
            "date_of_birth": "1970-01-01" });
        device.run("createRow", json!({ "table": "patients", "values": values }));
    }
    all_sync(&mut [&mut b, &mut a]);
    let number = |device: &mut Device, first: &str| {
        device.text(&format!(
            "SELECT patient_number FROM patients WHERE first_name = '{first}'"
        ))
    };
    assert_eq!(number(&mut a, "Jon"), "P-77", "the first in the stream has it");
    assert!(number(&mut a, "Ida").starts_with("P-77~"));
    let conflict = shared_conflict(&a, &b);
    settle(&mut a, &conflict, &json!("P-78"));
    all_sync(&mut [&mut a, &mut b]);
    assert_eq!(number(&mut b, "Ida"), "P-78");
    assert_none_open(&[&a, &b]);
    assert_equal_everywhere(&hospital, &[&a, &b]);
}
