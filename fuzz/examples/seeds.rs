//! Writes the inputs that the fuzz targets begin with: `cargo run --package holdfast-fuzz --example seeds`. Each file is
//! named after the SHA-256 of its contents, as libFuzzer's own are by SHA-1, so writing them again changes nothing.

use std::{io::Result, path::Path};

use automerge::{
    AutoCommit, ObjType, ROOT, ReadDoc, ScalarValue,
    marks::{ExpandMark, Mark},
    transaction::Transactable,
};
use ed25519_dalek::SigningKey;
use holdfast_core::{
    command,
    document::{Actor, DocumentId, Facet},
    ids::{DeviceId, RowId, Seq, Timestamp, TransactionId, UserId},
    protocol::{PullResponse, PushOutcome, PushRequest, PushResponse, SnapshotDocument, SnapshotResponse, encode},
    schema::Schema,
    transaction::{Body, ChangeName, LogEntry, Transaction},
};
use holdfast_fuzz::{changes, contents, document, document_id, packed, table};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many tables the targets choose from.
const TABLES: u8 = 3;

fn main() -> Result<()> {
    for selector in 0..TABLES {
        let mut all: Vec<Vec<u8>> = changes(selector).to_vec();
        all.extend(foreign(selector));
        for change in &all {
            let contents = contents(change);
            seed("chunk", &[change])?;
            seed("chunk", &[&packed(&contents)])?;
            seed("change", &[&[selector], &contents])?;
            seed("differential", &[&[selector], &contents])?;
            // A device's, on a row with history; an import's, on a new one; one that the stream has.
            for how in [0b1_0000, 0b0_0100, 0b1_0010, 0b1_0001] {
                seed("ingest", &[&[selector, how], &contents])?;
            }
        }
        seed("document", &[&[selector], &document(selector).to_bytes()])?;
    }
    messages()?;
    commands()?;
    texts()
}

/// Writes one input.
fn seed(target: &str, parts: &[&[u8]]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    let input = parts.concat();
    let digest = Sha256::digest(&input);
    let name = digest[..8].iter().fold(0u64, |name, byte| name << 8 | u64::from(*byte));
    std::fs::write(folder.join(format!("{name:016x}")), input)
}

/// What the Automerge library itself writes: on a new document, and on the one with history.
fn foreign(selector: u8) -> Vec<Vec<u8>> {
    let history = changes(selector)
        .iter()
        .map(|change| automerge::Change::try_from(&change[..]).expect("reads"));
    let mut old = AutoCommit::new();
    old.apply_changes(history).expect("applies");
    [AutoCommit::new(), old]
        .into_iter()
        .filter_map(|mut library| {
            library.set_actor(vec![9; 20].into());
            every_kind(&mut library, selector);
            let last = library.get_last_local_change();
            last.map(|change| change.raw_bytes().to_vec())
        })
        .collect()
}

/// Every kind of value and operation in one change.
fn every_kind(library: &mut AutoCommit, selector: u8) {
    let values = [
        ScalarValue::Null,
        ScalarValue::Boolean(true),
        ScalarValue::Int(-300),
        ScalarValue::Uint(300),
        ScalarValue::F64(1.5),
        ScalarValue::Str("Ada".into()),
        ScalarValue::Bytes(vec![7; 16]),
        ScalarValue::Timestamp(1_769_860_800_000),
        ScalarValue::counter(3),
    ];
    let columns = table(selector).columns.iter().map(|column| column.name);
    for (column, value) in columns.skip(1).zip(values) {
        library.put(ROOT, column, value).expect("puts");
    }
    library.put(ROOT, "total", ScalarValue::counter(1)).expect("puts");
    library.increment(ROOT, "total", 4).expect("adds");
    library.put(ROOT, "gone", 1).expect("puts");
    library.delete(ROOT, "gone").expect("deletes");
    let text = library.put_object(ROOT, "notes", ObjType::Text).expect("makes");
    library.splice_text(&text, 0, 0, "drie ënkele woorden").expect("writes");
    library.splice_text(&text, 2, 3, "X").expect("writes");
    let bold = Mark::new("bold".into(), true, 1, 4);
    library.mark(&text, bold, ExpandMark::After).expect("marks");
    let list = library.put_object(ROOT, "list", ObjType::List).expect("makes");
    library.insert(&list, 0, "a").expect("inserts");
    let map = library.insert_object(&list, 1, ObjType::Map).expect("makes");
    library.put(&map, "key", 2).expect("puts");
    library.delete(&list, 0).expect("deletes");
    assert_eq!(library.length(&list), 1);
}

fn transactions() -> Vec<Transaction> {
    let key = SigningKey::from_bytes(&[1; 32]);
    let make = |selector: u8, facet: Facet| {
        let changes: Vec<Vec<u8>> = changes(selector).iter().take(2).cloned().collect();
        let decode = |bytes: &Vec<u8>| {
            holdfast_core::document::DecodedChange::from_bytes(bytes)
                .expect("reads")
                .hash
        };
        let document = DocumentId {
            facet,
            ..document_id(table(selector))
        };
        let body = Body {
            changes: changes
                .iter()
                .map(|change| ChangeName {
                    document,
                    hash: decode(change),
                })
                .collect(),
            ..body(&key)
        };
        Transaction::sign(&body, changes, &key)
    };
    let restricted = make(0, Facet::Restricted);
    let withheld = restricted.withhold(&restricted.body().expect("reads"), |id| id.facet == Facet::Main);
    let empty = Transaction::sign(&body(&key), Vec::new(), &key);
    vec![make(1, Facet::Main), restricted, withheld, empty]
}

