//! Supplies come into the stock.

use crate::{
    command::{
        CommandError, check, declare,
        draft::Draft,
        stock::{self, Movement},
    },
    ids::RowId,
};

declare::command! {
    /// Puts supplies into stock.
    pub struct RefillStock {
        pub supply_id: RowId,
        pub quantity: i64,
        /// What one unit has cost; without it the supply's usual cost.
        pub unit_cost: Option<String>,
        pub reference_number: Option<String>,
        pub notes: Option<String>,
    }
}

impl RefillStock {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let supply = draft.named_row("supplies", self.supply_id, "supplyId")?;
        check::positive("quantity", self.quantity)?;
        let movement = Movement {
            kind: "in",
            quantity: self.quantity,
            change: self.quantity,
            unit_cost: self.unit_cost.as_deref(),
            reference_number: self.reference_number.as_deref(),
            notes: self.notes.as_deref(),
        };
        stock::record(draft, &supply, &movement)?;
        let (name, unit) = (supply.text("name"), supply.text("unit_of_measure"));
        Ok(format!("Refill {} {unit} of {name}", self.quantity))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn a_refill_counts_up_at_its_own_price() {
        let mut ward = Ward::new();
        let command = json!({ "supplyId": GLOVES, "quantity": 100, "unitCost": "0.3", "referenceNumber": "INV-7" });
        ward.run("refillStock", command).unwrap();
        assert_eq!(ward.row("supplies", GLOVES).number("current_stock"), Some(110));
        let record = ward.only("inventory_transactions");
        assert_eq!((record.text("unit_cost"), record.text("total_cost")), ("0.30", "30.00"));
        assert_eq!((record.text("transaction_type"), record.text("reference_number")), ("in", "INV-7"));
    }

    #[test]
    fn a_price_that_is_none_names_its_field() {
        let command = json!({ "supplyId": GLOVES, "quantity": 1, "unitCost": "cheap" });
        assert_eq!(Ward::new().refusal("refillStock", command).field(), Some("unitCost"));
    }

    #[test]
    fn a_stock_beyond_what_the_counter_holds_is_refused() {
        let command = json!({ "supplyId": GLOVES, "quantity": i64::from(i32::MAX) });
        assert_eq!(Ward::new().refusal("refillStock", command).code(), "invalid");
    }
}
