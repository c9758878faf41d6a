//! The Automerge library is the judge of what a change says. The first byte chooses the table.
//!
//! - What both accept gives the same heads, keys, values and conflicts, in a new document and in one with history.
//! - What we accept and the library refuses is not compared: columns of later versions are only carried along here, while
//!   the library reads them, and refuses one that is malformed.
//! - What we refuse and the library accepts is beyond one of our limits, or one of [`STRICTER`].
#![cfg_attr(fuzzing, no_main)]

use automerge::{AutoCommit, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};
use holdfast_core::{
    document::{DELETED, DecodeError, DecodedChange, Document, Key},
    schema::Table,
};
use holdfast_fuzz::{arrival, changes, chunk, document, guarded, table};
use serde_json::{Value as Json, json};

/// What we refuse beyond our limits though the library lets it pass, and why.
const STRICTER: &[(&str, &str)] = &[
    (
        "values are left over",
        "no writer makes values that belong to no operation",
    ),
    (
        "its numbers are out of range",
        "counters are 32 bits wide in the library, too, once it applies the change",
    ),
];

fn run(data: &[u8]) {
    let Some((selector, contents)) = data.split_first() else {
        return;
    };
    let bytes = chunk(contents);
    let ours = DecodedChange::from_bytes(&bytes);
    if matches!(ours, Err(DecodeError::TooLarge(_))) {
        return;
    }
    // A panic of the library is a refusal that is worded badly.
    let theirs = guarded(|| automerge::Change::try_from(&bytes[..]).ok()).flatten();
    match (ours, theirs) {
        (Ok(ours), Some(theirs)) => {
            assert_eq!(ours.hash.0, theirs.hash().0);
            compare(*selector, &ours, theirs);
        }
        (_, None) => {}
        (Err(error), Some(theirs)) => {
            let reason = error.to_string();
            assert!(
                STRICTER.iter().any(|(refused, _)| reason.contains(refused)),
                "we refuse ({reason}) what the library accepts: {:?}",
                theirs.decode()
            );
        }
    }
}

fn compare(selector: u8, ours: &DecodedChange, theirs: automerge::Change) {
    let has_history = !ours.change.deps.is_empty();
    let history = if has_history { changes(selector) } else { &[] };
    let mut folded = if has_history {
        document(selector)
    } else {
        Document::default()
    };
    let table = table(selector);
    // What waits for other changes is not folded.
    let known = |hash: &_| {
        history
            .iter()
            .any(|c| DecodedChange::from_bytes(c).is_ok_and(|c| c.hash == *hash))
    };
    if !ours.change.deps.iter().all(known) || folded.fold(table, ours, arrival()).is_err() {
        return;
    }
    let applied = guarded(|| {
        let mut library = AutoCommit::new();
        let history = history
            .iter()
            .map(|c| automerge::Change::try_from(&c[..]).expect("BUG: our own change"));
        library.apply_changes(history.chain([theirs])).ok()?;
        Some(library)
    });
    let Some(mut library) = applied.flatten() else {
        panic!("we fold what the library cannot apply: {:?}", ours.change);
    };
    let mut heads: Vec<[u8; 32]> = library.get_heads().iter().map(|h| h.0).collect();
    heads.sort_unstable();
    assert_eq!(folded.heads.iter().map(|h| h.0).collect::<Vec<_>>(), heads, "heads");
    let keys = keys(&folded, table);
    let mut sorted = keys.clone();
    sorted.sort();
    let mut their_keys: Vec<String> = library.keys(ROOT).collect();
    their_keys.sort();
    assert_eq!(sorted, their_keys, "keys");
    for key in &keys {
        let live = folded.live_operations().filter(|(of, _)| name(*of, table) == *key);
        let mut ours: Vec<(_, String)> = live
            .map(|(_, op)| (folded.order(op.id), folded.op_json(op, 0).to_string()))
            .collect();
        ours.sort();
        let theirs = library.get_all(ROOT, key.as_str()).expect("the library reads its root");
        let theirs: Vec<String> = theirs
            .iter()
            .map(|(v, id)| shown(&library, v, id, 0).to_string())
            .collect();
        let ours: Vec<String> = ours.into_iter().map(|(_, json)| json).collect();
        assert_eq!(ours, theirs, "values of {key}");
    }
}

fn keys(document: &Document, table: &Table) -> Vec<String> {
    let mut keys: Vec<String> = document.live_operations().map(|(key, _)| name(key, table)).collect();
    keys.dedup();
    keys
}

fn name(key: Key<'_>, table: &Table) -> String {
    match key {
        Key::Column(id) => table.by_id(id).name.to_owned(),
        Key::Deleted => DELETED.to_owned(),
        Key::Unknown(name) => name.to_owned(),
    }
}

fn shown(library: &AutoCommit, value: &automerge::Value<'_>, id: &ObjId, depth: usize) -> Json {
    let kind = match value {
        automerge::Value::Scalar(scalar) => return scalar_json(scalar),
        automerge::Value::Object(kind) => *kind,
    };
    if depth >= holdfast_core::document::object::MAX_DEPTH {
        return Json::Null;
    }
    let get = |prop: Prop| {
        let (value, id) = library.get(id, prop).expect("the library reads")?;
        Some(shown(library, &value, &id, depth + 1))
    };
    match kind {
        ObjType::Text => library.text(id).expect("the library reads a text").into(),
        ObjType::List => (0..library.length(id)).filter_map(|i| get(i.into())).collect(),
        ObjType::Map | ObjType::Table => library
            .keys(id)
            .filter_map(|key| Some((key.clone(), get(key.into())?)))
            .collect(),
    }
}

/// As [`Document::op_json`] shows it.
fn scalar_json(value: &ScalarValue) -> Json {
    match value {
        ScalarValue::Null => Json::Null,
        ScalarValue::Boolean(b) => json!(b),
        ScalarValue::Int(i) | ScalarValue::Timestamp(i) => json!(i),
        ScalarValue::Uint(u) => json!(u),
        ScalarValue::F64(f) => json!(f),
        ScalarValue::Str(s) => json!(s.as_str()),
        ScalarValue::Bytes(b) => json!(b),
        ScalarValue::Counter(c) => json!(i64::from(c)),
        ScalarValue::Unknown { .. } => json!("unknown"),
    }
}

holdfast_fuzz::target!(run);
