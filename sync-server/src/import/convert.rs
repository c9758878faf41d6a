//! A row of text into a row of values, with all that is wrong or unusual about it. Pure.

use holdfast_core::{
    ids::{RowId, Timestamp},
    row::{RowAction, RowWrite},
    schema::{Column, Merge, SqlType, Table},
    value::Value,
};

use super::legacy_key;

/// A row that fits its table.
#[derive(Clone, PartialEq, Debug)]
pub struct Converted {
    /// Its id.
    pub id: RowId,
    /// One value for each column of the table, in order.
    pub values: Vec<Value>,
    /// What is unusual: column and reason.
    pub warnings: Vec<(&'static str, String)>,
}

/// Why a row is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bad {
    /// Where.
    pub column: Option<&'static str>,
    /// Why.
    pub reason: String,
}

impl Bad {
    pub fn new(column: &Column, reason: impl Into<String>) -> Self {
        Self {
            column: Some(column.name),
            reason: reason.into(),
        }
    }
}

/// Reads a row. `texts` has one entry for each of `columns`; the table's other columns are null.
pub fn convert(table: &'static Table, columns: &[&'static Column], texts: &[Option<String>]) -> Result<Converted, Bad> {
    let mut values = vec![Value::Null; table.columns.len()];
    let mut warnings = Vec::new();
    let mut legacy_number = None;
    for (column, text) in columns.iter().zip(texts) {
        let Some(text) = text else { continue };
        let value = match integer_key(table, column, text) {
            Some(number) => {
                legacy_number = Some(number);
                legacy_key::uuid(table, number).into()
            }
            None => read(column, text, &mut warnings)?,
        };
        values[usize::from(column.id.0)] = value;
    }
    if let Some(column) = table
        .column("legacy_id")
        .filter(|c| values[usize::from(c.id.0)].is_null())
    {
        values[usize::from(column.id.0)] = legacy_number.into();
    }
    for column in &table.columns {
        let value = &values[usize::from(column.id.0)];
        // A user without a password hash is a user who cannot sign in.
        if column.merge != Merge::Server || !value.is_null() {
            value
                .check(column)
                .map_err(|error| Bad::new(column, error.to_string()))?;
        }
        if let Err(error) = value.check_vocabulary(column) {
            warnings.push((column.name, format!("{error}; kept")));
        }
    }
    let id = row_id(table, &values)?;
    Ok(Converted { id, values, warnings })
}

fn integer_key(table: &Table, column: &Column, text: &str) -> Option<i64> {
    let may = column.primary_key && legacy_key::had_integer_keys(table);
    may.then(|| text.trim().parse().ok()).flatten()
}

fn read(column: &'static Column, text: &str, warnings: &mut Vec<(&'static str, String)>) -> Result<Value, Bad> {
    if column.json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        warnings.push((column.name, "is not JSON; kept as a JSON string".into()));
        return Ok(serde_json::Value::from(text).to_string().into());
    }
    if column.sql_type == SqlType::Date
        && let Some(date) = midnight(text)
    {
        return Ok(date);
    }
    let value = Value::from_sql_text(column, text).map_err(|error| Bad::new(column, error.to_string()))?;
    if let (SqlType::Numeric { scale, .. }, Some(rounded)) = (column.sql_type, value.to_sql_text())
        && is_rounded(text, scale)
    {
        warnings.push((column.name, format!("{} was rounded to {rounded}", text.trim())));
    }
    Ok(value)
}

/// A date that the source keeps as a time: only at midnight is nothing lost.
fn midnight(text: &str) -> Option<Value> {
    const DAY: i64 = 86_400_000_000;
    let time = Timestamp::parse(text).filter(|t| *t != Timestamp::INFINITY && *t != Timestamp::NEG_INFINITY)?;
    let date = time.to_datetime().filter(|_| time.0.rem_euclid(DAY) == 0)?;
    Some(date.format("%Y-%m-%d").to_string().into())
}

fn is_rounded(text: &str, scale: u8) -> bool {
    let places = text.trim().split_once('.').map_or("", |(_, places)| places);
    places.bytes().skip(usize::from(scale)).any(|digit| digit != b'0')
}

fn row_id(table: &Table, values: &[Value]) -> Result<RowId, Bad> {
    let mut key = Vec::new();
    for id in &table.primary_key {
        match &values[usize::from(id.0)] {
            Value::Uuid(part) => key.push(*part),
            _ => return Err(Bad::new(table.by_id(*id), "must not be empty")),
        }
    }
    Ok(table.row_id(&key))
}

