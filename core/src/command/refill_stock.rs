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
