//! Taking over a hospital's existing tables.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use holdfast_core::{
    row::{RowAction, RowWrite},
    schema::Schema,
};
use holdfast_server::{
    import::{Kind, Origin, import},
    store::{Location, Store},
    validate::{session::Session, validate},
};
use support::{
    Database, Folder, block_on,
    old_hospital::{Heard, contents, old_database, taken},
};

fn arrives_equal_by_value(target: &Location) {
    let (old, good) = old_database();
    assert!(good >= 2_000, "{good}");
    let origin = Origin::Database(old.url());
    let (heard, all) = taken(&origin, target);
    assert_eq!(
        (all.read, all.imported, all.refused),
        (good, good, 0),
        "{:#?}",
        heard.of_kind(Kind::Refused)
    );
    let (before, after) = block_on(async { (contents(&old.location()).await, contents(target).await) });
    assert_eq!(before.len(), after.len());
    for (key, row) in &before {
        assert_eq!(after.get(key), Some(row), "{key:?}");
    }
    let users = before.keys().filter(|(table, _)| *table == "users").count() as u64;
    assert_eq!(all.passwords_to_reset, users, "bcrypt opens nothing here");
    let notes = heard.of_kind(Kind::Note);
    for told in [
        "wages: is not one of the hospital's 33 tables: left alone",
        "departments.cost_centre: is not a column of the hospital's tables: left out",
        "equipment.serial_number: is not in the source: it stays empty",
    ] {
        assert!(notes.iter().any(|note| note == told), "{told}: {notes:#?}");
    }
    let report = block_on(validate(target));
    assert!(report.passed(), "{}", report.to_table());

    let (heard, again) = taken(&origin, target);
    assert_eq!(
        (again.imported, again.there, again.differing, again.refused),
        (0, good, 0, 0),
        "{:#?}",
        heard.incidents
    );
    assert_eq!(block_on(contents(target)), after, "a second run changes nothing");
}

#[test]
fn every_row_of_an_old_database_arrives_equal_by_value_in_postgres() {
    let target = Database::create();
    arrives_equal_by_value(&target.location());
}

#[test]
fn every_row_of_an_old_database_arrives_equal_by_value_in_sqlite() {
    let target = Folder::create();
    arrives_equal_by_value(&target.location());
}

#[test]
fn bad_rows_are_named_one_by_one_and_do_not_stop_the_rest() {
    let (old, good) = old_database();
    let id = |n: u32| format!("00000000-0000-4000-8000-{n:012}");
    let patient = |n: u32, columns: &str, values: &str| {
        format!(
            "INSERT INTO patients (id, patient_number, first_name, {columns}) VALUES ('{}', 'X{n}', 'Ada', {values});",
            id(n)
        )
    };
    old.run(&patient(1, "date_of_birth", "'1990-01-01'"));
    old.run(&patient(
        2,
        "last_name, date_of_birth, phone",
        "'Berg', '1990-01-01', repeat('5', 21)",
    ));
    old.run(&patient(3, "last_name, date_of_birth", "'Berg', 'in spring'"));
    old.run(&patient(
        4,
        "last_name, date_of_birth, gender",
        "'Berg', '1990-01-01', 'unknown'",
    ));
    old.run(&format!(
        "INSERT INTO rooms (id, room_number) SELECT '{}', min(room_number) FROM rooms;",
        id(5)
    ));
    old.run(&format!(
        "INSERT INTO beds (id, bed_number, room_id) VALUES ('{}', '1', '{}');",
        id(6),
        id(99)
    ));
    old.run(&format!(
        "INSERT INTO beds (id, bed_number, room_id) VALUES ('{}', '1', '{}');",
        id(7),
        id(5)
    ));
    old.run(&format!(
        "INSERT INTO bed_turnovers (id, bed_id, discharge_time) VALUES ('{}', '{}', '2026-01-01');",
        id(8),
        id(7)
    ));
    old.run("UPDATE supplies SET unit_cost = 1.239 WHERE item_code = 'S0101'");
    old.run("UPDATE patient_queue SET special_requirements = 'wheelchair, please' WHERE queue_position = 1");
    old.run("INSERT INTO legacy_users (id, name, email, address, phone) VALUES (-3, 'n', 'e@example.com', 'a', 'p')");

    let target = Database::create();
    let (heard, all) = taken(&Origin::Database(old.url()), &target.location());
    for (table, n, reason) in [
        ("patients", 1, "must not be empty"),
        ("patients", 2, "is too long: 21 characters where 20 fit"),
        ("patients", 3, "is not a date such as 2026-01-31: in spring"),
        ("rooms", 5, "belongs to row "),
        ("beds", 6, "refers to a row of rooms that is not there: "),
        ("beds", 7, "refers to a row of rooms that is not there: "),
        ("bed_turnovers", 8, "refers to a row of beds that is not there: "),
    ] {
        let told = heard.about(Kind::Refused, table, &id(n));
        assert!(told.len() == 1 && told[0].contains(reason), "{table} {n}: {told:?}");
    }
    assert_eq!(all.refused, 7, "{:#?}", heard.of_kind(Kind::Refused));
    assert_eq!(all.imported, good + 2, "the patient of unknown gender and the old user");
    assert!(heard.about(Kind::Warning, "patients", &id(4))[0].contains("unknown; kept"));
    assert!(
        heard
            .of_kind(Kind::Warning)
            .iter()
            .any(|w| w.contains("1.239 was rounded to 1.24"))
    );
    assert!(
        heard
            .of_kind(Kind::Warning)
            .iter()
            .any(|w| w.contains("kept as a JSON string"))
    );
    let report = block_on(validate(&target.location()));
    assert!(report.passed(), "{}", report.to_table());
}

