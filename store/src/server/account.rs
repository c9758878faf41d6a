//! Who may sign in.

use holdfast_core::ids::UserId;

use super::ServerStore;
use crate::{StoreError, sql_value};

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

/// What [`read`] reads.
const COLUMNS: &str = "SELECT id, username, first_name, last_name, role, is_active, c.password_hash
    FROM users LEFT JOIN sync_credentials AS c ON c.user = users.id";

impl ServerStore {
    /// The account with this name.
    pub fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.account_where("username = ?1", username)
    }

    /// A user's account.
    pub fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.account_where("id = ?1", &user.to_string())
    }

    fn account_where(&self, condition: &str, parameter: &str) -> Result<Option<Account>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE {condition}"))?;
        let mut found = statement.query([parameter])?;
        found.next()?.map(read).transpose()
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{COLUMNS} ORDER BY username"))?;
        let mut found = statement.query([])?;
        let mut accounts = Vec::new();
        while let Some(row) = found.next()? {
            accounts.push(read(row)?);
        }
        Ok(accounts)
    }

    /// Gives a user a password: kept with the server's secrets and in `users.password_hash`. The user's row may come later.
    pub fn set_password(&mut self, user: UserId, hash: &str) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO sync_credentials (user, password_hash) VALUES (?1, ?2)
                ON CONFLICT (user) DO UPDATE SET password_hash = excluded.password_hash",
            (user.to_string(), hash),
        )?;
        let sql = "UPDATE users SET password_hash = ?2 WHERE id = ?1";
        transaction.execute(sql, (user.to_string(), hash))?;
        transaction.commit()?;
        Ok(())
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Account, StoreError> {
    let (first, last): (String, String) = (row.get(2)?, row.get(3)?);
    Ok(Account {
        user: UserId(sql_value::uuid_text(&row.get::<_, String>(0)?)?),
        username: row.get(1)?,
        display_name: format!("{first} {last}"),
        role: row.get(4)?,
        is_active: row.get::<_, Option<bool>>(5)?.unwrap_or(true),
        password_hash: row.get(6)?,
    })
}
