//! The Automerge library is the judge of what a change says. The first byte chooses the table.
//!
//! - What both accept in its canonical form, as a server demands it, gives the same heads, keys, values and conflicts, in a
//!   new document and in one with history. A change in another form is first written again by the library.
//! - What we accept in its canonical form the library accepts too. Columns of later versions are no part of that form.
//! - An operation replaces only what was written in its own place: what it names elsewhere means nothing to us, and undoes
//!   that to the library. No library writes such a change, and it is not compared.
//! - What we refuse and the library accepts it would not write in this form, or it is beyond one of our limits, or one of
//!   [`STRICTER`].
#![cfg_attr(fuzzing, no_main)]

use std::collections::HashMap;

use automerge::{AutoCommit, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};
use holdfast_core::{
    document::{
        Actor, DELETED, DecodeError, DecodedChange, Document, Key,
        codec::{OpKey, OpRef},
    },
    schema::Table,
};
use holdfast_fuzz::{arrival, changes, chunk, document, guarded, table};
use serde_json::{Value as Json, json};

/// What we refuse beyond our limits though the library writes it, and why.
const STRICTER: &[(&str, &str)] = &[
    (
        "its numbers are out of range",
        "counters are 32 bits wide in the library, too, once it applies the change",
    ),
    (
        "of an unknown kind",
        "the library carries values along whose kinds nobody has defined; no column could show one",
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
            if ours.is_canonical() {
                compare(*selector, &ours, theirs);
            } else if let Some((ours, theirs)) = written_again(&theirs) {
                compare(*selector, &ours, theirs);
            }
        }
        (Ok(ours), None) => assert!(
            !ours.is_canonical(),
            "we accept what the library refuses: {:?}",
            ours.change
        ),
        (Err(_), None) => {}
        (Err(error), Some(theirs)) => {
            let reason = error.to_string();
            // What no library writes need not be read.
            let canonical = guarded(|| automerge::Change::from(theirs.decode()).hash() == theirs.hash());
            assert!(
                canonical != Some(true) || STRICTER.iter().any(|(refused, _)| reason.contains(refused)),
                "we refuse ({reason}) what the library accepts: {:?}",
                theirs.decode()
            );
        }
    }
}

/// The same change as the library writes it, if that is canonical.
fn written_again(theirs: &automerge::Change) -> Option<(DecodedChange, automerge::Change)> {
    let again = guarded(|| automerge::Change::from(theirs.decode()))?;
    let ours = DecodedChange::from_bytes(again.raw_bytes()).ok()?;
    ours.is_canonical().then_some((ours, again))
}

/// A server takes no change that changes nothing.
fn compare(selector: u8, ours: &DecodedChange, theirs: automerge::Change) {
    if ours.change.is_empty() {
        return;
    }
    let has_history = !ours.change.deps.is_empty();
    let history = if has_history { changes(selector) } else { &[] };
    let mut folded = if has_history {
        document(selector)
    } else {
        Document::default()
    };
    if !replaces_only_in_place(history, ours) {
        return;
    }
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

/// An operation's id.
type Id = (u32, Actor);

/// An object, and a key of it or an element.
type Place = (Option<Id>, Result<String, Option<Id>>);

/// True if every operation names predecessors of its own place alone.
fn replaces_only_in_place(history: &[Vec<u8>], change: &DecodedChange) -> bool {
    let before = history
        .iter()
        .map(|c| DecodedChange::from_bytes(c).expect("BUG: our own change"));
    let mut places: HashMap<Id, Place> = HashMap::new();
    for DecodedChange { change, .. } in before.chain([change.clone()]) {
        let name = |id: OpRef| (id.counter, change.actors[id.actor as usize].clone());
        for (counter, op) in (change.start_op..).zip(change.operations()) {
            let id = (counter, change.actor().clone());
            let within = match op.key {
                OpKey::Map(key) => Ok(key.to_owned()),
                _ if op.insert => Err(Some(id.clone())),
                OpKey::Element(element) => Err(Some(name(element))),
                OpKey::Head => Err(None),
            };
            let place = (op.object.map(name), within);
            if !op.preds.iter().all(|pred| places.get(&name(*pred)) == Some(&place)) {
                return false;
            }
            places.insert(id, place);
        }
    }
    true
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
