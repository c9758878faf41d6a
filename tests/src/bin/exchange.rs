//! `exchange FOLDER SEED HISTORIES`: makes histories in each of the chosen tables, exports them to FOLDER, writes to
//! `expected.json` there what every file must hold, prints a line when it is done, and answers questions line by line.

use std::{
    io::{BufRead, Write},
    path::{Path, PathBuf},
};

use holdfast_core::{
    document::{DocumentId, Facet},
    ids::RowId,
    schema::Schema,
};
use holdfast_server::{
    export::{MANIFEST, Selection, export},
    hex,
};
use holdfast_tests::{
    exchange::{desk::Desk, histories},
    maker::Maker,
    stand::Stand,
};
use serde_json::{Value as Json, json};

const USAGE: &str = "usage: exchange FOLDER SEED HISTORIES";

/// One history is longer than any person's.
const LONG: usize = 1_500;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect(USAGE);
    let (folder, seed, count) = (
        PathBuf::from(next()),
        next().parse().expect(USAGE),
        next().parse().expect(USAGE),
    );
    let stand = Stand::sqlite().await;
    let long = make(&stand, seed, count).await;
    let maker = Maker::new(seed + 7);
    let mut desk = Desk::new(&stand, &maker);
    export(&stand.store, Selection::All, &folder, false, |_| ())
        .await
        .expect("the export goes well");
    let expected = expected(&desk, &folder).await;
    std::fs::write(folder.join("expected.json"), expected.to_string()).expect("the file can be written");
    answer(&json!({ "actor": hex::encode(maker.identity().actor.as_bytes()), "long": long.to_string() }));
    for line in std::io::stdin().lock().lines() {
        let question: Json = serde_json::from_str(&line.expect("standard input is text")).expect("a question is JSON");
        answer(&desk.answer(&question).await);
    }
}

async fn make(stand: &Stand, seed: u64, count: u64) -> RowId {
    let sample = histories::prepare(stand, seed).await;
    for (place, table) in (0..).zip(histories::TABLES) {
        let table = Schema::hospital().expect(table);
        for n in 0..count {
            histories::make(stand, &sample, table, seed + (place * count + n) * 100, 25).await;
        }
    }
    histories::make(stand, &sample, Schema::hospital().expect("supplies"), seed + 1, LONG).await
}

/// For every file what it must hold, from the store's own documents.
async fn expected(desk: &Desk<'_>, folder: &Path) -> Json {
    let manifest = std::fs::read_to_string(folder.join(MANIFEST)).expect("there is a manifest");
    let mut files = Vec::new();
    for line in manifest.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [table, row, part, file, changes, heads] = fields.as_slice() else {
            panic!("not a line of a manifest: {line}")
        };
        let id = DocumentId {
            table: Schema::hospital().expect(table).id,
            row: RowId(row.parse().expect("a UUID")),
            facet: if *part == "main" {
                Facet::Main
            } else {
                Facet::Restricted
            },
        };
        files.push(json!({
            "table": table, "row": row, "part": part, "file": file, "heads": heads,
            "changes": changes.parse::<u64>().expect("a number"), "state": desk.stored(id).await,
        }));
    }
    files.into()
}

fn answer(answer: &Json) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")
        .and_then(|()| out.flush())
        .expect("standard output is open");
}
