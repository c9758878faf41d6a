//! How the stream's entries are written.

use holdfast_core::{
    ids::{Seq, Timestamp},
    protocol::encode,
};
use holdfast_store::server::Submission;
use sqlx::AssertSqlSafe;

use super::{
    time,
    write::{CHUNK, Step},
};

/// The steps that write entries, accepted `now` at these places.
pub(super) fn write(steps: &mut Vec<Step>, entries: &[(Seq, &Submission)], now: Timestamp) {
    steps.extend(entries.chunks(CHUNK).map(|chunk| log(chunk, now)));
    changes(steps, entries);
}

fn log(entries: &[(Seq, &Submission)], now: Timestamp) -> Step {
    let bodies = || entries.iter().map(|(_, submission)| &submission.opened.body);
    let encoded = entries.iter().map(|(_, submission)| encode(&submission.transaction));
    let statement = sqlx::query(
        "INSERT INTO sync.log (seq, id, user_id, device, time, accepted_at, entry)
         SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::uuid[]),
             unnest($5::timestamptz[]), $6::timestamptz, unnest($7::bytea[])",
    );
    let statement = statement
        .bind(entries.iter().map(|(seq, _)| seq.0 as i64).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.id.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.user.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.device.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| time::bound(body.time)).collect::<Vec<_>>())
        .bind(time::bound(now))
        .bind(encoded.collect::<Vec<_>>());
    Step::Run(statement)
}

fn changes(steps: &mut Vec<Step>, entries: &[(Seq, &Submission)]) {
    let all = entries.iter().flat_map(|(seq, submission)| {
        let opened = &submission.opened;
        let changes = opened.body.changes.iter().zip(&opened.changes);
        changes.map(|(name, change)| (name.document, name.hash, *seq, change))
    });
    // A device makes a change once. One that everybody makes alike (a text column's first) may come again.
    let (once, alike): (Vec<_>, Vec<_>) = all.partition(|(.., change)| {
        let actor = change.as_ref().map(|change| change.change.actor());
        actor.is_some_and(|actor| actor.device().is_some())
    });
    let insert = "INSERT INTO sync.changes (part, row, hash, seq)
        SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::bigint[])";
    let unless_there = format!("{insert} ON CONFLICT DO NOTHING");
    for (changes, sql) in [(once, insert), (alike, &unless_there)] {
        steps.extend(changes.chunks(CHUNK).map(|chunk| {
            let statement = sqlx::query(AssertSqlSafe(sql.to_owned()))
                .bind(chunk.iter().map(|(id, ..)| id.part()).collect::<Vec<_>>())
                .bind(chunk.iter().map(|(id, ..)| id.row.0).collect::<Vec<_>>())
                .bind(chunk.iter().map(|(_, hash, ..)| hash.0.to_vec()).collect::<Vec<_>>())
                .bind(chunk.iter().map(|(_, _, seq, _)| seq.0 as i64).collect::<Vec<_>>());
            Step::Run(statement)
        }));
    }
}
