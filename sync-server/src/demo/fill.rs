//! Puts the demo hospital into a store.

use std::time::Instant;

use holdfast_core::{
    ids::{RowId, UserId},
    row::{RowAction, RowWrite},
    schema::Schema,
    value::Value,
};

use super::{Demo, SIGN_INS, Size};
use crate::{
    sign_in::password,
    store::{Store, StoreError, now, random},
    writer::{GroupError, OPERATOR, Writer},
};

/// The password of all demo sign-ins. Everybody knows it: a demo hospital holds nobody's data.
pub const PASSWORD: &str = "demo";

/// Parts that go to the store together.
const TOGETHER: usize = 8;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How large.
    pub size: Size,
    /// Another seed gives other people.
    pub seed: u64,
    /// Even if the hospital has rows already.
    pub add: bool,
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filled {
    /// Rows in all.
    pub rows: usize,
    /// User names with their roles; the password is [`PASSWORD`].
    pub sign_ins: Vec<(String, &'static str)>,
}

/// Why no demo hospital was made, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// It is not empty.
    #[error("this hospital has rows already (the first in {0}); a demo hospital is added to them only with --add")]
    NotEmpty(&'static str),
    /// Fewer beds or patients than fill all tables.
    #[error("a demo hospital has at least {} beds and {} patients", Size::LEAST.beds, Size::LEAST.patients)]
    TooSmall,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine refused invented rows.
    #[error("BUG: the demo hospital breaks a rule: {0}")]
    Refused(#[from] GroupError),
}

/// Fills a store. `progress` hears how many rows are written, every few thousand.
pub async fn fill(store: &Store, options: Options, mut progress: impl FnMut(usize)) -> Result<Filled, DemoError> {
    if options.size.beds < Size::LEAST.beds || options.size.patients < Size::LEAST.patients {
        return Err(DemoError::TooSmall);
    }
    let occupied = first_filled_table(store).await?;
    if let (Some(table), false) = (occupied, options.add) {
        return Err(DemoError::NotEmpty(table));
    }
    let series = match occupied {
        None => String::new(),
        Some(_) => unused_series(store).await?,
    };
    let mut parts = Demo::new(options.size, options.seed, now(), &series).peekable();
    let mut writer = Writer::new(store, OPERATOR).await?;
    let (mut rows, mut sign_ins) = (0, Vec::new());
    while parts.peek().is_some() {
        let groups: Vec<Vec<RowWrite>> = parts.by_ref().take(TOGETHER).collect();
        sign_ins.extend(groups.iter().flatten().filter_map(|write| sign_in(write, &series)));
        rows += groups.iter().map(Vec::len).sum::<usize>();
        for outcome in writer.write("demo", groups).await? {
            outcome?;
        }
        progress(rows);
    }
    let hash = password::hash(PASSWORD);
    for (user, ..) in &sign_ins {
        store.set_password(*user, &hash).await?;
    }
    let sign_ins = sign_ins.into_iter().map(|(_, name, role)| (name, role)).collect();
    Ok(Filled { rows, sign_ins })
}

async fn first_filled_table(store: &Store) -> Result<Option<&'static str>, StoreError> {
    for table in &Schema::hospital().tables {
        if store.count(table.name).await? > 0 {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// Three letters or digits that no demo hospital here has yet.
async fn unused_series(store: &Store) -> Result<String, StoreError> {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    loop {
        let letters = random::bytes::<3>().map(|byte| char::from(ALPHABET[usize::from(byte) % 32]));
        let series = String::from_iter(letters);
        let name = super::workforce::sign_in_name(SIGN_INS[0], &series);
        if store.account_by_username(&name).await?.is_none() {
            return Ok(series);
        }
    }
}

/// The user that a write makes, if one may sign in as him.
fn sign_in(write: &RowWrite, series: &str) -> Option<(UserId, String, &'static str)> {
    let table = Schema::hospital().expect("users");
    let RowAction::Create(values) = &write.action else {
        return None;
    };
    let username = values.iter().find(|(column, _)| *column == table.expect("username").id);
    let Some((_, Value::Text(username))) = username.filter(|_| write.table == table.id) else {
        return None;
    };
    let role = SIGN_INS
        .into_iter()
        .find(|role| super::workforce::sign_in_name(role, series) == *username)?;
    let RowId(id) = write.row;
    Some((UserId(id), username.clone(), role))
}

/// Rows a second, for people.
pub fn per_second(rows: usize, since: Instant) -> u128 {
    rows as u128 * 1000 / since.elapsed().as_millis().max(1)
}
