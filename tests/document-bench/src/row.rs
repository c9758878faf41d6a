//! The row that everything is measured on: a patient with 15 columns, and what four devices wrote to it.

use automerge::{
    ActorId, AutoCommit, Change, ROOT, ReadDoc, ScalarValue, transaction::CommitOptions, transaction::Transactable,
};
use holdfast_core::{
    document::{Actor, DecodedChange, Document, DocumentId, Facet, Place, Scalar, fold::Arrival, write::Writer},
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, ColumnId, Merge, Schema, SqlType, Table},
    value::Value,
};
use uuid::Uuid;

const TIME: Timestamp = Timestamp(1_770_000_000_000_000);

/// The columns that updates go to, in turns.
const UPDATED: [&str; 4] = ["phone", "address", "email", "emergency_contact_phone"];

/// The row's table.
pub fn table() -> &'static Table {
    Schema::hospital().expect("patients")
}

/// The row's document.
pub fn id() -> DocumentId {
    DocumentId::main(table().id, RowId(Uuid::from_u128(7)))
}

/// One of the devices.
pub fn actor(number: usize) -> Actor {
    Actor::from(vec![7 + number as u8; 20])
}

/// Writes as one of the devices.
pub fn writer(actor: &Actor) -> Writer<'_> {
    Writer {
        actor,
        time: TIME,
        salt: None,
    }
}

/// How every change arrives.
pub fn arrival() -> Arrival {
    Arrival {
        place: Place::Pending,
        time: TIME,
    }
}

/// A value for each of the 15 columns that a person or the engine writes when a patient is registered.
pub fn values() -> Vec<(ColumnId, Value)> {
    let written = |column: &&Column| column.merge != Merge::Derived;
    Document::columns_of(table(), Facet::Main)
        .filter(written)
        .map(|column| (column.id, first_value(column)))
        .collect()
}

fn first_value(column: &Column) -> Value {
    match column.sql_type {
        SqlType::Uuid => Value::Uuid(Uuid::from_u128(7)),
        SqlType::Date => Value::Text("1980-05-05".into()),
        SqlType::Timestamptz => Value::Timestamp(TIME),
        _ => {
            let length = 5 + column.name.len() % 9;
            Value::Text(format!("{} 12345", column.name).chars().take(length).collect())
        }
    }
}

/// The column that the update of this number goes to, and what it writes.
fn updated(number: usize) -> (&'static Column, String) {
    let column = table().expect(UPDATED[number % UPDATED.len()]);
    (column, format!("+49 30 {number}"))
}

/// The update of this number.
pub fn update(number: usize) -> RowAction {
    let (column, text) = updated(number);
    let kind = ColumnEditKind::Set {
        value: Value::Text(text),
        seen: None,
    };
    RowAction::Edit(vec![ColumnEdit {
        column: column.id,
        kind,
    }])
}

/// A row's life: its document, and the bytes of all its changes, the insert first.
pub struct History {
    /// What they add up to.
    pub document: Document,
    /// The changes, in order.
    pub changes: Vec<Vec<u8>>,
}

impl History {
    /// An insert, and so many updates by four devices that have seen each other's.
    pub fn of(updates: usize) -> Self {
        let mut document = Document::default();
        let mut changes = Vec::with_capacity(1 + updates);
        changes.push(write(&mut document, &RowAction::Create(values()), 0));
        changes.extend((0..updates).map(|number| write(&mut document, &update(number), number % 4)));
        Self { document, changes }
    }

    /// The same row as the library has it.
    pub fn in_library(&self) -> AutoCommit {
        let mut document = AutoCommit::new().with_actor(library_actor());
        document
            .apply_changes(self.changes.iter().map(|bytes| library_change(bytes)))
            .expect("the library applies them");
        document
    }
}

/// Carries out `action` as the device of this number; the change's bytes.
pub fn write(document: &mut Document, action: &RowAction, device: usize) -> Vec<u8> {
    let actor = actor(device);
    let mut built = document
        .write(id(), table(), action, writer(&actor))
        .expect("the document takes it");
    assert_eq!(built.len(), 1, "one change");
    built.remove(0).bytes
}

/// Decodes a change and folds it in.
pub fn fold(document: &mut Document, bytes: &[u8]) {
    let decoded = DecodedChange::from_bytes(bytes).expect("reads");
    document.fold(table(), &decoded, arrival()).expect("folds");
}

/// Reads a change as the library does.
pub fn library_change(bytes: &[u8]) -> Change {
    Change::try_from(bytes).expect("the library reads it")
}

/// The device that writes with the library: the same as the first one here.
pub fn library_actor() -> ActorId {
    ActorId::from(actor(0).as_bytes())
}

/// The insert as the library is told of it: column names and values.
pub fn library_values() -> Vec<(&'static str, ScalarValue)> {
    values()
        .iter()
        .map(|(column, value)| {
            let column = table().by_id(*column);
            (column.name, library_scalar(Scalar::of_value(column, value)))
        })
        .collect()
}

/// Writes with the library; the change's bytes, as quickly as it gives them: not compressed.
pub fn library_write(document: &mut AutoCommit, values: &[(&'static str, ScalarValue)]) -> Vec<u8> {
    for (name, value) in values {
        document.put(ROOT, *name, value.clone()).expect("the library takes it");
    }
    document.commit_with(CommitOptions::default().with_time(TIME.0 / 1_000_000));
    let change = document.get_last_local_change().expect("the library has it");
    change.raw_bytes().to_vec()
}

/// The update of this number as the library is told of it.
pub fn library_update(number: usize) -> [(&'static str, ScalarValue); 1] {
    let (column, text) = updated(number);
    [(column.name, text.into())]
}

fn library_scalar(scalar: Scalar<'_>) -> ScalarValue {
    match scalar {
        Scalar::Str(text) => text.into(),
        Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes.to_vec()),
        Scalar::Int(number) => number.into(),
        other => panic!("BUG: a patient has no {other:?}"),
    }
}

/// Panics unless both documents have the same heads and show the same values.
pub fn agree(holdfast: &Document, automerge: &mut AutoCommit) {
    let heads: Vec<[u8; 32]> = automerge.get_heads().iter().map(|head| head.0).collect();
    assert_eq!(holdfast.heads.iter().map(|head| head.0).collect::<Vec<_>>(), heads);
    for (column, _) in values() {
        let column = table().by_id(column);
        let here = library_scalar(Scalar::of_value(column, &holdfast.value(column, false)));
        let there = automerge.get(ROOT, column.name).expect("the library reads");
        let there = there.expect("every column has a value").0.into_scalar();
        assert_eq!(there.ok(), Some(here), "{}", column.name);
    }
}
