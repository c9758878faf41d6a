//! Something that must never be.

use std::fmt;

use crate::step::Step;

/// Something that must never be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    what: String,
    at: Option<(usize, Step)>,
}

impl Violation {
    /// In words.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            at: None,
        }
    }

    /// The engine failed though nothing around it did.
    pub fn engine(error: impl fmt::Display) -> Self {
        Self::new(format!("the engine failed: {error}"))
    }

    /// It was found at this step.
    #[must_use]
    pub fn at(mut self, number: usize, step: &Step) -> Self {
        self.at = Some((number, *step));
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((number, step)) => write!(f, "at step {number}, {step:?}: {}", self.what),
            None => write!(f, "in the end: {}", self.what),
        }
    }
}
