//! Changes of many operations, all of one actor, their columns filled from the operations.

use super::contents::{Contents, Item, difference, number, run};

/// An operation. Others are named by their counters alone.
#[derive(Clone)]
pub struct Operation {
    /// The object that it is on; `None` for the root.
    pub object: Option<u64>,
    pub key: Key,
    pub insert: bool,
    pub action: u64,
    pub preds: Vec<u64>,
}

/// Where in its object.
#[derive(Clone)]
pub enum Key {
    Map(String),
    /// An element of a sequence; 0 for its start.
    After(u64),
}

pub const MAKE_MAP: u64 = 0;
pub const SET: u64 = 1;
pub const DELETE: u64 = 3;
pub const MAKE_TEXT: u64 = 4;

impl Operation {
    /// On a key of the root.
    pub fn root(key: &str, action: u64) -> Self {
        Self {
            object: None,
            key: Key::Map(key.into()),
            insert: false,
            action,
            preds: Vec::new(),
        }
    }

    /// On a key of a map.
    pub fn entry(object: u64, key: String, action: u64) -> Self {
        Self {
            object: Some(object),
            key: Key::Map(key),
            ..Self::root("", action)
        }
    }

    /// Inserts an element after another.
    pub fn insert(object: u64, after: u64) -> Self {
        Self {
            object: Some(object),
            key: Key::After(after),
            insert: true,
            ..Self::root("", SET)
        }
    }

    /// Deletes an element.
    pub fn delete(object: u64, element: u64) -> Self {
        Self {
            object: Some(object),
            key: Key::After(element),
            ..Self::root("", DELETE).replacing(vec![element])
        }
    }

    pub fn replacing(self, preds: Vec<u64>) -> Self {
        Self { preds, ..self }
    }
}

/// The change with these operations, numbered from 1. What they set is null.
pub fn change(operations: &[Operation]) -> Contents {
    let mut contents = Contents::default();
    let mut column = |specification: u64, data: Vec<u8>| contents.set_column(specification, data);
    let all = || operations.iter();
    column(0x01, runs(all().map(|op| op.object.map(|_| number(0)))));
    column(0x02, runs(all().map(|op| op.object.map(number))));
    let element = |op: &Operation| match op.key {
        Key::After(element) => Some(element),
        Key::Map(_) => None,
    };
    column(
        0x11,
        runs(all().map(|op| element(op).filter(|e| *e > 0).map(|_| number(0)))),
    );
    column(0x13, runs(differences(all().map(element)).map(|d| d.map(difference))));
    let text = |op: &Operation| match &op.key {
        Key::Map(text) => Some(Item::bytes(text.as_str())),
        Key::After(_) => None,
    };
    column(0x15, runs(all().map(text)));
    column(0x34, booleans(all().map(|op| op.insert)));
    column(0x42, runs(all().map(|op| Some(number(op.action)))));
    column(0x70, runs(all().map(|op| Some(number(op.preds.len() as u64)))));
    let preds = || all().flat_map(|op| &op.preds).copied();
    column(0x71, runs(preds().map(|_| Some(number(0)))));
    column(0x73, runs(differences(preds().map(Some)).map(|d| d.map(difference))));
    contents
}

fn runs(values: impl Iterator<Item = Option<Vec<u8>>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut values = values.peekable();
    while let Some(value) = values.next() {
        let mut count = 1;
        while values.next_if_eq(&value).is_some() {
            count += 1;
        }
        out.extend(match value {
            Some(value) => run(count, value),
            None => [run(0, Vec::new()), number(count as u64)].concat(),
        });
    }
    out
}

fn differences(values: impl Iterator<Item = Option<u64>>) -> impl Iterator<Item = Option<i64>> {
    let mut last = 0;
    values.map(move |value| {
        let value = value? as i64;
        Some(value - std::mem::replace(&mut last, value))
    })
}

fn booleans(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let (mut out, mut current, mut count) = (Vec::new(), false, 0);
    for value in values {
        if value != current {
            out.extend(number(count));
            (current, count) = (value, 0);
        }
        count += 1;
    }
    out.extend(number(count));
    out
}
