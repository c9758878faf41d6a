//! Requests that no device of ours would send: refused with a word on what is wrong, nothing stored, the server lives on.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use holdfast_core::{
    document::DocumentId,
    ids::{RowId, Seq},
    protocol::{ErrorResponse, PushOutcome, PushRequest, encode},
    row::RowWrite,
    schema::{Schema, TableId},
    transaction::Transaction,
};
use holdfast_tests::{
    contents::{Contents, replicated},
    hospital::{Hospital, ROOM},
    http::{Answer, pack},
    writes::create,
};
use serde_json::json;

use crate::forged::Forger;

crate::on_both_databases! {
    what_is_no_push_is_refused_as_a_whole
    a_body_beyond_the_limit_is_refused_however_it_is_packed
    what_is_wrongly_signed_is_refused
    a_replayed_push_changes_nothing
    what_does_not_fit_the_tables_is_refused_with_row_and_reason
    what_refers_to_a_row_that_nobody_has_waits_and_harms_nobody
    garbage_on_the_wire_leaves_the_server_alive
}

/// The server is as it was, and takes good work.
fn assert_unharmed(hospital: &mut Hospital, forger: &mut Forger, before: &Contents) {
    assert!(hospital.server.lives(), "the server ended:\n{}", hospital.server.said());
    let now = hospital.server.contents(replicated);
    assert!(
        now == *before,
        "something was stored: {} rows, before {}",
        now.total(),
        before.total()
    );
    let good = forger.make_patient("P-good");
    let outcomes = forger.push(vec![good]);
    assert!(matches!(outcomes[..], [PushOutcome::Accepted { .. }]), "{outcomes:?}");
}

impl Forger {
    fn make_patient(&mut self, number: &str) -> Transaction {
        let row = self.maker.row();
        self.make(&[patient(row, number)])
    }
}

fn patient(row: RowId, number: &str) -> RowWrite {
    let values = json!({ "patient_number": number, "first_name": "A", "last_name": "B",
        "date_of_birth": "1980-05-05", "phone": "123" });
    create("patients", row, &values)
}

fn assert_refused(answer: &Answer, status: u16, code: &str, what: &str) {
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, status, "{what}: {said}");
    let error: ErrorResponse = serde_json::from_slice(&answer.body).unwrap_or_else(|e| panic!("{what}: {e}: {said}"));
    assert_eq!(error.code, code, "{what}: {said}");
    assert!(error.message.len() > 15, "{what}: the message says nothing: {said}");
}

