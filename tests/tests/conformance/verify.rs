//! A store is what its log says; what anybody changes behind its back is named.

use holdfast_core::{
    ids::{RowId, Seq},
    policy::Role,
    protocol,
};
use holdfast_server::verify::{Kind, Report};
use holdfast_tests::{
    maker::Maker,
    stand::Stand,
    writes::{add, create, delete, edit},
};
use serde_json::json;

use super::random::Run;

crate::on_both_stores! {
    after_random_work_a_store_is_what_its_log_says
    a_row_that_was_edited_by_hand_is_named_with_its_column
    restricted_columns_are_compared_too
    rows_that_were_deleted_or_made_by_hand_are_named
    a_document_that_was_replaced_or_removed_is_named
    a_claim_that_was_removed_or_given_away_is_named
    a_conflict_that_was_removed_settled_or_reworded_is_named
    a_change_of_which_the_history_says_something_else_is_named
    an_entry_whose_signature_does_not_fit_is_named
    an_entry_that_was_replaced_is_named
    an_entry_that_was_removed_leaves_a_gap
    entries_that_changed_places_are_named
    a_log_that_was_cut_off_is_named
    a_device_whose_key_was_replaced_did_not_sign
    a_password_hash_that_was_put_into_users_is_named
    a_checksum_that_is_wrong_is_named
    a_page_that_reaches_the_head_carries_the_checksums
    verifying_does_not_see_what_comes_meanwhile
    a_conflict_that_grows_within_one_batch_keeps_the_time_at_which_it_was_raised
}

fn row(n: u128) -> RowId {
    RowId(uuid::Uuid::from_u128(n))
}

const ANNA: u128 = 0xa;
const STAFF: u128 = 0x5;

/// Eight entries: people, a salary, a bed that was given twice, a row that is no more.
async fn ward(stand: &Stand) {
    let mut maker = Maker::new(1);
    stand.register(&maker).await;
    let person = |number: &str| json!({ "patient_number": number, "first_name": "A", "last_name": "B", "date_of_birth": "1980-05-05" });
    let bed = json!({ "bed_number": "1", "room_id": row(100).to_string(), "status": "available" });
    let nurse = json!({ "user_id": row(0x77).to_string(), "employee_id": "E-1",
        "department_id": row(0x50).to_string(), "position": "Nurse",
        "hire_date": "2020-01-01", "salary": "1234.50", "status": "active" });
    let user = json!({ "username": "nora", "email": "nora@example.org", "role": "nurse", "first_name": "Nora",
        "last_name": "Berg", "is_active": true });
    for writes in [
        vec![
            create("departments", row(0x50), &json!({ "name": "Surgery" })),
            create("users", row(0x77), &user),
            create("staff", row(STAFF), &nurse),
        ],
        vec![
            create("rooms", row(100), &json!({ "room_number": "1" })),
            create("beds", row(1), &bed),
        ],
        vec![create("patients", row(ANNA), &person("P-1"))],
        vec![create("patients", row(0xb), &person("P-2"))],
        vec![create("supply_categories", row(0xc), &json!({ "name": "gone" }))],
        vec![delete("supply_categories", row(0xc))],
    ] {
        stand.write(&mut maker, &writes).await;
    }
    let mut other = Maker::new(2);
    stand.register(&other).await;
    let admit = |patient: u128| {
        let values = json!({ "patient_id": row(patient).to_string(), "status": "occupied" });
        [edit("beds", row(1), &values)]
    };
    let seen = other.look(&stand.store, &admit(ANNA)).await;
    stand.take(maker.make_on(&seen, &admit(ANNA))).await;
    stand.take(other.make_on(&seen, &admit(0xb))).await;
}

/// On a ward that was sound, this tampering is found, and nothing else than these tables differs.
async fn finds(stand: &Stand, tampering: &str, kind: Kind, table: &str, row: &str, column: Option<&str>) -> Report {
    ward(stand).await;
    let sound = stand.verify().await;
    assert!(sound.passed(), "{}: {}", stand.name(), sound.to_text());
    found(stand, tampering, kind, table, row, column).await
}

async fn found(stand: &Stand, tampering: &str, kind: Kind, table: &str, row: &str, column: Option<&str>) -> Report {
    stand.tamper(tampering).await;
    let report = stand.verify().await;
    let named = report
        .differences
        .iter()
        .any(|d| d.kind == kind && d.table == table && d.row.contains(row) && d.column.as_deref() == column);
    assert!(named, "{} after {tampering}:\n{}", stand.name(), report.to_text());
    report
}

