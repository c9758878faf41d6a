//! The checksums over all documents, in the row of `sync.head`.

use futures_util::TryStreamExt;
use holdfast_core::{
    checksum::Checksums,
    document::{Document, DocumentId},
    ids::{RowId, Seq},
};
use sqlx::{PgConnection, Row};

use super::StoreError;

/// Counts the documents of a database that an older version wrote.
pub(super) async fn ensure(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT checksums FROM sync.head FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await?;
    if kept.is_none() {
        let sums = count(&mut transaction).await?;
        sqlx::query("UPDATE sync.head SET checksums = $1")
            .bind(sums.to_bytes().to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn count(connection: &mut PgConnection) -> Result<Checksums, StoreError> {
    let mut sums = Checksums::default();
    let mut found = sqlx::query("SELECT part, row, state FROM sync.documents").fetch(connection);
    while let Some(record) = found.try_next().await? {
        let id = DocumentId::from_part(record.try_get(0)?, RowId(record.try_get(1)?));
        let heads = Document::heads_of(record.try_get(2)?);
        let heads = heads.map_err(|_| StoreError::Corrupt("a stored document cannot be read"))?;
        sums.replace(id, &[], &heads);
    }
    Ok(sums)
}

/// Reads `seq, checksums` of the row of `sync.head`.
pub(super) fn read(head: &sqlx::postgres::PgRow) -> Result<(Seq, Checksums), StoreError> {
    let seq: i64 = head.try_get(0)?;
    let sums = Checksums::from_bytes(head.try_get(1)?);
    let sums = sums.ok_or(StoreError::Corrupt("sync.head has unreadable checksums"))?;
    Ok((Seq(seq as u64), sums))
}
