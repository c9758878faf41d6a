//! What was committed and may not be told yet.

use std::sync::Arc;

use super::{
    StoreError,
    sqlite::blocking,
    syncs::{Commits, Syncs},
};

/// What somebody is told of a commit once it is durable.
#[must_use = "nobody is told of it before it is durable"]
pub struct Committed<T> {
    told: T,
    /// With whom, and with how many commits, it becomes durable; `None` if it is.
    awaited: Option<(Arc<Syncs>, Commits)>,
}

impl<T> Committed<T> {
    /// Of a commit that is durable.
    pub(crate) fn durably(told: T) -> Self {
        Self { told, awaited: None }
    }

    /// Of one that is durable when so many commits are.
    pub(super) fn when(told: T, syncs: Arc<Syncs>, commits: Commits) -> Self {
        Self {
            told,
            awaited: Some((syncs, commits)),
        }
    }

    /// Waits until it is durable.
    pub async fn durable(self) -> Result<T, StoreError> {
        if let Some((syncs, commits)) = self.awaited {
            blocking(move || syncs.wait(commits)).await?;
        }
        Ok(self.told)
    }
}
