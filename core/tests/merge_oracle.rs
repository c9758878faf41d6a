//! The fold against the Automerge library: any history, in any causal order, gives the same values, conflicts, counters,
//! texts and heads.

use automerge::{
    ActorId, AutoCommit, Change, ObjType, ROOT, ReadDoc, ScalarValue,
    marks::{ExpandMark, Mark},
    transaction::Transactable,
};
use holdfast_core::{
    document::{Actor, DecodedChange, Document, DocumentId, Key, Live, Place, Scalar, fold::Arrival, write::Writer},
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, Merge, Schema, Table},
    value::Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

const DEVICES: usize = 3;

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Edit {
        device: usize,
        column: usize,
        text: String,
        number: i64,
    },
    /// The Automerge library itself writes, as a foreign peer would.
    ForeignEdit {
        device: usize,
        column: usize,
        text: String,
    },
    Delete {
        device: usize,
    },
    /// `to` gets all that `from` has, in order.
    Sync {
        from: usize,
        to: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop_oneof!["[a-d]{0,6}", "[ab ]{0,12}é?"];
    prop_oneof![
        6 => (0..DEVICES, any::<usize>(), text.clone(), -9..9i64)
            .prop_map(|(device, column, text, number)| Step::Edit { device, column, text, number }),
        1 => (0..DEVICES, any::<usize>(), text).prop_map(|(device, column, text)| Step::ForeignEdit { device, column, text }),
        1 => (0..DEVICES).prop_map(|device| Step::Delete { device }),
        5 => (0..DEVICES, 0..DEVICES).prop_map(|(from, to)| Step::Sync { from, to }),
    ]
}

struct Device {
    actor: Actor,
    foreign: ActorId,
    document: Document,
    changes: Vec<Vec<u8>>,
}

impl Device {
    fn oracle(&self) -> AutoCommit {
        let mut oracle = AutoCommit::new();
        let changes: Vec<Change> = self
            .changes
            .iter()
            .map(|c| Change::try_from(&c[..]).expect("reads"))
            .collect();
        oracle.apply_changes(changes).expect("applies");
        oracle
    }

    fn take(&mut self, table: &Table, bytes: &[u8]) {
        let decoded = DecodedChange::from_bytes(bytes).expect("reads");
        if self.document.contains(decoded.change.actor(), decoded.change.seq) {
            return;
        }
        self.document.fold(table, &decoded, arrival()).expect("folds");
        self.changes.push(bytes.to_vec());
    }

    fn write(&mut self, id: DocumentId, table: &Table, action: &RowAction) {
        let writer = Writer {
            actor: &self.actor,
            time: Timestamp(7),
            salt: None,
        };
        let built = self.document.write(id, table, action, writer).expect("writes");
        self.changes.extend(built.into_iter().map(|c| c.bytes));
    }

    fn foreign_write(&mut self, table: &Table, column: &Column, text: &str) {
        let mut oracle = self.oracle();
        oracle.set_actor(self.foreign.clone());
        oracle.put(ROOT, column.name, text).expect("puts");
        let change = oracle.get_last_local_change().map(|c| c.raw_bytes().to_vec());
        if let Some(bytes) = change {
            let decoded = DecodedChange::from_bytes(&bytes).expect("reads");
            assert!(decoded.is_canonical(), "the library's own changes are");
            self.take(table, &bytes);
        }
    }
}

fn arrival() -> Arrival {
    Arrival {
        place: Place::Pending,
        time: Timestamp(7),
    }
}

fn editable(table: &Table) -> Vec<&Column> {
    table
        .columns
        .iter()
        .filter(|c| !matches!(c.merge, Merge::Identity | Merge::Once | Merge::Derived))
        .collect()
}

fn value_for(column: &Column, text: &str, number: i64) -> Value {
    let json = match column.merge {
        Merge::Json => json!({ "a": text, "list": text.split(' ').collect::<Vec<_>>(), "n": { "x": number } }),
        _ if column.sql_type == holdfast_core::schema::SqlType::Integer => number.into(),
        _ => text.into(),
    };
    Value::from_json(column, &json).unwrap_or(Value::Null)
}

fn edit(column: &Column, text: &str, number: i64) -> RowAction {
    let kind = if column.merge == Merge::Counter {
        ColumnEditKind::Add(number)
    } else {
        ColumnEditKind::Set {
            value: value_for(column, text, number),
            seen: None,
        }
    };
    RowAction::Edit(vec![ColumnEdit {
        column: column.id,
        kind,
    }])
}

