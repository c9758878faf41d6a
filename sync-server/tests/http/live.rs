//! `GET /v1/live`.

use std::{
    io::{BufRead, BufReader},
    time::Duration,
};

use crate::support::{Device, Hospital, on_both_stores, users};

on_both_stores! {
    a_device_is_told_whenever_the_stream_moved
    what_another_process_wrote_is_told_too
}

/// The events' data, as they come.
pub fn listen(device: &Device) -> impl Iterator<Item = u64> + use<> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_recv_response(Some(Duration::from_secs(10)))
        .timeout_recv_body(Some(Duration::from_secs(30)))
        .build()
        .into();
    let answer = agent
        .get(format!("{}/v1/live", device.url))
        .header("authorization", format!("Bearer {}", device.token))
        .call()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let lines = BufReader::new(answer.into_body().into_reader()).lines();
    let mut event = String::new();
    lines.map_while(Result::ok).filter_map(move |line| {
        if let Some(name) = line.strip_prefix("event: ") {
            name.clone_into(&mut event);
        }
        let data = line.strip_prefix("data: ")?;
        assert_eq!(event, "head");
        Some(data.parse().unwrap())
    })
}

fn a_device_is_told_whenever_the_stream_moved(hospital: &Hospital) {
    let tablet = hospital.device(users::ADMIN);
    let mut phone = hospital.device(users::NURSE);
    let head = hospital.stored("patients").0;
    let mut told = listen(&tablet);
    assert_eq!(told.next(), Some(head), "where the stream ends now");
    for i in 1..=3 {
        let (_, made) = phone.new_patient(&format!("P-{i}"));
        assert!(phone.accepted(&made));
        assert_eq!(told.next(), Some(head + i));
    }
}

fn what_another_process_wrote_is_told_too(hospital: &Hospital) {
    let tablet = hospital.device(users::ADMIN);
    let mut phone = hospital.device(users::NURSE);
    let head = hospital.stored("patients").0;
    let mut told = listen(&tablet);
    assert_eq!(told.next(), Some(head));
    let (_, made) = phone.new_patient("P-1");
    // Straight into the store, past this server's queue.
    let submission = holdfast_server::store::Submission {
        transaction: made.transaction,
        opened: made.opened,
        role: holdfast_core::policy::Role::Nurse,
        import: false,
        objection: None,
    };
    hospital
        .block_on(hospital.store.accept(vec![submission], holdfast_server::store::now()))
        .unwrap();
    assert_eq!(told.next(), Some(head + 1));
}
