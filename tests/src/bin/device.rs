//! A device that works until it is killed: `device FILE ADDRESS MILLISECONDS`, the longest that it waits
//! for an answer. The store in FILE is signed in already. Prints what it is
//! told by its store and by the server, a [note](holdfast_tests::faults::notes::Note) a line.

use std::{
    path::Path,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use holdfast_tests::{
    device::Device,
    faults::{load::Worker, notes::Pulse},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, address, patience] = arguments.as_slice() else {
        eprintln!("usage: device FILE ADDRESS MILLISECONDS");
        return ExitCode::FAILURE;
    };
    let Ok(patience) = patience.parse() else {
        eprintln!("{patience} is no number of milliseconds");
        return ExitCode::FAILURE;
    };
    let mut device = Device::on_file(Path::new(file), address);
    device.set_patience(Duration::from_millis(patience));
    let mut worker = Worker::new(device, std::process::id().into(), Arc::new(Pulse::default()));
    worker.aloud = true;
    worker.work(&AtomicBool::new(false));
    ExitCode::SUCCESS
}
