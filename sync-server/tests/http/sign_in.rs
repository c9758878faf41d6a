//! `/v1/session`.

use serde_json::Value as Json;

use crate::support::{Device, Hospital, PASSWORD, on_both_stores, request, users};

on_both_stores! {
    a_user_signs_in_sees_who_it_is_and_signs_out
    a_wrong_password_and_an_unknown_user_are_told_alike
    guessing_has_to_wait
    a_malformed_request_says_what_is_wrong
    a_request_that_is_too_large_is_told_the_limit
    without_a_good_token_nothing_is_told
    a_user_who_is_not_active_cannot_sign_in
    a_lost_device_is_locked_out
    no_answer_tells_a_password_hash
}

fn a_user_signs_in_sees_who_it_is_and_signs_out(hospital: &Hospital) {
    let device = hospital.device(users::NURSE);
    let who: Json = device.send("GET", "/v1/session", &[], &[]).json();
    assert_eq!(
        (&who["username"], &who["role"], &who["displayName"]),
        (&"nils".into(), &"nurse".into(), &"nils Berg".into())
    );
    assert_eq!(who["userId"], device.user.to_string());
    assert_eq!(device.send("DELETE", "/v1/session", &[], &[]).status, 204);
    let after = device.send("GET", "/v1/session", &[], &[]);
    assert_eq!(after.error(), (401, "unauthorized".to_owned()));
}

fn a_wrong_password_and_an_unknown_user_are_told_alike(hospital: &Hospital) {
    for (username, password) in [("nils", "wrong"), ("nobody", PASSWORD), ("", ""), ("nils\0", PASSWORD)] {
        let answer = Device::new(&hospital.url).sign_in(username, password);
        assert_eq!(answer.error(), (401, "sign_in_failed".to_owned()), "{username}");
    }
}

fn guessing_has_to_wait(hospital: &Hospital) {
    let mut device = Device::new(&hospital.url);
    let answers: Vec<_> = (0..6).map(|_| device.sign_in("nils", "wrong")).collect();
    assert_eq!(answers[4].status, 401);
    assert_eq!(answers[5].error(), (429, "too_many_attempts".to_owned()));
    assert_eq!(answers[5].headers["retry-after"], "1");
    assert_eq!(device.sign_in("ada", PASSWORD).status, 200, "others do not wait");
}

fn a_malformed_request_says_what_is_wrong(hospital: &Hospital) {
    let ask = |body: &str, media: &str| {
        let url = format!("{}/v1/session", hospital.url);
        let answer = request("POST", &url, &[("content-type", media)], body.as_bytes());
        assert_eq!(answer.error(), (400, "malformed".to_owned()), "{body}");
        answer.text()
    };
    assert!(ask("{\"username\":", "application/json").contains("column"));
    assert!(ask("{\"username\":\"nils\"}", "application/json").contains("password"));
    assert!(ask("{}", "text/plain").contains("Content-Type"));
    for key in ["", "zz", &"0".repeat(64), &"f".repeat(63)] {
        let body = serde_json::json!({ "username": "nils", "password": PASSWORD, "deviceKey": key, "deviceName": "x" });
        assert!(
            ask(&body.to_string(), "application/json").contains("deviceKey"),
            "{key}"
        );
    }
}

fn a_request_that_is_too_large_is_told_the_limit(hospital: &Hospital) {
    let url = format!("{}/v1/session", hospital.url);
    let body = format!("{{\"username\":\"{}\"}}", "x".repeat(16 << 10));
    let answer = request("POST", &url, &[("content-type", "application/json")], body.as_bytes());
    assert_eq!(answer.error(), (413, "too_large".to_owned()));
    assert!(answer.text().contains("more than 16384 bytes"), "{}", answer.text());
}

fn without_a_good_token_nothing_is_told(hospital: &Hospital) {
    let zeros = format!("Bearer {}", "0".repeat(64));
    for (method, path) in [
        ("GET", "/v1/session"),
        ("DELETE", "/v1/session"),
        ("POST", "/v1/push"),
        ("GET", "/v1/pull"),
        ("GET", "/v1/snapshot"),
        ("GET", "/v1/live"),
    ] {
        for token in [
            None,
            Some("Bearer"),
            Some("Bearer x"),
            Some("Basic Zm9v"),
            Some(zeros.as_str()),
        ] {
            let headers: Vec<_> = token.map(|t| ("authorization", t)).into_iter().collect();
            let answer = request(method, &format!("{}{path}", hospital.url), &headers, &[]);
            assert_eq!(
                answer.error(),
                (401, "unauthorized".to_owned()),
                "{method} {path} {token:?}"
            );
        }
    }
}

fn a_user_who_is_not_active_cannot_sign_in(hospital: &Hospital) {
    let nurse = hospital.device(users::NURSE);
    let mut admin = hospital.device(users::ADMIN);
    let inactive = admin.edit_of_pulled("users", nurse.user, "is_active", false.into());
    assert!(admin.accepted(&inactive));
    assert_eq!(
        Device::new(&hospital.url).sign_in("nils", PASSWORD).error(),
        (403, "inactive".to_owned())
    );
    assert_eq!(
        nurse.send("GET", "/v1/pull", &[], &[]).error(),
        (403, "inactive".to_owned())
    );
}

fn a_lost_device_is_locked_out(hospital: &Hospital) {
    let mut device = hospital.device(users::NURSE);
    let now = holdfast_server::store::now();
    assert!(
        hospital
            .block_on(hospital.store.revoke_device(device.id(), now))
            .unwrap()
    );
    let locked_out = (403, "device_revoked".to_owned());
    assert_eq!(device.send("GET", "/v1/pull", &[], &[]).error(), locked_out);
    assert_eq!(device.sign_in("nils", PASSWORD).error(), locked_out);
}

fn no_answer_tells_a_password_hash(hospital: &Hospital) {
    let mut device = hospital.device(users::ADMIN);
    let sign_in = device.sign_in("ada", PASSWORD);
    let mut told = vec![sign_in.body];
    for path in ["/v1/session", "/v1/pull?after=0", "/v1/snapshot"] {
        told.push(device.send("GET", path, &[], &[]).body);
    }
    for body in told {
        for secret in ["argon2", "password_hash"] {
            assert!(!body.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
        }
    }
}
