//! The write path: a device's change, judged for a new row or one with history. The first byte chooses the table, the bits
//! of the second how it comes. What is let in must fit the tables.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    document::{DecodedChange, Document, DocumentId, Facet, Place},
    ids::{DeviceId, Seq, Timestamp, TransactionId, UserId},
    ingest::{Attempt, Authority, Effects, Job, Needs, Presence, WorkingSet},
    policy::Role,
    schema::{Merge, SCHEMA_VERSION, Schema},
    transaction::{Body, ChangeName, Opened},
};
use holdfast_fuzz::{chunk, document, document_id, table};
use uuid::Uuid;

/// More rounds than any transaction needs.
const MAX_ROUNDS: usize = 20;

fn run(data: &[u8]) {
    let [selector, how, contents @ ..] = data else { return };
    let bit = |n: u8| how & (1 << n) != 0;
    let Ok(decoded) = DecodedChange::from_bytes(&chunk(contents)) else {
        return;
    };
    let id = DocumentId {
        facet: if bit(0) { Facet::Restricted } else { Facet::Main },
        ..document_id(table(*selector))
    };
    let opened = open(id, decoded);
    let judged = !bit(1);
    let authority = if judged {
        Authority::Judge {
            role: Role::Admin,
            import: bit(2),
        }
    } else {
        Authority::Follow
    };
    let job = Job::Ingest {
        opened: &opened,
        place: if bit(3) { Place::Pending } else { Place::Stream(Seq(3)) },
        authority,
    };
    let history = if bit(4) {
        document(*selector)
    } else {
        Document::default()
    };
    if let Some(effects) = carry_out(&job, id, &history) {
        // The history's own values need not fit.
        check(&effects, judged && !bit(4));
    }
}

fn open(id: DocumentId, decoded: DecodedChange) -> Opened {
    let body = Body {
        id: TransactionId(Uuid::from_u128(1)),
        schema_version: SCHEMA_VERSION,
        user: UserId(Uuid::from_u128(2)),
        device: decoded.change.actor().device().unwrap_or(DeviceId(Uuid::nil())),
        time: Timestamp(1_769_860_800_000_000),
        offline: false,
        command: "editRow".into(),
        first: None,
        changes: vec![ChangeName {
            document: id,
            hash: decoded.hash,
        }],
    };
    Opened {
        body,
        changes: vec![Some(decoded)],
    }
}

/// A store that has one row and all that it leads to.
fn carry_out(job: &Job<'_>, id: DocumentId, history: &Document) -> Option<Effects> {
    let mut set = WorkingSet::default();
    for _ in 0..MAX_ROUNDS {
        let attempt = set.attempt(job);
        if let Attempt::Load(needs) = &attempt {
            load(&mut set, needs, id, history);
        } else if !matches!(attempt, Attempt::Write(_)) {
            return matches!(attempt, Attempt::Done(Ok(()))).then(|| set.take_effects());
        }
    }
    panic!("it asks without end");
}

fn load(set: &mut WorkingSet, needs: &Needs, id: DocumentId, history: &Document) {
    for needed in &needs.documents {
        let known = if *needed == id {
            history.clone()
        } else {
            Document::default()
        };
        set.provide_document(*needed, known);
    }
    for key in &needs.presence {
        set.provide_presence(*key, Presence::Shown);
    }
    for claim in &needs.claims {
        set.provide_claimants(claim.clone(), Vec::new());
    }
    for key in &needs.referrers {
        set.provide_referrers(*key, std::collections::BTreeSet::new());
    }
    for (document, hash) in &needs.changes {
        set.provide_change(*document, *hash, true);
    }
}

fn check(effects: &Effects, fits: bool) {
    for document in effects.documents.values() {
        let stored = document.to_bytes();
        assert_eq!(Document::from_bytes(&stored).map(|d| d.to_bytes()).ok(), Some(stored));
    }
    for state in effects.rows.values().filter(|state| state.shown && fits) {
        let columns = &Schema::hospital().by_id(state.row.table).columns;
        for (column, value) in columns.iter().zip(&state.row.values) {
            let fits = value.check(column);
            assert!(
                column.merge == Merge::Server || fits.is_ok(),
                "{} {fits:?}: {value:?}",
                column.name
            );
        }
    }
}

holdfast_fuzz::target!(run);
