//! A bed is ready for the next patient.

use crate::{
    command::{CommandError, declare, draft::Draft, turnover, words},
    ids::RowId,
};

declare::command! {
    /// Declares a cleaned or repaired bed ready for the next patient. Refused while cleaning tasks are open.
    pub struct BedReady {
        pub bed_id: RowId,
    }
}

impl BedReady {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let bed = draft.named_row("beds", self.bed_id, "bedId")?;
        let place = words::bed(draft, &bed)?;
        if bed.reference("patient_id").is_some() {
            let patient = words::patient(draft, bed.reference("patient_id"))?;
            let message = format!("{patient} lies in {place}. Discharge or transfer the patient first.");
            return Err(CommandError::refused(message));
        }
        if bed.text("status") == "available" {
            let place = words::capitalised(&place);
            return Err(CommandError::refused(format!("{place} is available already. There is nothing to do.")));
        }
        turnover::refuse_unless_tasks_done(draft, &bed)?;
        draft.edit(&bed, vec![("status", "available".into())])?;
        turnover::ready(draft, &bed)?;
        Ok(format!("{} is ready", words::capitalised(&place)))
    }
}
