//! Tests of the generated rows as a whole: nothing here needs a store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_core::{
    ids::{RowId, Timestamp},
    row::{RowAction, RowWrite},
    schema::{Merge, Schema, TableId},
    value::Value,
};

use super::{Demo, Size};

const NOW: Timestamp = Timestamp(1_769_860_800_000_000);
const SIZE: Size = Size {
    beds: 120,
    patients: 900,
};

type Tables = BTreeMap<&'static str, Vec<BTreeMap<&'static str, Value>>>;

fn demo(seed: u64) -> Vec<Vec<RowWrite>> {
    Demo::new(SIZE, seed, NOW, "").collect()
}

fn tables(parts: &[Vec<RowWrite>]) -> Tables {
    let mut out = Tables::new();
    for write in parts.iter().flatten() {
        let table = Schema::hospital().by_id(write.table);
        let RowAction::Create(values) = &write.action else {
            panic!("only creates")
        };
        let row = values
            .iter()
            .map(|(column, value)| (table.by_id(*column).name, value.clone()))
            .collect();
        out.entry(table.name).or_default().push(row);
    }
    out
}

fn time(row: &BTreeMap<&'static str, Value>, name: &str) -> Option<Timestamp> {
    match row.get(name) {
        Some(Value::Timestamp(time)) => Some(*time),
        _ => None,
    }
}

fn is(row: &BTreeMap<&'static str, Value>, name: &str, text: &str) -> bool {
    row.get(name) == Some(&text.into())
}

#[test]
fn a_seed_gives_the_same_hospital_and_another_seed_another() {
    assert_eq!(demo(7), demo(7));
    assert_ne!(demo(7), demo(8));
}

#[test]
fn all_tables_are_filled_even_in_the_smallest_hospital() {
    for size in [Size::LEAST, SIZE] {
        let parts: Vec<_> = Demo::new(size, 1, NOW, "").collect();
        let tables = tables(&parts);
        let empty: Vec<_> = Schema::hospital()
            .tables
            .iter()
            .filter(|t| !tables.contains_key(t.name))
            .map(|t| t.name)
            .collect();
        assert!(empty.is_empty(), "{size:?}: {empty:?}");
    }
}

#[test]
fn every_value_fits_its_column_and_every_word_its_vocabulary() {
    for write in demo(1).iter().flatten() {
        let table = Schema::hospital().by_id(write.table);
        let RowAction::Create(values) = &write.action else {
            panic!("only creates")
        };
        for column in table.columns.iter().filter(|c| c.not_null && c.merge != Merge::Server) {
            assert!(
                values.iter().any(|(given, _)| *given == column.id),
                "{}.{}",
                table.name,
                column.name
            );
        }
        for (column, value) in values {
            let column = table.by_id(*column);
            value
                .check(column)
                .unwrap_or_else(|e| panic!("{}.{} {e}", table.name, column.name));
            value
                .check_vocabulary(column)
                .unwrap_or_else(|e| panic!("{}.{} {e}", table.name, column.name));
            if let (true, Value::Text(text)) = (column.json, value) {
                serde_json::from_str::<serde_json::Value>(text).unwrap();
            }
        }
    }
}

#[test]
fn every_reference_leads_to_an_earlier_row_or_one_of_the_same_transaction() {
    let mut known: BTreeSet<(TableId, RowId)> = BTreeSet::new();
    for part in demo(1) {
        for write in &part {
            assert!(known.insert((write.table, write.row)), "twice: {write:?}");
        }
        for write in &part {
            let table = Schema::hospital().by_id(write.table);
            let RowAction::Create(values) = &write.action else {
                panic!("only creates")
            };
            for (column, value) in values {
                if let (Some(target), Value::Uuid(id)) = (table.by_id(*column).references, value) {
                    assert!(
                        known.contains(&(target, RowId(*id))),
                        "{}.{}",
                        table.name,
                        table.by_id(*column).name
                    );
                }
            }
        }
    }
}

#[test]
fn unique_values_are_unique_and_a_patient_lies_in_one_bed() {
    for (name, rows) in tables(&demo(1)) {
        for column in Schema::hospital().expect(name).columns.iter().filter(|c| c.claim) {
            let mut seen = BTreeSet::new();
            for value in rows.iter().filter_map(|row| row.get(column.name)) {
                assert!(seen.insert(value.clone()), "{name}.{} {value:?}", column.name);
            }
        }
    }
}

#[test]
fn beds_are_three_quarters_full_and_their_states_agree_with_everything_else() {
    let tables = tables(&demo(1));
    let (beds, turnovers) = (&tables["beds"], &tables["bed_turnovers"]);
    assert_eq!(beds.len(), SIZE.beds);
    assert_eq!(
        beds.iter().filter(|bed| is(bed, "status", "occupied")).count(),
        SIZE.beds * 3 / 4
    );
    for bed in beds {
        let occupied = is(bed, "status", "occupied");
        assert_eq!(occupied, bed.contains_key("patient_id"), "{bed:?}");
        assert_eq!(
            occupied,
            time(bed, "admission_date").is_some() && time(bed, "discharge_date").is_none(),
            "{bed:?}"
        );
        let latest = turnovers
            .iter()
            .filter(|t| t["bed_id"] == bed["id"])
            .max_by_key(|t| time(t, "discharge_time"));
        let open = latest.is_some_and(|t| !is(t, "status", "assigned") && !is(t, "status", "ready"));
        assert_eq!(open, is(bed, "status", "cleaning"), "{bed:?} {latest:?}");
    }
    let capacity: i64 = tables["rooms"]
        .iter()
        .map(|room| if let Value::Int(n) = room["capacity"] { n } else { 0 })
        .sum();
    assert_eq!(capacity, SIZE.beds as i64);
}

