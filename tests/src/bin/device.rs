//! A device that works until it is killed: `device FILE ADDRESS`. The store in FILE is signed in already. Prints what it is
//! told by its store and by the server, a [note](holdfast_tests::faults::notes::Note) a line.

use std::{
    path::Path,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use holdfast_tests::{
    device::Device,
    faults::{load::Worker, notes::Pulse},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, address] = arguments.as_slice() else {
        eprintln!("usage: device FILE ADDRESS");
        return ExitCode::FAILURE;
    };
    let device = Device::on_file(Path::new(file), address);
    let mut worker = Worker::new(device, std::process::id().into(), Arc::new(Pulse::default()));
    worker.aloud = true;
    worker.work(&AtomicBool::new(false));
    ExitCode::SUCCESS
}
