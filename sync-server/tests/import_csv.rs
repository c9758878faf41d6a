//! Taking over a folder of CSV files.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use holdfast_server::import::{Kind, Origin};
use support::{
    Database, Folder, block_on,
    old_hospital::{LEGACY, contents, old_rows, taken},
};

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