fn what_is_no_push_is_refused_as_a_whole(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let good = encode(&PushRequest {
        transactions: vec![forger.make_patient("P-1")],
    });
    let mut longer = good.clone();
    longer.push(0);
    for (what, body) in [
        ("nothing", Vec::new()),
        ("JSON", b"{\"transactions\":[]}".to_vec()),
        ("a list that never ends", vec![0x9f; 500]),
        ("nested 100,000 deep", vec![0x81; 100_000]),
        (
            "a length of 2^64",
            vec![0x81, 0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
        ),
        ("bytes left over", longer),
        ("half of a push", good[..good.len() / 2].to_vec()),
        ("all but its last byte", good[..good.len() - 1].to_vec()),
    ] {
        assert_refused(&forger.post(body, None), 400, "malformed", what);
    }
    let not_packed = forger.post(good.clone(), Some("gzip"));
    assert_refused(&not_packed, 400, "malformed", "not packed as it says");
    let packed = pack(&good);
    let cut = forger.post(packed[..packed.len() - 9].to_vec(), Some("gzip"));
    assert_refused(&cut, 400, "malformed", "a packed body that was cut");
    assert_refused(
        &forger.post(good, Some("br")),
        415,
        "unknown_encoding",
        "another packing",
    );
    assert_unharmed(&mut hospital, &mut forger, &before);
}

fn a_body_beyond_the_limit_is_refused_however_it_is_packed(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let bomb = pack(&vec![0; 200 << 20]);
    assert!(bomb.len() < 2 << 20, "the bomb is small");
    assert_refused(&forger.post(bomb, Some("gzip")), 413, "too_large", "200 MB of zeros");
    let many = vec![forger.make_patient("P-1"); 1_001];
    let answer = forger.post(encode(&PushRequest { transactions: many }), None);
    assert_refused(&answer, 413, "too_large", "1001 transactions");
    assert_unharmed(&mut hospital, &mut forger, &before);
}

/// The one outcome is a refusal; its code and reason.
fn refusal(outcomes: &[PushOutcome]) -> (&str, &str) {
    match outcomes {
        [PushOutcome::Rejected { code, reason, .. }] => (code, reason),
        other => panic!("not refused: {other:?}"),
    }
}

fn what_is_wrongly_signed_is_refused(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let good = forger.make_patient("P-1");
    let mut other_signature = good.clone();
    let mut bytes = good.signature.to_vec();
    bytes[7] ^= 1;
    other_signature.signature = bytes.into();
    let mut no_signature = good.clone();
    no_signature.signature = Vec::new().into();
    let mut other_body = good.clone();
    other_body.body = forger.make_patient("P-2").body;
    let mut other_change = good.clone();
    other_change.changes = forger.make_patient("P-3").changes;
    let mut no_change = good.clone();
    no_change.changes = vec![None];
    let other_device = forger.sign_again(&good, |body| {
        body.device = holdfast_core::ids::DeviceId(uuid::Uuid::nil());
    });
    let other_user = forger.sign_again(&good, |body| body.user.0 = holdfast_tests::hospital::ADA);
    for (what, transaction, code) in [
        ("another signature", other_signature, "wrong_signature"),
        ("no signature", no_signature, "wrong_signature"),
        ("another's body", other_body, "wrong_signature"),
        ("another's change", other_change, "wrong_hash"),
        ("a change left out", no_change, "incomplete"),
        ("another device's name", other_device, "wrong_device"),
        ("somebody who never signed in here", other_user, "unknown_user"),
    ] {
        let outcomes = forger.push(vec![transaction]);
        assert_eq!(refusal(&outcomes).0, code, "{what}: {outcomes:?}");
    }
    assert_unharmed(&mut hospital, &mut forger, &before);
}

fn a_replayed_push_changes_nothing(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let push = vec![forger.make_patient("P-1"), forger.make_patient("P-2")];
    let first = forger.push(push.clone());
    assert!(
        first.iter().all(|o| matches!(o, PushOutcome::Accepted { .. })),
        "{first:?}"
    );
    let before = hospital.server.contents(replicated);
    let count = hospital.server.logged().len();
    for _ in 0..3 {
        assert_eq!(forger.push(push.clone()), first, "the same answer again");
    }
    let turned: Vec<_> = push.into_iter().rev().collect();
    assert_eq!(forger.push(turned), [first[1].clone(), first[0].clone()]);
    assert_eq!(hospital.server.logged().len(), count);
    let last = first.iter().map(|o| match o {
        PushOutcome::Accepted { seq, .. } => *seq,
        _ => Seq(0),
    });
    assert_eq!(last.max(), Some(Seq(count as u64)));
    assert_unharmed(&mut hospital, &mut forger, &before);
}

fn what_does_not_fit_the_tables_is_refused_with_row_and_reason(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let row = forger.maker.row();
    let good = forger.make(&[patient(row, "P-1")]);
    let unknown_table = forger.sign_again(&good, |body| {
        body.changes[0].document = DocumentId::main(TableId(200), row);
    });
    let other_table = forger.sign_again(&good, |body| {
        body.changes[0].document = DocumentId::main(Schema::hospital().expect("rooms").id, row);
    });
    let unknown_column = forger.rewrite(&good, "phone", "phonx");
    let wrong_type = forger.rewrite(&good, "1980-05-05", "1980-55-55");
    let mut bad = vec![
        ("unknown table", unknown_table, "unknown_table", "200"),
        ("another table's columns", other_table, "unknown_column", "rooms"),
        ("unknown column", unknown_column, "unknown_column", "phonx"),
        ("no date", wrong_type, "invalid_value", "date_of_birth"),
    ];
    for (what, table, values, code, word) in [
        (
            "too long",
            "rooms",
            json!({ "room_number": "12345678901" }),
            "invalid_value",
            "11",
        ),
        (
            "missing",
            "rooms",
            json!({ "capacity": 2 }),
            "missing_value",
            "room_number",
        ),
        (
            "no word of the list",
            "beds",
            json!({ "bed_number": "1", "room_id": ROOM.to_string(), "status": "sideways" }),
            "invalid_value",
            "maintenance",
        ),
    ] {
        let transaction = forger.make(&[create(table, row, &values)]);
        bad.push((what, transaction, code, word));
    }
    for (what, transaction, code, word) in bad {
        let outcomes = forger.push(vec![transaction]);
        let (found, reason) = refusal(&outcomes);
        assert_eq!(found, code, "{what}: {reason}");
        assert!(
            reason.contains(&row.to_string()),
            "{what}: the reason does not name the row: {reason}"
        );
        assert!(
            reason.contains(word),
            "{what}: the reason does not say {word}: {reason}"
        );
    }
    assert_unharmed(&mut hospital, &mut forger, &before);
}

fn what_refers_to_a_row_that_nobody_has_waits_and_harms_nobody(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let (row, nowhere) = (forger.maker.row(), forger.maker.row());
    let values = json!({ "bed_number": "1", "room_id": nowhere.to_string() });
    let bed = forger.make(&[create("beds", row, &values)]);
    for _ in 0..2 {
        let outcomes = forger.push(vec![bed.clone()]);
        assert!(
            matches!(outcomes[..], [PushOutcome::Waiting { missing: 1, .. }]),
            "{outcomes:?}"
        );
    }
    assert_unharmed(&mut hospital, &mut forger, &before);
}

fn garbage_on_the_wire_leaves_the_server_alive(mut hospital: Hospital) {
    let mut forger = Forger::sign_in(&hospital);
    let before = hospital.server.contents(replicated);
    let address = hospital.server.address();
    let address = address.trim_start_matches("http://");
    let long_header = format!("GET /v1/pull HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/push HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
        b"POST /v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this",
        b"GET /v1/pull?after=-1&limit=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer zz\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        long_header.as_bytes(),
    ] {
        let mut stream = TcpStream::connect(address).unwrap_or_else(|e| panic!("{e}"));
        stream.write_all(bytes).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            !answer.starts_with("HTTP/1.1 2") && !answer.contains("root:"),
            "{answer}"
        );
    }
    assert_unharmed(&mut hospital, &mut forger, &before);
}
