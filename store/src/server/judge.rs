//! Judging on a thread of its own, while the tables are written.

use std::{
    ops::Range,
    sync::mpsc::{Receiver, SyncSender},
};

use holdfast_core::{
    document::Place,
    ids::{HubId, Seq},
    ingest::{Attempt, Authority, Effects, Job, WorkingSet},
};

use super::Submission;

/// How many are judged before there is something to write, …
const FIRST: usize = 100;

/// … and how many at most while those before them are written.
const STRIDE: usize = 400;

/// Submissions that were judged and accepted.
pub(super) struct Stride {
    /// Which, in the order in which they came.
    pub range: Range<usize>,
    /// What is to be written for them.
    pub effects: Effects,
}

/// What the next submissions need.
pub(super) struct Part {
    /// Where they end.
    pub end: usize,
    /// Documents, presence and claims as they are in the tables before any of the submissions are written.
    pub loaded: WorkingSet,
}

/// What a submission is judged as at a place of the stream, or at a hub.
pub(super) fn job(submission: &Submission, seq: Seq, hub: Option<HubId>) -> Job<'_> {
    Job::Ingest {
        opened: &submission.opened,
        place: hub.map_or(Place::Stream(seq), |_| Place::Pending),
        authority: Authority::Judge {
            role: submission.role,
            import: submission.import,
        },
    }
}

/// Judges submissions at the places after `head`, in order, up to the first that is not simply accepted with what is loaded, and
/// sends them stride by stride. What they need comes part by part. Returns the set as the tables will have it. If nothing comes
/// after these, which are the `last`, nobody asks for what was loaded any more: it is let go of here, while the last stride is
/// written.
pub(super) fn ahead(
    mut set: WorkingSet,
    submissions: &[Submission],
    parts: &Receiver<Part>,
    last: bool,
    head: Seq,
    strides: &SyncSender<Stride>,
) -> WorkingSet {
    let (mut seq, mut start, mut length, mut loaded) = (head, 0, FIRST, 0);
    // Nobody takes any more strides after an error in the tables, which takes all of this back.
    let send = |range, effects| strides.send(Stride { range, effects }).is_ok();
    for (index, submission) in submissions.iter().enumerate() {
        while loaded <= index {
            let Ok(part) = parts.recv() else {
                send(start..index, set.take_effects());
                return set;
            };
            set.provide_loaded(part.loaded);
            loaded = part.end;
        }
        seq = seq.next();
        match set.attempt(&job(submission, seq, None)) {
            Attempt::Done(Ok(())) => {}
            // It asks about rows that these are of, and is judged again when they are written.
            Attempt::Write(effects) => {
                send(start..index, *effects);
                return set;
            }
            Attempt::Load(_) | Attempt::Missing(_) | Attempt::Done(Err(_)) => {
                send(start..index, set.take_effects());
                return set;
            }
        }
        if index + 1 - start == length {
            if !send(start..index + 1, set.take_effects()) {
                return set;
            }
            (start, length) = (index + 1, STRIDE);
        }
    }
    send(start..submissions.len(), set.take_effects());
    if last { WorkingSet::default() } else { set }
}
