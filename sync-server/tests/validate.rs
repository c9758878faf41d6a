//! The deployment check: what it says when something is missing.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use holdfast_core::schema::{self, Schema};
use holdfast_server::{
    store::{Location, Store},
    validate::{Outcome, Report, validate},
};
use support::{Database, Folder, block_on};

fn made() -> Database {
    let database = Database::create();
    block_on(async { Store::open(&database.location()).await.map(drop) }).unwrap();
    database
}

fn checked(location: &Location) -> Report {
    block_on(validate(location))
}

/// After `sql` the check of this name fails with a problem that says so; all others pass or are skipped.
fn fails_after(sql: &str, name: &str, problem: &str) {
    let database = made();
    database.run(sql);
    let report = checked(&database.location());
    let check = report.check(name).unwrap();
    assert_eq!(check.outcome, Outcome::Failed, "{}", report.to_table());
    assert!(
        check.problems.iter().any(|p| p.contains(problem)),
        "{}",
        report.to_table()
    );
    assert!(check.advice.is_some());
}

#[test]
fn a_new_database_passes_and_nothing_stays_in_it() {
    let (database, folder) = (made(), Folder::create());
    block_on(async { Store::open(&folder.location()).await.map(drop) }).unwrap();
    for location in [database.location(), folder.location()] {
        let report = checked(&location);
        assert!(report.passed(), "{}", report.to_table());
        for (name, found) in [
            ("tables", "33 of 33"),
            ("columns", "415 of 415"),
            ("primary keys", "33 of 33"),
            ("foreign keys", "69 of 69"),
            ("create, read, update, delete", "33 of 33"),
            ("nothing stayed", "rolled back, no row is left"),
        ] {
            assert_eq!(report.check(name).unwrap().found, found, "{}", report.to_table());
        }
        let rows = block_on(async { Store::open(&location).await.unwrap().count("patients").await.unwrap() });
        assert_eq!(rows, 0);
    }
}

#[test]
fn a_missing_column_is_named() {
    fails_after("ALTER TABLE beds DROP COLUMN notes", "columns", "beds.notes is missing");
}

#[test]
fn another_type_and_another_length_are_named() {
    fails_after(
        "ALTER TABLE patients ALTER COLUMN blood_type TYPE varchar(3)",
        "columns",
        "patients.blood_type is varchar(3) where varchar(5) is due",
    );
    fails_after(
        "ALTER TABLE beds ALTER COLUMN admission_date TYPE timestamp",
        "columns",
        "beds.admission_date is timestamp where timestamptz is due",
    );
}

#[test]
fn another_nullability_is_named() {
    fails_after(
        "ALTER TABLE rooms ALTER COLUMN room_number DROP NOT NULL",
        "columns",
        "rooms.room_number may be empty",
    );
}

#[test]
fn missing_keys_are_named() {
    fails_after(
        "ALTER TABLE beds DROP CONSTRAINT beds_room_id_fkey",
        "foreign keys",
        "beds.room_id → rooms.id is missing",
    );
    fails_after(
        "ALTER TABLE patients DROP CONSTRAINT patients_patient_number_key",
        "unique keys",
        "patients.patient_number is missing",
    );
    fails_after(
        "ALTER TABLE bed_cleaning_tasks DROP CONSTRAINT bed_cleaning_tasks_pkey",
        "primary keys",
        "bed_cleaning_tasks (id) is missing",
    );
}

#[test]
fn a_missing_table_is_named_once_and_its_columns_are_counted() {
    let database = made();
    database.run("DROP TABLE document_embeddings");
    let report = checked(&database.location());
    assert_eq!(
        report.check("tables").unwrap().problems,
        ["document_embeddings is missing"]
    );
    assert_eq!(report.check("columns").unwrap().found, "408 of 415");
    assert_eq!(
        report.check("create, read, update, delete").unwrap().outcome,
        Outcome::Skipped
    );
}

#[test]
fn a_table_that_cannot_be_written_to_is_named_and_what_refers_to_it() {
    fails_after(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
         CREATE TRIGGER no BEFORE INSERT ON equipment_categories FOR EACH ROW EXECUTE FUNCTION no()",
        "create, read, update, delete",
        "equipment_categories: cannot create: not today",
    );
}

#[test]
fn a_row_written_by_hand_is_counted() {
    fails_after(
        "INSERT INTO supply_categories (name) VALUES ('by hand')",
        "rows",
        "supply_categories has 1 rows where the log tells of 0",
    );
}

#[test]
fn a_missing_engine_table_is_named() {
    fails_after(
        "DROP TABLE sync.quarantine",
        "engine tables",
        "sync.quarantine is missing",
    );
}

#[test]
fn other_tables_are_named_and_left_alone() {
    let database = made();
    database.run("CREATE TABLE wages (id int); CREATE TABLE archive (id int)");
    let report = checked(&database.location());
    assert!(report.passed(), "{}", report.to_table());
    assert_eq!(
        report.check("other tables").unwrap().found,
        "2 tables of others, left alone: archive, wages"
    );
}

#[test]
fn a_database_without_holdfast_is_told_from_a_broken_one() {
    let database = Database::create();
    let report = checked(&database.location());
    assert!(!report.passed());
    let check = report.check("format").unwrap();
    assert_eq!(check.found, "there is no Holdfast in this database yet");
    assert!(check.advice.as_ref().unwrap().contains("sync-server"));

    for statement in schema::postgres(Schema::hospital()) {
        database.run(&statement);
    }
    let report = checked(&database.location());
    assert!(
        report
            .check("format")
            .unwrap()
            .found
            .contains("33 of a hospital's 33 tables"),
        "{}",
        report.to_table()
    );
    assert!(
        report
            .check("format")
            .unwrap()
            .advice
            .as_ref()
            .unwrap()
            .contains("import --from")
    );
}

#[test]
fn what_cannot_be_reached_is_said() {
    let folder = Folder::create();
    let report = checked(&folder.location());
    assert!(
        report
            .check("connection")
            .unwrap()
            .found
            .starts_with("there is no Holdfast in ")
    );
    let nowhere = Location::Database("postgres://nobody@127.0.0.1:1/nothing".into());
    let report = checked(&nowhere);
    assert!(
        !report.passed() && report.check("connection").unwrap().advice.is_some(),
        "{}",
        report.to_table()
    );
}

#[test]
fn the_same_is_there_for_programs() {
    let database = made();
    let json: serde_json::Value = serde_json::from_str(&checked(&database.location()).to_json()).unwrap();
    assert_eq!(json["passed"], true);
    assert_eq!(json["checks"][0]["outcome"], "passed");
}