fn body(key: &SigningKey) -> Body {
    Body {
        id: TransactionId(Uuid::from_u128(1)),
        schema_version: 1,
        user: UserId(Uuid::from_u128(2)),
        device: DeviceId::of_public_key(&key.verifying_key().to_bytes()),
        time: Timestamp(1_769_860_800_000_000),
        offline: true,
        command: "editRow".into(),
        first: None,
        changes: Vec::new(),
    }
}

fn messages() -> Result<()> {
    for transaction in transactions() {
        seed("transaction", &[&encode(&transaction)])?;
        let entry = LogEntry {
            seq: Seq(7),
            accepted_at: Timestamp(1),
            transaction: transaction.clone(),
        };
        seed("message", &[&[4], &encode(&entry)])?;
        seed("message", &[&[5], &transaction.body])?;
        let request = PushRequest {
            transactions: vec![transaction],
        };
        seed("message", &[&[0], &encode(&request)])?;
        let pulled = PullResponse {
            checksum: None,
            relayed: None,
            entries: vec![entry],
            cursor: Seq(7),
            head: Seq(9),
        };
        seed("message", &[&[2], &encode(&pulled)])?;
    }
    let outcomes = vec![
        PushOutcome::Accepted {
            id: TransactionId(Uuid::from_u128(1)),
            seq: Seq(3),
        },
        PushOutcome::Rejected {
            id: TransactionId(Uuid::nil()),
            code: "malformed".into(),
            reason: "not readable".into(),
        },
    ];
    seed("message", &[&[1], &encode(&PushResponse { outcomes })])?;
    let snapshot = SnapshotResponse {
        mark: None,
        as_of: Seq(9),
        documents: vec![SnapshotDocument {
            id: DocumentId::main(table(0).id, RowId(Uuid::from_u128(42))),
            state: document(0).to_bytes().into(),
        }],
        actors: vec![(Actor::from(vec![1; 20]), UserId(Uuid::from_u128(2)))],
        next: Some("patients".into()),
        total: 1,
        restricted: false,
    };
    seed("message", &[&[3], &encode(&snapshot)])?;
    let sign_in = br#"{"username":"ada","password":"secret","deviceKey":"00ff","deviceName":"ward phone"}"#;
    seed("json_message", &[&[0], sign_in])?;
    let answer = br#"{"token":"t","hospitalId":"h","userId":"00000000-0000-7000-8000-000000000001","username":"ada","displayName":"Ada Quill","role":"nurse","serverTime":1769860800000000,"schemaVersion":1}"#;
    seed("json_message", &[&[1], answer])?;
    seed("json_message", &[&[2], br#"{"code":"busy","message":"wait"}"#])
}

/// One of each command, with all its fields, from the types that pages use.
fn commands() -> Result<()> {
    for block in command::typescript().split("  | {").skip(1) {
        let fields = block
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with(['/', '*']));
        let fields = fields.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, kind)| format!("\"{}\":{}", name.trim_end_matches('?'), example(name, kind)));
        let json = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
        serde_json::from_str::<command::Command>(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        seed("command", &[json.as_bytes()])?;
    }
    Ok(())
}

fn example(name: &str, kind: &str) -> String {
    match kind.trim_end_matches(['}', ' ']) {
        literal if literal.starts_with('\'') => literal.replace('\'', "\""),
        "string" if name.starts_with("table") => "\"patients\"".into(),
        "string" if name.ends_with("Date") || name.ends_with("Time") => "\"2026-01-31T12:00:00Z\"".into(),
        "string" => "\"00000000-0000-7000-8000-000000000001\"".into(),
        "string[]" => "[\"00000000-0000-7000-8000-000000000001\"]".into(),
        "number" => "2".into(),
        "boolean" => "true".into(),
        "ColumnValue" => "[{\"a\":1}]".into(),
        "Values" => "{\"first_name\":\"Ada\",\"allergies\":null}".into(),
        _ => "{}".into(),
    }
}

fn texts() -> Result<()> {
    let values = [
        "00000000-0000-7000-8000-000000000001",
        "2026-01-31T12:00:00.5+02:00",
        "2026-01-31 12:00:00+00",
        "2026-01-31",
        "infinity",
        "-12.345",
        "2147483647",
        "true",
        "{\"a\":[1,2.5,null,\"x\"]}",
        "available",
        "",
    ];
    let tables = 0..Schema::hospital().tables.len() as u8;
    for (table, text) in tables.flat_map(|table| values.map(|text| (table, text))).step_by(5) {
        seed("value", &[&[table], text.as_bytes()])?;
    }
    for texts in [
        "\0penicillin\0latex",
        "one two three\0one three\0one two four",
        "a\0\0b",
        "\u{e9}\u{1f600}\0\u{1f600}\0x",
    ] {
        seed("edit", &[&[0], texts.as_bytes()])?;
    }
    let json = [
        "null\0{\"a\":1}\0{\"b\":[1,2]}",
        "[1,2,3]\0[1,3]\0[1,2,{\"x\":null}]",
        "{\"a\":{\"b\":\"c\"}}\0{\"a\":{\"b\":\"d\",\"e\":1.5}}\0{}",
        "\"text\"\0{\"a\":true}\0[18446744073709551615]",
    ];
    json.iter()
        .try_for_each(|texts| seed("edit", &[&[1], texts.as_bytes()]))
}
