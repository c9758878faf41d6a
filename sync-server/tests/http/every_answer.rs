//! What every answer says.

use holdfast_core::protocol::SignInResponse;

use crate::support::{Device, Hospital, PASSWORD, on_both_stores, request, users};

on_both_stores! {
    every_answer_names_the_hospital
}

fn every_answer_names_the_hospital(hospital: &Hospital) {
    let mut device = Device::new(&hospital.url);
    let signed_in = device.sign_in(users::NURSE.0, PASSWORD);
    let id = signed_in.json::<SignInResponse>().hospital_id;
    let mut answers = vec![signed_in];
    for (method, path) in [
        ("GET", "/v1/session"),
        ("GET", "/v1/pull"),
        ("GET", "/v1/snapshot"),
        ("POST", "/v1/push"),
        ("GET", "/v1/push"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/session"),
        ("GET", "/v1/pull"),
    ] {
        answers.push(device.send(method, path, &[], &[]));
    }
    answers.push(request("GET", &format!("{}/v1/snapshot", hospital.url), &[], &[]));
    let statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 400, 405, 404, 204, 401, 401]);
    for answer in answers {
        assert_eq!(answer.headers["holdfast-hospital"], id, "{}", answer.status);
    }
    assert!(!hospital.get("/health").headers.contains_key("holdfast-hospital"));
}
