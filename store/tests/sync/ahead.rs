//! The next of many pages is asked for before the last one is taken in.

use holdfast_store::{
    replica::{HttpResponse, RequestKind},
    testing::{Device, TestServer},
};
use serde_json::json;

use crate::ward::{ANNA, BERT, edit, hospital, two_nurses};

/// Lets a device come in step and returns what it asked, and what it had foreseen each time.
fn foreseen(device: &mut Device, server: &mut TestServer) -> Vec<(String, Option<String>)> {
    let (mut asked, mut ahead) = (Vec::new(), None);
    device.replica.wake();
    while let Some(request) = device.replica.next_request().unwrap() {
        let response = device.send(server, &request).unwrap();
        let next = device.replica.request_ahead(&request.kind, &response).unwrap();
        asked.push((request.path, ahead));
        ahead = next.map(|next| next.path);
        device.replica.take_response(&request.kind, &response).unwrap();
    }
    assert_eq!(ahead, None, "nothing is foreseen after the last answer");
    asked
}

#[test]
fn each_page_but_the_first_is_foreseen() {
    let mut server = hospital();
    (server.snapshot_page, server.pull_page) = (3, 2);
    let (mut nora, mut nils) = two_nurses(&mut server);
    for round in 0..7 {
        let patient = if round % 2 == 0 { ANNA } else { BERT };
        nora.run(
            "editRow",
            edit("patients", patient, json!({ "phone": round.to_string() })),
        )
        .unwrap();
    }
    nora.sync(&mut server).unwrap();
    let mut newcomer = Device::empty(&server, 12).unwrap();
    newcomer.sign_in(&mut server, "nora").unwrap();
    for (device, kind) in [(&mut nils, "/v1/pull"), (&mut newcomer, "/v1/snapshot")] {
        let asked = foreseen(device, &mut server);
        let pages = asked.iter().filter(|(path, _)| path.starts_with(kind));
        let pages: Vec<_> = pages.skip(1).collect();
        assert!(pages.len() > 2, "{asked:?}");
        for (path, ahead) in pages {
            assert_eq!(ahead.as_ref(), Some(path));
        }
    }
}

#[test]
fn nothing_is_foreseen_from_another_hospitals_answer_or_from_what_is_no_page() {
    let mut server = hospital();
    server.snapshot_page = 3;
    let mut device = Device::empty(&server, 10).unwrap();
    device.sign_in(&mut server, "nora").unwrap();
    device.replica.wake();
    let request = device.replica.next_request().unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Snapshot(None));
    let page = device.send(&mut server, &request).unwrap();
    let ahead = |response: &HttpResponse| device.replica.request_ahead(&request.kind, response).unwrap();
    assert!(ahead(&page).is_some());
    let elsewhere = HttpResponse {
        hospital: Some("another".to_owned()),
        ..page.clone()
    };
    let refused = HttpResponse {
        status: 503,
        ..page.clone()
    };
    let cut = HttpResponse {
        body: page.body[..page.body.len() / 2].to_vec(),
        ..page
    };
    for response in [elsewhere, refused, cut] {
        assert_eq!(ahead(&response), None);
    }
}
