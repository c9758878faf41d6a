//! What an administrator does on the command line while the server runs.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use holdfast_core::protocol::PushOutcome;
use holdfast_server::store::Device as KnownDevice;

use crate::support::{Device, Hospital, PASSWORD, on_both_stores, users};

on_both_stores! {
    a_lost_device_is_revoked
    only_one_device_of_others_is_revoked
    a_new_password_ends_the_users_sessions
    a_deactivated_user_is_shut_out_and_what_they_did_arrives
}

/// Runs a command on the hospital's store.
fn run(hospital: &Hospital, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sync-server"))
        .args(arguments)
        .args(hospital.store_arguments())
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(hospital: &Hospital, arguments: &[&str], input: &str) -> String {
    let output = run(hospital, arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(hospital: &Hospital, arguments: &[&str], words: &str) {
    let output = run(hospital, arguments, "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(words), "{told}");
}

fn a_lost_device_is_revoked(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, sent) = phone.new_patient("P-1");
    assert!(phone.accepted(&sent));
    let (_, unsent) = phone.new_patient("P-2");
    let id = phone.id().to_string();
    let list = said(hospital, &["device", "list"], "");
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        line.contains("active") && line.contains("ward phone") && line.ends_with("nils"),
        "{line}"
    );

    let told = said(hospital, &["device", "revoke", &id[..13].to_uppercase()], "");
    assert!(told.contains(&id) && told.contains("nils"), "{told}");
    let other = hospital.device(users::ADMIN);
    let locked_out = (403, "device_revoked".to_owned());
    let push = phone.push_bytes(&holdfast_core::protocol::encode(
        &holdfast_core::protocol::PushRequest {
            transactions: vec![unsent.transaction],
        },
    ));
    assert_eq!(push.error(), locked_out);
    for path in ["/v1/pull", "/v1/snapshot", "/v1/session", "/v1/live"] {
        assert_eq!(phone.send("GET", path, &[], &[]).error(), locked_out, "{path}");
    }
    assert_eq!(phone.sign_in("nils", PASSWORD).error(), locked_out);
    assert_eq!(
        phone.sign_in("ada", PASSWORD).error(),
        locked_out,
        "nobody signs in on it"
    );
    assert_eq!(hospital.stored("patients").1, 1, "what was sent before stays");
    assert_eq!(other.pull(0, 100).entries.len(), 4, "three users and a patient");
    assert!(said(hospital, &["device", "list"], "").contains("revoked"));
    refused(hospital, &["device", "revoke", &id], "has been locked out since");
}

fn only_one_device_of_others_is_revoked(hospital: &Hospital) {
    // With 17 devices, two ids begin alike.
    let devices: Vec<Device> = (0..17).map(|_| known(hospital)).collect();
    let firsts: Vec<String> = devices.iter().map(|d| d.id().to_string()[..1].to_owned()).collect();
    let twice = firsts
        .iter()
        .find(|f| firsts.iter().filter(|o| o == f).count() > 1)
        .unwrap();
    refused(hospital, &["device", "revoke", twice], "give more of it");
    refused(hospital, &["device", "revoke", ""], "there is no device");
    refused(hospital, &["device", "revoke", "xyz"], "there is no device xyz");
    let all = hospital.block_on(hospital.store.devices()).unwrap();
    let own: &KnownDevice = &all.iter().find(|(device, _)| device.name == "server").unwrap().0;
    refused(
        hospital,
        &["device", "revoke", &own.id.to_string()],
        "is the server itself",
    );
    assert!(all.iter().all(|(device, _)| device.revoked_at.is_none()));
}

/// A device that the server knows, without the work of a password.
fn known(hospital: &Hospital) -> Device {
    let device = Device::new(&hospital.url);
    let key = device.key.verifying_key().to_bytes();
    let now = holdfast_server::store::now();
    hospital
        .block_on(hospital.store.register_device(key, "tablet", device.user, now))
        .unwrap();
    device
}

fn a_new_password_ends_the_users_sessions(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let admin = hospital.device(users::ADMIN);
    let told = said(
        hospital,
        &["user", "password", "nils", "--password-stdin"],
        "another horse\n",
    );
    assert!(told.contains("1 sessions ended"), "{told}");
    assert_eq!(
        phone.send("GET", "/v1/pull", &[], &[]).error(),
        (401, "unauthorized".to_owned())
    );
    assert_eq!(admin.send("GET", "/v1/pull", &[], &[]).status, 200, "others go on");
    assert_eq!(
        phone.sign_in("nils", PASSWORD).error(),
        (401, "sign_in_failed".to_owned())
    );
    assert_eq!(phone.sign_in("nils", "another horse").status, 200);
}

fn a_deactivated_user_is_shut_out_and_what_they_did_arrives(hospital: &Hospital) {
    let mut shared = hospital.device(users::NURSE);
    let nurse = shared.token.clone();
    let (_, unsent) = shared.new_patient("P-1");
    let head = hospital.stored("patients").0;
    let told = said(hospital, &["user", "deactivate", "nils"], "");
    assert!(told.contains("1 sessions ended"), "{told}");
    assert_eq!(hospital.stored("patients").0, head + 1, "every device learns of it");
    refused(hospital, &["user", "deactivate", "nils"], "inactive already");
    assert_eq!(
        shared.send("GET", "/v1/pull", &[], &[]).error(),
        (401, "unauthorized".to_owned())
    );
    assert_eq!(shared.sign_in("nils", PASSWORD).error(), (403, "inactive".to_owned()));

    assert_eq!(shared.sign_in("ada", PASSWORD).status, 200);
    assert!(
        matches!(shared.push(&unsent.transaction), PushOutcome::Accepted { .. }),
        "a colleague sends it"
    );
    said(hospital, &["user", "activate", "nils"], "");
    refused(hospital, &["user", "activate", "nils"], "active already");
    shared.token = nurse;
    assert_eq!(
        shared.send("GET", "/v1/pull", &[], &[]).status,
        401,
        "the old session stays ended"
    );
    assert_eq!(shared.sign_in("nils", PASSWORD).status, 200);
}
