//! Documents as files, from both stores.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::{collections::BTreeSet, fs, path::Path};

use holdfast_core::{
    document::{Document, DocumentId, Facet, Place, fold::Arrival},
    ids::{RowId, Timestamp},
    schema::Schema,
};
use holdfast_server::{
    demo::{self, Options, Size},
    export::{ExportError, MANIFEST, Selection, Summary, changes, export},
    hex,
    store::{Location, Store},
};
use support::{Database, Folder, block_on};

async fn demo(location: &Location) -> Store {
    let store = Store::open(location).await.unwrap();
    let size = Size { beds: 20, patients: 60 };
    let options = Options {
        size,
        seed: 3,
        add: false,
    };
    demo::fill(&store, options, |_| ()).await.unwrap();
    store
}

async fn write(store: &Store, selection: Selection, to: &Path) -> Summary {
    export(store, selection, to, false, |_| ()).await.unwrap()
}

/// The manifest's lines: table, row, part, file, changes, heads.
fn manifest(folder: &Path) -> Vec<[String; 6]> {
    let mut reader = csv::Reader::from_path(folder.join(MANIFEST)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn id(line: &[String; 6]) -> DocumentId {
    DocumentId {
        table: Schema::hospital().expect(&line[0]).id,
        row: RowId(line[1].parse().unwrap()),
        facet: match line[2].as_str() {
            "main" => Facet::Main,
            "restricted" => Facet::Restricted,
            other => panic!("no part: {other}"),
        },
    }
}

/// A file's changes, folded.
fn folded(folder: &Path, line: &[String; 6]) -> Document {
    let table = Schema::hospital().expect(&line[0]);
    let mut document = Document::default();
    let arrival = Arrival {
        place: Place::Pending,
        time: Timestamp(0),
    };
    for change in changes(&fs::read(folder.join(&line[3])).unwrap()) {
        document.fold(table, &change.unwrap(), arrival).unwrap();
    }
    document
}

async fn every_document_has_a_file_that_folds_to_what_the_store_holds(location: &Location) {
    let store = demo(location).await;
    let to = tempfile::tempdir().unwrap();
    let written = write(&store, Selection::All, to.path()).await;
    let lines = manifest(to.path());
    assert_eq!(written.files, lines.len() as u64);
    let ids: BTreeSet<DocumentId> = lines.iter().map(id).collect();
    assert_eq!(ids.len(), lines.len());
    let stored = store.documents(ids).await.unwrap();
    for line in &lines {
        let (found, expected) = (folded(to.path(), line), stored.document(&id(line)).unwrap());
        let heads: Vec<String> = expected.heads.iter().map(|head| hex::encode(&head.0)).collect();
        assert_eq!(line[5], heads.join(" "), "{line:?}");
        assert_eq!(found.heads, expected.heads, "{line:?}");
        let plain = |document: &Document| -> Vec<_> {
            let values = document.live_operations();
            values.map(|(key, op)| format!("{key:?}: {:?}", op.value)).collect()
        };
        assert_eq!(plain(&found), plain(expected), "{line:?}");
    }
    for table in &Schema::hospital().tables {
        let listed = lines.iter().filter(|line| line[0] == table.name && line[2] == "main");
        assert_eq!(
            listed.count() as u64,
            store.count(table.name).await.unwrap(),
            "{}",
            table.name
        );
    }
    assert!(lines.iter().any(|line| line[2] == "restricted"), "salaries");
}

#[test]
fn every_document_of_sqlite_has_a_file_that_folds_to_what_the_store_holds() {
    let folder = Folder::create();
    block_on(every_document_has_a_file_that_folds_to_what_the_store_holds(
        &folder.location(),
    ));
}

#[test]
fn every_document_of_postgres_has_a_file_that_folds_to_what_the_store_holds() {
    let database = Database::create();
    block_on(every_document_has_a_file_that_folds_to_what_the_store_holds(
        &database.location(),
    ));
}

#[test]
fn a_table_or_a_row_can_be_written_alone() {
    let folder = Folder::create();
    block_on(async {
        let store = demo(&folder.location()).await;
        let staff = Schema::hospital().expect("staff").id;
        let one_table = tempfile::tempdir().unwrap();
        write(&store, Selection::Table(staff), one_table.path()).await;
        let lines = manifest(one_table.path());
        assert!(lines.iter().all(|line| line[0] == "staff"), "{lines:?}");

        let row = id(lines.iter().find(|line| line[2] == "restricted").unwrap()).row;
        let one_row = tempfile::tempdir().unwrap();
        let written = write(&store, Selection::Row(staff, row), one_row.path()).await;
        assert_eq!(written.files, 2, "the row and its restricted part");
        let lines = manifest(one_row.path());
        assert!(lines.iter().all(|line| id(line).row == row), "{lines:?}");
    });
}

#[test]
fn an_export_replaces_an_earlier_one_only_when_told_to_and_leaves_other_files_alone() {
    let folder = Folder::create();
    block_on(async {
        let store = demo(&folder.location()).await;
        let to = tempfile::tempdir().unwrap();
        let beds = Selection::Table(Schema::hospital().expect("beds").id);
        let first = write(&store, beds, to.path()).await;
        let manifest = fs::read(to.path().join(MANIFEST)).unwrap();
        fs::write(to.path().join("beds/README.automerge"), "mine").unwrap();

        let refused = export(&store, beds, to.path(), false, |_| ()).await;
        assert!(matches!(refused, Err(ExportError::NotEmpty(_))), "{refused:?}");
        assert_eq!(fs::read(to.path().join(MANIFEST)).unwrap(), manifest);

        let again = export(&store, beds, to.path(), true, |_| ()).await.unwrap();
        assert_eq!(again, first);
        assert_eq!(fs::read(to.path().join(MANIFEST)).unwrap(), manifest);
        assert_eq!(fs::read(to.path().join("beds/README.automerge")).unwrap(), b"mine");

        let rooms = Selection::Table(Schema::hospital().expect("rooms").id);
        export(&store, rooms, to.path(), true, |_| ()).await.unwrap();
        assert!(!fs::read_to_string(to.path().join(MANIFEST)).unwrap().contains("beds"));
    });
}
