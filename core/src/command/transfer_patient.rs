//! A patient moves to another bed.

use crate::{
    command::{
        CommandError, bed, declare,
        draft::Draft,
        queue,
        stay::Stay,
        turnover::{self, Released},
        words,
    },
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Moves a patient to another free bed, with staff and equipment; the old bed goes into cleaning.
    pub struct TransferPatient {
        pub patient_id: RowId,
        pub from_bed_id: RowId,
        pub to_bed_id: RowId,
    }
}

impl TransferPatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let from = draft.named_row("beds", self.from_bed_id, "fromBedId")?;
        let to = draft.named_row("beds", self.to_bed_id, "toBedId")?;
        let (name, old, new) = (words::person(&patient), words::bed(draft, &from)?, words::bed(draft, &to)?);
        if from.id() == to.id() {
            return Err(CommandError::invalid("toBedId", format!("{name} lies in {new} already. Choose another bed.")));
        }
        bed::refuse_unless_lies_in(draft, &from, &patient)?;
        bed::refuse_unless_free(draft, &to)?;
        let stay = Stay::of_patient(draft, patient.id())?;
        stay.move_to(draft, to.id())?;
        bed::vacate(draft, &from)?;
        turnover::open(draft, &from, patient.id(), &Released::default())?;
        let entry = queue::waiting(draft, patient.id())?;
        bed::occupy(draft, &to, patient.id(), entry.as_ref())?;
        if let admission @ Value::Timestamp(_) = from.get("admission_date") {
            // The stay goes on: its length counts from the first bed.
            draft.edit(&to, vec![("admission_date", admission.clone())])?;
        }
        Ok(format!("Transfer {name} from {old} to {new}"))
    }
}
