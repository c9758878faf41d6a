//! Why a command was not carried out.

/// Why the store could not be read.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// Why a command was not carried out, in words for the person who gave it: what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A value that does not fit.
    #[error("{message}")]
    Invalid {
        /// The field or column it is about, as the command names it.
        field: Option<String>,
        /// For people.
        message: String,
    },
    /// A row that the command names is not here.
    #[error("{message}")]
    NotFound {
        /// The field or column that names it.
        field: Option<String>,
        /// For people.
        message: String,
    },
    /// A column that no command may write.
    #[error("{message}")]
    NotAllowed {
        /// The column.
        field: Option<String>,
        /// For people.
        message: String,
    },
    /// The state of the ward does not permit it now.
    #[error("{message}")]
    Refused {
        /// For people.
        message: String,
    },
    /// The store could not be read.
    #[error("the local tables could not be read")]
    Read(#[from] ReadError),
}

impl CommandError {
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: Some(field.to_owned()),
            message: message.into(),
        }
    }

    pub(super) fn not_found(field: &str, message: impl Into<String>) -> Self {
        Self::NotFound {
            field: Some(field.to_owned()),
            message: message.into(),
        }
    }

    pub(super) fn not_allowed(field: &str, message: impl Into<String>) -> Self {
        Self::NotAllowed {
            field: Some(field.to_owned()),
            message: message.into(),
        }
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::Refused {
            message: message.into(),
        }
    }

    /// Machine-readable: `invalid`, `not_found`, `not_allowed`, `refused` or `store`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound { .. } => "not_found",
            Self::NotAllowed { .. } => "not_allowed",
            Self::Refused { .. } => "refused",
            Self::Read(_) => "store",
        }
    }

    /// The field or column that it is about, as the command names it.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } | Self::NotFound { field, .. } | Self::NotAllowed { field, .. } => {
                field.as_deref()
            }
            Self::Refused { .. } | Self::Read(_) => None,
        }
    }

    /// The same about a field that another name is given to.
    pub(super) fn renamed(mut self, rename: impl FnOnce(&str) -> Option<String>) -> Self {
        if let Self::Invalid { field, .. } | Self::NotFound { field, .. } | Self::NotAllowed { field, .. } = &mut self
            && let Some(name) = field.as_deref().and_then(rename)
        {
            *field = Some(name);
        }
        self
    }
}
