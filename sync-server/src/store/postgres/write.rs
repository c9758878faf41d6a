//! How effects are written: each engine table and each of the hospital's in a few statements, however many rows there are.

use std::{collections::BTreeMap, sync::Arc};

use holdfast_core::{
    document::{Actor, DocumentId},
    ids::{Timestamp, UserId},
    ingest::{Claim, Claimant, Conflict, Effects, RowKey, RowState},
    schema::Schema,
};
use holdfast_store::sides_json;
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{StoreError, claimants, rows};

/// How many rows one statement carries.
pub(super) const CHUNK: usize = 5_000;

/// A statement whose parameters are encoded: that takes a processor for a while, and no connection.
pub(super) type Statement = Query<'static, Postgres, PgArguments>;

/// What is to be done to the database, in order.
pub(super) enum Step {
    /// To be carried out.
    Run(Statement),
    /// Changes so many rows. If fewer are there, something else is carried out too.
    Update(Statement, u64, Box<dyn FnOnce() -> Statement + Send>),
}

/// Carries steps out.
pub(super) async fn run(connection: &mut PgConnection, steps: Vec<Step>) -> Result<(), StoreError> {
    for step in steps {
        match step {
            Step::Run(statement) => {
                statement.execute(&mut *connection).await?;
            }
            Step::Update(statement, rows, otherwise) => {
                if statement.execute(&mut *connection).await?.rows_affected() < rows {
                    otherwise().execute(&mut *connection).await?;
                }
            }
        }
    }
    Ok(())
}

/// The steps that write all. `now` is when conflicts are settled.
pub(super) fn steps(effects: &Arc<Effects>, now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    documents(&mut steps, effects);
    presence(&mut steps, effects);
    rows::write(&mut steps, effects);
    claims(&mut steps, effects);
    conflicts(&mut steps, effects, now);
    actors(&mut steps, &effects.actors);
    steps
}

fn documents(steps: &mut Vec<Step>, effects: &Effects) {
    let is_new = |id: &DocumentId| effects.new.documents.contains(id);
    let shown = |id: &DocumentId| effects.rows.get(&RowKey::of(id)).is_some_and(|state| state.shown);
    let (new, known): (Vec<_>, Vec<_>) = effects.documents.iter().partition(|(id, _)| is_new(id));
    let insert = "INSERT INTO sync.documents (part, row, state, shown)
        SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::boolean[])";
    let update = "UPDATE sync.documents AS d SET state = k.state, shown = k.shown
        FROM (SELECT unnest($1::smallint[]) AS part, unnest($2::uuid[]) AS row, unnest($3::bytea[]) AS state,
            unnest($4::boolean[]) AS shown) AS k
        WHERE d.part = k.part AND d.row = k.row";
    for (documents, sql) in [(new, insert), (known, update)] {
        steps.extend(documents.chunks(CHUNK).map(|chunk| {
            let states = chunk.iter().map(|(_, document)| document.to_bytes());
            let statement = sqlx::query(sql)
                .bind(chunk.iter().map(|(id, _)| id.part()).collect::<Vec<_>>())
                .bind(chunk.iter().map(|(id, _)| id.row.0).collect::<Vec<_>>())
                .bind(states.collect::<Vec<_>>())
                .bind(chunk.iter().map(|(id, _)| shown(id)).collect::<Vec<_>>());
            Step::Run(statement)
        }));
    }
}

/// Rows that were shown or hidden by what happened to others: their own documents are as they were.
fn presence(steps: &mut Vec<Step>, effects: &Effects) {
    let main = |key: &RowKey| DocumentId::main(key.table, key.row);
    let changed: Vec<(&RowKey, &RowState)> = effects
        .rows
        .iter()
        .filter(|(key, _)| !effects.documents.contains_key(&main(key)))
        .collect();
    steps.extend(changed.chunks(CHUNK).map(|chunk| {
        let statement = sqlx::query(
            "UPDATE sync.documents d SET shown = k.shown
             FROM unnest($1::smallint[], $2::uuid[], $3::boolean[]) AS k (part, row, shown)
             WHERE d.part = k.part AND d.row = k.row AND d.shown <> k.shown",
        );
        let statement = statement
            .bind(chunk.iter().map(|(key, _)| main(key).part()).collect::<Vec<_>>())
            .bind(chunk.iter().map(|(key, _)| key.row.0).collect::<Vec<_>>())
            .bind(chunk.iter().map(|(_, state)| state.shown).collect::<Vec<_>>());
        Step::Run(statement)
    }));
}