fn only(report: &Report, tables: &[&str]) {
    let others: Vec<_> = report.counts.keys().filter(|t| !tables.contains(&t.as_str())).collect();
    assert!(others.is_empty(), "{others:?} differ too:\n{}", report.to_text());
}

async fn after_random_work_a_store_is_what_its_log_says(stand: Stand) {
    let mut run = Run::new(21);
    for maker in &run.makers {
        stand.register(maker).await;
    }
    for _ in 0..40 {
        let mut batch = Vec::new();
        for _ in 0..5 {
            batch.extend(run.transaction(&stand).await);
        }
        stand.accept(batch).await;
    }
    assert!(!stand.conflicts().await.is_empty(), "the run raised no conflict");
    let report = stand.verify().await;
    assert!(report.passed(), "{}: {}", stand.name(), report.to_text());
    assert!(report.entries > 60 && report.rows > 20, "{report:?}");
    assert_eq!(report.entries, stand.seqs().await.len() as u64);
}

async fn a_row_that_was_edited_by_hand_is_named_with_its_column(stand: Stand) {
    let sql = format!("UPDATE patients SET first_name = 'Nobody' WHERE id = '{}'", row(ANNA));
    let anna = row(ANNA).to_string();
    let report = finds(&stand, &sql, Kind::Different, "patients", &anna, Some("first_name")).await;
    only(&report, &["patients"]);
    let [difference] = report.differences.as_slice() else {
        panic!("{}", report.to_text())
    };
    assert_eq!(difference.log.as_deref(), Some("A"));
    assert_eq!(difference.found.as_deref(), Some("Nobody"));
}

async fn restricted_columns_are_compared_too(stand: Stand) {
    let sql = "UPDATE staff SET salary = '99999.00'";
    let report = finds(
        &stand,
        sql,
        Kind::Different,
        "staff",
        &row(STAFF).to_string(),
        Some("salary"),
    )
    .await;
    only(&report, &["staff"]);
}

async fn rows_that_were_deleted_or_made_by_hand_are_named(stand: Stand) {
    let (deleted, made) = (row(0x5), row(0x999));
    let sql = format!("DELETE FROM staff WHERE id = '{deleted}'");
    finds(&stand, &sql, Kind::Missing, "staff", &deleted.to_string(), None).await;
    let sql = format!("INSERT INTO supply_categories (id, name) VALUES ('{made}', 'by hand')");
    let report = found(
        &stand,
        &sql,
        Kind::Unknown,
        "supply_categories",
        &made.to_string(),
        None,
    )
    .await;
    only(&report, &["staff", "supply_categories"]);
}

async fn a_document_that_was_replaced_or_removed_is_named(stand: Stand) {
    let part = holdfast_core::schema::Schema::hospital().expect("patients").id.0;
    let of =
        |order: &str| format!("(SELECT state FROM sync.documents WHERE part = {part} ORDER BY state {order} LIMIT 1)");
    let (first, last) = (of("ASC"), of("DESC"));
    let sql = format!("UPDATE sync.documents SET state = {last} WHERE state = {first}");
    let report = finds(&stand, &sql, Kind::Different, "documents", "patients", Some("state")).await;
    only(&report, &["documents"]);
    let part = holdfast_core::schema::Schema::hospital().expect("rooms").id.0;
    let sql = format!("DELETE FROM sync.documents WHERE part = {part}");
    found(&stand, &sql, Kind::Missing, "documents", "rooms", None).await;
}

async fn a_claim_that_was_removed_or_given_away_is_named(stand: Stand) {
    let sql = "DELETE FROM sync.claims WHERE value = 'P-1'";
    let report = finds(
        &stand,
        sql,
        Kind::Missing,
        "claims",
        "patients.patient_number = P-1",
        None,
    )
    .await;
    only(&report, &["claims"]);
    let sql = "UPDATE sync.claims SET value = 'P-3' WHERE value = 'P-2'";
    found(
        &stand,
        sql,
        Kind::Unknown,
        "claims",
        "patients.patient_number = P-3",
        None,
    )
    .await;
}

async fn a_conflict_that_was_removed_settled_or_reworded_is_named(stand: Stand) {
    let now = match stand.name() {
        "SQLite" => "1769860800000000",
        _ => "now()",
    };
    let sql = "UPDATE sync.conflicts SET task = 'Nothing to do.'";
    finds(&stand, sql, Kind::Different, "conflicts", "in beds", Some("task")).await;
    let sql = format!("UPDATE sync.conflicts SET settled_at = {now}");
    found(
        &stand,
        &sql,
        Kind::Different,
        "conflicts",
        "in beds",
        Some("settled_at"),
    )
    .await;
    let sql = "DELETE FROM sync.conflicts";
    let report = found(&stand, sql, Kind::Missing, "conflicts", "in beds", None).await;
    only(&report, &["conflicts"]);
}

