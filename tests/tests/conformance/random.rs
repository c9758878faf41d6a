//! The same transactions, whatever they are, leave the same rows and conflicts in both stores.

use holdfast_core::{
    ids::RowId,
    ingest::WorkingSet,
    protocol::PushOutcome,
    row::RowWrite,
    schema::{Merge, Schema, Table, TableId},
};
use holdfast_server::store::Submission;
use holdfast_tests::{
    contents::{assert_same, replicated},
    dice::Dice,
    maker::Maker,
    sample::changes,
    stand::Stand,
    writes::{add, create, delete, edit},
};
use serde_json::{Map, Value as Json, json};

/// Each is one run. A seed that ever failed is added here.
const SEEDS: [u64; 6] = [1, 2, 3, 5, 8, 13];

/// Transactions in one run.
const STEPS: usize = 120;

/// The tables that the runs write to: claims, references of all kinds, counters, texts, JSON, a composite key.
const TABLES: [&str; 9] = [
    "departments",
    "rooms",
    "beds",
    "patients",
    "supply_categories",
    "supplies",
    "staff_meetings",
    "patient_queue",
    "medical_documents",
];

#[tokio::test]
async fn both_stores_hold_the_same_rows_after_the_same_transactions() {
    for seed in SEEDS {
        let (sqlite, postgres) = (Stand::sqlite().await, Stand::postgres().await);
        let mut run = Run::new(seed);
        let mut accepted = 0;
        for _ in 0..STEPS / 4 {
            let mut batch = Vec::new();
            for _ in 0..4 {
                batch.extend(run.transaction(&sqlite).await);
            }
            let (left, right) = (sqlite.accept(batch.clone()).await, postgres.accept(batch).await);
            assert_eq!(left, right, "seed {seed}: outcomes differ");
            accepted += left.len();
        }
        println!("seed {seed}: {accepted} transactions");
        let (left, right) = (sqlite.contents(replicated).await, postgres.contents(replicated).await);
        assert!(left.total() > 20, "seed {seed}: the run came to nothing");
        assert_same("SQLite", &left, &format!("PostgreSQL, seed {seed}"), &right);
        assert_eq!(sqlite.conflicts().await, postgres.conflicts().await, "seed {seed}");
        assert_eq!(sqlite.seqs().await, postgres.seqs().await, "seed {seed}");
    }
}

/// A large batch is judged in strides, each while the one before it is written.
#[tokio::test]
async fn a_batch_of_a_thousand_leaves_what_the_same_transactions_leave_in_small_ones() {
    let (sqlite, postgres) = (Stand::sqlite().await, Stand::postgres().await);
    let other_sqlite = Stand::sqlite().await;
    let mut run = Run::new(21);
    let (mut all, mut one_by_one) = (Vec::new(), Vec::new());
    while all.len() < 1_200 {
        let mut batch = Vec::new();
        for _ in 0..4 {
            batch.extend(run.transaction(&sqlite).await);
        }
        all.extend(batch.iter().cloned());
        one_by_one.extend(sqlite.accept(batch).await);
    }
    // What is known already is answered as it was.
    all.extend_from_within(..100);
    one_by_one.extend_from_within(..100);
    assert_eq!(one_by_one, other_sqlite.accept(all.clone()).await);
    let at_once = postgres.accept(all).await;
    let refused = at_once
        .iter()
        .filter(|o| matches!(o, PushOutcome::Rejected { .. }))
        .count();
    assert!(refused > 0, "all is accepted");
    assert_eq!(one_by_one, at_once);
    let (left, right) = (sqlite.contents(replicated).await, postgres.contents(replicated).await);
    assert_same("SQLite, four at a time", &left, "PostgreSQL, all at once", &right);
    let other = other_sqlite.contents(replicated).await;
    assert_same("SQLite, four at a time", &left, "SQLite, all at once", &other);
    assert_eq!(sqlite.conflicts().await, postgres.conflicts().await);
    assert_eq!(sqlite.conflicts().await, other_sqlite.conflicts().await);
    assert_eq!(sqlite.seqs().await, postgres.seqs().await);
    for maker in &run.makers {
        postgres.register(maker).await;
    }
    let report = postgres.verify().await;
    assert!(report.passed(), "{}", report.to_text());
}

