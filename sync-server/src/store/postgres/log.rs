//! How the stream's entries are written.

use holdfast_core::{
    ids::{Seq, Timestamp},
    protocol::encode,
};
use holdfast_store::server::Submission;
use sqlx::AssertSqlSafe;

use super::write::{CHUNK, Step};

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
         SELECT k.seq, k.id, k.user_id, k.device, k.time::timestamptz, $6::text::timestamptz, k.entry
         FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::uuid[]) AS id, unnest($3::uuid[]) AS user_id,
             unnest($4::uuid[]) AS device, unnest($5::text[]) AS time, unnest($7::bytea[]) AS entry) AS k",
    );
    let statement = statement
        .bind(entries.iter().map(|(seq, _)| seq.0 as i64).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.id.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.user.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.device.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.time.to_string()).collect::<Vec<_>>())
        .bind(now.to_string())
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
