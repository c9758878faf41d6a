//! All documents, page by page, for a new device.

use std::collections::HashMap;

use holdfast_core::{
    document::{Actor, DocumentId, Facet},
    ids::{RowId, UserId},
    policy::Role,
    protocol::{SnapshotDocument, SnapshotResponse},
    schema::Schema,
};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{PostgresStore, StoreError};

/// No more documents are added to a page of this size.
const PAGE_BYTES: usize = 4 << 20;

/// Where a page ended. As text: `part:row:total`.
struct Token {
    part: i16,
    row: Uuid,
    total: u64,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(3, ':');
        Some(Self {
            part: fields.next()?.parse().ok()?,
            row: fields.next()?.parse().ok()?,
            total: fields.next()?.parse().ok()?,
        })
    }
}

impl PostgresStore {
    /// A page of at most `limit` documents that the role may see, after those of the page that `after` came with. `None`
    /// if `after` isn't a token of this store.
    pub async fn snapshot(
        &self,
        after: Option<&str>,
        limit: usize,
        role: Role,
    ) -> Result<Option<SnapshotResponse>, StoreError> {
        // Read before the documents: what comes in between is pulled once more, never missed.
        let as_of = self.head().await?;
        let mut connection = self.pool.acquire().await?;
        let mut parts = parts(role);
        let (mut place, mut from, total) = match after {
            None => {
                let counts = count_documents(&mut connection, &parts).await?;
                // Most hospitals use some of the tables, and asking for nothing takes as long as asking for a little.
                parts.retain(|part| counts.contains_key(part));
                (0, Uuid::nil(), counts.values().sum())
            }
            Some(text) => {
                let Some((place, token)) =
                    Token::parse(text).and_then(|token| Some((parts.iter().position(|p| *p == token.part)?, token)))
                else {
                    return Ok(None);
                };
                (place, token.row, token.total)
            }
        };
        let (mut documents, mut bytes, mut next) = (Vec::new(), 0, None);
        while let Some(part) = parts.get(place) {
            let room = limit - documents.len();
            let room = (room, PAGE_BYTES.saturating_sub(bytes));
            let (page, complete) = page(&mut connection, *part, from, room).await?;
            bytes += page.iter().map(|d| d.state.len()).sum::<usize>();
            documents.extend(page);
            if complete {
                (place, from) = (place + 1, Uuid::nil());
            } else {
                let last: Option<&SnapshotDocument> = documents.last();
                next = last.map(|last| format!("{}:{}:{total}", last.id.part(), last.id.row));
                break;
            }
        }
        let actors = if after.is_none() {
            actors(&mut connection).await?
        } else {
            Vec::new()
        };
        drop(connection);
        Ok(Some(SnapshotResponse {
            mark: self.mark(as_of).await?,
            as_of,
            documents,
            actors,
            next,
            total,
            restricted: role.may_see_restricted(),
        }))
    }
}

/// Documents of one part after a row, no more than there is room for and no more after so many bytes are full; and whether these
/// were the last.
async fn page(
    connection: &mut PgConnection,
    part: i16,
    after: Uuid,
    (limit, max_bytes): (usize, usize),
) -> Result<(Vec<SnapshotDocument>, bool), StoreError> {
    // One document more than there is room for tells that there are more. What would come after too many bytes is not sent.
    let found = sqlx::query(
        "SELECT row, CASE WHEN before < $4 THEN state END FROM (
             SELECT row, state,
                    sum(octet_length(state)) OVER (ORDER BY row ROWS UNBOUNDED PRECEDING) - octet_length(state) AS before
             FROM (SELECT row, state FROM sync.documents WHERE part = $1 AND row > $2 ORDER BY row LIMIT $3 + 1) page
         ) measured ORDER BY row",
    )
    .bind(part)
    .bind(after)
    .bind(limit as i64)
    .bind(max_bytes as i64)
    .fetch_all(connection)
    .await?;
    let mut documents = Vec::new();
    for record in &found {
        let state: Option<Vec<u8>> = record.try_get(1)?;
        let Some(state) = state.filter(|_| documents.len() < limit) else {
            return Ok((documents, false));
        };
        documents.push(SnapshotDocument {
            id: DocumentId::from_part(part, RowId(record.try_get(0)?)),
            state: state.into(),
        });
    }
    Ok((documents, true))
}

/// How many documents each of these parts has that has some.
async fn count_documents(connection: &mut PgConnection, parts: &[i16]) -> Result<HashMap<i16, u64>, StoreError> {
    let found = sqlx::query("SELECT part, count(*) FROM sync.documents WHERE part = ANY($1) GROUP BY part")
        .bind(parts)
        .fetch_all(connection)
        .await?;
    let count = |record: &PgRow| Ok((record.try_get(0)?, record.try_get::<i64, _>(1)? as u64));
    found.iter().map(count).collect()
}

async fn actors(connection: &mut PgConnection) -> Result<Vec<(Actor, UserId)>, StoreError> {
    let found = sqlx::query("SELECT actor, user_id FROM sync.actors ORDER BY actor")
        .fetch_all(connection)
        .await?;
    let actor = |record: &PgRow| {
        let actor = Actor::from(record.try_get::<Vec<u8>, _>(0)?);
        Ok((actor, UserId(record.try_get(1)?)))
    };
    found.iter().map(actor).collect()
}

/// The parts that a role sees, referenced tables first.
fn parts(role: Role) -> Vec<i16> {
    let row = RowId(Uuid::nil());
    Schema::hospital()
        .insert_order
        .iter()
        .flat_map(|table| {
            [Facet::Main, Facet::Restricted].map(|facet| DocumentId {
                table: *table,
                facet,
                row,
            })
        })
        .filter(|id| role.may_see(id))
        .map(|id| id.part())
        .collect()
}
