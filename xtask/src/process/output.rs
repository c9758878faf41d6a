//! The output of a running program, line by line, while it is watched over.

use std::io::{BufRead, BufReader, Read};
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Running;
use crate::console::Console;
use crate::interrupt::{self, Interrupted};

/// Sends each line of `pipe` to `lines`.
pub(super) fn forward(pipe: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let Some(pipe) = pipe else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if lines.send(line.trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    });
}

/// Takes lines until the program has ended and closed its outputs.
pub(super) fn gather(
    running: &mut Running,
    receiver: &Receiver<String>,
    console: &Console,
    lines: &mut Vec<String>,
    deadline: Instant,
) -> Result<ExitStatus> {
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                console.program_line(&line);
                lines.push(line);
            }
            Err(RecvTimeoutError::Timeout) => console.alive(lines.last().map_or("", String::as_str)),
            Err(RecvTimeoutError::Disconnected) => {
                return running.child.wait().context("waiting for its end");
            }
        }
        if interrupt::requested() {
            bail!(Interrupted);
        }
        if Instant::now() > deadline {
            console.failed_output(lines);
            bail!("it did not end within its time limit and was stopped");
        }
        // Something that it left behind may hold its outputs open for ever.
        match ended {
            None => ended = running.ended()?.map(|status| (status, Instant::now())),
            Some((status, since)) if since.elapsed() > Duration::from_secs(3) => return Ok(status),
            Some(_) => {}
        }
    }
}
