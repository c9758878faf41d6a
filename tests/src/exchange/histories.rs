//! Rows that three devices edit, delete and make again, apart for a while and together again, as chance has it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    author::{AuthorError, Header, author},
    document::{Document, DocumentId, Facet, Place, fold::Arrival},
    ids::{RowId, TransactionId},
    ingest::WorkingSet,
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::{Column, Merge, Schema, SqlType, Table},
    value::Value,
};
use holdfast_server::store::Submission;
use serde_json::{Value as Json, json};

use crate::{
    dice::Dice,
    maker::{Maker, NOON},
    sample::{Filling, Sample, changes},
    stand::Stand,
};

/// The tables that histories are made in: registers and text, a counter, JSON, a restricted column, a key of two parts.
pub const TABLES: [&str; 5] = [
    "patients",
    "supplies",
    "discharge_reports",
    "staff",
    "staff_meeting_participants",
];

const DEVICES: u64 = 3;

/// The rows that all histories refer to.
pub async fn prepare(stand: &Stand, seed: u64) -> Sample {
    let sample = Sample::new(seed);
    let mut maker = Maker::new(seed);
    for table in &Schema::hospital().insert_order {
        let create = sample.create(Schema::hospital().by_id(*table), Filling::Ordinary);
        stand.write(&mut maker, &[create]).await;
    }
    sample
}

/// A row to be, and the key that names it.
struct NewRow {
    table: &'static Table,
    row: RowId,
    key: Vec<uuid::Uuid>,
}

impl NewRow {
    fn new(table: &'static Table, key: Vec<uuid::Uuid>) -> Self {
        let row = table.row_id(&key);
        Self { table, row, key }
    }

    /// A participant's row is named by meeting and person: a new one needs a meeting of its own.
    async fn of(table: &'static Table, stand: &Stand, sample: &Sample, dice: &mut Dice) -> Self {
        if !table.has_composite_key() {
            return Self::new(table, vec![dice.uuid()]);
        }
        let schema = Schema::hospital();
        let meeting = Self::new(schema.expect("staff_meetings"), vec![dice.uuid()]);
        let mut maker = Maker::new(dice.number());
        stand.write(&mut maker, &[meeting.create(sample, dice)]).await;
        Self::new(table, vec![meeting.row.0, sample.row(schema.expect("staff")).0])
    }

    fn write(&self, action: RowAction) -> RowWrite {
        RowWrite {
            table: self.table.id,
            row: self.row,
            action,
        }
    }

    fn create(&self, sample: &Sample, dice: &mut Dice) -> RowWrite {
        let key = self.table.primary_key.iter().zip(&self.key);
        let mut values: Vec<_> = key.map(|(column, id)| (*column, Value::Uuid(*id))).collect();
        for column in self.table.columns.iter().filter(|c| !c.primary_key) {
            let written = !matches!(column.merge, Merge::Derived | Merge::Server);
            if written && (column.not_null || !dice.once_in(3)) {
                values.push((column.id, value(sample, column, dice)));
            }
        }
        self.write(RowAction::Create(values))
    }

    /// Writes to one to three columns; `None` if the table has none that change.
    fn edit(&self, sample: &Sample, dice: &mut Dice) -> Option<RowWrite> {
        let free = |c: &&Column| changes(c) && !c.claim && c.references.is_none();
        let columns: Vec<&Column> = self.table.columns.iter().filter(free).collect();
        if columns.is_empty() {
            return None;
        }
        // What merges is written more often than what does not.
        let merging: Vec<&Column> = columns.iter().copied().filter(|c| c.merge != Merge::Register).collect();
        let mut edits: Vec<ColumnEdit> = Vec::new();
        for _ in 0..=dice.below(3) {
            let from = if merging.is_empty() || dice.once_in(2) {
                &columns
            } else {
                &merging
            };
            let column = *dice.pick(from);
            if edits.iter().any(|edit| edit.column == column.id) {
                continue;
            }
            let kind = match column.merge {
                Merge::Counter => ColumnEditKind::Add(dice.below(19) as i64 - 9),
                _ => ColumnEditKind::Set {
                    value: if column.not_null || !dice.once_in(8) {
                        value(sample, column, dice)
                    } else {
                        Value::Null
                    },
                    seen: None,
                },
            };
            edits.push(ColumnEdit {
                column: column.id,
                kind,
            });
        }
        Some(self.write(RowAction::Edit(edits)))
    }
}

/// Makes one history and leaves it in the store. Returns the row.
pub async fn make(stand: &Stand, sample: &Sample, table: &'static Table, seed: u64, steps: usize) -> RowId {
    let mut dice = Dice::new(seed);
    let new = NewRow::of(table, stand, sample, &mut dice).await;
    let create = new.create(sample, &mut dice);
    let mut devices = Vec::new();
    for n in 0..DEVICES {
        devices.push(Device::new(seed * DEVICES + n, stand, &create).await);
    }
    devices[0].write(&create);
    if dice.once_in(3) {
        // Somebody else makes the same row, before either has heard of the other.
        devices[1].write(&create);
    }
    for device in &mut devices {
        device.sync(stand, &create).await;
    }
    for _ in 0..steps {
        let device = &mut devices[dice.below(DEVICES as usize)];
        match dice.below(16) {
            0..3 => device.sync(stand, &create).await,
            3 => device.write(&new.write(RowAction::Delete)),
            4 => device.write(&create),
            _ => {
                if let Some(edit) = new.edit(sample, &mut dice) {
                    device.write(&edit);
                }
            }
        }
    }
    for device in &mut devices {
        device.sync(stand, &create).await;
    }
    new.row
}

/// A device as far as one row goes.
struct Device {
    maker: Maker,
    dice: Dice,
    seen: BTreeMap<DocumentId, Document>,
    outbox: Vec<Submission>,
}

