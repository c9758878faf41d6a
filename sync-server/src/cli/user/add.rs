//! `sync-server user add`.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use holdfast_core::{
    command::{Command, CreateRow, Maker, OpenConflict, ReadError, Reader, plan},
    ids::{RowId, UserId},
    ingest::{Claim, Needs},
    policy::Role,
    row::Row,
    schema::{ColumnId, Schema, Table},
    value::Value,
};
use serde_json::json;

use super::prompt;
use crate::{
    cli::StoreOptions,
    store::{Store, now, random},
    writer::{OPERATOR, Writer},
};

/// Adds a user who may sign in.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The name to sign in with.
    username: String,
    /// What the user may do: admin, manager, doctor, nurse, receptionist, cleaner or auditor.
    #[arg(long)]
    role: String,
    /// The first name.
    #[arg(long, value_name = "NAME")]
    first_name: String,
    /// The last name.
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// The e-mail address; no two users share one.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    #[command(flatten)]
    password: prompt::Source,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    options.role.parse::<Role>()?;
    let store = options.store.open_own().await?;
    for (column, value) in [("username", &options.username), ("email", &options.email)] {
        if is_taken(&store, column, value).await? {
            bail!("the {column} {value} belongs to another user");
        }
    }
    let hash = prompt::hash(options.password).await?;
    let user = UserId(random::new_id());
    // The hash first: the row takes it over when it is made, so that no user is ever there without a password.
    store.set_password(user, &hash).await?;
    create(&store, user, &options).await?;
    println!("{} may sign in as {}", options.username, options.role);
    Ok(())
}

/// Makes the row as a transaction of the server's own device.
async fn create(store: &Store, user: UserId, options: &Options) -> anyhow::Result<()> {
    let values = json!({
        "username": options.username,
        "email": options.email,
        "role": options.role,
        "first_name": options.first_name,
        "last_name": options.last_name,
    });
    let serde_json::Value::Object(values) = values else {
        bail!("BUG: an object is an object");
    };
    let command = Command::CreateRow(CreateRow {
        table: "users".to_owned(),
        id: Some(user.to_string()),
        values,
    });
    let mut maker = Maker {
        user: OPERATOR,
        now: now(),
        new_id: &mut random::new_id,
    };
    let plan = plan(&command, &mut maker, &NothingYet)?;
    let mut writer = Writer::new(store, OPERATOR).await?;
    writer.write_one(plan.name, plan.writes).await??;
    Ok(())
}

/// True if another user holds the value of a unique column.
async fn is_taken(store: &Store, column: &str, value: &str) -> anyhow::Result<bool> {
    let users = Schema::hospital().expect("users");
    let claim = Claim {
        table: users.id,
        column: users.expect(column).id,
        value: Value::Text(value.to_owned()),
    };
    let needs = Needs {
        claims: BTreeSet::from([claim.clone()]),
        ..Needs::default()
    };
    let set = store.load(needs).await.context("looking for users of that name")?;
    Ok(set.claimants(&claim).is_some_and(|claimants| !claimants.is_empty()))
}

/// A user refers to no other row, and what must be unique has been looked up.
struct NothingYet;

impl Reader for NothingYet {
    fn row(&self, _: &Table, _: RowId) -> Result<Option<Row>, ReadError> {
        Ok(None)
    }

    fn find(&self, _: &Table, _: &[(ColumnId, Value)]) -> Result<Vec<Row>, ReadError> {
        Ok(Vec::new())
    }

    fn conflict(&self, _: &str) -> Result<Option<OpenConflict>, ReadError> {
        Ok(None)
    }
}
