//! Taking over a hospital's existing tables.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;

use holdfast_core::{
    ids::Timestamp,
    row::{RowAction, RowWrite},
    schema::{self, Schema, SqlType, Table},
    value::Value,
};
use holdfast_server::{
    demo::{Demo, Size},
    import::{Incident, Kind, Listener, Origin, TableSummary, import},
    store::{Location, Store},
    validate::{session::Session, validate},
};
use support::{Database, Folder, block_on};

const NOW: Timestamp = Timestamp(1_769_860_800_000_000);
const LEGACY: [&str; 2] = ["legacy_users", "staff_interactions"];

#[derive(Default)]
struct Heard {
    incidents: Vec<Incident>,
}

impl Listener for Heard {
    fn incident(&mut self, incident: &Incident) {
        self.incidents.push(incident.clone());
    }
    fn progress(&mut self, _: &'static str, _: u64) {}
    fn table(&mut self, _: &TableSummary) {}
}

impl Heard {
    fn about(&self, kind: Kind, table: &str, key: &str) -> Vec<&str> {
        let fits = |i: &&Incident| i.kind == kind && i.table == table && i.key.ends_with(key);
        self.incidents.iter().filter(fits).map(|i| i.reason.as_str()).collect()
    }

    fn of_kind(&self, kind: Kind) -> Vec<String> {
        self.incidents
            .iter()
            .filter(|i| i.kind == kind)
            .map(ToString::to_string)
            .collect()
    }
}

/// Imports; gives what was heard and the sums of all tables.
fn taken(origin: &Origin, target: &Location) -> (Heard, TableSummary) {
    let mut heard = Heard::default();
    let summaries = block_on(import(origin, target, &mut heard)).unwrap();
    let mut all = TableSummary::default();
    for summary in &summaries {
        assert_eq!(
            summary.read,
            summary.imported + summary.there + summary.refused,
            "{summary:?}"
        );
        all.read += summary.read;
        all.imported += summary.imported;
        all.there += summary.there;
        all.differing += summary.differing;
        all.refused += summary.refused;
        all.warnings += summary.warnings;
        all.passwords_to_reset += summary.passwords_to_reset;
    }
    (heard, all)
}

/// A hospital's rows before Holdfast: table by table, each value as text, the two old tables with integer keys.
fn old_rows() -> Vec<(&'static Table, Vec<BTreeMap<&'static str, String>>)> {
    let size = Size {
        beds: 40,
        patients: 200,
    };
    let writes: Vec<RowWrite> = Demo::new(size, 3, NOW, "").flatten().collect();
    let of = |table: &'static Table| {
        let mut rows = Vec::new();
        for write in writes.iter().filter(|write| write.table == table.id) {
            let RowAction::Create(values) = &write.action else {
                panic!("only creates")
            };
            let named = values
                .iter()
                .filter_map(|(id, v)| Some((table.by_id(*id).name, v.to_sql_text()?)));
            let mut row: BTreeMap<_, _> = named.collect();
            if table.name == "users" {
                row.insert(
                    "password_hash",
                    format!("$2b$12$abcdefghijklmnopqrstu{:04}", rows.len()),
                );
            }
            if LEGACY.contains(&table.name) {
                let number = row.remove("legacy_id").unwrap();
                row.insert("id", number);
            }
            rows.push(row);
        }
        (table, rows)
    };
    Schema::hospital()
        .insert_order
        .iter()
        .map(|id| of(Schema::hospital().by_id(*id)))
        .collect()
}

/// The tables as hospitals had them: naive times, integer keys in two tables, none of the constraints that bad rows break.
fn old_tables() -> String {
    let mut sql = String::new();
    for statement in schema::postgres(Schema::hospital()) {
        let mut statement = statement.replace("timestamptz", "timestamp");
        for table in LEGACY {
            if statement.starts_with(&format!("CREATE TABLE IF NOT EXISTS {table} ")) {
                statement = statement.replace("id uuid NOT NULL DEFAULT gen_random_uuid()", "id serial NOT NULL");
                statement = statement.replace("    legacy_id integer,\n", "");
                let unique =
                    format!("    CONSTRAINT {table}_legacy_id_key UNIQUE (legacy_id) DEFERRABLE INITIALLY IMMEDIATE");
                statement = statement.replace(&format!(",\n{unique}"), "");
            }
        }
        sql.extend([&statement, ";\n"]);
    }
    sql + "ALTER TABLE rooms DROP CONSTRAINT rooms_room_number_key;
        ALTER TABLE beds DROP CONSTRAINT beds_room_id_fkey;
        ALTER TABLE patients ALTER COLUMN phone TYPE text, ALTER COLUMN last_name DROP NOT NULL,
            ALTER COLUMN date_of_birth TYPE text;
        ALTER TABLE supplies ALTER COLUMN unit_cost TYPE numeric;
        ALTER TABLE equipment DROP COLUMN serial_number;
        ALTER TABLE departments ADD COLUMN cost_centre text;
        CREATE TABLE wages (id int);\n"
}

fn insert(table: &str, row: &BTreeMap<&'static str, String>) -> String {
    let left_out = |name: &&&'static str| (table, **name) != ("equipment", "serial_number");
    let names: Vec<_> = row.keys().filter(left_out).map(|name| format!("\"{name}\"")).collect();
    let values = row.iter().filter(|(name, _)| left_out(name));
    let values: Vec<_> = values
        .map(|(_, value)| format!("'{}'", value.replace('\'', "''")))
        .collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({});\n",
        names.join(", "),
        values.join(", ")
    )
}

