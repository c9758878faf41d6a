//! `kill -9` of a device while it works and pushes.

use std::{
    collections::BTreeSet,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use holdfast_core::ids::TransactionId;
use holdfast_tests::{
    contents::{Contents, assert_same, replicated},
    device::Device,
    dice::Dice,
    hospital::{GLOVES, Hospital},
};

crate::on_both_databases! {
    nothing_durable_is_lost_and_nothing_is_doubled_when_a_device_is_killed
}

const KILLS: usize = 15;

fn nothing_durable_is_lost_and_nothing_is_doubled_when_a_device_is_killed(mut hospital: Hospital) {
    let device = hospital.device("ada");
    let (file, id) = (device.file().to_owned(), device.replica.device_id());
    drop(device);
    let before = hospital.server.logged().len();
    let (mut durable, mut dice) = (Vec::new(), Dice::new(4));
    for _ in 0..KILLS {
        let time = Duration::from_millis(40 + dice.below(80) as u64);
        durable.extend(run_and_kill(&file, &hospital.server.address(), time));
    }

    let mut device = Device::on_file(&file, &hospital.server.address());
    assert_eq!(device.replica.device_id(), id, "it is the same device");
    device.sync();
    let logged = hospital.server.logged();
    let unique: BTreeSet<_> = logged.iter().collect();
    let lost = durable.iter().filter(|id| !unique.contains(id)).count();
    let doubled = logged.len() - unique.len();
    println!(
        "{KILLS} kills, durable {}, lost {lost}, doubled {doubled}",
        durable.len()
    );
    assert_eq!((lost, doubled), (0, 0));
    assert!(
        durable.len() > KILLS,
        "the device hardly worked: the test shows nothing"
    );
    // What was durable but not yet told when the device was killed: one at most each time.
    let arrived = logged.len() - before;
    assert!(
        (durable.len()..=durable.len() + KILLS).contains(&arrived),
        "{arrived} arrived"
    );
    let stock = device.text(&format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'"));
    assert_eq!(stock, (100 - arrived as i64).to_string(), "every pair was taken once");
    let server = hospital.server.contents(replicated);
    assert_same(
        "the server",
        &server,
        "the device",
        &Contents::of_sqlite(&file, replicated),
    );
}

/// Lets a device work for a while and kills it. Returns what it said was durable.
fn run_and_kill(file: &Path, address: &str, time: Duration) -> Vec<TransactionId> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_device"))
        .arg(file)
        .arg(address)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the device starts");
    let mut out = process.stdout.take().expect("its output is ours");
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        out.read_to_string(&mut said).map(|_| said)
    });
    std::thread::sleep(time);
    let ended = process.try_wait().expect("the device can be asked");
    assert!(ended.is_none(), "the device ended by itself: {ended:?}");
    process.kill().expect("the device can be killed");
    process.wait().expect("the device ends");
    let said = reader.join().expect("the reader ends").expect("its output is text");
    // A line that was cut is an id that was not told.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|id| TransactionId(id.parse().expect("an id")))
        .collect()
}
