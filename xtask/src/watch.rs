//! Programs that talk to the terminal themselves.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::interrupt::{self, Interrupted};
use crate::process::Program;

/// Lets a program write to the terminal until it ends or we are interrupted. `name` is what to call it if it fails.
pub fn watch(program: Program, name: &str) -> Result<()> {
    let mut running = program.start()?;
    loop {
        if interrupt::requested() {
            bail!(Interrupted);
        }
        if let Some(status) = running.ended()? {
            if !status.success() {
                bail!("{name} failed: {status}");
            }
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