fn scalar_json(value: &ScalarValue) -> Json {
    match value {
        ScalarValue::Str(s) => s.to_string().into(),
        ScalarValue::Int(i) => (*i).into(),
        ScalarValue::Counter(c) => i64::from(c).into(),
        ScalarValue::Boolean(b) => (*b).into(),
        ScalarValue::Bytes(b) => b.iter().map(|b| Json::from(*b)).collect(),
        ScalarValue::Null => Json::Null,
        other => panic!("nobody wrote {other:?}"),
    }
}

fn oracle_json(oracle: &AutoCommit, value: &automerge::Value<'_>, id: &automerge::ObjId) -> Json {
    use automerge::ObjType;
    match value {
        automerge::Value::Scalar(s) => scalar_json(s),
        automerge::Value::Object(ObjType::Text) => oracle.text(id).expect("text").into(),
        automerge::Value::Object(ObjType::List) => oracle
            .list_range(id, ..)
            .map(|item| get(oracle, id, item.index))
            .collect(),
        automerge::Value::Object(_) => oracle
            .keys(id)
            .map(|key| (key.clone(), get(oracle, id, key.as_str())))
            .collect(),
    }
}

fn get<P: Into<automerge::Prop>>(oracle: &AutoCommit, object: &automerge::ObjId, prop: P) -> Json {
    let (value, id) = oracle.get(object, prop).expect("reads").expect("there");
    oracle_json(oracle, &value, &id)
}

fn agree(table: &Table, device: &Device) -> Result<(), TestCaseError> {
    let mut oracle = device.oracle();
    let mut heads: Vec<[u8; 32]> = oracle.get_heads().iter().map(|h| h.0).collect();
    heads.sort_unstable();
    prop_assert_eq!(device.document.heads.iter().map(|h| h.0).collect::<Vec<_>>(), heads);
    for column in &table.columns {
        compare(&oracle, &device.document, column.name, device.document.live(column.id))?;
    }
    let deleted = device.document.live_of(Key::Deleted);
    compare(&oracle, &device.document, holdfast_core::document::DELETED, deleted)?;
    // The library keeps no change as it came, but makes it again from the operations: it must come to the same hash.
    let saved = AutoCommit::load(&oracle.save());
    prop_assert!(saved.is_ok(), "what the library saves, it loads: {:?}", saved.err());
    let stored = Document::from_bytes(&device.document.to_bytes()).expect("reads its own bytes");
    prop_assert_eq!(&stored, &device.document);
    Ok(())
}

fn compare(oracle: &AutoCommit, document: &Document, key: &str, live: Live<'_>) -> Result<(), TestCaseError> {
    let mut ours: Vec<(_, String)> = live
        .map(|op| (document.order(op.id), document.op_json(op, 0).to_string()))
        .collect();
    ours.sort();
    let theirs = oracle.get_all(ROOT, key).expect("reads");
    let mut all: Vec<String> = theirs
        .iter()
        .map(|(v, id)| oracle_json(oracle, v, id).to_string())
        .collect();
    let winner = oracle
        .get(ROOT, key)
        .expect("reads")
        .map(|(v, id)| oracle_json(oracle, &v, &id).to_string());
    prop_assert_eq!(ours.last().map(|(_, json)| json.clone()), winner, "winner of {}", key);
    let mut ours: Vec<String> = ours.into_iter().map(|(_, json)| json).collect();
    ours.sort();
    all.sort();
    prop_assert_eq!(ours, all, "values of {}", key);
    Ok(())
}

fn run(table: &'static str, steps: &[Step]) -> Result<(), TestCaseError> {
    let table = Schema::hospital().expect(table);
    let id = DocumentId::main(table.id, RowId(Uuid::from_u128(42)));
    let mut devices: Vec<Device> = (0..DEVICES)
        .map(|i| Device {
            actor: Actor::from(vec![i as u8 + 1; 20]),
            foreign: ActorId::from(vec![i as u8 + 100; 16]),
            document: Document::default(),
            changes: Vec::new(),
        })
        .collect();
    let values = table
        .columns
        .iter()
        .filter(|c| c.merge != Merge::Derived && c.id.0 % 3 != 2)
        .map(|c| (c.id, value_for(c, "start", 5)))
        .collect();
    devices[0].write(id, table, &RowAction::Create(values));
    let first = devices[0].changes[0].clone();
    devices[1..].iter_mut().for_each(|d| d.take(table, &first));
    let columns = editable(table);
    for step in steps {
        match step {
            Step::Edit {
                device,
                column,
                text,
                number,
            } => {
                devices[*device].write(id, table, &edit(columns[column % columns.len()], text, *number));
            }
            Step::ForeignEdit { device, column, text } => {
                devices[*device].foreign_write(table, columns[column % columns.len()], text);
            }
            Step::Delete { device } => devices[*device].write(id, table, &RowAction::Delete),
            Step::Sync { from, to } => {
                let changes = devices[*from].changes.clone();
                for change in &changes {
                    devices[*to].take(table, change);
                }
            }
        }
    }
    for device in &devices {
        agree(table, device)?;
    }
    let everything: Vec<Vec<u8>> = devices.iter().flat_map(|d| d.changes.clone()).collect();
    for device in &mut devices {
        for change in &everything {
            device.take(table, change);
        }
        agree(table, device)?;
    }
    let shown = |d: &Device| {
        table
            .columns
            .iter()
            .map(|c| d.document.value(c, false))
            .collect::<Vec<_>>()
    };
    prop_assert!(devices.windows(2).all(|w| shown(&w[0]) == shown(&w[1])));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn registers_and_texts_are_what_automerge_gives(steps in proptest::collection::vec(step(), 1..40)) {
        run("patients", &steps)?;
    }

    #[test]
    fn counters_are_what_automerge_gives(steps in proptest::collection::vec(step(), 1..40)) {
        run("supplies", &steps)?;
    }

    #[test]
    fn json_is_what_automerge_gives(steps in proptest::collection::vec(step(), 1..25)) {
        run("discharge_reports", &steps)?;
    }
}

