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
            let message = format!("Only {left} {unit} of {name} are left. Take at most that, or refill the stock first.");
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