/// Three people, who often look at what was there a while ago.
pub(super) struct Run {
    dice: Dice,
    pub(super) makers: Vec<Maker>,
    rows: Vec<(TableId, RowId)>,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            makers: (0..3).map(|n| Maker::new(seed * 10 + n)).collect(),
            rows: Vec::new(),
        }
    }

    /// A transaction of one to three writes, on what the first store holds now, before the batch.
    pub(super) async fn transaction(&mut self, stand: &Stand) -> Option<Submission> {
        let mut writes: Vec<RowWrite> = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let write = self.write();
            if writes.iter().all(|w| (w.table, w.row) != (write.table, write.row)) {
                writes.push(write);
            }
        }
        let maker = self.dice.below(self.makers.len());
        let maker = &mut self.makers[maker];
        let set = maker.look(&stand.store, &writes).await;
        writes.retain(|write| can_be_made(&set, write));
        (!writes.is_empty()).then(|| maker.make_if_new(&set, &writes)).flatten()
    }

    fn write(&mut self) -> RowWrite {
        let table = Schema::hospital().expect(self.dice.pick::<&str>(&TABLES));
        let known: Vec<RowId> = self
            .rows
            .iter()
            .filter(|(t, _)| *t == table.id)
            .map(|(_, r)| *r)
            .collect();
        if known.len() < 2 || self.dice.once_in(3) {
            let row = RowId(self.dice.uuid());
            let values = self.values(table, |c| c.not_null || c.claim);
            self.rows.push((table.id, row));
            return create(table.name, row, &values);
        }
        let row = *self.dice.pick(&known);
        if self.dice.once_in(6) {
            return delete(table.name, row);
        }
        if table.name == "supplies" && self.dice.once_in(2) {
            return add(table.name, row, "current_stock", self.dice.below(20) as i64 - 12);
        }
        let chosen = self.dice.number();
        edit(
            table.name,
            row,
            &self.values(table, |c| (chosen >> (c.id.0 % 60)).is_multiple_of(4)),
        )
    }

    fn values(&mut self, table: &Table, chosen: impl Fn(&holdfast_core::schema::Column) -> bool) -> Json {
        let mut values = Map::new();
        for column in table.columns.iter().filter(|c| changes(c) && c.merge != Merge::Counter) {
            if chosen(column) {
                let value = self.value(column);
                values.insert(column.name.to_owned(), value);
            }
        }
        Json::Object(values)
    }

    fn value(&mut self, column: &holdfast_core::schema::Column) -> Json {
        use holdfast_core::schema::SqlType;
        if let Some(target) = column.references {
            let known: Vec<RowId> = self
                .rows
                .iter()
                .filter(|(t, _)| *t == target)
                .map(|(_, r)| *r)
                .collect();
            if known.is_empty() || self.dice.once_in(20) {
                // A reference that leads nowhere, or to nobody.
                return if column.not_null {
                    json!(self.dice.uuid().to_string())
                } else {
                    Json::Null
                };
            }
            return json!(self.dice.pick(&known).to_string());
        }
        if !column.not_null && self.dice.once_in(8) {
            return Json::Null;
        }
        if !column.values.is_empty() {
            return json!(self.dice.pick(&column.values));
        }
        if column.json {
            return json!({ "n": self.dice.below(5), "list": [self.dice.below(3)] });
        }
        let small = self.dice.below(6);
        match column.sql_type {
            SqlType::Integer => json!(small),
            SqlType::Boolean => json!(small == 0),
            SqlType::Date => json!(format!("2026-02-0{}", small + 1)),
            SqlType::Timestamptz => json!(format!("2026-02-0{}T01:02:03.00000{small}Z", small + 1)),
            SqlType::Numeric { .. } => json!(format!("{small}.5")),
            // Few words, so that unique ones are wanted by many.
            _ => json!(format!("w{small}")),
        }
    }
}

/// A row that never came to be can only be made, and one that is there cannot be made again.
fn can_be_made(set: &WorkingSet, write: &RowWrite) -> bool {
    use holdfast_core::{document::DocumentId, row::RowAction};
    let document = set.document(&DocumentId::main(write.table, write.row));
    let known = document.is_some_and(|d| !d.is_empty());
    known != matches!(write.action, RowAction::Create(_))
}
