//! What the page is told when something fails: its `EngineError`.

use std::error::Error;

use holdfast_store::{StoreError, replica::ReplicaError};

/// An error as the page's port has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineError {
    /// Machine-readable.
    pub code: &'static str,
    /// For people: what happened and what to do.
    pub message: String,
    /// The field of a command that it is about.
    pub field: Option<String>,
}

impl EngineError {
    /// An error without a field.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
        }
    }

    /// What the page gave is not what the port promises: the two were not built together.
    pub fn malformed(what: &str, error: &dyn Error) -> Self {
        Self::new("invalid", format!("{what} cannot be read: {error}"))
    }
}

impl From<ReplicaError> for EngineError {
    fn from(error: ReplicaError) -> Self {
        match error {
            ReplicaError::Store(error) => error.into(),
            error => Self {
                code: error.code(),
                message: with_sources(&error),
                field: error.field().map(ToOwned::to_owned),
            },
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        let what_to_do = match error {
            StoreError::NewerFormat { .. } => "Reload the page while online to get the newer version.",
            _ => "Reload the page. If it happens again, sync this device if you can and tell your administrator.",
        };
        let cause = with_sources(&error);
        Self::new(
            "store",
            format!("The data on this device could not be used: {cause}. {what_to_do}"),
        )
    }
}

/// The error's message and those of its sources that it does not repeat itself.
fn with_sources(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        next = source.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use holdfast_core::command::CommandError;

    use super::*;

    #[test]
    fn a_commands_mistake_keeps_its_code_words_and_field() {
        let error = ReplicaError::Command(CommandError::Invalid {
            field: Some("bedId".to_owned()),
            message: "This bed is taken. Choose another.".to_owned(),
        });
        assert_eq!(
            EngineError::from(error),
            EngineError {
                code: "invalid",
                message: "This bed is taken. Choose another.".to_owned(),
                field: Some("bedId".to_owned()),
            }
        );
    }

    #[test]
    fn a_failing_store_says_why_and_what_to_do() {
        let error = EngineError::from(ReplicaError::Store(StoreError::Corrupt("a page is torn".to_owned())));
        assert_eq!(error.code, "store");
        assert!(error.message.contains("a page is torn"), "{}", error.message);
        assert!(error.message.contains("Reload the page"), "{}", error.message);
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows);
        assert_eq!(with_sources(&error), "the database failed: Query returned no rows");
    }
}