impl Converted {
    /// The write that makes the row; the password hash goes another way. An `updated_at` that is empty stays so.
    pub fn write(&self, table: &Table) -> RowWrite {
        let values = table
            .columns
            .iter()
            .zip(&self.values)
            .filter(|(column, value)| match column.merge {
                Merge::Server => false,
                Merge::Derived => true,
                _ => !value.is_null(),
            })
            .map(|(column, value)| (column.id, value.clone()))
            .collect();
        RowWrite {
            table: table.id,
            row: self.id,
            action: RowAction::Create(values),
        }
    }

    /// The value of a column.
    pub fn get(&self, column: &Column) -> &Value {
        &self.values[usize::from(column.id.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_core::schema::Schema;

    fn converted(table: &str, fields: &[(&str, &str)]) -> Result<Converted, Bad> {
        let table = Schema::hospital().expect(table);
        let columns: Vec<_> = fields.iter().map(|(name, _)| table.expect(name)).collect();
        let texts: Vec<_> = fields.iter().map(|(_, text)| Some((*text).to_owned())).collect();
        convert(table, &columns, &texts)
    }

    const ID: (&str, &str) = ("id", "00000000-0000-4000-8000-000000000001");

    #[test]
    fn an_integer_key_becomes_a_uuid_and_is_kept() {
        let fields = [
            ("id", "42"),
            ("name", "n"),
            ("email", "e"),
            ("address", "a"),
            ("phone", "p"),
        ];
        let row = converted("legacy_users", &fields).unwrap();
        let table = Schema::hospital().expect("legacy_users");
        assert_eq!(row.id.0, legacy_key::uuid(table, 42));
        assert_eq!(row.get(table.expect("legacy_id")), &Value::Int(42));
        assert_eq!(row.id, converted("legacy_users", &fields).unwrap().id);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_column() {
        for (fields, column, reason) in [
            (
                vec![ID, ("name", "x"), ("floor_number", "two")],
                "floor_number",
                "is not a integer: two",
            ),
            (vec![ID], "name", "must not be empty"),
            (vec![("id", "17"), ("name", "x")], "id", "is not a UUID: 17"),
            (vec![("name", "x")], "id", "must not be empty"),
            (
                vec![ID, ("name", "x"), ("phone", "123456789012345678901")],
                "phone",
                "is too long",
            ),
        ] {
            let bad = converted("departments", &fields).unwrap_err();
            assert_eq!(bad.column, Some(column));
            assert!(bad.reason.starts_with(reason), "{bad:?}");
        }
    }

    #[test]
    fn unusual_values_are_kept_and_told() {
        let room = ("room_id", "00000000-0000-4000-8000-000000000002");
        let row = converted("beds", &[ID, ("bed_number", "1"), room, ("status", "blocked")]).unwrap();
        assert_eq!(row.warnings[0].0, "status");
        let fields = [
            ID,
            ("agent_type", "bed_management"),
            ("query", "q"),
            ("response", "r"),
            ("confidence_score", "0.987"),
        ];
        let row = converted("agent_interactions", &fields).unwrap();
        assert_eq!(
            row.warnings,
            [("confidence_score", "0.987 was rounded to 0.99".to_owned())]
        );
    }

    #[test]
    fn text_in_a_json_column_becomes_a_json_string() {
        let fields = [
            ID,
            ("bed_id", ID.1),
            ("discharge_time", "2026-01-31 12:00:00"),
            ("cleaning_checklist", "mop \"all\""),
        ];
        let row = converted("bed_turnovers", &fields).unwrap();
        let table = Schema::hospital().expect("bed_turnovers");
        assert_eq!(
            row.get(table.expect("cleaning_checklist")),
            &Value::from("\"mop \\\"all\\\"\"")
        );
        assert_eq!(
            row.get(table.expect("discharge_time")),
            &Value::Timestamp(Timestamp(1_769_860_800_000_000))
        );
    }

    #[test]
    fn a_date_kept_as_midnight_is_a_date() {
        assert_eq!(midnight("2026-01-31 00:00:00"), Some("2026-01-31".into()));
        assert_eq!(midnight("2026-01-31 00:00:01"), None);
        assert_eq!(midnight("2026-01-31"), None);
    }
}