#[test]
fn a_patient_in_two_beds_is_imported_and_told() {
    let (old, _) = old_database();
    old.run(
        "UPDATE beds SET patient_id = (SELECT min(patient_id::text)::uuid FROM beds)
         WHERE id = (SELECT min(id::text)::uuid FROM beds WHERE status = 'available')",
    );
    let target = Database::create();
    let (heard, all) = taken(&Origin::Database(old.url()), &target.location());
    assert_eq!(all.refused, 0, "{:#?}", heard.of_kind(Kind::Refused));
    let told = heard.of_kind(Kind::Warning);
    assert!(
        told.len() == 1 && told[0].contains("already; the app will ask which one is right"),
        "{told:?}"
    );
}

#[test]
fn a_second_run_brings_what_was_mended_and_leaves_what_was_changed_or_deleted_here() {
    let (old, good) = old_database();
    old.run("UPDATE legacy_users SET email = (SELECT min(email) FROM legacy_users) || repeat('', 0) WHERE false");
    old.run("ALTER TABLE patients ALTER COLUMN patient_number TYPE text; UPDATE patients SET phone = repeat('1', 30) WHERE patient_number = 'P-100200'");
    let (target, origin) = (Database::create(), Origin::Database(old.url()));
    let (heard, first) = taken(&origin, &target.location());
    assert!(first.refused > 0, "{:#?}", heard.incidents);

    old.run("UPDATE patients SET phone = '112' WHERE patient_number = 'P-100200'");
    let (_, second) = taken(&origin, &target.location());
    assert_eq!(
        (second.imported, second.there, second.refused),
        (first.refused, good - first.refused, 0)
    );

    block_on(async {
        let store = Store::open(&target.location()).await.unwrap();
        let mut writer = holdfast_server::writer::Writer::new(&store, holdfast_server::writer::OPERATOR)
            .await
            .unwrap();
        let mut session = Session::open(&target.location()).await.unwrap();
        let table = Schema::hospital().expect("agent_interactions");
        let sql = "SELECT id::text FROM agent_interactions ORDER BY id LIMIT 1";
        let id = session.value(sql, &[]).await.unwrap().unwrap().parse().unwrap();
        let write = RowWrite {
            table: table.id,
            row: holdfast_core::ids::RowId(id),
            action: RowAction::Delete,
        };
        writer.write_one("deleteRow", vec![write]).await.unwrap().unwrap();
    });
    old.run("UPDATE departments SET description = 'another' WHERE name = 'Radiology'");
    let (heard, third) = taken(&origin, &target.location());
    assert_eq!(
        (third.imported, third.there, third.differing),
        (0, good, 2),
        "{:#?}",
        heard.incidents
    );
    let told = heard.of_kind(Kind::Differs);
    assert!(
        told.iter().any(|t| t.contains("was deleted here; left deleted")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|t| t.contains("with other values in description; left as it is")),
        "{told:?}"
    );
}

#[test]
fn a_source_with_none_of_the_tables_is_refused() {
    let (folder, target, database) = (Folder::create(), Folder::create(), Database::create());
    for origin in [Origin::Folder(folder.0.clone()), Origin::Database(database.url())] {
        let result = block_on(import(&origin, &target.location(), &mut Heard::default()));
        assert!(
            result
                .unwrap_err()
                .to_string()
                .ends_with("has none of the hospital's 33 tables")
        );
    }
    assert!(!target.0.join("holdfast.sqlite").exists(), "nothing was made");
}
