//! How the stream's entries are written and found.

use holdfast_core::{
    ids::{DeviceId, Seq, Timestamp, TransactionId},
    protocol::{decode, encode},
    transaction::{ChangeName, Transaction},
};
use holdfast_store::server::{Logged, Submission};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    StoreError, time,
    write::{CHUNK, Statement, Step},
};

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
    for entries in entries.chunks(CHUNK) {
        let all = entries.iter().flat_map(|(seq, submission)| {
            let opened = &submission.opened;
            let changes = opened.body.changes.iter().zip(&opened.changes);
            changes.map(|(name, change)| (*name, *seq, change))
        });
        // A device makes a change once. One that everybody makes alike (a text column's first) may come again.
        let (once, alike): (Vec<_>, Vec<_>) = all.partition(|(.., change)| {
            let actor = change.as_ref().map(|change| change.change.actor());
            actor.is_some_and(|actor| actor.device().is_some())
        });
        let named =
            |changes: Vec<(ChangeName, Seq, _)>| changes.into_iter().map(|(name, seq, _)| (name, seq)).collect();
        let (once, alike): (Vec<_>, Vec<_>) = (named(once), named(alike));
        steps.push(Step::Run(log(entries, &once, now)));
        if !alike.is_empty() {
            steps.push(Step::Run(changes(&alike)));
        }
    }
}

/// Entries and their changes, in one statement: each is a journey to the database.
fn log(entries: &[(Seq, &Submission)], changes: &[(ChangeName, Seq)], now: Timestamp) -> Statement {
    let bodies = || entries.iter().map(|(_, submission)| &submission.opened.body);
    let encoded = entries.iter().map(|(_, submission)| encode(&submission.transaction));
    let statement = sqlx::query(
        "WITH entries AS (
             INSERT INTO sync.log (seq, id, user_id, device, time, accepted_at, entry, first_id)
             SELECT unnest($5::bigint[]), unnest($6::uuid[]), unnest($7::uuid[]), unnest($8::uuid[]),
                 unnest($9::timestamptz[]), $10::timestamptz, unnest($11::bytea[]), unnest($12::uuid[]))
         INSERT INTO sync.changes (part, row, hash, seq)
         SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::bigint[])",
    );
    bind_changes(statement, changes)
        .bind(entries.iter().map(|(seq, _)| seq.0 as i64).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.id.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.user.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| body.device.0).collect::<Vec<_>>())
        .bind(bodies().map(|body| time::bound(body.time)).collect::<Vec<_>>())
        .bind(time::bound(now))
        .bind(encoded.collect::<Vec<_>>())
        .bind(bodies().map(|body| body.first.map(|first| first.0)).collect::<Vec<_>>())
}

/// Changes that may be there.
fn changes(changes: &[(ChangeName, Seq)]) -> Statement {
    let statement = sqlx::query(
        "INSERT INTO sync.changes (part, row, hash, seq)
         SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::bigint[])
         ON CONFLICT DO NOTHING",
    );
    bind_changes(statement, changes)
}

fn bind_changes(statement: Statement, changes: &[(ChangeName, Seq)]) -> Statement {
    let names = || changes.iter().map(|(name, _)| name);
    statement
        .bind(names().map(|name| name.document.part()).collect::<Vec<_>>())
        .bind(names().map(|name| name.document.row.0).collect::<Vec<_>>())
        .bind(names().map(|name| name.hash.0.to_vec()).collect::<Vec<_>>())
        .bind(changes.iter().map(|(_, seq)| seq.0 as i64).collect::<Vec<_>>())
}
