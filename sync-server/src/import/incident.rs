//! What people must know about an import.

use serde::Serialize;

/// What kind of thing it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The row was not imported.
    Refused,
    /// The row is there already with other values, and was left as it is.
    Differs,
    /// The row was imported, but something about it is unusual.
    Warning,
    /// About a table or a column as a whole.
    Note,
}

/// One thing to know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Incident {
    /// What kind.
    pub kind: Kind,
    /// The table's name.
    pub table: String,
    /// The row's key as the source has it; empty where it is about more than a row.
    pub key: String,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// What, in words.
    pub reason: String,
}

impl Incident {
    /// About a table as a whole.
    pub fn note(table: &str, column: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            kind: Kind::Note,
            table: table.to_owned(),
            key: String::new(),
            column: column.map(str::to_owned),
            reason: reason.into(),
        }
    }
}

impl std::fmt::Display for Incident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.table)?;
        if let Some(column) = &self.column {
            write!(f, ".{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, " [{}]", self.key)?;
        }
        write!(f, ": {}", self.reason)
    }
}
