//! Requests that are no requests: refused as a whole, with a word on what is wrong; the server lives on.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use flate2::{Compression, write::GzEncoder};
use holdfast_core::protocol::{ErrorResponse, MAX_PUSH_TRANSACTIONS, MAX_REQUEST_BYTES, PushRequest, encode};

use crate::support::{Device, Hospital, on_both_stores, users};

on_both_stores! {
    a_malformed_push_is_refused_as_a_whole
    a_truncated_push_is_refused_wherever_it_ends
    an_oversized_push_is_refused_packed_or_not
    random_bytes_never_stop_the_server
    a_body_that_ends_early_harms_nobody
    an_unknown_address_or_method_is_told_so
}

fn request_of_one(device: &mut Device) -> Vec<u8> {
    let (_, made) = device.new_patient("P-1");
    encode(&PushRequest {
        transactions: vec![made.transaction],
    })
}

fn assert_untouched(hospital: &Hospital, device: &mut Device) {
    assert_eq!(hospital.stored("patients").1, 0, "nothing was stored");
    let (_, good) = device.new_patient("P-good");
    assert!(device.accepted(&good), "the server lives on");
}

fn a_malformed_push_is_refused_as_a_whole(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let mut left_over = request_of_one(&mut phone);
    left_over.push(0);
    let bodies: [&[u8]; 5] = [b"", b"hello", b"\xff\xff\xff\xff", b"\x9f\x9f\x9f\x9f\x9f", &left_over];
    for body in bodies {
        let answer = phone.push_bytes(body);
        assert_eq!(answer.error(), (400, "malformed".to_owned()), "{body:?}");
        assert!(answer.json::<ErrorResponse>().message.len() > 30);
    }
    let answer = phone.send("POST", "/v1/push", &[("content-encoding", "gzip")], b"not gzip");
    assert_eq!(answer.error(), (400, "malformed".to_owned()));
    let answer = phone.send("POST", "/v1/push", &[("content-encoding", "br")], b"x");
    assert_eq!(answer.error(), (415, "unknown_encoding".to_owned()));
    assert_untouched(hospital, &mut phone);
}

fn a_truncated_push_is_refused_wherever_it_ends(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let whole = request_of_one(&mut phone);
    for length in (0..whole.len()).step_by(17) {
        let answer = phone.push_bytes(&whole[..length]);
        assert_eq!(
            answer.error(),
            (400, "malformed".to_owned()),
            "{length} of {} bytes",
            whole.len()
        );
    }
    assert_untouched(hospital, &mut phone);
}

fn an_oversized_push_is_refused_packed_or_not(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let answer = phone.push_bytes(&vec![0; MAX_REQUEST_BYTES + 1]);
    assert_eq!(answer.error(), (413, "too_large".to_owned()));

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..400 {
        bomb.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "400 MB in {} bytes", bomb.len());
    let answer = phone.send("POST", "/v1/push", &[("content-encoding", "gzip")], &bomb);
    assert_eq!(answer.error(), (413, "too_large".to_owned()));

    let (_, made) = phone.new_patient("P-1");
    let many = vec![made.transaction; MAX_PUSH_TRANSACTIONS + 1];
    let answer = phone.push_bytes(&encode(&PushRequest { transactions: many }));
    assert_eq!(answer.error(), (413, "too_large".to_owned()));
    assert_untouched(hospital, &mut phone);
}

fn random_bytes_never_stop_the_server(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let whole = request_of_one(&mut phone);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for _ in 0..300 {
        let mut body = whole.clone();
        for _ in 0..=next() % 4 {
            let at = next() % body.len();
            body[at] = next() as u8;
        }
        let answer = phone.push_bytes(&body);
        assert!(
            [200, 400].contains(&answer.status),
            "{} {}",
            answer.status,
            answer.text()
        );
    }
    let (_, good) = phone.new_patient("P-good");
    assert!(phone.accepted(&good), "the server lives on");
}

fn a_body_that_ends_early_harms_nobody(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let address = hospital.url.strip_prefix("http://").unwrap();
    for _ in 0..40 {
        let mut line = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000\r\n\r\nabc",
            phone.token
        );
        line.write_all(head.as_bytes()).unwrap();
    }
    let mut line = TcpStream::connect(address).unwrap();
    line.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").unwrap();
    let mut said = Vec::new();
    line.read_to_end(&mut said).ok();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_untouched(hospital, &mut phone);
}

fn an_unknown_address_or_method_is_told_so(hospital: &Hospital) {
    let phone = hospital.device(users::NURSE);
    assert_eq!(
        phone.send("GET", "/v1/nothing", &[], &[]).error(),
        (404, "not_found".to_owned())
    );
    assert_eq!(
        phone.send("GET", "/v1/push", &[], &[]).error(),
        (405, "method_not_allowed".to_owned())
    );
    assert_eq!(
        phone.send("DELETE", "/health", &[], &[]).error(),
        (405, "method_not_allowed".to_owned())
    );
    assert_eq!(hospital.get("/health").status, 200);
    let ready = hospital.get("/ready");
    assert_eq!(ready.status, 200, "{}", ready.text());
}
