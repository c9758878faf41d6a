//! Supplies: each movement is written down, and the counter moves with it.

use crate::{
    command::{CommandError, check, draft::Draft, record::Record},
    ids::RowId,
    value::Value,
};

/// A movement of stock.
pub(super) struct Movement<'c> {
    /// `in`, `out` or `adjustment`
    pub kind: &'static str,
    /// What is written down; positive except for an adjustment downwards.
    pub quantity: i64,
    /// What the counter changes by.
    pub change: i64,
    /// Per unit; the supply's own where none is given.
    pub unit_cost: Option<&'c str>,
    pub reference_number: Option<&'c str>,
    pub notes: Option<&'c str>,
}

/// Writes the movement and moves the counter.
pub(super) fn record(draft: &mut Draft, supply: &Record, movement: &Movement) -> Result<RowId, CommandError> {
    let unit_cost = match movement.unit_cost {
        Some(cost) => check::parse("inventory_transactions", "unit_cost", Some(cost))?,
        None => supply.get("unit_cost").clone(),
    };
    let counter = supply.table.expect("current_stock");
    draft.add(supply, counter, movement.change)?;
    let (now, user) = (draft.now(), draft.maker.user);
    let values = vec![
        ("supply_id", supply.id().into()),
        ("transaction_type", movement.kind.into()),
        ("quantity", movement.quantity.into()),
        ("total_cost", total(&unit_cost, movement.quantity)),
        ("unit_cost", unit_cost),
        ("reference_number", movement.reference_number.into()),
        ("notes", movement.notes.into()),
        ("performed_by", user.into()),
        ("transaction_date", now.into()),
    ];
    draft.create("inventory_transactions", values)
}

/// Both columns have two places, so the product is counted in hundredths.
fn total(unit_cost: &Value, quantity: i64) -> Value {
    let Value::Text(cost) = unit_cost else {
        return Value::Null;
    };
    let Ok(hundredths) = cost.replacen('.', "", 1).parse::<i128>() else {
        return Value::Null;
    };
    let product = hundredths * i128::from(quantity);
    let (sign, size) = (if product < 0 { "-" } else { "" }, product.unsigned_abs());
    format!("{sign}{}.{:02}", size / 100, size % 100).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_exact() {
        assert_eq!(total(&"12.50".into(), 3), "37.50".into());
        assert_eq!(total(&"0.05".into(), -1), "-0.05".into());
        assert_eq!(total(&Value::Null, 3), Value::Null);
    }
}
