//! A column's value, as commands give it, documents hold it and tables show it.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    ids::{RowId, Timestamp, UserId},
    schema::{Column, SqlType},
};

/// A value of a column. Dates (`2026-01-31`), numerics (`12.50`, always at the column's scale) and JSON are text in their
/// one canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// `boolean`
    Bool(bool),
    /// `integer`, and the total of a counter
    Int(i64),
    /// `varchar`, `text`, `date`, `numeric`, JSON
    Text(String),
    /// `uuid`
    Uuid(Uuid),
    /// `timestamptz`
    Timestamp(Timestamp),
}

/// Why a value does not fit its column. The message names neither: the caller knows where it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not of the column's type.
    #[error("is not a {expected}: {found}")]
    Type {
        /// What the column takes, in words.
        expected: String,
        /// What came, shortened.
        found: String,
    },
    /// Longer than the column.
    #[error("is too long: {length} characters where {limit} fit")]
    TooLong {
        /// In characters.
        length: usize,
        /// In characters.
        limit: u32,
    },
    /// Outside the column's range.
    #[error("is out of range: {found} ({range})")]
    OutOfRange {
        /// What came.
        found: String,
        /// What fits, in words.
        range: String,
    },
    /// Not one of the column's words.
    #[error("must be one of {allowed}: {found}")]
    Vocabulary {
        /// The words, separated by commas.
        allowed: String,
        /// What came.
        found: String,
    },
    /// Null where the column takes none.
    #[error("must not be empty")]
    Required,
    /// A NUL character, which PostgreSQL cannot store.
    #[error("contains a NUL character")]
    Nul,
}

impl Value {
    /// True for `Null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text form that PostgreSQL reads for every type, or `None` for null.
    pub fn to_sql_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Text(t) => t.clone(),
            Self::Uuid(u) => u.to_string(),
            Self::Timestamp(t) => t.to_string(),
        })
    }

    /// Reads the text form of any type, as CSV files and PostgreSQL's `::text` give it, into canonical form.
    pub fn from_sql_text(column: &Column, text: &str) -> Result<Self, ValueError> {
        let wrong = || type_error(column, text);
        Ok(match column.sql_type {
            SqlType::Uuid => Self::Uuid(Uuid::parse_str(text).map_err(|_| wrong())?),
            SqlType::Integer => Self::Int(text.trim().parse().map_err(|_| wrong())?),
            SqlType::Boolean => Self::Bool(match text.to_ascii_lowercase().as_str() {
                "t" | "true" | "1" | "yes" | "on" => true,
                "f" | "false" | "0" | "no" | "off" => false,
                _ => return Err(wrong()),
            }),
            SqlType::Timestamptz => Self::Timestamp(Timestamp::parse(text).ok_or_else(wrong)?),
            SqlType::Date => Self::Text(canonical_date(text).ok_or_else(wrong)?),
            SqlType::Numeric { scale, .. } => Self::Text(canonical_numeric(text, scale).ok_or_else(wrong)?),
            SqlType::Varchar(_) | SqlType::Text => Self::Text(text.to_owned()),
        })
    }

    /// Reads what a command gives (JSON). A JSON column takes any JSON value and keeps its compact text.
    pub fn from_json(column: &Column, json: &serde_json::Value) -> Result<Self, ValueError> {
        use serde_json::Value as Json;
        match json {
            Json::Null => Ok(Self::Null),
            Json::String(text) if column.json => {
                // A string that is itself JSON is taken as that JSON, as SQL tools would write it.
                let parsed: Json = serde_json::from_str(text).map_err(|_| type_error(column, text))?;
                Ok(Self::Text(parsed.to_string()))
            }
            other if column.json => Ok(Self::Text(other.to_string())),
            Json::Bool(b) if column.sql_type == SqlType::Boolean => Ok(Self::Bool(*b)),
            Json::Number(n) => match (column.sql_type, n.as_i64()) {
                (SqlType::Integer, Some(i)) => Ok(Self::Int(i)),
                (SqlType::Boolean, Some(i @ 0..=1)) => Ok(Self::Bool(i == 1)),
                (SqlType::Numeric { .. }, _) => Self::from_sql_text(column, &n.to_string()),
                _ => Err(type_error(column, &n.to_string())),
            },
            Json::String(text) => Self::from_sql_text(column, text),
            other => Err(type_error(column, &other.to_string())),
        }
    }

    /// The JSON that a page gets; a JSON column's text stays text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Text(t) => t.clone().into(),
            Self::Uuid(u) => u.to_string().into(),
            Self::Timestamp(t) => t.to_string().into(),
        }
    }

    /// Checks a value against the column: type, canonical form, length, range, required. Vocabulary is apart
    /// ([`Value::check_vocabulary`]), because imported values outside it are kept.
    pub fn check(&self, column: &Column) -> Result<(), ValueError> {
        let wrong = || type_error(column, &self.to_sql_text().unwrap_or_default());
        match (self, column.sql_type) {
            (Self::Null, _) if column.not_null => Err(ValueError::Required),
            (Self::Null, _) | (Self::Bool(_), SqlType::Boolean) | (Self::Uuid(_), SqlType::Uuid) => Ok(()),
            (Self::Timestamp(t), SqlType::Timestamptz) => check_timestamp(*t),
            (Self::Int(i), SqlType::Integer) => i32::try_from(*i).map(|_| ()).map_err(|_| ValueError::OutOfRange {
                found: i.to_string(),
                range: "a 32-bit integer".into(),
            }),
            (Self::Text(t), SqlType::Varchar(_) | SqlType::Text) => check_text(column, t),
            (Self::Text(t), SqlType::Date) if canonical_date(t).as_ref() == Some(t) => Ok(()),
            (Self::Text(t), SqlType::Numeric { precision, scale })
                if canonical_numeric(t, scale).as_ref() == Some(t) =>
            {
                let digits = t.bytes().filter(u8::is_ascii_digit).count();
                let leading_zero = t.trim_start_matches('-').starts_with("0.");
                if digits - usize::from(leading_zero) > usize::from(precision) {
                    return Err(ValueError::OutOfRange {
                        found: t.clone(),
                        range: format!("{} digits before the point", precision - scale),
                    });
                }
                Ok(())
            }
            _ => Err(wrong()),
        }
    }

    /// Checks a new value against the column's words.
    pub fn check_vocabulary(&self, column: &Column) -> Result<(), ValueError> {
        match self {
            Self::Text(t)
                if !column.values.is_empty() && !column.values_open && !column.values.contains(&t.as_str()) =>
            {
                Err(ValueError::Vocabulary {
                    allowed: column.values.join(", "),
                    found: shorten(t),
                })
            }
            _ => Ok(()),
        }
    }
}