#[test]
fn a_change_lists_no_actor_that_its_operations_do_not_name() {
    let edit_text = |device, column, text: &str| Step::Edit {
        device,
        column,
        text: text.into(),
        number: 0,
    };
    let columns = editable(Schema::hospital().expect("patients"));
    let allergies = columns.iter().position(|c| c.name == "allergies").expect("a column");
    // Words move past each other: the place to insert at is another device's, and is not used in the end.
    let steps = [
        edit_text(2, allergies, " aé"),
        Step::Sync { from: 2, to: 1 },
        edit_text(1, allergies, "a é"),
    ];
    run("patients", &steps).expect("the library saves and loads");
}

#[test]
fn words_written_on_two_devices_into_one_empty_text_are_both_kept() {
    let table = Schema::hospital().expect("patients");
    let allergies = table.expect("allergies");
    let id = DocumentId::main(table.id, RowId(Uuid::from_u128(1)));
    let mut first = Document::default();
    let create = RowAction::Create(vec![(table.expect("first_name").id, Value::Text("Ada".into()))]);
    let maker = Actor::from(vec![9; 20]);
    first
        .write(
            id,
            table,
            &create,
            Writer {
                actor: &maker,
                time: Timestamp(1),
                salt: None,
            },
        )
        .expect("writes");
    let mut merged = first.clone();
    let mut expansions = Vec::new();
    for (actor, words) in [(1u8, "penicillin"), (2, "latex")] {
        let mut own = first.clone();
        let set = ColumnEditKind::Set {
            value: Value::Text(words.into()),
            seen: None,
        };
        let action = RowAction::Edit(vec![ColumnEdit {
            column: allergies.id,
            kind: set,
        }]);
        let actor = Actor::from(vec![actor; 20]);
        let built = own
            .write(
                id,
                table,
                &action,
                Writer {
                    actor: &actor,
                    time: Timestamp(2),
                    salt: None,
                },
            )
            .expect("writes");
        expansions.push(built[0].hash);
        for change in built {
            let decoded = DecodedChange::from_bytes(&change.bytes).expect("reads");
            let known = merged.contains(decoded.change.actor(), decoded.change.seq);
            if !known {
                merged.fold(table, &decoded, arrival()).expect("folds");
            }
        }
    }
    assert_eq!(expansions[0], expansions[1], "both devices make the same object");
    assert_eq!(merged.live(allergies.id).len(), 1);
    assert!(matches!(
        merged.live(allergies.id).only().expect("one").value,
        Scalar::Object(_)
    ));
    let Value::Text(text) = merged.value(allergies, false) else {
        panic!("a text")
    };
    assert!(text.contains("penicillin") && text.contains("latex"), "{text}");
}

#[test]
fn a_mark_of_the_library_is_canonical_and_leaves_the_text_as_it_is() {
    let patients = Schema::hospital().expect("patients");
    let column = patients.column("medical_history").expect("a text");
    let mut library = AutoCommit::new();
    library.set_actor(ActorId::from(vec![1; 20]));
    let text = library.put_object(ROOT, column.name, ObjType::Text).expect("makes");
    library.splice_text(&text, 0, 0, "two words").expect("writes");
    for expand in [ExpandMark::After, ExpandMark::None] {
        library
            .mark(&text, Mark::new("bold".into(), true, 1, 4), expand)
            .expect("marks");
    }
    let change = library.get_last_local_change().expect("was made");
    let decoded = DecodedChange::from_bytes(change.raw_bytes()).expect("reads");
    assert!(decoded.is_canonical());
    let mut document = Document::default();
    document.fold(patients, &decoded, arrival()).expect("folds");
    assert_eq!(document.value(column, false), Value::Text("two words".into()));
}
