//! What a document holds, spelled out so that another program can compare it: every value with its type, every place with
//! all its concurrent values.
//!
//! ```text
//!  state = { heads: [hash], root: { key: live } }     live  = [[operation, value], …], the one that is shown last
//!  value = [kind] or [kind, content]                  kinds = Automerge's own names of them
//! ```

use holdfast_core::{
    document::{Contents, Document, Key, LiveOp, ObjectKind, OpId, Scalar},
    schema::Table,
};
use holdfast_server::hex;
use serde_json::{Map, Value as Json, json};

/// Heads and root of a document.
pub fn state(table: &Table, document: &Document) -> Json {
    let mut keys: Vec<Key<'_>> = document.live_operations().map(|(key, _)| key).collect();
    keys.dedup();
    let root: Map<String, Json> = keys
        .into_iter()
        .map(|key| (name(table, key), live(document, document.live_of(key))))
        .collect();
    let heads: Vec<String> = document.heads.iter().map(|head| hex::encode(&head.0)).collect();
    json!({ "heads": heads, "root": root })
}

fn name(table: &Table, key: Key<'_>) -> String {
    match key {
        Key::Column(id) => table.by_id(id).name.to_owned(),
        Key::Deleted => holdfast_core::document::DELETED.to_owned(),
        Key::Unknown(name) => name.to_owned(),
    }
}

fn live<'a>(document: &'a Document, ops: impl IntoIterator<Item = LiveOp<'a>>) -> Json {
    let mut sorted: Vec<LiveOp<'_>> = ops.into_iter().collect();
    sorted.sort_by_key(|op| document.order(op.id));
    let pair = |op: &LiveOp<'_>| json!([operation(document, op.id), value(document, *op)]);
    sorted.iter().map(pair).collect()
}

/// As Automerge writes it: counter, `@`, actor.
fn operation(document: &Document, id: OpId) -> String {
    format!("{}@{}", id.counter, hex::encode(document.actor(id).as_bytes()))
}

fn value(document: &Document, op: LiveOp<'_>) -> Json {
    match op.value {
        Scalar::Null => json!(["null"]),
        Scalar::Bool(b) => json!(["boolean", b]),
        Scalar::Int(i) => json!(["int", i]),
        Scalar::Uint(u) => json!(["uint", u]),
        Scalar::F64(f) => json!(["f64", f]),
        Scalar::Str(text) => json!(["str", text]),
        Scalar::Bytes(bytes) => json!(["bytes", hex::encode(bytes)]),
        Scalar::Counter(total) => json!(["counter", total]),
        Scalar::Millis(time) => json!(["timestamp", time]),
        Scalar::Object(ObjectKind::Text) => json!(["text", document.object_json(op.id, 0)]),
        Scalar::Object(_) => object(document, op.id),
    }
}

fn object(document: &Document, id: OpId) -> Json {
    match document.contents(id).expect("an object that is live is there") {
        Contents::Map(entries) => {
            let entries: Map<String, Json> = entries
                .into_iter()
                .map(|(key, ops)| (key.to_owned(), live(document, ops)))
                .collect();
            json!(["map", entries])
        }
        Contents::Sequence(elements) => {
            let there = elements.into_iter().filter(|(_, ops)| !ops.is_empty());
            let items: Vec<Json> = there.map(|(_, ops)| live(document, ops)).collect();
            json!(["list", items])
        }
    }
}
