//! Devices go from the ward to the rest of the hospital and back.

use holdfast_store::replica::Durability;
use holdfast_tests::{hospital::Hospital, server::Kind, ward::Ward};

use crate::{all_arrives, assert_equal_everywhere, device, durability, patient, shown};

#[test]
fn what_a_device_gave_to_the_hub_and_then_to_the_hospital_is_there_once() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    let mut ada = device(&mut hospital, &ward, "ada");
    ward.cut_off();
    let id = patient(&mut nora, "R-1");
    nora.sync();
    ada.sync();
    assert_eq!(durability(&nora, id), Some(Durability::Hub));

    // Out of the ward: the session is the hospital's own, and what the hub keeps is sent again.
    nora.server = hospital.server.address();
    nora.sync();
    assert_eq!(durability(&nora, id), Some(Durability::Hospital));
    let more = patient(&mut nora, "R-2");
    nora.sync();

    // Back in the ward, whose hub knows less than the device.
    nora.server = ward.address();
    let third = patient(&mut nora, "R-3");
    nora.sync();
    assert_eq!(durability(&nora, third), Some(Durability::Hub));
    assert_eq!(durability(&nora, more), Some(Durability::Hospital));
    for number in ["R-1", "R-2", "R-3"] {
        assert_eq!(shown(&mut nora, number), 1, "{number}");
    }
    assert_eq!(nora.replica.status().expect("the status is there").differences, 0);

    ward.line.mend();
    all_arrives(&ward, &mut [&mut nora, &mut ada]);
    for number in ["R-1", "R-2", "R-3"] {
        assert_eq!(shown(&mut ada, number), 1, "{number}");
    }
    assert_equal_everywhere(&hospital, &ward, &[&nora, &ada]);
}

#[test]
fn who_signed_in_at_the_hospital_goes_on_in_the_ward_without_signing_in_again() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = hospital.device("nora");
    nora.server = ward.address();
    patient(&mut nora, "W-1");
    nora.sync();
    all_arrives(&ward, &mut [&mut nora]);
    assert_equal_everywhere(&hospital, &ward, &[&nora]);
}

#[test]
fn a_device_roams_between_two_wards_and_the_hospital() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let wards = ["ward 3", "ward 4"].map(|name| Ward::open(&hospital, name));
    let mut nora = device(&mut hospital, &wards[0], "nora");
    let places = [
        wards[0].address(),
        hospital.server.address(),
        wards[1].address(),
        wards[0].address(),
        wards[1].address(),
        hospital.server.address(),
    ];
    for round in 0..2 {
        for (number, place) in places.iter().enumerate() {
            nora.server.clone_from(place);
            patient(&mut nora, &format!("T-{round}-{number}"));
            nora.sync();
        }
    }
    for ward in &wards {
        ward.wait_until_passed_on();
    }
    for ward in &wards {
        nora.server = ward.address();
        all_arrives(ward, &mut [&mut nora]);
    }
    let count = "SELECT count(*) AS n FROM patients WHERE patient_number LIKE 'T-%'";
    assert_eq!(nora.text(count), (2 * places.len()).to_string());
    for ward in &wards {
        ward.wait("the stream's end", |_| ward.hub.stream() == hospital.server.stream());
        assert_equal_everywhere(&hospital, ward, &[&nora]);
    }
}
