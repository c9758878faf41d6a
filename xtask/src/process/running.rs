//! A program that runs: waited for, asked to end, made to end.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(15);

/// A started program. Dropping it ends it and all that it started.
pub struct Running {
    pub(super) child: Child,
    pub(super) own_group: bool,
}

impl Running {
    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("asking after a program")
    }

    /// Asks it to end by `signal`, and makes it end if it does not.
    pub fn stop(&mut self, signal: Signal) {
        self.signal(signal);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // What it started itself and left behind, too.
        self.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        // An error means that nobody is left to be signalled.
        if self.own_group {
            let _ = killpg(Pid::from_raw(self.child.id() as i32), signal);
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop(Signal::SIGTERM);
    }
}
