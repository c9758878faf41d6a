//! A device that works until it is killed: `device FILE ADDRESS`. The store in FILE is signed in already. Takes a pair of
//! gloves after the other, prints each transaction's id once it is durable, and pushes in between.

use std::{io::Write, path::Path, process::ExitCode};

use holdfast_tests::{device::Device, hospital::GLOVES};
use serde_json::json;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, address] = arguments.as_slice() else {
        eprintln!("usage: device FILE ADDRESS");
        return ExitCode::FAILURE;
    };
    let mut device = Device::on_file(Path::new(file), address);
    let mut out = std::io::stdout();
    loop {
        for _ in 0..3 {
            let command = json!({ "table": "supplies", "id": GLOVES.to_string(), "values": {},
                "add": { "current_stock": -1 } });
            let receipt = device.run("editRow", command);
            if writeln!(out, "{}", receipt.transaction_id)
                .and_then(|()| out.flush())
                .is_err()
            {
                return ExitCode::SUCCESS;
            }
        }
        // A failure is tried again with the next command.
        device.try_sync().ok();
    }
}