async fn a_change_of_which_the_history_says_something_else_is_named(stand: Stand) {
    let sql = "UPDATE sync.changes SET seq = 4 WHERE seq = 3";
    let report = finds(&stand, sql, Kind::Different, "changes", "patients", Some("seq")).await;
    only(&report, &["changes"]);
    let sql = "DELETE FROM sync.changes WHERE seq = 1";
    found(&stand, sql, Kind::Missing, "changes", "staff", None).await;
}

/// Puts other bytes in the place of an entry.
async fn replace_entry(stand: &Stand, seq: u64, bytes: &[u8]) {
    let digits = holdfast_server::hex::encode(bytes);
    let literal = match stand.name() {
        "SQLite" => format!("X'{digits}'"),
        _ => format!("'\\x{digits}'"),
    };
    stand
        .tamper(&format!("UPDATE sync.log SET entry = {literal} WHERE seq = {seq}"))
        .await;
}

/// What is wrong with an entry, as reported.
fn problem(report: &Report, seq: u64) -> String {
    let of = report
        .differences
        .iter()
        .filter(|d| d.kind == Kind::Log && d.row == seq.to_string());
    of.filter_map(|d| d.log.clone()).collect::<Vec<_>>().join("; ")
}

async fn an_entry_whose_signature_does_not_fit_is_named(stand: Stand) {
    ward(&stand).await;
    let page = stand.store.pull(Seq(3), 1, 1 << 20).await.unwrap();
    let mut transaction = page.entries[0].transaction.clone();
    transaction.signature[5] ^= 1;
    replace_entry(&stand, 4, &protocol::encode(&transaction)).await;
    let report = stand.verify().await;
    assert!(problem(&report, 4).contains("signature"), "{}", report.to_text());
    only(&report, &["log"]);
}

async fn an_entry_that_was_replaced_is_named(stand: Stand) {
    ward(&stand).await;
    let page = stand.store.pull(Seq(3), 1, 1 << 20).await.unwrap();
    let mut transaction = page.entries[0].transaction.clone();
    // Another value of the same length in the change itself.
    let change = transaction.changes[0].as_mut().unwrap();
    let at = change.windows(3).position(|w| w == b"P-2").unwrap();
    change[at + 2] = b'9';
    replace_entry(&stand, 4, &protocol::encode(&transaction)).await;
    let report = stand.verify().await;
    assert!(problem(&report, 4).contains("change 0"), "{}", report.to_text());
    assert!(report.counts.contains_key("patients"), "{}", report.to_text());
    replace_entry(&stand, 4, b"nonsense").await;
    let report = stand.verify().await;
    assert!(problem(&report, 4).contains("cannot be read"), "{}", report.to_text());
}

async fn an_entry_that_was_removed_leaves_a_gap(stand: Stand) {
    let report = finds(
        &stand,
        "DELETE FROM sync.log WHERE seq = 5",
        Kind::Log,
        "log",
        "6",
        None,
    )
    .await;
    let said = problem(&report, 6);
    assert!(said.contains("entry 5 before it is missing"), "{said}");
    assert!(said.contains("which no entry before it brought"), "{said}");
}

async fn entries_that_changed_places_are_named(stand: Stand) {
    let sql = "UPDATE sync.log SET seq = -1 WHERE seq = 3; UPDATE sync.log SET seq = 3 WHERE seq = 4;
        UPDATE sync.log SET seq = 4 WHERE seq = -1";
    let report = finds(&stand, sql, Kind::Different, "changes", "patients", Some("seq")).await;
    assert_eq!(report.counts["changes"], 2, "{}", report.to_text());
}

async fn a_log_that_was_cut_off_is_named(stand: Stand) {
    let report = finds(
        &stand,
        "DELETE FROM sync.log WHERE seq > 6",
        Kind::Log,
        "log",
        "8",
        None,
    )
    .await;
    assert!(
        problem(&report, 8).contains("the log ends at 6"),
        "{}",
        report.to_text()
    );
}

