//! What must not leave the server, looked for byte by byte.

use holdfast_tests::{
    device::Device,
    hospital::{Hospital, PASSWORD, SALARY},
};
use serde_json::json;

crate::on_both_databases! {
    password_hashes_reach_no_device
    a_salary_does_not_reach_a_nurses_device
    a_nurse_cannot_write_a_salary
}

const NEW_SALARY: &str = "56789.12";

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Everything that a device was told and has kept.
fn everything(device: &Device) -> Vec<u8> {
    let mut all = device.transcript.clone().unwrap_or_default();
    all.extend(std::fs::read(device.file()).unwrap_or_else(|e| panic!("{e}")));
    all
}

fn listening(hospital: &mut Hospital, username: &str) -> Device {
    let mut device = hospital.new_device();
    device.transcript = Some(Vec::new());
    device.sign_in(username, PASSWORD).unwrap_or_else(|e| panic!("{e}"));
    device.sync();
    device
}

fn change_salary(device: &mut Device) {
    let id = device.text("SELECT id FROM staff WHERE employee_id = 'E-1'");
    device.run(
        "editRow",
        json!({ "table": "staff", "id": id, "values": { "salary": NEW_SALARY } }),
    );
    device.run(
        "editRow",
        json!({ "table": "staff", "id": id, "values": { "specialization": "wounds" } }),
    );
}

fn password_hashes_reach_no_device(mut hospital: Hospital) {
    let (mut ada, mut nora) = (listening(&mut hospital, "ada"), listening(&mut hospital, "nora"));
    let id = holdfast_tests::hospital::NORA.to_string();
    ada.run(
        "editRow",
        json!({ "table": "users", "id": id, "values": { "phone": "1" } }),
    );
    ada.sync();
    nora.sync();
    for device in [&ada, &nora] {
        let all = everything(device);
        assert!(
            holds(&all, "nora@example.org"),
            "the users are there, and can be found like this"
        );
        for secret in ["argon2", "$v=19$", PASSWORD] {
            assert!(!holds(&all, secret), "{secret} reached a device");
        }
    }
}

fn a_salary_does_not_reach_a_nurses_device(mut hospital: Hospital) {
    let (mut ada, mut nora) = (listening(&mut hospital, "ada"), listening(&mut hospital, "nora"));
    change_salary(&mut ada);
    ada.sync();
    nora.sync();
    let sql = "SELECT salary FROM staff WHERE employee_id = 'E-1'";
    assert_eq!((ada.text(sql).as_str(), nora.text(sql).as_str()), (NEW_SALARY, "null"));
    assert_eq!(
        nora.text("SELECT specialization FROM staff WHERE employee_id = 'E-1'"),
        "wounds"
    );
    let late = listening(&mut hospital, "nora");
    let (adas, noras) = (everything(&ada), everything(&nora));
    assert!(
        holds(&adas, NEW_SALARY) && holds(&adas, SALARY),
        "it can be found like this"
    );
    for salary in [SALARY, NEW_SALARY] {
        assert!(!holds(&noras, salary), "a salary reached the nurse's device");
        assert!(
            !holds(&everything(&late), salary),
            "a salary reached a nurse's new device"
        );
    }
}

fn a_nurse_cannot_write_a_salary(mut hospital: Hospital) {
    let mut nora = hospital.device("nora");
    let id = nora.text("SELECT id FROM staff WHERE employee_id = 'E-1'");
    let command = json!({ "table": "staff", "id": id, "values": { "salary": "99999.00" } });
    let refusal = nora.try_run("editRow", command).err().map(|e| e.to_string());
    assert!(
        refusal.is_some_and(|r| r.contains("role")),
        "her own device refuses already"
    );
}
