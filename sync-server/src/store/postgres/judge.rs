//! Judging on a thread of its own, while the database writes.

use std::sync::Arc;

use holdfast_core::{
    checksum::Checksums,
    document::Place,
    ids::{Seq, Timestamp},
    ingest::{Attempt, Authority, Job, WorkingSet},
};
use holdfast_store::server::Submission;

use super::{
    log,
    write::{self, Step},
};

/// What a submission is judged as at a place.
pub(super) fn job(submission: &Submission, seq: Seq) -> Job<'_> {
    Job::Ingest {
        opened: &submission.opened,
        place: Place::Stream(seq),
        authority: Authority::Judge {
            role: submission.role,
            import: submission.import,
        },
    }
}

/// What came of judging without the database.
pub(super) struct Judged {
    pub set: WorkingSet,
    /// How many are accepted.
    pub accepted: usize,
    /// What is to be written for that.
    pub steps: Vec<Step>,
    /// What that adds to the checksums.
    pub checksums: Checksums,
}

impl Judged {
    /// Judges submissions at the places after `head`, in order, up to the first that is not simply accepted.
    pub fn of(mut set: WorkingSet, submissions: &[Submission], head: Seq, now: Timestamp) -> Self {
        let (mut seq, mut entries, mut effects) = (head, Vec::with_capacity(submissions.len()), None);
        for submission in submissions {
            seq = seq.next();
            match set.attempt(&job(submission, seq)) {
                Attempt::Done(Ok(())) => entries.push((seq, submission)),
                // It asks about rows that these are of, and is judged again when they are written.
                Attempt::Write(first) => {
                    effects = Some(*first);
                    break;
                }
                Attempt::Load(_) | Attempt::Missing(_) | Attempt::Done(Err(_)) => break,
            }
        }
        let effects = effects.unwrap_or_else(|| set.take_effects());
        let checksums = effects.checksums;
        let mut steps = write::steps(&Arc::new(effects), now);
        log::write(&mut steps, &entries, now);
        Self {
            set,
            accepted: entries.len(),
            steps,
            checksums,
        }
    }
}