/// An old database with all the oddities, and its number of good rows.
fn old_database() -> (Database, u64) {
    let database = Database::create();
    let mut sql = old_tables();
    let mut good = 0;
    for (table, rows) in old_rows() {
        good += rows.len() as u64;
        sql.extend(rows.iter().map(|row| insert(table.name, row)));
    }
    database.run(&format!("BEGIN; SET CONSTRAINTS ALL DEFERRED;\n{sql}COMMIT;"));
    (database, good)
}

/// All rows of all tables as text, by key; times and integer keys as Holdfast shows them.
async fn contents(location: &Location) -> BTreeMap<(&'static str, String), BTreeMap<&'static str, String>> {
    let mut session = Session::open(location).await.unwrap();
    let mut out = BTreeMap::new();
    for table in &Schema::hospital().tables {
        let there = holdfast_server::validate::found::read(&mut session)
            .await
            .unwrap()
            .remove(table.name)
            .unwrap();
        let columns: Vec<_> = table
            .columns
            .iter()
            .filter(|c| there.columns.contains_key(c.name))
            .collect();
        let names: Vec<_> = columns
            .iter()
            .map(|c| format!("CAST(\"{}\" AS text)", c.name))
            .collect();
        for row in session
            .rows(&format!("SELECT {} FROM {}", names.join(", "), table.name), &[])
            .await
            .unwrap()
        {
            let values = columns
                .iter()
                .zip(row)
                .filter_map(|(column, text)| Some((*column, text?)));
            let shown = |(column, text): (&'static schema::Column, String)| {
                let canonical = match column.sql_type {
                    SqlType::Timestamptz | SqlType::Boolean => {
                        Value::from_sql_text(column, &text).unwrap().to_sql_text().unwrap()
                    }
                    _ => text,
                };
                (column.name, canonical)
            };
            let mut row: BTreeMap<_, _> = values.map(shown).collect();
            let mut key = table
                .key_names()
                .iter()
                .map(|name| row[name].clone())
                .collect::<Vec<_>>()
                .join(" ");
            if LEGACY.contains(&table.name) {
                key = row.remove("legacy_id").unwrap_or(key);
                row.remove("id");
            }
            out.insert((table.name, key), row);
        }
    }
    out
}

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

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[test]
fn a_folder_of_csv_files_arrives_equal_by_value() {
    let (folder, target) = (Folder::create(), Database::create());
    let mut good = 0;
    for (table, rows) in old_rows() {
        let columns: Vec<_> = table
            .columns
            .iter()
            .filter(|c| c.name != "legacy_id")
            .map(|c| c.name)
            .collect();
        let mut text = format!("{}\n", columns.join(","));
        for (at, row) in rows.iter().enumerate() {
            let null = if at % 2 == 0 { "" } else { "\\N" };
            let fields: Vec<_> = columns
                .iter()
                .map(|c| row.get(c).map_or(null.to_owned(), |v| quoted(v)))
                .collect();
            text.extend([&fields.join(","), "\n"]);
        }
        good += rows.len() as u64;
        std::fs::write(folder.0.join(format!("{}.csv", table.name)), text).unwrap();
    }
    std::fs::write(folder.0.join("wages.csv"), "id\n1\n").unwrap();
    let origin = Origin::Folder(folder.0.clone());
    let (heard, all) = taken(&origin, &target.location());
    assert_eq!(
        (all.read, all.imported, all.refused),
        (good, good, 0),
        "{:#?}",
        heard.of_kind(Kind::Refused)
    );
    assert!(
        heard
            .of_kind(Kind::Note)
            .iter()
            .any(|n| n.starts_with("wages: is not one"))
    );
    let after = block_on(contents(&target.location()));
    for (table, rows) in old_rows() {
        for mut row in rows {
            let key = table
                .key_names()
                .iter()
                .map(|name| row[name].clone())
                .collect::<Vec<_>>()
                .join(" ");
            if LEGACY.contains(&table.name) {
                row.remove("id");
            }
            assert_eq!(
                after.get(&(table.name, key.clone())),
                Some(&row),
                "{} {key}",
                table.name
            );
        }
    }
    let (_, again) = taken(&origin, &target.location());
    assert_eq!((again.imported, again.there), (0, good));
}

#[test]
fn bad_lines_of_a_csv_file_are_named() {
    let (folder, target) = (Folder::create(), Folder::create());
    let id = "00000000-0000-4000-8000-00000000000";
    let text = format!("\u{feff}ID,name\n{id}1,Gloves\n{id}2,Masks,extra\n{id}1,Gowns\n,Caps\n{id}3,\n");
    std::fs::write(
        folder.0.join("supply_categories.csv"),
        [text.as_bytes(), id.as_bytes(), b"4,\xff\n"].concat(),
    )
    .unwrap();
    let (heard, all) = taken(&Origin::Folder(folder.0.clone()), &target.location());
    assert_eq!((all.read, all.imported, all.refused), (6, 1, 5));
    let told = heard.of_kind(Kind::Refused).join("\n");
    for reason in [
        "[line 3]: has 3 fields where the first line has 2",
        "[line 7]: is not UTF-8",
        "1]: is the key of an earlier row of the source",
        "supply_categories.id [without key, among the first 6]: must not be empty",
        "3]: must not be empty",
    ] {
        assert!(told.contains(reason), "{reason}:\n{told}");
    }
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
