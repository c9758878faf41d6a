//! Supplies leave the stock.

use crate::{
    command::{
        CommandError, check, declare,
        draft::Draft,
        stock::{self, Movement},
    },
    ids::RowId,
};

declare::command! {
    /// Takes supplies out of stock. Refused if fewer are left.
    pub struct TakeStock {
        pub supply_id: RowId,
        pub quantity: i64,
        pub reference_number: Option<String>,
        pub notes: Option<String>,
    }
}

impl TakeStock {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let supply = draft.named_row("supplies", self.supply_id, "supplyId")?;
        check::positive("quantity", self.quantity)?;
        let (name, unit) = (supply.text("name"), supply.text("unit_of_measure"));
        let left = supply.number("current_stock").unwrap_or(0);
        if self.quantity > left {
            let message =
                format!("Only {left} {unit} of {name} are left. Take at most that, or refill the stock first.");
            return Err(CommandError::invalid("quantity", message));
        }
        let movement = Movement {
            kind: "out",
            quantity: self.quantity,
            change: -self.quantity,
            unit_cost: None,
            reference_number: self.reference_number.as_deref(),
            notes: self.notes.as_deref(),
        };
        stock::record(draft, &supply, &movement)?;
        Ok(format!("Take {} {unit} of {name}", self.quantity))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn the_counter_and_the_record_move_together() {
        let mut ward = Ward::new();
        let plan = ward.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 4 })).unwrap();
        assert_eq!((plan.writes.len(), plan.summary.as_str()), (2, "Take 4 pairs of gloves"));
        assert_eq!(ward.row("supplies", GLOVES).number("current_stock"), Some(6));
        let record = ward.only("inventory_transactions");
        assert_eq!((record.text("transaction_type"), record.number("quantity")), ("out", Some(4)));
        assert_eq!((record.text("unit_cost"), record.text("total_cost")), ("0.25", "1.00"));
        assert!(record.refers_to("performed_by", NURSE));
    }

    #[test]
    fn taking_more_than_is_left_is_refused_with_what_is_left() {
        let error = Ward::new().refusal("takeStock", json!({ "supplyId": GLOVES, "quantity": 11 }));
        assert_eq!(error.field(), Some("quantity"));
        assert!(error.to_string().starts_with("Only 10 pairs of gloves are left."), "{error}");
    }

    #[test]
    fn nothing_and_less_cannot_be_taken() {
        for quantity in [0, -1] {
            let error = Ward::new().refusal("takeStock", json!({ "supplyId": GLOVES, "quantity": quantity }));
            assert_eq!(error.field(), Some("quantity"));
        }
    }
}
