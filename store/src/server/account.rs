//! Who may sign in.

use holdfast_core::ids::UserId;

use super::ServerStore;
use crate::StoreError;

/// A row of `users`, and the secret that the server keeps beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// `users.id`
    pub user: UserId,
    /// `users.username`
    pub username: String,
    /// First and last name.
    pub display_name: String,
    /// `users.role`, as it stands there.
    pub role: String,
    /// `users.is_active`; null counts as yes.
    pub is_active: bool,
    /// Argon2id in PHC form; `None` if the user has no password.
    pub password_hash: Option<String>,
}

impl ServerStore {
    /// The account with this name.
    pub fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        todo!("{username}")
    }

    /// A user's account.
    pub fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        todo!("{user}")
    }

    /// Gives a user a password: kept with the server's secrets and in `users.password_hash`. The user's row may come later.
    pub fn set_password(&mut self, user: UserId, hash: &str) -> Result<(), StoreError> {
        todo!("{user} {hash}")
    }
}
