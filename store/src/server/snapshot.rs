//! All documents, page by page, for a new device: table after table, referenced ones first.
//!
//! A page is read when it is asked for. Changes between two pages do no harm: the device pulls from the first page's place
//! on and folds what it has already without effect.
//!
//! A hub gives documents as the stream has them, without what it relays: see [`crate::base`].

use std::collections::HashMap;

use holdfast_core::{
    document::{Actor, Document, DocumentId},
    ids::{RowId, Seq, UserId},
    policy::Role,
    protocol::{SnapshotDocument, SnapshotResponse},
    schema::Schema,
};
use uuid::Uuid;

use super::ServerStore;
use crate::{StoreError, hex, sql_value};

/// No page grows beyond this by another document.
const MAX_PAGE_BYTES: usize = 4 << 20;

/// How many documents each part has, counted when the stream's end was there.
#[derive(Default)]
pub(crate) struct Totals {
    counted_at: Option<Seq>,
    by_part: HashMap<i16, u64>,
}

/// Where a page begins: behind a row of the part at this place in the order.
struct Token {
    place: usize,
    row: Vec<u8>,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let (place, row) = text.split_once('.')?;
        let row = hex::decode(row).filter(|row| row.is_empty() || row.len() == 16)?;
        Some(Self {
            place: place.parse().ok()?,
            row,
        })
    }

    fn write(&self) -> String {
        format!("{}.{}", self.place, hex::encode(&self.row))
    }
}

impl ServerStore {
    /// A page of at most `limit` documents that the role may see, after those of the page that `after` came with. `None`
    /// if `after` isn't a token of this store.
    pub fn snapshot(
        &mut self,
        after: Option<&str>,
        limit: usize,
        role: Role,
    ) -> Result<Option<SnapshotResponse>, StoreError> {
        let parts: Vec<i16> = parts().collect();
        let start = match after {
            None => Token {
                place: 0,
                row: Vec::new(),
            },
            Some(text) => match Token::parse(text).filter(|token| token.place <= parts.len()) {
                Some(token) => token,
                None => return Ok(None),
            },
        };
        // One state of the database for all of the page.
        let transaction = self.connection.unchecked_transaction()?;
        let as_of = self.head()?;
        let mark = self.mark(as_of)?;
        let actors = if after.is_none() { self.actors()? } else { Vec::new() };
        let (documents, next) = self.page(&parts, start, limit.max(1), role)?;
        drop(transaction);
        let total = self.total(as_of, &parts, role)?;
        Ok(Some(SnapshotResponse {
            mark,
            as_of,
            documents,
            actors,
            next,
            total,
            restricted: role.may_see_restricted(),
        }))
    }

    fn page(
        &self,
        parts: &[i16],
        mut at: Token,
        limit: usize,
        role: Role,
    ) -> Result<(Vec<SnapshotDocument>, Option<String>), StoreError> {
        let sql =
            "SELECT row, coalesce(b.state, d.state) FROM sync_documents AS d LEFT JOIN sync_base AS b USING (part, row)
            WHERE part = ?1 AND row > ?2 AND coalesce(b.state, d.state) <> ?4 ORDER BY row LIMIT ?3";
        let nothing = Document::default().to_bytes();
        let mut statement = self.connection.prepare_cached(sql)?;
        let (mut documents, mut bytes) = (Vec::new(), 0);
        while let Some(part) = parts.get(at.place) {
            let room = limit - documents.len();
            let mut found = statement.query((part, &at.row, room as i64, &nothing))?;
            while is_seen(*part, role)
                && let Some(row) = found.next()?
            {
                at.row = row.get(0)?;
                let state: Vec<u8> = row.get(1)?;
                bytes += state.len();
                documents.push(SnapshotDocument {
                    id: DocumentId::from_part(*part, RowId(sql_value::uuid(&at.row)?)),
                    state: state.into(),
                });
                if documents.len() >= limit || bytes >= MAX_PAGE_BYTES {
                    return Ok((documents, Some(at.write())));
                }
            }
            at = Token {
                place: at.place + 1,
                row: Vec::new(),
            };
        }
        Ok((documents, None))
    }

    fn actors(&self) -> Result<Vec<(Actor, UserId)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT actor, user FROM sync_actors")?;
        let mut found = statement.query([])?;
        let mut actors = Vec::new();
        while let Some(row) = found.next()? {
            let user = sql_value::uuid_text(&row.get::<_, String>(1)?)?;
            actors.push((Actor::from(row.get::<_, Vec<u8>>(0)?), UserId(user)));
        }
        Ok(actors)
    }

    fn total(&mut self, head: Seq, parts: &[i16], role: Role) -> Result<u64, StoreError> {
        if self.totals.counted_at != Some(head) {
            // Less those that only what a hub relays has made.
            let sql =
                "SELECT part, count(*) - (SELECT count(*) FROM sync_base AS b WHERE b.part = d.part AND b.state = ?1)
                FROM sync_documents AS d GROUP BY part";
            let mut statement = self.connection.prepare_cached(sql)?;
            let nothing = Document::default().to_bytes();
            let count = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64));
            let counts = statement.query_map([nothing], count)?;
            self.totals = Totals {
                by_part: counts.collect::<Result<_, _>>()?,
                counted_at: Some(head),
            };
        }
        let seen = parts.iter().filter(|part| is_seen(**part, role));
        Ok(seen.filter_map(|part| self.totals.by_part.get(part)).sum())
    }
}

/// Every part, in the order of the snapshot; the same for every role, so that a token means the same when the role changes.
fn parts() -> impl Iterator<Item = i16> {
    let schema = Schema::hospital();
    schema.insert_order.iter().flat_map(move |id| {
        let main = DocumentId::main(*id, RowId(Uuid::nil())).part();
        let restricted = schema.by_id(*id).columns.iter().any(|c| c.restricted);
        std::iter::once(main).chain(restricted.then_some(main + 256))
    })
}

/// Whether a device may see a document depends on nothing but the part yet.
fn is_seen(part: i16, role: Role) -> bool {
    role.may_see(&DocumentId::from_part(part, RowId(Uuid::nil())))
}
