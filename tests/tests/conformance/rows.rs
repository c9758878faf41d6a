//! What stands in the 33 tables is what was written, by value.

use holdfast_core::schema::{Merge, Schema};
use holdfast_tests::{
    contents::{self, Contents},
    maker::Maker,
    sample::{Filling, Sample, changes},
    stand::Stand,
    writes::{add, create, edit, edit_seen},
};
use serde_json::json;

crate::on_both_stores! {
    every_table_takes_a_new_row_an_edit_and_a_delete
    every_kind_of_value_comes_back_as_it_was_given
    values_can_be_read_with_plain_sql
    a_lengths_limit_counts_characters_not_bytes
    the_engine_sets_the_time_of_the_last_change
    counters_add_up_and_texts_keep_everybodys_words
    all_rows_of_a_transaction_stand_or_none
    many_rows_come_in_one_transaction
    a_row_that_was_taken_out_by_hand_comes_back_with_its_next_edit
}

const FILLINGS: [Filling; 4] = [Filling::Ordinary, Filling::Most, Filling::Least, Filling::Null];

async fn every_table_takes_a_new_row_an_edit_and_a_delete(stand: Stand) {
    let (mut maker, sample) = (Maker::new(1), Sample::new(1));
    let order = || {
        Schema::hospital()
            .insert_order
            .iter()
            .map(|id| Schema::hospital().by_id(*id))
    };
    for table in order() {
        stand
            .write(&mut maker, &[sample.create(table, Filling::Ordinary)])
            .await;
        assert_eq!(stand.store.count(table.name).await.unwrap(), 1, "{}", table.name);
    }
    let created = stand.contents(contents::replicated).await;
    assert_eq!(created.empty_tables(), Vec::<&str>::new());
    for table in order() {
        if let Some(edit) = sample.edit(table, Filling::Ordinary, Filling::Least) {
            stand.write(&mut maker, &[edit]).await;
            expect(&stand, &sample, table.name, Filling::Least).await;
        }
    }
    for table in order().rev() {
        let row = sample.row(table);
        stand
            .write(&mut maker, &[holdfast_tests::writes::delete(table.name, row)])
            .await;
        assert_eq!(stand.store.count(table.name).await.unwrap(), 0, "{}", table.name);
    }
    assert_eq!(stand.contents(contents::replicated).await, Contents::default());
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

/// The row of a table holds what the sample says, column by column, read with plain SQL.
async fn expect(stand: &Stand, sample: &Sample, table: &str, filling: Filling) {
    let table = Schema::hospital().expect(table);
    let rows = stand.contents(contents::replicated).await;
    for column in table.columns.iter().filter(|c| changes(c)) {
        let found = rows.value(table.name, column.name);
        let expected = sample.value(table, column, filling).to_sql_text();
        if column.json {
            let read = |text: &Option<String>| {
                let text = text.as_deref().unwrap_or("null");
                serde_json::from_str::<serde_json::Value>(text).expect("a JSON column holds JSON")
            };
            assert_eq!(read(&found), read(&expected), "{}.{}", table.name, column.name);
        } else {
            assert_eq!(found, expected, "{}: {}.{}", stand.name(), table.name, column.name);
        }
    }
}

async fn every_kind_of_value_comes_back_as_it_was_given(stand: Stand) {
    let mut maker = Maker::new(1);
    // Created so, and edited to be so, from each to each.
    let mut from = Filling::Ordinary;
    let sample = Sample::new(1);
    for id in &Schema::hospital().insert_order {
        let table = Schema::hospital().by_id(*id);
        stand.write(&mut maker, &[sample.create(table, from)]).await;
        expect(&stand, &sample, table.name, from).await;
    }
    for to in [
        Filling::Most,
        Filling::Null,
        Filling::Least,
        Filling::Most,
        Filling::Ordinary,
    ] {
        let edits: Vec<_> = Schema::hospital()
            .tables
            .iter()
            .filter_map(|table| sample.edit(table, from, to))
            .collect();
        stand.write(&mut maker, &edits).await;
        for table in &Schema::hospital().tables {
            expect(&stand, &sample, table.name, to).await;
        }
        from = to;
    }
    for (seed, filling) in (2..).zip(FILLINGS) {
        let other = Sample::new(seed);
        // Unique values belong to the first sample: this one comes alone, into an empty store.
        let stand = if stand.name() == "SQLite" {
            Stand::sqlite().await
        } else {
            Stand::postgres().await
        };
        let all: Vec<_> = Schema::hospital()
            .tables
            .iter()
            .map(|t| other.create(t, filling))
            .collect();
        stand.write(&mut maker, &all).await;
        for table in &Schema::hospital().tables {
            expect(&stand, &other, table.name, filling).await;
        }
    }
}

async fn values_can_be_read_with_plain_sql(stand: Stand) {
    let mut maker = Maker::new(1);
    let (category, item) = (maker.row(), maker.row());
    let supply = json!({
        "item_code": "GL-1", "name": "Handschuhe \u{1f9e4}", "category_id": category.to_string(),
        "unit_of_measure": "Paar", "unit_cost": "0.1", "current_stock": 7, "expiry_date": "2027-12-31",
        "created_at": "2026-01-31T13:00:00.123456+01:00"
    });
    let writes = [
        create("supply_categories", category, &json!({ "name": "Protection" })),
        create("supplies", item, &supply),
    ];
    stand.write(&mut maker, &writes).await;
    for (sql, expected) in [
        (
            "SELECT name FROM supplies WHERE unit_of_measure = 'Paar'",
            "Handschuhe \u{1f9e4}",
        ),
        ("SELECT length(name) FROM supplies", "12"),
        ("SELECT current_stock + 1 FROM supplies", "8"),
        ("SELECT count(*) FROM supplies WHERE unit_cost = '0.10'", "1"),
        ("SELECT count(*) FROM supplies WHERE expiry_date > '2027-12-30'", "1"),
        (
            "SELECT count(*) FROM supplies s JOIN supply_categories c ON c.id = s.category_id",
            "1",
        ),
        ("SELECT count(*) FROM supplies WHERE supplier IS NULL", "1"),
        (
            "SELECT count(*) FROM supplies WHERE created_at = '2026-01-31T12:00:00.123456Z'",
            "1",
        ),
    ] {
        assert_eq!(
            stand.text(sql).await.as_deref(),
            Some(expected),
            "{}: {sql}",
            stand.name()
        );
    }
}

async fn a_lengths_limit_counts_characters_not_bytes(stand: Stand) {
    let mut maker = Maker::new(1);
    let row = maker.row();
    let fits = "\u{1f3e5}".repeat(10);
    stand
        .write(&mut maker, &[create("rooms", row, &json!({ "room_number": fits }))])
        .await;
    assert_eq!(stand.text("SELECT room_number FROM rooms").await, Some(fits));
    let too_long = edit("rooms", row, &json!({ "room_number": "\u{1f3e5}".repeat(11) }));
    let submission = maker.make(&stand.store, &[too_long]).await;
    assert_eq!(stand.refusal(submission).await.0, "invalid_value");
}

async fn the_engine_sets_the_time_of_the_last_change(stand: Stand) {
    let mut maker = Maker::new(1);
    let row = maker.row();
    stand
        .write(&mut maker, &[create("rooms", row, &json!({ "room_number": "1" }))])
        .await;
    let before = stand.text("SELECT updated_at FROM rooms").await;
    assert!(before.is_some(), "{}: a new row has a time of change", stand.name());
    stand
        .write(&mut maker, &[edit("rooms", row, &json!({ "capacity": 3 }))])
        .await;
    assert!(stand.text("SELECT updated_at FROM rooms").await > before);
    let forged = edit("rooms", row, &json!({ "updated_at": "2020-01-01T00:00:00Z" }));
    let submission = maker.make(&stand.store, &[forged]).await;
    assert_eq!(stand.refusal(submission).await.0, "derived");
    let derived = Schema::hospital().tables.iter().flat_map(|t| &t.columns);
    assert!(
        derived
            .filter(|c| c.merge == Merge::Derived)
            .all(|c| c.name == "updated_at")
    );
}

async fn counters_add_up_and_texts_keep_everybodys_words(stand: Stand) {
    let (mut anna, mut bert) = (Maker::new(1), Maker::new(2));
    let (category, item, patient) = (anna.row(), anna.row(), anna.row());
    let supply = json!({ "item_code": "1", "name": "n", "category_id": category.to_string(),
        "unit_of_measure": "u", "current_stock": 100 });
    let person = json!({ "patient_number": "P-1", "first_name": "Eva", "last_name": "Berg",
        "date_of_birth": "1980-05-05", "medical_history": "Asthma since 1990." });
    let writes = [
        create("supply_categories", category, &json!({ "name": "c" })),
        create("supplies", item, &supply),
        create("patients", patient, &person),
    ];
    stand.write(&mut anna, &writes).await;
    let words = |text: &str| {
        let seen = json!({ "medical_history": "Asthma since 1990." });
        edit_seen("patients", patient, &json!({ "medical_history": text }), &seen)
    };
    let annas = [
        add("supplies", item, "current_stock", -7),
        words("Asthma since 1990. Smoker."),
    ];
    let berts = [
        add("supplies", item, "current_stock", -5),
        words("Severe asthma since 1990."),
    ];
    let seen = anna.look(&stand.store, &annas).await;
    let (annas, berts) = (anna.make_on(&seen, &annas), bert.make_on(&seen, &berts));
    stand.take(annas).await;
    stand.take(berts).await;
    assert_eq!(
        stand.text("SELECT current_stock FROM supplies").await.as_deref(),
        Some("88")
    );
    let history = stand
        .text("SELECT medical_history FROM patients")
        .await
        .unwrap_or_default();
    assert!(history.contains("Severe") && history.contains("Smoker"), "{history}");
}

async fn all_rows_of_a_transaction_stand_or_none(stand: Stand) {
    let mut maker = Maker::new(1);
    let (good, bad) = (maker.row(), maker.row());
    let writes = [
        create("rooms", good, &json!({ "room_number": "1" })),
        create("rooms", bad, &json!({ "room_number": "12345678901" })),
    ];
    let submission = maker.make(&stand.store, &writes).await;
    stand.refusal(submission).await;
    assert_eq!(stand.store.count("rooms").await.unwrap(), 0);
}

async fn many_rows_come_in_one_transaction(stand: Stand) {
    let mut maker = Maker::new(1);
    let rows: Vec<_> = (0..1_500).map(|_| maker.row()).collect();
    let number = |n: usize| json!({ "room_number": n.to_string() });
    let writes: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(n, row)| create("rooms", *row, &number(n)))
        .collect();
    stand.write(&mut maker, &writes).await;
    assert_eq!(stand.store.count("rooms").await.unwrap(), 1_500);
    let edits: Vec<_> = rows
        .iter()
        .map(|row| edit("rooms", *row, &json!({ "capacity": 2 })))
        .collect();
    stand.write(&mut maker, &edits).await;
    assert_eq!(
        stand.text("SELECT sum(capacity) FROM rooms").await.as_deref(),
        Some("3000")
    );
    assert_eq!(stand.seqs().await, [1, 2]);
}

async fn a_row_that_was_taken_out_by_hand_comes_back_with_its_next_edit(stand: Stand) {
    let mut maker = Maker::new(1);
    let rows = [maker.row(), maker.row()];
    let made = [
        create("rooms", rows[0], &json!({ "room_number": "1" })),
        create("rooms", rows[1], &json!({ "room_number": "2" })),
    ];
    stand.write(&mut maker, &made).await;
    stand.tamper("DELETE FROM rooms WHERE room_number = '1'").await;
    let edits = rows.map(|row| edit("rooms", row, &json!({ "capacity": 3 })));
    stand.write(&mut maker, &edits).await;
    let sql = "SELECT count(*) FROM rooms WHERE capacity = 3 AND room_number IN ('1', '2')";
    assert_eq!(stand.text(sql).await.as_deref(), Some("2"));
}
