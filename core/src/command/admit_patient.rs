//! A patient gets a bed.

use crate::{
    command::{CommandError, bed, declare, draft::Draft, queue, record::Record, words},
    ids::RowId,
};

declare::command! {
    /// Gives a patient a free bed; ends his wait and the bed's turnover.
    pub struct AdmitPatient {
        pub patient_id: RowId,
        pub bed_id: RowId,
        /// The queue entry that this ends; without it the patient's waiting one, if any.
        pub queue_entry_id: Option<RowId>,
    }
}

impl AdmitPatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let bed = draft.named_row("beds", self.bed_id, "bedId")?;
        let (name, place) = (words::person(&patient), words::bed(draft, &bed)?);
        if let Some(present) = bed::of_patient(draft, patient.id())? {
            let present = words::bed(draft, &present)?;
            return Err(CommandError::refused(format!("{name} lies in {present}. Transfer the patient instead.")));
        }
        bed::refuse_unless_free(draft, &bed)?;
        let entry = self.queue_entry(draft, &patient)?;
        bed::occupy(draft, &bed, patient.id(), entry.as_ref())?;
        Ok(format!("Admit {name} to {place}"))
    }

    fn queue_entry(&self, draft: &Draft, patient: &Record) -> Result<Option<Record>, CommandError> {
        let Some(id) = self.queue_entry_id else { return queue::waiting(draft, patient.id()) };
        let entry = draft.named_row("patient_queue", id, "queueEntryId")?;
        if !entry.refers_to("patient_id", patient.id()) {
            let message = format!("This queue entry is not that of {}. Choose the right one.", words::person(patient));
            return Err(CommandError::invalid("queueEntryId", message));
        }
        if !queue::is_waiting(&entry) {
            let message = format!("This queue entry is {} already. Leave it out.", entry.text("status"));
            return Err(CommandError::invalid("queueEntryId", message));
        }
        Ok(Some(entry))
    }
}
