//! Who may sign in.

use holdfast_core::ids::UserId;
use holdfast_store::server::Account;
use sqlx::{Row, postgres::PgRow};

use super::{PostgresStore, StoreError};

/// What [`read`] reads, of `users` with the secret beside it.
macro_rules! account_columns {
    () => {
        "u.id, u.username, concat_ws(' ', u.first_name, u.last_name), u.role, COALESCE(u.is_active, true), c.password_hash"
    };
}
pub(super) use account_columns;

/// An account: a row of `users` with its secret.
macro_rules! select_account {
    ($where:literal) => {
        concat!(
            "SELECT ",
            account_columns!(),
            " FROM users u LEFT JOIN sync.credentials c ON c.user_id = u.id ",
            $where
        )
    };
}

impl PostgresStore {
    /// The account with this name.
    pub async fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        let found = sqlx::query(select_account!("WHERE u.username = $1"))
            .bind(username)
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(|record| read(record, 0)).transpose()
    }

    /// A user's account.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        let found = sqlx::query(select_account!("WHERE u.id = $1"))
            .bind(user.0)
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(|record| read(record, 0)).transpose()
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let found = sqlx::query(select_account!("ORDER BY u.username"))
            .fetch_all(&self.pool)
            .await?;
        found.iter().map(|record| read(record, 0)).collect()
    }

    /// Gives a user a password: kept with the server's secrets and in `users.password_hash`. The user's row may come later.
    pub async fn set_password(&self, user: UserId, hash: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO sync.credentials (user_id, password_hash) VALUES ($1, $2)
             ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash",
        )
        .bind(user.0)
        .bind(hash)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(user.0)
            .bind(hash)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Reads an account from this column on.
pub(super) fn read(record: &PgRow, at: usize) -> Result<Account, StoreError> {
    Ok(Account {
        user: UserId(record.try_get(at)?),
        username: record.try_get(at + 1)?,
        display_name: record.try_get(at + 2)?,
        role: record.try_get(at + 3)?,
        is_active: record.try_get(at + 4)?,
        password_hash: record.try_get(at + 5)?,
    })
}
