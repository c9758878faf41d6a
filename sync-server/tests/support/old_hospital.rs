//! A hospital's tables before Holdfast, and what an import of them is heard to say.

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
    store::Location,
    validate::session::Session,
};

use super::{Database, block_on};

pub const NOW: Timestamp = Timestamp(1_769_860_800_000_000);
pub const LEGACY: [&str; 2] = ["legacy_users", "staff_interactions"];

#[derive(Default)]
pub struct Heard {
    pub incidents: Vec<Incident>,
}

impl Listener for Heard {
    fn incident(&mut self, incident: &Incident) {
        self.incidents.push(incident.clone());
    }
    fn progress(&mut self, _: &'static str, _: u64) {}
    fn table(&mut self, _: &TableSummary) {}
}

impl Heard {
    pub fn about(&self, kind: Kind, table: &str, key: &str) -> Vec<&str> {
        let fits = |i: &&Incident| i.kind == kind && i.table == table && i.key.ends_with(key);
        self.incidents.iter().filter(fits).map(|i| i.reason.as_str()).collect()
    }

    pub fn of_kind(&self, kind: Kind) -> Vec<String> {
        self.incidents
            .iter()
            .filter(|i| i.kind == kind)
            .map(ToString::to_string)
            .collect()
    }
}

/// Imports; gives what was heard and the sums of all tables.
pub fn taken(origin: &Origin, target: &Location) -> (Heard, TableSummary) {
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
pub fn old_rows() -> Vec<(&'static Table, Vec<BTreeMap<&'static str, String>>)> {
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
pub fn old_tables() -> String {
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

pub fn insert(table: &str, row: &BTreeMap<&'static str, String>) -> String {
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
pub fn old_database() -> (Database, u64) {
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
pub async fn contents(location: &Location) -> BTreeMap<(&'static str, String), BTreeMap<&'static str, String>> {
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
