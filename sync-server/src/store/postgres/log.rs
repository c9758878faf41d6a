//! How the stream's entries are written and found.

use holdfast_core::{
    ids::{DeviceId, Seq, Timestamp, TransactionId},
    protocol::{decode, encode},
    transaction::Transaction,
};
use holdfast_store::server::Submission;
use minicbor::bytes::ByteVec;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::{
    StoreError, time,
    write::{CHUNK, Step},
};

/// An entry of the log.
pub(super) struct Logged {
    pub id: TransactionId,
    pub seq: Seq,
    pub device: DeviceId,
    /// What its command was first made into.
    pub first_id: TransactionId,
    pub body: ByteVec,
}

/// The entries that are submissions, or of a command that one is of.
pub(super) async fn of_commands(
    connection: &mut PgConnection,
    submissions: &[Submission],
) -> Result<Vec<Logged>, StoreError> {
    let bodies = submissions.iter().map(|submission| &submission.opened.body);
    let names = bodies.flat_map(|body| [Some(body.id.0), body.first.map(|first| first.0)]);
    let sql = "SELECT id, seq, device, coalesce(first_id, id), entry FROM sync.log WHERE id = ANY($1)
        UNION ALL SELECT id, seq, device, first_id, entry FROM sync.log WHERE first_id = ANY($1)";
    let found = sqlx::query(sql)
        .bind(names.flatten().collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
    let read = |record: sqlx::postgres::PgRow| {
        let entry: Transaction =
            decode(record.try_get(4)?).map_err(|_| StoreError::Corrupt("a log entry cannot be read"))?;
        Ok(Logged {
            id: TransactionId(record.try_get(0)?),
            seq: Seq(record.try_get::<i64, _>(1)? as u64),
            device: DeviceId(record.try_get(2)?),
            first_id: TransactionId(record.try_get(3)?),
            body: entry.body,
        })
    };
    found.into_iter().map(read).collect()
}

/// The steps that write entries, accepted `now` at these places.
pub(super) fn write(steps: &mut Vec<Step>, entries: &[(Seq, &Submission)], now: Timestamp) {
    steps.extend(entries.chunks(CHUNK).map(|chunk| log(chunk, now)));
    changes(steps, entries);
}

fn log(entries: &[(Seq, &Submission)], now: Timestamp) -> Step {
    let bodies = || entries.iter().map(|(_, submission)| &submission.opened.body);
    let encoded = entries.iter().map(|(_, submission)| encode(&submission.transaction));
    let statement = sqlx::query(
        "INSERT INTO sync.log (seq, id, user_id, device, time, accepted_at, entry, first_id)
         SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::uuid[]),
             unnest($5::timestamptz[]), $6::timestamptz, unnest($7::bytea[]),
             unnest($8::uuid[])",
    );
    let statement = statement
        .bind(entries.iter().map(|(seq, _)| seq.0 as i64).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.id.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.user.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.device.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| time::bound(body.time)).collect::<Vec<_>>())
        .bind(time::bound(now))
        .bind(encoded.collect::<Vec<_>>())
        .bind(bodies().map(|body| body.first.map(|first| first.0)).collect::<Vec<_>>());
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