#[test]
fn a_bed_in_cleaning_has_six_tasks_of_which_at_most_one_is_being_done() {
    let tables = tables(&demo(1));
    for log in tables["bed_turnover_logs"]
        .iter()
        .filter(|log| time(log, "turnover_completed_at").is_none())
    {
        let tasks: Vec<_> = tables["bed_cleaning_tasks"]
            .iter()
            .filter(|t| t["turnover_log_id"] == log["id"])
            .collect();
        assert_eq!(tasks.len(), 6);
        assert!(tasks.iter().filter(|t| is(t, "status", "in_progress")).count() <= 1);
    }
}

#[test]
fn stays_in_a_bed_do_not_overlap() {
    let tables = tables(&demo(1));
    let mut stays: HashMap<Value, Vec<(Timestamp, Timestamp)>> = HashMap::new();
    for report in &tables["discharge_reports"] {
        let stay = (
            time(report, "admission_date").unwrap(),
            time(report, "discharge_date").unwrap(),
        );
        stays.entry(report["bed_id"].clone()).or_default().push(stay);
    }
    for bed in tables["beds"].iter().filter(|bed| is(bed, "status", "occupied")) {
        stays
            .entry(bed["id"].clone())
            .or_default()
            .push((time(bed, "admission_date").unwrap(), NOW));
    }
    for (bed, mut stays) in stays {
        stays.sort_unstable();
        assert!(stays.iter().all(|(from, to)| from < to), "{bed:?}");
        assert!(stays.windows(2).all(|pair| pair[0].1 < pair[1].0), "{bed:?} {stays:?}");
    }
}

#[test]
fn a_stock_is_the_sum_of_its_movements_and_never_was_below_nothing() {
    let tables = tables(&demo(1));
    for supply in &tables["supplies"] {
        let mut movements: Vec<_> = tables["inventory_transactions"]
            .iter()
            .filter(|m| m["supply_id"] == supply["id"])
            .collect();
        movements.sort_by_key(|m| time(m, "transaction_date"));
        let mut stock = 0;
        for movement in movements {
            let Value::Int(quantity) = movement["quantity"] else {
                panic!("{movement:?}")
            };
            stock += if is(movement, "transaction_type", "out") {
                -quantity
            } else {
                quantity
            };
            assert!(stock >= 0, "{supply:?}");
        }
        assert_eq!(supply["current_stock"], Value::Int(stock));
    }
}

#[test]
fn equipment_in_use_has_exactly_one_open_use() {
    let tables = tables(&demo(1));
    for piece in &tables["equipment"] {
        let open = tables["equipment_usage"]
            .iter()
            .filter(|usage| usage["equipment_id"] == piece["id"] && time(usage, "end_time").is_none())
            .count();
        assert_eq!(open, usize::from(is(piece, "status", "in_use")), "{piece:?}");
    }
}

#[test]
fn what_has_happened_lies_in_the_past() {
    for (name, rows) in tables(&demo(1)) {
        for row in rows {
            for column in [
                "created_at",
                "updated_at",
                "admission_date",
                "start_date",
                "start_time",
                "queue_entry_time",
            ] {
                assert!(
                    time(&row, column).is_none_or(|time| time <= NOW),
                    "{name}.{column} {row:?}"
                );
            }
        }
    }
}

#[test]
fn another_series_of_the_same_seed_shares_no_key_and_no_unique_value() {
    let (first, second) = (demo(1), Demo::new(SIZE, 1, NOW, "K7").collect::<Vec<_>>());
    let (first, second) = (tables(&first), tables(&second));
    for (name, rows) in first {
        for column in Schema::hospital()
            .expect(name)
            .columns
            .iter()
            .filter(|c| c.claim || c.primary_key)
        {
            let seen: BTreeSet<_> = rows.iter().filter_map(|row| row.get(column.name)).collect();
            let again = second[name]
                .iter()
                .filter_map(|row| row.get(column.name))
                .find(|value| seen.contains(value));
            assert_eq!(again, None, "{name}.{}", column.name);
        }
    }
}

#[test]
fn the_size_grows_with_patients_and_beds() {
    let rows = |size| Demo::new(size, 1, NOW, "").flatten().count();
    let (one, four) = (
        rows(SIZE),
        rows(Size {
            beds: SIZE.beds * 4,
            patients: SIZE.patients * 4,
        }),
    );
    assert!((3 * one..5 * one).contains(&four), "{one} {four}");
}
