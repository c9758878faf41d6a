//! The hospital's live channel, as a hub listens to it: on a thread of its own, because reading blocks.

use std::{
    io::BufRead,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{DEAF, Link, LinkError};

/// The longest line that is read; longer ones are none of ours.
const MAX_LINE: u64 = 4 << 10;

/// Listens while the link is up. One thread at a time.
#[derive(Default)]
pub(super) struct Listener {
    listening: Arc<AtomicBool>,
}

impl Listener {
    /// True while it listens.
    pub(super) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Listens, unless it does already. The thread ends with its connection, and asks for a round then: what it did not hear
    /// is found out by that, and that the link is down.
    pub(super) fn ensure(&self, link: &Arc<Link>) {
        if self.listening.swap(true, Ordering::Relaxed) {
            return;
        }
        let (link, listening) = (Arc::downgrade(link), self.listening.clone());
        let run = move || {
            let opened = link.upgrade().map(|link| link.client.live(link.hospital));
            let tell = || link.upgrade().map(|link| link.pull_soon()).is_some();
            if let Some(opened) = opened {
                listen(opened, DEAF, tell);
            }
            // Before the round that is asked for, which listens anew.
            listening.store(false, Ordering::Relaxed);
            tell();
        };
        let name = std::thread::Builder::new().name("upstream live".to_owned());
        if let Err(error) = name.spawn(run) {
            tracing::warn!(%error, "no thread for the live channel: asking every ten seconds");
            self.listening.store(false, Ordering::Relaxed);
        }
    }
}

/// Tells of each event until the channel ends. Returns after `deaf` if there is none, so that it is not asked for all the time.
fn listen(opened: Result<impl BufRead, LinkError>, deaf: Duration, tell: impl Fn() -> bool) {
    match opened {
        Ok(lines) => hear(lines, tell),
        Err(error) => {
            tracing::debug!(%error, "no live channel");
            std::thread::sleep(deaf);
        }
    }
}

/// Tells of each event until the channel ends or nobody wants to know.
fn hear(mut lines: impl BufRead, tell: impl Fn() -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut lines, MAX_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        if line.starts_with(b"data:") && !tell() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn without_a_channel_nothing_is_told_until_the_wait_is_over() {
        let (begun, deaf) = (std::time::Instant::now(), Duration::from_millis(20));
        let none: Result<&[u8], _> = Err(LinkError::LockedOut);
        listen(none, deaf, || panic!("there is nothing to tell"));
        assert!(begun.elapsed() >= deaf);
    }

    #[test]
    fn each_event_is_told_and_nothing_else() {
        let said = b": hello\n\nevent: head\ndata: 41\n\n:\n\nevent: head\ndata: 42\n\n";
        let told = Cell::new(0);
        hear(&said[..], || {
            told.set(told.get() + 1);
            true
        });
        assert_eq!(told.get(), 2);
    }
}
