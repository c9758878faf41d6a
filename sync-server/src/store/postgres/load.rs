//! Loads what `ingest` needs into a working set: one query for each kind of need, however many there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_core::{
    document::{Document, DocumentId},
    ids::{ChangeHash, RowId},
    ingest::{Claim, Claimant, Needs, Presence, RowKey, WorkingSet},
    schema::{Column, Schema, Table},
};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::{PostgresStore, StoreError, claimants};

impl PostgresStore {
    /// Documents, presence, claims as they are now.
    pub async fn load(&self, needs: &Needs) -> Result<WorkingSet, StoreError> {
        let mut set = WorkingSet::default();
        load(&mut *self.pool.acquire().await?, &mut set, needs).await?;
        Ok(set)
    }
}

/// Loads all that is missing.
pub(super) async fn load(connection: &mut PgConnection, set: &mut WorkingSet, needs: &Needs) -> Result<(), StoreError> {
    documents(connection, set, &needs.documents).await?;
    presence(connection, set, &needs.presence).await?;
    claims(connection, set, &needs.claims).await?;
    changes(connection, set, &needs.changes).await?;
    referrers(connection, set, &needs.referrers).await
}

fn presence_of(shown: bool) -> Presence {
    if shown { Presence::Shown } else { Presence::Hidden }
}

async fn documents(
    connection: &mut PgConnection,
    set: &mut WorkingSet,
    ids: &BTreeSet<DocumentId>,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (parts, rows): (Vec<i16>, Vec<Uuid>) = ids.iter().map(|id| (id.part(), id.row.0)).unzip();
    let found = sqlx::query(
        "SELECT d.part, d.row, d.state, d.shown FROM unnest($1::smallint[], $2::uuid[]) AS k (part, row)
         JOIN sync.documents d ON d.part = k.part AND d.row = k.row",
    )
    .bind(parts)
    .bind(rows)
    .fetch_all(connection)
    .await?;
    let mut shown = HashMap::with_capacity(found.len());
    for record in found {
        let id = DocumentId::from_part(record.try_get(0)?, RowId(record.try_get(1)?));
        let document = Document::from_bytes(record.try_get(2)?)
            .map_err(|_| StoreError::Corrupt("a stored document cannot be read"))?;
        set.provide_document(id, document);
        shown.insert(id, record.try_get(3)?);
    }
    for id in ids {
        set.provide_document(*id, Document::default());
        let key = RowKey::of(id);
        if *id == DocumentId::main(id.table, id.row) {
            set.provide_presence(key, shown.get(id).copied().map_or(Presence::Absent, presence_of));
        }
    }
    Ok(())
}

async fn presence(
    connection: &mut PgConnection,
    set: &mut WorkingSet,
    keys: &BTreeSet<RowKey>,
) -> Result<(), StoreError> {
    let keys: Vec<RowKey> = keys.iter().filter(|key| set.presence(key).is_none()).copied().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let parts: Vec<i16> = keys
        .iter()
        .map(|key| DocumentId::main(key.table, key.row).part())
        .collect();
    let rows: Vec<Uuid> = keys.iter().map(|key| key.row.0).collect();
    let found = sqlx::query(
        "SELECT d.part, d.row, d.shown FROM unnest($1::smallint[], $2::uuid[]) AS k (part, row)
         JOIN sync.documents d ON d.part = k.part AND d.row = k.row",
    )
    .bind(parts)
    .bind(rows)
    .fetch_all(connection)
    .await?;
    for record in found {
        let id = DocumentId::from_part(record.try_get(0)?, RowId(record.try_get(1)?));
        set.provide_presence(RowKey::of(&id), presence_of(record.try_get(2)?));
    }
    for key in keys {
        set.provide_presence(key, Presence::Absent);
    }
    Ok(())
}