impl Device {
    /// A device that has heard of all that the store holds.
    async fn new(seed: u64, stand: &Stand, row: &RowWrite) -> Self {
        let mut device = Self {
            maker: Maker::new(seed + 1_000_000),
            dice: Dice::new(seed),
            seen: BTreeMap::new(),
            outbox: Vec::new(),
        };
        device.sync(stand, row).await;
        device
    }

    /// Writes on what it has seen; nothing if nothing differs.
    fn write(&mut self, write: &RowWrite) {
        let header = Header {
            id: TransactionId(self.dice.uuid()),
            first: None,
            time: NOON,
            offline: true,
            command: "editRow".to_owned(),
            entropy: self.dice.bytes(),
        };
        let mut set = WorkingSet::default();
        for (id, document) in &self.seen {
            set.provide_document(*id, document.clone());
        }
        let made = author(&set, std::slice::from_ref(write), header, self.maker.identity());
        let (transaction, opened) = match made {
            Err(AuthorError::Nothing) => return,
            made => made.unwrap_or_else(|error| panic!("{write:?} cannot be written: {error:?}")),
        };
        let arrival = Arrival {
            place: Place::Pending,
            time: NOON,
        };
        for (name, change) in opened.body.changes.iter().zip(&opened.changes) {
            let document = self.seen.get_mut(&name.document).expect("it was looked at");
            let table = Schema::hospital().by_id(name.document.table);
            let change = change.as_ref().expect("a device withholds nothing");
            document
                .fold(table, change, arrival)
                .expect("a device folds what it writes");
        }
        self.outbox.push(Submission {
            transaction,
            opened,
            role: self.maker.role,
            import: false,
            objection: None,
        });
    }

    /// Sends all that waits, and looks again.
    async fn sync(&mut self, stand: &Stand, row: &RowWrite) {
        for submission in std::mem::take(&mut self.outbox) {
            stand.take(submission).await;
        }
        let table = Schema::hospital().by_id(row.table);
        let facets = [Facet::Main, Facet::Restricted].map(|facet| DocumentId {
            table: row.table,
            facet,
            row: row.row,
        });
        let restricted = table.columns.iter().any(|c| c.restricted);
        let ids: BTreeSet<DocumentId> = facets.into_iter().take(1 + usize::from(restricted)).collect();
        let set = stand
            .store
            .documents(ids.clone())
            .await
            .expect("the store loads documents");
        let document = |id: DocumentId| (id, set.document(&id).expect("it was asked for").clone());
        self.seen = ids.into_iter().map(document).collect();
    }
}

fn value(sample: &Sample, column: &Column, dice: &mut Dice) -> Value {
    if let Some(target) = column.references {
        return sample.row(Schema::hospital().by_id(target)).into();
    }
    if !column.values.is_empty() {
        return (*dice.pick(&column.values)).into();
    }
    if column.json {
        return structure(dice).to_string().into();
    }
    let number = dice.below(1_000) as i64;
    match column.sql_type {
        SqlType::Uuid => Value::Uuid(dice.uuid()),
        SqlType::Varchar(limit) if column.unique => unique(dice, limit.unwrap_or(20) as usize),
        SqlType::Varchar(limit) => words(dice)
            .chars()
            .take(limit.unwrap_or(40) as usize)
            .collect::<String>()
            .into(),
        // Often one so long that its change is packed.
        SqlType::Text if dice.once_in(2) => words(dice).repeat(120).into(),
        SqlType::Text => words(dice).into(),
        SqlType::Integer => Value::Int(number),
        SqlType::Numeric { scale, .. } => format!("{}.{}", number % 10, &"25000"[..usize::from(scale)]).into(),
        SqlType::Boolean => dice.once_in(2).into(),
        SqlType::Date => format!("2026-01-{:02}", number % 28 + 1).into(),
        SqlType::Timestamptz => Value::Timestamp(holdfast_core::ids::Timestamp(NOON.0 + number)),
    }
}

fn unique(dice: &mut Dice, limit: usize) -> Value {
    dice.uuid()
        .simple()
        .to_string()
        .chars()
        .take(limit)
        .collect::<String>()
        .into()
}

fn words(dice: &mut Dice) -> String {
    const WORDS: [&str; 8] = ["rest", "fluids", "x", "Ä", "漢字", "🏥", "👩\u{200d}⚕️", "line\nline"];
    let count = 1 + dice.below(6);
    (0..count).map(|_| *dice.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

/// A map or list that often has the same keys and items as another one.
fn structure(dice: &mut Dice) -> Json {
    if dice.once_in(6) {
        return (0..dice.below(5)).map(|_| item(dice, 0)).collect();
    }
    let mut map = serde_json::Map::new();
    for _ in 0..dice.below(5) {
        map.insert((*dice.pick(&["a", "b", "c", "ü🙂"])).to_owned(), item(dice, 0));
    }
    Json::Object(map)
}

fn item(dice: &mut Dice, depth: usize) -> Json {
    match dice.below(if depth < 3 { 9 } else { 6 }) {
        0 => Json::Null,
        1 => dice.once_in(2).into(),
        2 => json!(dice.below(5)),
        3 => json!(-(dice.below(5) as i64)),
        4 => json!(f64::from(dice.below(9) as u32) + 0.5),
        5 => words(dice).into(),
        6 => (0..dice.below(4)).map(|_| item(dice, depth + 1)).collect(),
        _ => {
            let mut map = serde_json::Map::new();
            for _ in 0..dice.below(3) {
                map.insert((*dice.pick(&["x", "y"])).to_owned(), item(dice, depth + 1));
            }
            Json::Object(map)
        }
    }
}
