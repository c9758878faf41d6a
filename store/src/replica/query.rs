//! Queries of the page: one read-only statement over the 33 tables.
//!
//! SQLite itself says what a statement would do (its authorizer), so that nothing depends on reading SQL here: what is no
//! reading of the 33 tables is refused before it runs.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use holdfast_core::schema::Schema;
use rusqlite::{
    hooks::{AuthAction, AuthContext, Authorization},
    params_from_iter,
    types::{Value as Owned, ValueRef},
};
use serde_json::{Map, Value as Json};

use super::{Replica, ReplicaError};
use crate::hex;

/// How many checked queries are remembered.
const MAX_CHECKED: usize = 1_000;

impl Replica {
    /// Runs one read-only statement over the 33 tables; `?1`, `?2` … are bound from `parameters` (text, numbers, null,
    /// booleans as 0 and 1). A row is an object by column name.
    pub fn query(&mut self, sql: &str, parameters: &[Json]) -> Result<Vec<Map<String, Json>>, ReplicaError> {
        if self.session.is_none() {
            return Err(ReplicaError::SignedOut);
        }
        self.check(sql)?;
        let parameters: Vec<Owned> = parameters.iter().map(bind).collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(sql).map_err(wrong)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut found = statement.query(params_from_iter(parameters)).map_err(wrong)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(wrong)? {
            let mut object = Map::new();
            for (i, name) in names.iter().enumerate() {
                object.insert(name.clone(), show(row.get_ref(i)?));
            }
            rows.push(object);
        }
        Ok(rows)
    }

    /// The tables that a query reads.
    pub fn tables_of(&mut self, sql: &str) -> Result<BTreeSet<&'static str>, ReplicaError> {
        self.check(sql)?;
        Ok(self.checked.get(sql).cloned().unwrap_or_default())
    }

    /// Lets SQLite compile the query under supervision, once.
    fn check(&mut self, sql: &str) -> Result<(), ReplicaError> {
        if self.checked.contains_key(sql) {
            return Ok(());
        }
        let tables: Arc<Mutex<BTreeSet<&'static str>>> = Arc::default();
        let read = Arc::clone(&tables);
        self.connection
            .authorizer(Some(move |context: AuthContext<'_>| supervise(&context, &read)))?;
        let statement = self.connection.prepare(sql).map(|statement| statement.readonly());
        self.connection
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        if !statement.map_err(wrong)? {
            return Err(ReplicaError::Query("Only reading is allowed here.".to_owned()));
        }
        if self.checked.len() >= MAX_CHECKED {
            self.checked.clear();
        }
        let tables = tables.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.checked.insert(sql.to_owned(), tables);
        Ok(())
    }
}

fn supervise(context: &AuthContext<'_>, read: &Mutex<BTreeSet<&'static str>>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        AuthAction::Read {
            table_name,
            column_name,
        } => match Schema::hospital().table(table_name) {
            Some(table) => {
                read.lock().unwrap_or_else(PoisonError::into_inner).insert(table.name);
                Authorization::Allow
            }
            None if is_of_the_query(table_name, column_name) => Authorization::Allow,
            None => Authorization::Deny,
        },
        _ => Authorization::Deny,
    }
}

/// True for JSON taken apart, and for a name that the query itself gives (`WITH name AS …`), of which no column is a table's.
fn is_of_the_query(table: &str, column: &str) -> bool {
    let engines = ["sync_", "sqlite_", "pragma_"];
    let of_engine = engines.iter().any(|prefix| {
        table
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    ["json_each", "json_tree"].contains(&table) || (column.is_empty() && !of_engine)
}

fn wrong(error: rusqlite::Error) -> ReplicaError {
    use rusqlite::ErrorCode;
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::AuthorizationForStatementDenied => {
                ReplicaError::Query("A query reads the hospital's tables and does nothing else.".to_owned())
            }
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
                ReplicaError::Query(message.unwrap_or_else(|| failure.to_string()))
            }
            _ => rusqlite::Error::SqliteFailure(failure, message).into(),
        },
        rusqlite::Error::SqlInputError { msg, .. } => ReplicaError::Query(msg),
        rusqlite::Error::InvalidParameterCount(given, wanted) => {
            ReplicaError::Query(format!("The query takes {wanted} parameters, {given} are given."))
        }
        rusqlite::Error::MultipleStatement => ReplicaError::Query("A query is one statement.".to_owned()),
        other => other.into(),
    }
}

fn bind(json: &Json) -> Result<Owned, ReplicaError> {
    Ok(match json {
        Json::Null => Owned::Null,
        Json::Bool(b) => Owned::Integer(i64::from(*b)),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Owned::Integer(i),
            (None, Some(f)) => Owned::Real(f),
            (None, None) => Owned::Text(n.to_string()),
        },
        Json::String(text) => Owned::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => {
            return Err(ReplicaError::Query("A parameter is text, a number or null.".to_owned()));
        }
    })
}

fn show(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(i) => i.into(),
        ValueRef::Real(f) => f.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => hex::encode(bytes).into(),
    }
}
