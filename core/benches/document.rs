//! What a row costs: building and folding changes, beside the Automerge library in the same run.
//! `cargo bench -p holdfast-core`
#![expect(
    clippy::wildcard_imports,
    reason = "each group of benchmarks is a page of this one file"
)]

use automerge::{ActorId, AutoCommit, Change, ROOT, ScalarValue, transaction::Transactable};
use divan::{Bencher, black_box};
use holdfast_core::{
    document::{Actor, DecodedChange, Document, DocumentId, Facet, Place, Scalar, fold::Arrival, write::Writer},
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Merge, Schema, SqlType, Table},
    value::Value,
};
use uuid::Uuid;

fn main() {
    divan::main();
}

fn table() -> &'static Table {
    Schema::hospital().expect("patients")
}

fn id() -> DocumentId {
    DocumentId::main(table().id, RowId(Uuid::from_u128(7)))
}

fn actor() -> Actor {
    Actor(vec![7; 20])
}

fn arrival() -> Arrival {
    Arrival {
        place: Place::Pending,
        time: Timestamp(1_770_000_000_000_000),
    }
}

fn writer(actor: &Actor) -> Writer<'_> {
    Writer {
        actor,
        time: arrival().time,
        salt: None,
    }
}

/// A patient with a value in each of the 15 columns that a person or the engine writes at its making.
fn values() -> Vec<(holdfast_core::schema::ColumnId, Value)> {
    Document::columns_of(table(), Facet::Main)
        .filter(|c| c.merge != Merge::Derived)
        .map(|c| {
            let value = match c.sql_type {
                SqlType::Uuid => Value::Uuid(Uuid::from_u128(7)),
                SqlType::Date => Value::Text("1980-05-05".into()),
                SqlType::Timestamptz => Value::Timestamp(arrival().time),
                _ => Value::Text(format!("{} 12345", c.name).chars().take(5 + c.name.len() % 9).collect()),
            };
            (c.id, value)
        })
        .collect()
}

fn phone(number: usize) -> RowAction {
    let kind = ColumnEditKind::Set {
        value: Value::Text(format!("+49 30 {number}")),
        seen: None,
    };
    RowAction::Edit(vec![ColumnEdit {
        column: table().expect("phone").id,
        kind,
    }])
}

fn row() -> (Document, Vec<u8>) {
    let mut document = Document::default();
    let built = document
        .write(id(), table(), &RowAction::Create(values()), writer(&actor()))
        .expect("writes");
    (document, built[0].bytes.clone())
}

fn library_row() -> AutoCommit {
    let mut document = AutoCommit::new().with_actor(ActorId::from(&[7u8; 20][..]));
    for (column, value) in values() {
        let column = table().by_id(column);
        let scalar: ScalarValue = match Scalar::of_value(column, &value) {
            Scalar::Str(text) => text.into(),
            Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes),
            Scalar::Int(number) => number.into(),
            other => panic!("a patient has no {other:?}"),
        };
        document.put(ROOT, column.name, scalar).expect("puts");
    }
    document.commit();
    document
}

fn change(bytes: &[u8]) -> Change {
    Change::try_from(bytes).expect("reads")
}

#[divan::bench_group]
mod build_an_insert_of_15_columns {
    use super::*;

    #[divan::bench]
    fn holdfast(bencher: Bencher<'_, '_>) {
        let action = RowAction::Create(values());
        let actor = actor();
        bencher.bench(|| Document::default().write(id(), table(), black_box(&action), writer(&actor)));
    }

    #[divan::bench]
    fn automerge(bencher: Bencher<'_, '_>) {
        bencher.bench(|| library_row().save_incremental());
    }
}

#[divan::bench_group]
mod build_an_update_of_one_column {
    use super::*;

    #[divan::bench]
    fn holdfast_from_stored_state(bencher: Bencher<'_, '_>) {
        let state = row().0.to_bytes();
        let (action, actor) = (phone(1), actor());
        bencher.bench(|| {
            let mut document = Document::from_bytes(black_box(&state)).expect("reads");
            let built = document.write(id(), table(), &action, writer(&actor));
            (built, document.to_bytes())
        });
    }

    #[divan::bench]
    fn automerge_from_saved_document(bencher: Bencher<'_, '_>) {
        let saved = library_row().save();
        bencher.bench(|| {
            let mut document = AutoCommit::load(black_box(&saved)).expect("loads");
            document.put(ROOT, "phone", "+49 30 1").expect("puts");
            document.commit();
            (document.save_incremental(), document.save())
        });
    }
}

#[divan::bench_group]
mod fold_an_insert {
    use super::*;

    #[divan::bench]
    fn holdfast(bencher: Bencher<'_, '_>) {
        let bytes = row().1;
        bencher.bench(|| {
            let decoded = DecodedChange::from_bytes(black_box(&bytes)).expect("reads");
            let mut document = Document::default();
            document.fold(table(), &decoded, arrival()).expect("folds");
            document
        });
    }

    #[divan::bench]
    fn automerge(bencher: Bencher<'_, '_>) {
        let bytes = row().1;
        bencher.bench(|| {
            let mut document = AutoCommit::new();
            document.apply_changes([change(black_box(&bytes))]).expect("applies");
            document
        });
    }
}

#[divan::bench_group]
mod fold_an_update {
    use super::*;

    fn update() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let (mut document, first) = row();
        let state = document.to_bytes();
        let built = document
            .write(id(), table(), &phone(1), writer(&actor()))
            .expect("writes");
        (state, first, built[0].bytes.clone())
    }

    #[divan::bench]
    fn holdfast_from_stored_state(bencher: Bencher<'_, '_>) {
        let (state, _, update) = update();
        bencher.bench(|| {
            let mut document = Document::from_bytes(black_box(&state)).expect("reads");
            let decoded = DecodedChange::from_bytes(black_box(&update)).expect("reads");
            document.fold(table(), &decoded, arrival()).expect("folds");
            document.to_bytes()
        });
    }

    #[divan::bench]
    fn automerge_from_saved_document(bencher: Bencher<'_, '_>) {
        let (_, first, update) = update();
        let mut document = AutoCommit::new();
        document.apply_changes([change(&first)]).expect("applies");
        let saved = document.save();
        bencher.bench(|| {
            let mut document = AutoCommit::load(black_box(&saved)).expect("loads");
            document.apply_changes([change(black_box(&update))]).expect("applies");
            document.save()
        });
    }
}

#[divan::bench_group]
mod open_a_row_with_1000_changes {
    use super::*;

    #[divan::bench]
    fn holdfast(bencher: Bencher<'_, '_>) {
        let mut document = row().0;
        for i in 0..1000 {
            document
                .write(id(), table(), &phone(i), writer(&actor()))
                .expect("writes");
        }
        let state = document.to_bytes();
        bencher.bench(|| Document::from_bytes(black_box(&state)));
    }

    #[divan::bench]
    fn automerge(bencher: Bencher<'_, '_>) {
        let mut document = library_row();
        for i in 0..1000 {
            document.put(ROOT, "phone", format!("+49 30 {i}")).expect("puts");
            document.commit();
        }
        let saved = document.save();
        bencher.bench(|| AutoCommit::load(black_box(&saved)));
    }
}
