//! Who may do what is the hospital's to say, and a hub hears of it.

use holdfast_core::ids::UserId;
use holdfast_server::{sign_in::password, store::Store};
use holdfast_tests::{
    hospital::{Hospital, NORA, PASSWORD},
    postgres::block_on,
    server::Kind,
    ward::Ward,
};
use uuid::Uuid;

use crate::{all_arrives, assert_equal_everywhere, device, patient};

/// The status of `/v1/session` for a token.
fn asked(method: &str, server: &str, token: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{server}/v1/session"))
        .header("Authorization", format!("Bearer {token}"));
    let answer = agent.run(request.body(()).expect("a request"));
    answer.expect("the server answers").status().as_u16()
}

/// Gives a user another password, as `sync-server user password` does.
fn new_password(hospital: &Hospital, user: Uuid, password: &str) {
    block_on(async {
        let store = Store::open(&hospital.server.location()).await.expect("the store opens");
        let set = store.set_password(UserId(user), &password::hash(password)).await;
        set.expect("the password is set");
        store
            .close_sessions_of(UserId(user))
            .await
            .expect("the sessions are ended");
    });
}

/// Tries until it is as expected, or too long.
fn soon(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..400 {
        if is() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{what} does not come");
}

#[test]
fn who_signs_out_at_a_hub_is_signed_out_at_the_hospital_too_be_it_later() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let nora = device(&mut hospital, &ward, "nora");
    let token = nora.replica.token().expect("nora is signed in").to_owned();
    ward.cut_off();
    assert_eq!(asked("DELETE", &ward.address(), &token), 204);
    assert_eq!(asked("GET", &ward.address(), &token), 401);
    assert_eq!(
        asked("GET", &hospital.server.address(), &token),
        200,
        "nobody could tell it"
    );
    ward.line.mend();
    soon("the end of the session", || {
        asked("GET", &hospital.server.address(), &token) == 401
    });
    assert_eq!(asked("GET", &ward.address(), &token), 401, "it does not come back");
}

#[test]
fn a_new_password_is_asked_for_at_the_hub_once_it_knows() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    ward.cut_off();
    nora.sign_in("nora", PASSWORD).expect("nora is known on this device");
    let own = nora.replica.token().expect("nora is signed in").to_owned();
    new_password(&hospital, NORA, "another password");
    assert_eq!(asked("GET", &ward.address(), &own), 200, "the hub has not heard of it");
    ward.line.mend();
    soon("the end of the session", || asked("GET", &ward.address(), &own) == 401);
    ward.cut_off();
    nora.sign_in("nora", PASSWORD)
        .expect_err("the old password opens nothing");
    nora.sign_in("nora", "another password").expect("the new one does");
    ward.hub.kill();
    ward.hub.start();
    nora.sync();
}

#[test]
fn nothing_is_taken_of_a_device_that_was_locked_out_before_its_hub_passed_it_on() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut lost = device(&mut hospital, &ward, "nora");
    let mut ada = device(&mut hospital, &ward, "ada");
    ward.cut_off();
    let refused = patient(&mut lost, "L-1");
    lost.sync();
    ada.sync();
    let kept = patient(&mut ada, "L-2");
    ada.sync();
    let devices = hospital
        .server
        .command(&["device", "list"])
        .expect("devices are listed");
    let line = devices.lines().find(|line| line.ends_with("nora"));
    let id = line
        .and_then(|line| line.split_whitespace().next())
        .expect("nora's device");
    hospital
        .server
        .command(&["device", "revoke", id])
        .expect("the device is locked out");

    ward.line.mend();
    ward.wait_until_passed_on();
    ada.sync();
    let logged = hospital.server.logged();
    assert!(!logged.contains(&refused), "nothing of a device that was locked out");
    assert!(logged.contains(&kept));
    assert_eq!(crate::shown(&mut ada, "L-1"), 0, "the ward does not see it any more");
    assert!(lost.try_sync().is_err());
    assert_equal_everywhere(&hospital, &ward, &[&ada]);
}

#[test]
fn a_hub_that_was_locked_out_serves_nobody_and_its_devices_give_the_hospital_what_it_kept() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    ward.cut_off();
    let kept = patient(&mut nora, "H-1");
    nora.sync();
    hospital
        .server
        .command(&["hub", "revoke", "ward 3"])
        .expect("the hub is locked out");
    ward.line.mend();
    ward.wait("the end of the hub", |hub| hub["link"] == "locked out");
    let told = nora.try_sync().expect_err("the hub serves nobody");
    assert!(told.contains("locked out"), "{told}");
    assert!(!hospital.server.logged().contains(&kept));

    nora.server = hospital.server.address();
    nora.sync();
    assert_eq!(hospital.server.logged().iter().filter(|id| **id == kept).count(), 1);

    // Its name may be used again.
    let anew = Ward::open(&hospital, "ward 3");
    nora.server = anew.address();
    all_arrives(&anew, &mut [&mut nora]);
    assert_equal_everywhere(&hospital, &anew, &[&nora]);
}
