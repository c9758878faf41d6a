//! A ward that works without a break.

use std::time::{Duration, Instant};

use holdfast_tests::{faults::load::Load, hospital::Hospital, server::Kind, ward::Ward};

use crate::{device, patient};

/// How long news may take into a busy ward.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_busy_ward_hears_of_the_hospital_all_the_same_and_what_piled_up_is_passed_on() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let devices = (0..3).map(|_| device(&mut hospital, &ward, "ada")).collect();
    let mut office = hospital.device("mona");
    ward.cut_off();
    let load = Load::start(devices);
    std::thread::sleep(Duration::from_secs(3));
    let piled_up = ward.relayed();
    assert!(piled_up > 20, "the ward hardly works: {piled_up}");
    ward.line.mend();
    let begun = Instant::now();
    let news = patient(&mut office, "N-1");
    office.sync();
    while !ward.hub.logged().contains(&news) {
        assert!(
            begun.elapsed() < PATIENCE,
            "the ward does not hear of it: {}",
            ward.state()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    ward.wait("the link, while the ward works", |hub| hub["link"] == "up");
    let (workers, _) = load.stop();
    ward.wait_until_passed_on();
    println!("{piled_up} piled up, all passed on after {:?}", begun.elapsed());
    let arrived = hospital.server.logged();
    let relayed = workers.iter().flat_map(|worker| &worker.notes.relayed);
    assert_eq!(relayed.filter(|id| !arrived.contains(id)).count(), 0, "nothing is lost");
}