fn claims(steps: &mut Vec<Step>, effects: &Effects) {
    let is_new = |claim: &Claim| effects.new.claims.contains(claim);
    let (held, free): (Vec<_>, Vec<_>) = effects.claims.iter().partition(|(_, claimants)| !claimants.is_empty());
    let (new, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|(claim, _)| is_new(claim));
    steps.extend(free.chunks(CHUNK).map(|chunk| {
        let (parts, columns, values) = claim_keys(chunk);
        let statement = sqlx::query(
            "DELETE FROM sync.claims c
             USING unnest($1::smallint[], $2::smallint[], $3::text[]) AS k (part, col, value)
             WHERE c.part = k.part AND c.col = k.col AND c.value = k.value",
        );
        Step::Run(statement.bind(parts).bind(columns).bind(values))
    }));
    let insert = "INSERT INTO sync.claims (part, col, value, claimants)
        SELECT unnest($1::smallint[]), unnest($2::smallint[]), unnest($3::text[]), unnest($4::bytea[])";
    let update = "UPDATE sync.claims c SET claimants = k.claimants
        FROM (SELECT unnest($1::smallint[]) AS part, unnest($2::smallint[]) AS col, unnest($3::text[]) AS value,
            unnest($4::bytea[]) AS claimants) AS k
        WHERE c.part = k.part AND c.col = k.col AND c.value = k.value";
    for (claims, sql) in [(new, insert), (held, update)] {
        steps.extend(claims.chunks(CHUNK).map(|chunk| {
            let (parts, columns, values) = claim_keys(chunk);
            let encoded: Vec<Vec<u8>> = chunk.iter().map(|(_, list)| claimants::encode(list)).collect();
            Step::Run(sqlx::query(sql).bind(parts).bind(columns).bind(values).bind(encoded))
        }));
    }
}

fn claim_keys(claims: &[(&Claim, &Vec<Claimant>)]) -> (Vec<i16>, Vec<i16>, Vec<String>) {
    let (mut parts, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (claim, _) in claims {
        let (part, column, value) = claimants::key(claim);
        parts.push(part);
        columns.push(column);
        values.push(value);
    }
    (parts, columns, values)
}

fn conflicts(steps: &mut Vec<Step>, effects: &Effects, now: Timestamp) {
    let closed = effects.conflicts.iter().filter(|(_, c)| c.is_none());
    let settled: Vec<Uuid> = closed
        .map(|(id, _)| id)
        .chain(&effects.reopened)
        .map(|id| id.0)
        .collect();
    if !settled.is_empty() {
        let statement = sqlx::query(
            "UPDATE sync.conflicts SET settled_at = $2::text::timestamptz WHERE id = ANY($1) AND settled_at IS NULL",
        );
        steps.push(Step::Run(statement.bind(settled).bind(now.to_string())));
    }
    let raised: Vec<&Conflict> = effects.conflicts.values().flatten().collect();
    steps.extend(raised.chunks(CHUNK).map(|chunk| Step::Run(raise(chunk))));
}

/// A conflict that is open already keeps the time at which it was raised first.
fn raise(conflicts: &[&Conflict]) -> Statement {
    let table = |c: &Conflict| Schema::hospital().by_id(c.row.table).name;
    let each = |text: fn(&Conflict) -> String| conflicts.iter().map(|c| text(c)).collect::<Vec<_>>();
    sqlx::query(
        r#"INSERT INTO sync.conflicts AS c (id, kind, "table", row, "column", task, sides, raised_at)
           SELECT k.id, k.kind, k.tbl, k.row, k.col, k.task, k.sides::jsonb, k.raised_at::timestamptz
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[])
               AS k (id, kind, tbl, row, col, task, sides, raised_at)
           ON CONFLICT (id) DO UPDATE SET
               task = excluded.task,
               sides = excluded.sides,
               raised_at = CASE WHEN c.settled_at IS NULL THEN c.raised_at ELSE excluded.raised_at END,
               settled_at = NULL"#,
    )
    .bind(conflicts.iter().map(|c| c.id.0).collect::<Vec<_>>())
    .bind(each(|c| c.kind.name().to_owned()))
    .bind(conflicts.iter().map(|c| table(c)).collect::<Vec<_>>())
    .bind(conflicts.iter().map(|c| c.row.row.0).collect::<Vec<_>>())
    .bind(conflicts.iter().map(|c| c.column).collect::<Vec<_>>())
    .bind(each(|c| c.task.clone()))
    .bind(each(|c| sides_json(&c.sides)))
    .bind(each(|c| c.raised_at.to_string()))
}

fn actors(steps: &mut Vec<Step>, actors: &BTreeMap<Actor, UserId>) {
    if actors.is_empty() {
        return;
    }
    let (names, users): (Vec<Vec<u8>>, Vec<Uuid>) = actors.iter().map(|(a, u)| (a.as_bytes().to_vec(), u.0)).unzip();
    let statement = sqlx::query(
        "INSERT INTO sync.actors (actor, user_id) SELECT * FROM unnest($1::bytea[], $2::uuid[]) ON CONFLICT DO NOTHING",
    );
    steps.push(Step::Run(statement.bind(names).bind(users)));
}
