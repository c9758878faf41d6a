//! Writes only what a person changed in a text or JSON object.
//!
//! The difference is taken between what the person saw and what they wrote, and carried over to what the object holds now:
//! what others wrote meanwhile stays.

use std::{collections::HashMap, hash::Hash};

use serde_json::Value as Json;

use super::{Builder, myers};
use crate::{
    document::{
        Document, ObjectKind, OpId, Scalar,
        codec::{New, OpKey, OpRef},
        object::ObjectContent,
        op::Ops,
        sequence::Element,
    },
    schema::{Column, Merge},
    value::Value,
};

/// A column's value as JSON: text as a string, JSON as what it says.
pub(super) fn to_json(column: &Column, value: &Value) -> Json {
    match value {
        Value::Text(text) if column.merge == Merge::Json => serde_json::from_str(text).unwrap_or(Json::Null),
        Value::Text(text) => Json::String(text.clone()),
        _ => Json::Null,
    }
}

impl Document {
    /// Writes the difference into the column's object. False if the column holds none that fits: the caller then writes a
    /// plain value.
    pub(super) fn edit_object(
        &self,
        builder: &mut Builder,
        column: &Column,
        value: &Value,
        seen: Option<&Value>,
    ) -> bool {
        let Some(op) = self.winner(column, false) else {
            return false;
        };
        let Scalar::Object(kind) = op.value else { return false };
        let current = self.object_json(op.id, 0);
        let seen = seen.map_or_else(|| current.clone(), |seen| to_json(column, seen));
        let new = match (kind, to_json(column, value)) {
            // An emptied text stays an object, so that words written meanwhile are not lost with it.
            (ObjectKind::Text, Json::Null) => Json::String(String::new()),
            (_, json) => json,
        };
        let seen = if seen.is_null() { empty(kind) } else { seen };
        if !fits(kind, &new) || !fits(kind, &seen) {
            return false;
        }
        self.write_difference(builder, op.id, &seen, &new);
        true
    }

    fn write_difference(&self, builder: &mut Builder, id: OpId, seen: &Json, new: &Json) {
        let Some(object) = self.object(id) else { return };
        match (&object.content, seen, new) {
            (ObjectContent::Map(entries), Json::Object(seen), Json::Object(new)) => {
                self.write_map(builder, id, entries, seen, new);
            }
            (ObjectContent::Sequence(sequence), Json::Array(seen), Json::Array(new)) => {
                let elements = sequence.elements();
                self.write_sequence(builder, id, elements, seen, new, Clone::clone, Builder::insert_item);
            }
            (ObjectContent::Sequence(sequence), Json::String(seen), Json::String(new)) => {
                let (seen, new): (Vec<char>, Vec<char>) = (seen.chars().collect(), new.chars().collect());
                let character = |json: &Json| json.as_str().and_then(|s| s.chars().next()).unwrap_or('\u{fffc}');
                self.write_sequence(
                    builder,
                    id,
                    sequence.elements(),
                    &seen,
                    &new,
                    character,
                    |builder, object, after, c| builder.insert_character(object, after, *c),
                );
            }
            _ => {}
        }
    }

    fn write_map(
        &self,
        builder: &mut Builder,
        id: OpId,
        entries: &[(Box<str>, Ops)],
        seen: &serde_json::Map<String, Json>,
        new: &serde_json::Map<String, Json>,
    ) {
        let object = builder.name_of(self, id);
        let none = Ops::new();
        let live = |key: &str| {
            let place = entries.binary_search_by(|(known, _)| (**known).cmp(key));
            place.map_or(&none, |i| &entries[i].1)
        };
        for (key, value) in new.iter().filter(|(key, value)| seen.get(*key) != Some(value)) {
            let nested = self
                .latest(live(key))
                .filter(|op| matches!(op.value, Scalar::Object(k) if fits(k, value)));
            match (nested, seen.get(key)) {
                (Some(op), Some(before)) if same_kind(before, value) => {
                    self.write_difference(builder, op.id, before, value);
                }
                _ => {
                    let preds = builder.names_of(self, live(key));
                    builder.set_entry(object, key, value, &preds);
                }
            }
        }
        for key in seen
            .keys()
            .filter(|key| !new.contains_key(*key) && !live(key).is_empty())
        {
            let preds = builder.names_of(self, live(key));
            builder.push(Some(object), OpKey::Map(key), false, New::Delete, &preds);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "text and lists differ only in their items")]
    fn write_sequence<T: Clone + Eq + Hash>(
        &self,
        builder: &mut Builder,
        id: OpId,
        elements: &[Element],
        seen: &[T],
        new: &[T],
        item_of: impl Fn(&Json) -> T,
        insert: impl Fn(&mut Builder, OpRef, Option<OpRef>, &T) -> OpRef,
    ) {
        let visible: Vec<(&Element, T)> = elements
            .iter()
            .filter_map(|e| self.latest(&e.live).map(|op| (e, item_of(&self.op_json(op, 0)))))
            .collect();
        let current: Vec<T> = visible.iter().map(|(_, item)| item.clone()).collect();
        let mut numbers = Numbers(HashMap::new());
        let (seen, current) = (numbers.of(seen), numbers.of(&current));
        let kept = myers::kept(&seen, &numbers.of(new));
        let places = myers::kept(&seen, &current);
        let object = builder.name_of(self, id);
        let anchor = |i: usize| places[..i].iter().rev().flatten().next().map(|p| visible[*p].0.id);
        let mut next = (0, 0);
        for (i, j) in (0..).zip(kept.into_iter().chain([Some(new.len())])) {
            let Some(j) = j else { continue };
            let (old, added) = (next.0..i, next.1..j);
            next = (i + 1, j + 1);
            if old.is_empty() && added.is_empty() {
                continue;
            }
            for place in places[old.clone()].iter().flatten() {
                self.delete_element(builder, object, visible[*place].0);
            }
            let mut after = anchor(old.start).map(|element| builder.name_of(self, element));
            for item in &new[added] {
                after = Some(insert(builder, object, after, item));
            }
        }
    }

    fn delete_element(&self, builder: &mut Builder, object: OpRef, element: &Element) {
        let key = OpKey::Element(builder.name_of(self, element.id));
        let preds = builder.names_of(self, &element.live);
        builder.push(Some(object), key, false, New::Delete, &preds);
    }
}

/// Numbers for items: equal ones have the same. So that differences are taken in one way, whatever the items are.
struct Numbers<'a, T>(HashMap<&'a T, u32>);

impl<'a, T: Eq + Hash> Numbers<'a, T> {
    fn of(&mut self, items: &'a [T]) -> Vec<u32> {
        let Self(known) = self;
        let number = |item| {
            let next = known.len() as u32;
            *known.entry(item).or_insert(next)
        };
        items.iter().map(number).collect()
    }
}

fn fits(kind: ObjectKind, json: &Json) -> bool {
    match kind {
        ObjectKind::Map => json.is_object(),
        ObjectKind::List => json.is_array(),
        ObjectKind::Text => json.is_string(),
    }
}

fn same_kind(a: &Json, b: &Json) -> bool {
    (a.is_object() && b.is_object()) || (a.is_array() && b.is_array())
}

fn empty(kind: ObjectKind) -> Json {
    match kind {
        ObjectKind::Map => Json::Object(serde_json::Map::new()),
        ObjectKind::List => Json::Array(Vec::new()),
        ObjectKind::Text => Json::String(String::new()),
    }
}