async fn a_device_whose_key_was_replaced_did_not_sign(stand: Stand) {
    ward(&stand).await;
    let key = match stand.name() {
        "SQLite" => "zeroblob(32)",
        _ => "decode(repeat('00', 32), 'hex')",
    };
    let sql = format!("UPDATE sync.devices SET public_key = {key}");
    let report = found(&stand, &sql, Kind::Log, "log", "1", None).await;
    assert_eq!(report.counts["log"], 8, "{}", report.to_text());
    stand
        .tamper("DELETE FROM sync.device_users; DELETE FROM sync.devices")
        .await;
    let report = stand.verify().await;
    assert!(
        problem(&report, 1).contains("is not registered"),
        "{}",
        report.to_text()
    );
}

async fn a_password_hash_that_was_put_into_users_is_named(stand: Stand) {
    let sql = "UPDATE users SET password_hash = 'mine'";
    let report = finds(
        &stand,
        sql,
        Kind::Different,
        "users",
        &row(0x77).to_string(),
        Some("password_hash"),
    )
    .await;
    only(&report, &["users"]);
    assert!(!report.to_text().contains("mine"), "{}", report.to_text());
}

async fn a_checksum_that_is_wrong_is_named(stand: Stand) {
    let sql = match stand.name() {
        "SQLite" => "UPDATE sync_meta SET value = zeroblob(64) WHERE key = 'checksums'",
        _ => "UPDATE sync.head SET checksums = decode(repeat('00', 64), 'hex')",
    };
    let column = Some("main and restricted");
    let report = finds(&stand, sql, Kind::Different, "checksums", "all", column).await;
    only(&report, &["checksums"]);
}

async fn a_page_that_reaches_the_head_carries_the_checksums(stand: Stand) {
    ward(&stand).await;
    let page = |after, limit| stand.store.pull(Seq(after), limit, 1 << 20);
    assert_eq!(page(0, 3).await.unwrap().checksums, None);
    let whole = page(0, 100).await.unwrap();
    let (nurse, manager) = (whole.checksum(Role::Nurse), whole.checksum(Role::Manager));
    assert!(nurse.is_some() && nurse != manager);
    assert_eq!(page(8, 100).await.unwrap().checksum(Role::Nurse), nurse);
    let mut maker = Maker::new(3);
    let salary = edit("staff", row(STAFF), &json!({ "salary": "1.00" }));
    stand.write(&mut maker, &[salary]).await;
    let later = page(8, 100).await.unwrap();
    assert_eq!(later.checksum(Role::Nurse), nurse, "a nurse sees no salaries");
    assert_ne!(later.checksum(Role::Manager), manager);
}

async fn verifying_does_not_see_what_comes_meanwhile(stand: Stand) {
    ward(&stand).await;
    let (store, mut maker) = (stand.store.clone(), Maker::new(9));
    stand.register(&maker).await;
    let working = tokio::spawn(async move {
        for n in 0..60 {
            let values = json!({ "name": format!("category {n}") });
            let submission = maker
                .make(&store, &[create("supply_categories", row(0x1000 + n), &values)])
                .await;
            store
                .accept(vec![submission], holdfast_tests::stand::minutes(n as i64))
                .await
                .unwrap();
        }
    });
    let mut last = 0;
    while !working.is_finished() {
        let report = stand.verify().await;
        assert!(report.passed(), "{}: {}", stand.name(), report.to_text());
        assert!(report.entries >= last);
        last = report.entries;
    }
    working.await.unwrap();
    assert_eq!(stand.verify().await.entries, 68);
}

async fn a_conflict_that_grows_within_one_batch_keeps_the_time_at_which_it_was_raised(stand: Stand) {
    ward(&stand).await;
    let mut maker = Maker::new(3);
    stand.register(&maker).await;
    let gloves = json!({ "item_code": "GL-1", "name": "gloves", "category_id": row(0xd).to_string(),
        "unit_of_measure": "pairs", "current_stock": 1, "minimum_stock_level": 1 });
    let category = create("supply_categories", row(0xd), &json!({ "name": "Protection" }));
    let made = [category, create("supplies", row(0x91), &gloves)];
    stand.write(&mut maker, &made).await;
    let take = [add("supplies", row(0x91), "current_stock", -2)];
    let seen = maker.look(&stand.store, &take).await;
    let taken = (0..3).map(|n| {
        let mut other = Maker::new(10 + n);
        // Each later than the one before.
        (0..n).for_each(|_| drop(other.make_on(&seen, &take)));
        (other.make_on(&seen, &take), other)
    });
    let (taken, others): (Vec<_>, Vec<_>) = taken.unzip();
    for other in &others {
        stand.register(other).await;
    }
    stand.accept(taken).await;
    assert_eq!(
        stand.conflicts().await.last().map(String::as_str),
        Some("negative supplies.current_stock 1")
    );
    let report = stand.verify().await;
    assert!(report.passed(), "{}", report.to_text());
}
