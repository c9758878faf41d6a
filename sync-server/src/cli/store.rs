//! Where the store is: the options that all commands share.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};

use crate::store::{Location, SqliteStore, Store};

/// Where the store is.
#[derive(clap::Args, Clone, Debug)]
pub struct StoreOptions {
    /// The folder of the embedded SQLite store; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "./data", env = "HOLDFAST_DATA")]
    data: PathBuf,
    /// A PostgreSQL database instead: postgres://USER:PASSWORD@HOST:PORT/NAME. It must be there; its tables are made.
    #[arg(long, value_name = "URL", env = "HOLDFAST_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

impl StoreOptions {
    /// Where the store is.
    pub fn location(&self) -> anyhow::Result<Location> {
        match &self.database {
            None => Ok(Location::Folder(self.data.clone())),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Location::Database(url.clone()))
            }
            Some(_) => bail!("--database takes an address that begins with postgres://"),
        }
    }

    /// Opens the store.
    pub async fn open(&self) -> anyhow::Result<Store> {
        Store::open(&self.location()?)
            .await
            .with_context(|| format!("opening {}", self.describe()))
    }

    /// Opens the store of a hospital's server: a hub's has nothing of its own to be changed.
    pub async fn open_own(&self) -> anyhow::Result<Store> {
        let store = self.open().await?;
        ensure!(
            store.hub().await?.is_none(),
            "{} is that of a ward's hub: do this at the hospital's server",
            self.describe()
        );
        Ok(store)
    }

    /// Opens a store that somebody has filled: a folder without one is a mistake.
    pub async fn open_existing(&self) -> anyhow::Result<Store> {
        match self.location()? {
            Location::Folder(folder) if !SqliteStore::is_in(&folder) => {
                bail!("there is no store in {}", folder.display())
            }
            _ => self.open().await,
        }
    }

    /// The store in words, without a password.
    pub fn describe(&self) -> String {
        match &self.database {
            None => format!("the store in {}", self.data.display()),
            Some(url) => format!("the database {}", url.rsplit('@').next().unwrap_or_default()),
        }
    }
}
