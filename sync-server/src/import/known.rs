//! What rows refer to, and what only one row may hold: found out before the engine is asked, so that it seldom refuses.

use std::collections::{HashMap, HashSet};

use holdfast_core::{
    ids::RowId,
    schema::{Schema, Table, TableId},
    value::Value,
};

use super::convert::{Bad, Converted};

/// Rows and values that are there, or are on their way.
#[derive(Default)]
pub struct Known {
    /// Rows of tables that others refer to.
    rows: HashMap<TableId, HashSet<RowId>>,
    /// Of the present table: rows seen in the source.
    seen: HashSet<RowId>,
    /// Of the present table: who holds a value, one map for each column that claims.
    holders: Vec<(usize, HashMap<Value, RowId>)>,
}

/// What is to be said about a row's claims and references.
pub struct Claims {
    /// A patient who lies in another bed already.
    pub warning: Option<(&'static str, String)>,
}

impl Known {
    /// A new table begins; these rows are in it already.
    pub fn begin(&mut self, table: &'static Table, there: impl IntoIterator<Item = (RowId, Vec<(usize, Value)>)>) {
        self.seen.clear();
        let claiming = table.columns.iter().filter(|c| c.claim).map(|c| usize::from(c.id.0));
        self.holders = claiming.map(|at| (at, HashMap::new())).collect();
        let rows = self.rows.entry(table.id).or_default();
        for (row, values) in there {
            rows.insert(row);
            for (at, value) in values {
                if let Some((_, holders)) = self.holders.iter_mut().find(|(column, _)| *column == at) {
                    holders.insert(value, row);
                }
            }
        }
    }

    /// Checks a row of the present table and counts it as there.
    pub fn take(&mut self, table: &'static Table, row: &Converted) -> Result<Claims, Bad> {
        if !self.seen.insert(row.id) {
            let key = table.by_id(table.primary_key[0]);
            return Err(Bad::new(key, "is the key of an earlier row of the source"));
        }
        self.check_references(table, row)?;
        let mut claims = Claims { warning: None };
        for (at, holders) in &mut self.holders {
            let (column, value) = (&table.columns[*at], &row.values[*at]);
            match holders
                .get(value)
                .filter(|holder| !value.is_null() && **holder != row.id)
            {
                Some(holder) if column.unique => {
                    let shown = value.to_sql_text().unwrap_or_default();
                    return Err(Bad::new(column, format!("{shown} belongs to row {holder} already")));
                }
                Some(holder) => {
                    let reason = format!("lies in bed {holder} already; the app will ask which one is right");
                    claims.warning = Some((column.name, reason));
                }
                None => {}
            }
        }
        for (at, holders) in &mut self.holders {
            if !row.values[*at].is_null() {
                holders.entry(row.values[*at].clone()).or_insert(row.id);
            }
        }
        if !table.referenced_by.is_empty() {
            self.rows.entry(table.id).or_default().insert(row.id);
        }
        Ok(claims)
    }

    fn check_references(&self, table: &'static Table, row: &Converted) -> Result<(), Bad> {
        for (column, target) in table.columns.iter().filter_map(|c| Some((c, c.references?))) {
            let Value::Uuid(id) = row.get(column) else { continue };
            let there = self.rows.get(&target).is_some_and(|rows| rows.contains(&RowId(*id)));
            if !there {
                let name = Schema::hospital().by_id(target).name;
                return Err(Bad::new(
                    column,
                    format!("refers to a row of {name} that is not there: {id}"),
                ));
            }
        }
        Ok(())
    }

    /// The engine refused it after all.
    pub fn forget(&mut self, table: TableId, row: RowId) {
        self.rows.entry(table).or_default().remove(&row);
        for (_, holders) in &mut self.holders {
            holders.retain(|_, holder| *holder != row);
        }
    }
}
