//! Reads the declaration. It is compiled in, so a mistake in it is a bug and panics.

use std::collections::HashMap;

use super::{Column, ColumnId, Default, Merge, Schema, SqlType, Table, TableId};

/// The columns of `beds` that one admission writes together.
const OCCUPATION: [&str; 4] = ["patient_id", "status", "admission_date", "discharge_date"];

/// Reads `hospital.csv`: a header and one line per column.
pub(super) fn parse(csv: &'static str) -> Schema {
    let lines: Vec<[&'static str; 13]> = csv.lines().skip(1).map(fields).collect();
    let mut tables: Vec<Table> = Vec::new();
    for line in &lines {
        if tables.last().is_none_or(|t| t.name != line[0]) {
            tables.push(Table {
                id: TableId(tables.len() as u8),
                name: line[0],
                columns: Vec::new(),
                primary_key: Vec::new(),
                referenced_by: Vec::new(),
            });
        }
    }
    let by_name: HashMap<_, _> = tables.iter().map(|t| (t.name, t.id)).collect();
    for line in &lines {
        let table = &mut tables[usize::from(by_name[line[0]].0)];
        let column = column(line, ColumnId(table.columns.len() as u16), &by_name);
        if column.primary_key {
            table.primary_key.push(column.id);
        }
        table.columns.push(column);
    }
    let references: Vec<_> = tables
        .iter()
        .flat_map(|t| t.columns.iter().filter_map(|c| c.references.map(|to| (to, t.id, c.id))))
        .collect();
    for (to, table, column) in references {
        tables[usize::from(to.0)].referenced_by.push((table, column));
    }
    let insert_order = insert_order(&tables);
    Schema {
        tables,
        by_name,
        insert_order,
    }
}

/// The 13 fields of a line; only `type` is ever quoted (`"numeric(10,2)"`).
fn fields(line: &'static str) -> [&'static str; 13] {
    let mut out = [""; 13];
    let mut rest = line;
    for field in &mut out {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("BUG: open quote in the schema");
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        *field = value;
        rest = after;
    }
    out
}

fn column(line: &[&'static str; 13], id: ColumnId, tables: &HashMap<&'static str, TableId>) -> Column {
    let [
        table,
        name,
        sql_type,
        primary_key,
        not_null,
        unique,
        default,
        references,
        kind,
        values,
        merge,
        review,
        access,
    ] = *line;
    let (values, values_open) = match values.strip_suffix("|…") {
        Some(listed) => (listed, true),
        None => (values, false),
    };
    Column {
        id,
        name,
        sql_type: parse_type(sql_type),
        primary_key: primary_key == "yes",
        not_null: not_null == "yes",
        unique: unique == "yes",
        default: match default {
            "" => None,
            "now" => Some(Default::Now),
            "uuid" => Some(Default::Uuid),
            literal => Some(Default::Literal(literal)),
        },
        references: references.split_once('.').map(|(table, _)| tables[table]),
        json: kind == "json",
        minutes: kind == "minutes",
        values: values.split('|').filter(|v| !v.is_empty()).collect(),
        values_open,
        merge: match merge {
            "identity" => Merge::Identity,
            "once" => Merge::Once,
            "derived" => Merge::Derived,
            "register" => Merge::Register,
            "counter" => Merge::Counter,
            "text" => Merge::Text,
            "json" => Merge::Json,
            "server" => Merge::Server,
            other => panic!("BUG: unknown merge kind {other} in the schema"),
        },
        review: review == "yes",
        restricted: access == "restricted",
        claim: unique == "yes" || (table, name) == ("beds", "patient_id"),
        first_in_stream: table == "beds" && OCCUPATION.contains(&name),
    }
}

fn parse_type(text: &str) -> SqlType {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.trim_end_matches(')')),
        None => (text, ""),
    };
    let number = |n: &str| {
        n.trim()
            .parse()
            .unwrap_or_else(|_| panic!("BUG: type {text} in the schema"))
    };
    match name {
        "uuid" => SqlType::Uuid,
        "varchar" if arguments.is_empty() => SqlType::Varchar(None),
        "varchar" => SqlType::Varchar(Some(number(arguments))),
        "text" => SqlType::Text,
        "integer" => SqlType::Integer,
        "numeric" => {
            let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
            SqlType::Numeric {
                precision: number(precision) as u8,
                scale: number(scale) as u8,
            }
        }
        "boolean" => SqlType::Boolean,
        "date" => SqlType::Date,
        "timestamptz" => SqlType::Timestamptz,
        other => panic!("BUG: unknown type {other} in the schema"),
    }
}

/// Kahn's algorithm; a reference of a table to itself does not count.
fn insert_order(tables: &[Table]) -> Vec<TableId> {
    let mut order: Vec<TableId> = Vec::new();
    while order.len() < tables.len() {
        let ready = tables
            .iter()
            .filter(|t| !order.contains(&t.id))
            .find(|t| {
                t.columns
                    .iter()
                    .filter_map(|c| c.references)
                    .all(|r| r == t.id || order.contains(&r))
            })
            .expect("BUG: tables of the schema reference each other in a circle");
        order.push(ready.id);
    }
    order
}
