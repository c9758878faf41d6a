//! The ward goes on while the link to the hospital is down, and everything arrives when it is back.

use std::time::{Duration, Instant};

use holdfast_store::replica::Durability;
use holdfast_tests::{
    hospital::{BEDS, Hospital, PASSWORD, PATIENTS},
    server::Kind,
    ward::Ward,
};
use serde_json::json;

use crate::{all_arrives, assert_equal_everywhere, device, durability, patient, shown};

#[test]
fn a_ward_works_through_an_outage_and_nothing_is_doubled_on_sqlite() {
    ward_works_through_an_outage(Kind::Sqlite);
}

#[test]
fn a_ward_works_through_an_outage_and_nothing_is_doubled_on_postgresql() {
    ward_works_through_an_outage(Kind::Postgres);
}

fn ward_works_through_an_outage(kind: Kind) {
    let mut hospital = Hospital::open(kind);
    let ward = Ward::open(&hospital, "ward 3");
    let (mut ada, mut nora) = (
        device(&mut hospital, &ward, "ada"),
        device(&mut hospital, &ward, "nora"),
    );
    let mut office = hospital.device("mona");

    hospital.server.kill();
    ward.wait("the end of the link", |hub| hub["link"] == "down");
    let first = patient(&mut ada, "O-1");
    assert_eq!(durability(&ada, first), Some(Durability::Device));
    ada.sync();
    assert_eq!(durability(&ada, first), Some(Durability::Hub));
    assert_eq!(ward.relayed(), 1);
    nora.sync();
    assert_eq!(shown(&mut nora, "O-1"), 1, "the ward sees each other's work");
    let edit = json!({ "table": "patients", "id": PATIENTS[0].to_string(), "values": { "phone": "111" } });
    nora.run("editRow", edit);
    nora.sync();
    ada.sync();
    assert_eq!(
        ada.text("SELECT phone FROM patients WHERE patient_number = 'P-Anna'"),
        "111"
    );
    let far = patient(&mut office, "O-2");
    assert!(office.try_sync().is_err(), "outside the ward there is no hub");

    hospital.server.start();
    all_arrives(&ward, &mut [&mut office, &mut ada, &mut nora]);
    for (device, id) in [(&ada, first), (&office, far)] {
        assert_eq!(durability(device, id), Some(Durability::Hospital));
    }
    assert_eq!(shown(&mut nora, "O-2"), 1);
    assert_equal_everywhere(&hospital, &ward, &[&ada, &nora, &office]);
}

/// It was found only with the next question, a minute later, if the line went down before the channel was open.
#[test]
fn a_hub_that_has_no_live_channel_notices_an_outage_soon() {
    let hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    ward.line.deafen();
    // Time in which it asks for another, in vain.
    std::thread::sleep(Duration::from_secs(4));
    ward.wait("contact without a live channel", |hub| hub["link"] == "up");
    let begun = Instant::now();
    ward.cut_off();
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn during_an_outage_those_sign_in_who_have_signed_in_on_the_device_before() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    ward.cut_off();
    assert_eq!(
        nora.sign_in("nora", "wrong"),
        Err("User name or password is not right.".to_owned())
    );
    nora.sign_in("nora", PASSWORD).expect("nora is known on this device");
    patient(&mut nora, "S-1");
    nora.sync();

    let mut other = hospital.new_device();
    other.server = ward.address();
    let told = [
        other.sign_in("nora", PASSWORD),
        other.sign_in("nobody", PASSWORD),
        nora.sign_in("ada", PASSWORD),
    ];
    for told in told {
        let told = told.expect_err("nobody here can know");
        assert!(told.contains("no link to the hospital"), "{told}");
        assert!(told.contains("sign in on a device"), "it says what to do: {told}");
    }

    ward.line.mend();
    all_arrives(&ward, &mut [&mut nora]);
    other.sign_in("nora", PASSWORD).expect("the hospital says yes");
    other.sync();
    assert_eq!(shown(&mut other, "S-1"), 1);
    assert_equal_everywhere(&hospital, &ward, &[&nora, &other]);
}

#[test]
fn a_bed_given_away_in_the_ward_and_in_the_office_is_settled_at_the_hospital_and_the_ward_hears_of_it() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    let mut office = hospital.device("ada");
    ward.cut_off();
    let admit = |patient: usize| json!({ "patientId": PATIENTS[patient].to_string(), "bedId": BEDS[0].to_string() });
    nora.run("admitPatient", admit(0));
    nora.sync();
    office.run("admitPatient", admit(1));
    office.sync();

    ward.line.mend();
    all_arrives(&ward, &mut [&mut nora, &mut office]);
    let bed = format!("SELECT patient_id FROM beds WHERE id = '{}'", BEDS[0]);
    for device in [&mut nora, &mut office] {
        assert_eq!(
            device.text(&bed),
            PATIENTS[1].to_string(),
            "the first in the hospital's order"
        );
        let open = device.replica.conflicts().expect("conflicts can be read");
        assert_eq!(open.len(), 1, "{open:#?}");
        assert_eq!(open[0].kind, "claim");
    }
    assert_equal_everywhere(&hospital, &ward, &[&nora, &office]);
}