async fn claims(
    connection: &mut PgConnection,
    set: &mut WorkingSet,
    claims: &BTreeSet<Claim>,
) -> Result<(), StoreError> {
    if claims.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = claims.iter().map(claimants::key).collect();
    let found = sqlx::query(
        "SELECT c.part, c.col, c.value, c.claimants FROM unnest($1::smallint[], $2::smallint[], $3::text[]) AS k (part, col, value)
         JOIN sync.claims c ON c.part = k.part AND c.col = k.col AND c.value = k.value",
    )
    .bind(keys.iter().map(|k| k.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.1).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.2.clone()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut by_key: HashMap<(i16, i16, String), Vec<Claimant>> = HashMap::with_capacity(found.len());
    for record in found {
        let key = (record.try_get(0)?, record.try_get(1)?, record.try_get(2)?);
        by_key.insert(key, claimants::decode(record.try_get(3)?)?);
    }
    for (claim, key) in claims.iter().zip(keys) {
        set.provide_claimants(claim.clone(), by_key.remove(&key).unwrap_or_default());
    }
    Ok(())
}

async fn changes(
    connection: &mut PgConnection,
    set: &mut WorkingSet,
    changes: &BTreeSet<(DocumentId, ChangeHash)>,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let (mut parts, mut rows, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (id, hash) in changes {
        set.provide_change(*id, *hash, false);
        parts.push(id.part());
        rows.push(id.row.0);
        hashes.push(hash.0.to_vec());
    }
    let found = sqlx::query(
        "SELECT c.part, c.row, c.hash FROM unnest($1::smallint[], $2::uuid[], $3::bytea[]) AS k (part, row, hash)
         JOIN sync.changes c ON c.part = k.part AND c.row = k.row AND c.hash = k.hash",
    )
    .bind(parts)
    .bind(rows)
    .bind(hashes)
    .fetch_all(connection)
    .await?;
    for record in found {
        let id = DocumentId::from_part(record.try_get(0)?, RowId(record.try_get(1)?));
        let hash: [u8; 32] = record
            .try_get::<&[u8], _>(2)?
            .try_into()
            .map_err(|_| StoreError::Corrupt("a stored change hash is not 32 bytes"))?;
        set.provide_change(id, ChangeHash(hash), true);
    }
    Ok(())
}

/// The rows of the tables that reference these rows.
async fn referrers(
    connection: &mut PgConnection,
    set: &mut WorkingSet,
    keys: &BTreeSet<RowKey>,
) -> Result<(), StoreError> {
    let mut found: BTreeMap<RowKey, BTreeSet<RowKey>> = keys.iter().map(|key| (*key, BTreeSet::new())).collect();
    for target in &Schema::hospital().tables {
        let rows: Vec<Uuid> = keys.iter().filter(|k| k.table == target.id).map(|k| k.row.0).collect();
        if rows.is_empty() {
            continue;
        }
        for (table, column) in &target.referenced_by {
            let table = Schema::hospital().by_id(*table);
            for (to, from) in referring_rows(connection, table, table.by_id(*column), &rows).await? {
                let to = RowKey {
                    table: target.id,
                    row: to,
                };
                found.entry(to).or_default().insert(from);
            }
        }
    }
    for (key, from) in found {
        set.provide_referrers(key, from);
    }
    Ok(())
}

/// Pairs of a referenced row and a row of `table` that references it by `column`.
async fn referring_rows(
    connection: &mut PgConnection,
    table: &Table,
    column: &Column,
    rows: &[Uuid],
) -> Result<Vec<(RowId, RowKey)>, StoreError> {
    let sql = format!(
        "SELECT {column}, {key} FROM {table} WHERE {column} = ANY($1)",
        column = column.name,
        key = table.key_names().join(", "),
        table = table.name,
    );
    let found = sqlx::query(AssertSqlSafe(sql)).bind(rows).fetch_all(connection).await?;
    let mut pairs = Vec::with_capacity(found.len());
    for record in found {
        let key: Vec<Uuid> = (1..=table.primary_key.len())
            .map(|i| record.try_get(i))
            .collect::<Result<_, _>>()?;
        let from = RowKey {
            table: table.id,
            row: table.row_id(&key),
        };
        pairs.push((RowId(record.try_get(0)?), from));
    }
    Ok(pairs)
}