macro_rules! value_from {
    ($($type:ty: $given:ident => $value:expr,)*) => {
        $(impl From<$type> for Value {
            fn from($given: $type) -> Self {
                $value
            }
        })*
    };
}

value_from! {
    bool: b => Self::Bool(b),
    i64: i => Self::Int(i),
    &str: text => Self::Text(text.to_owned()),
    String: text => Self::Text(text),
    Uuid: id => Self::Uuid(id),
    RowId: id => Self::Uuid(id.0),
    UserId: id => Self::Uuid(id.0),
    Timestamp: time => Self::Timestamp(time),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Checks that a time is one that both databases hold.
pub(crate) fn check_timestamp(t: Timestamp) -> Result<(), ValueError> {
    // PostgreSQL holds 4713 BC to 294276 AD; four-digit years keep text order equal to time order in SQLite.
    const MIN: i64 = -62_135_596_800_000_000;
    const MAX: i64 = 253_402_300_799_999_999;
    if t == Timestamp::INFINITY || t == Timestamp::NEG_INFINITY || (MIN..=MAX).contains(&t.0) {
        return Ok(());
    }
    Err(ValueError::OutOfRange {
        found: t.to_string(),
        range: "years 1 to 9999".into(),
    })
}

/// The longest value of a unique column without a length of its own: PostgreSQL's indexes hold about 2,700 bytes.
const MAX_KEY_LENGTH: u32 = 500;

fn check_text(column: &Column, text: &str) -> Result<(), ValueError> {
    if text.contains('\0') {
        return Err(ValueError::Nul);
    }
    let limit = match column.sql_type {
        SqlType::Varchar(None) if column.unique => Some(MAX_KEY_LENGTH),
        SqlType::Varchar(limit) => limit,
        _ => None,
    };
    if let Some(limit) = limit {
        let length = text.chars().count();
        if length > limit as usize {
            return Err(ValueError::TooLong { length, limit });
        }
    }
    Ok(())
}

fn type_error(column: &Column, found: &str) -> ValueError {
    let expected = match column.sql_type {
        _ if column.json => "JSON value".into(),
        SqlType::Timestamptz => "time such as 2026-01-31T12:00:00Z".into(),
        SqlType::Date => "date such as 2026-01-31".into(),
        SqlType::Uuid => "UUID".into(),
        other => other.to_string(),
    };
    ValueError::Type {
        expected,
        found: shorten(found),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(59).chain(['…']).collect()
    }
}

fn canonical_date(text: &str) -> Option<String> {
    if text == "infinity" || text == "-infinity" {
        return Some(text.to_owned());
    }
    let mut parts = text.splitn(3, '-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() <= digits)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())?
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    // Four-digit years: what PostgreSQL reads, and text order is time order.
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| year > 0)?;
    Some(date.to_string())
}

/// Digits with exactly `scale` places; half rounds away from zero, as PostgreSQL's numeric does.
fn canonical_numeric(text: &str, scale: u8) -> Option<String> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) || digits.len() > 40 {
        return None;
    }
    let scale = usize::from(scale);
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(scale).collect();
    let mut number: u128 = format!("{whole}{kept}").parse().unwrap_or(0);
    if fraction.as_bytes().get(scale).is_some_and(|b| *b >= b'5') {
        number += 1;
    }
    let padded = format!("{number:0width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let sign = if negative && number != 0 { "-" } else { "" };
    Some(if scale == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn column(table: &str, name: &str) -> &'static Column {
        Schema::hospital().expect(table).expect(name)
    }

    #[test]
    fn a_json_number_stays_the_same_however_often_it_is_read() {
        let column = column("document_embeddings", "embedding_vector");
        let json = serde_json::from_str("2002632026312632026311").expect("is JSON");
        let once = Value::from_json(column, &json).expect("fits");
        assert_eq!(Value::from_json(column, &once.to_json()), Ok(once));
    }

    #[test]
    fn a_numeric_is_kept_at_its_scale() {
        for (text, expected) in [
            ("12.5", "12.50"),
            ("-0", "0.00"),
            ("1.005", "1.01"),
            (".5", "0.50"),
            ("007", "7.00"),
        ] {
            assert_eq!(canonical_numeric(text, 2).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(canonical_numeric("1e5", 2), None);
        assert_eq!(canonical_numeric("", 2), None);
    }

    #[test]
    fn a_numeric_beyond_its_precision_is_refused() {
        let score = column("agent_interactions", "confidence_score");
        assert!(Value::Text("9.99".into()).check(score).is_ok());
        assert!(Value::Text("0.99".into()).check(score).is_ok());
        assert!(matches!(
            Value::Text("10.00".into()).check(score),
            Err(ValueError::OutOfRange { .. })
        ));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let number = column("patients", "patient_number");
        assert!(Value::Text("ä".repeat(20)).check(number).is_ok());
        assert_eq!(
            Value::Text("ä".repeat(21)).check(number),
            Err(ValueError::TooLong { length: 21, limit: 20 })
        );
    }

    #[test]
    fn what_postgres_could_not_store_is_refused() {
        let born = column("patients", "date_of_birth");
        for date in ["-0005-01-01", "+12345-01-01", "0000-01-01", "2026-02-30"] {
            assert!(Value::from_sql_text(born, date).is_err(), "{date}");
        }
        let email = column("legacy_users", "email");
        assert!(
            Value::Text("x".repeat(501)).check(email).is_err(),
            "too long for an index"
        );
        assert_eq!(Value::Text("a\0b".into()).check(email), Err(ValueError::Nul));
    }

    #[test]
    fn a_word_outside_the_vocabulary_is_refused_where_the_list_is_closed() {
        let word = Value::Text("sideways".into());
        assert!(word.check_vocabulary(column("beds", "status")).is_err());
        assert!(word.check_vocabulary(column("treatment_records", "frequency")).is_ok());
    }

    #[test]
    fn every_type_survives_its_sql_text() {
        for table in &Schema::hospital().tables {
            for c in &table.columns {
                let text = match c.sql_type {
                    SqlType::Uuid => "00000000-0000-7000-8000-000000000001",
                    SqlType::Integer => "-5",
                    SqlType::Boolean => "true",
                    SqlType::Date => "2026-02-28",
                    SqlType::Timestamptz => "2026-02-28T01:02:03.000004Z",
                    SqlType::Numeric { .. } => "1.25",
                    SqlType::Varchar(_) | SqlType::Text => "{}",
                };
                let value = Value::from_sql_text(c, text).expect("reads");
                value.check(c).expect("fits");
                assert_eq!(value.to_sql_text().as_deref(), Some(text), "{}.{}", table.name, c.name);
            }
        }
    }
}
