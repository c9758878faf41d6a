//! Salaries: who signs in may see them or not, and what was said to somebody else comes late.

use holdfast_core::ids::RowId;
use holdfast_store::{
    replica::{HttpRequest, HttpResponse},
    testing::{Device, TestServer},
};
use serde_json::{Value, json};

use crate::ward::{ask, cell, edit, hospital, id, settle, take};

const MIRA: RowId = id(0x71);

/// Mira, the manager, edits a salary on a device where a nurse was signed in before, and it is sent. Three answers are still on
/// their way: to the nurse, to the manager before the edit, and to the edit.
struct Late {
    nurse: (HttpRequest, HttpResponse),
    manager: (HttpRequest, HttpResponse),
    edited: (HttpRequest, HttpResponse),
}

fn late_answers() -> (TestServer, Device, Late) {
    let mut server = hospital();
    let mut device = Device::new(&mut server, 10, "nora").unwrap();
    device.sync(&mut server).unwrap();
    let nurse = ask(&mut device, &mut server);
    device.sign_in(&mut server, "mira").unwrap();
    device.sync(&mut server).unwrap();
    let manager = ask(&mut device, &mut server);
    device
        .run("editRow", edit("staff", MIRA, json!({ "salary": "4300.00" })))
        .unwrap();
    let edited = ask(&mut device, &mut server);
    let late = Late { nurse, manager, edited };
    (server, device, late)
}

#[test]
fn an_edit_of_a_salary_is_acknowledged_where_the_salaries_were_taken_away_meanwhile() {
    let (mut server, mut device, late) = late_answers();
    take(&mut device, &late.nurse);
    assert_eq!(cell(&mut device, "staff", MIRA, "salary"), Value::Null);
    take(&mut device, &late.edited);
    assert_eq!(device.replica.status().unwrap().waiting, 0);
    settle(&mut server, &mut [&mut device]);
    assert_eq!(cell(&mut device, "staff", MIRA, "salary"), "4300.00");
}

#[test]
fn an_edit_of_a_salary_is_acknowledged_that_a_copy_brings() {
    let (mut server, mut device, late) = late_answers();
    take(&mut device, &late.nurse);
    take(&mut device, &late.manager);
    // The salaries are copied anew from here on.
    take(&mut device, &late.edited);
    settle(&mut server, &mut [&mut device]);
    assert_eq!(device.replica.status().unwrap().waiting, 0);
    assert_eq!(cell(&mut device, "staff", MIRA, "salary"), "4300.00");
}
