//! A cleaning task begins.

use crate::{
    command::{CommandError, declare, draft::Draft, turnover, words},
    ids::RowId,
};

declare::command! {
    /// Begins a cleaning task, or begins one anew that has failed its check.
    pub struct StartCleaning {
        pub task_id: RowId,
        /// Who cleans; without it the person who gives the command.
        pub staff_id: Option<RowId>,
    }
}

impl StartCleaning {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let task = draft.named_row("bed_cleaning_tasks", self.task_id, "taskId")?;
        let name = task.text("task_name");
        match task.text("status") {
            "completed" => {
                return Err(CommandError::refused(format!("{name} is done already. Choose another task.")));
            }
            "in_progress" => {
                let cleaner = draft.referenced(&task, "assigned_staff_id")?;
                let who = cleaner.map(|c| words::staff(draft, &c)).transpose()?.unwrap_or_else(|| "somebody".into());
                return Err(CommandError::refused(format!("{who} is at it: {name}. Choose another task.")));
            }
            _ => {}
        }
        let cleaner = match self.staff_id {
            Some(id) => Some(draft.named_row("staff", id, "staffId")?),
            None => draft.maker_as_staff()?,
        };
        let now = draft.now();
        let mut values = vec![("status", "in_progress".into()), ("started_at", now.into())];
        values.extend(cleaner.as_ref().map(|cleaner| ("assigned_staff_id", cleaner.id().into())));
        draft.edit(&task, values)?;
        if let Some(log) = draft.referenced(&task, "turnover_log_id")? {
            turnover::cleaning_starts(draft, &log, cleaner.as_ref())?;
        }
        Ok(format!("Start cleaning: {name}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn the_first_task_starts_the_cleaning() {
        let mut ward = Ward::with_anna_in_bed_1();
        ward.run("dischargePatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        ward.wait(5);
        let task = ward.rows("bed_cleaning_tasks")[0].id();
        ward.run("startCleaning", json!({ "taskId": task })).unwrap();
        let task = ward.row("bed_cleaning_tasks", task);
        assert_eq!((task.text("status"), task.time("started_at")), ("in_progress", Some(ward.now)));
        assert!(task.refers_to("assigned_staff_id", NURSE_STAFF));
        let log = ward.only("bed_turnover_logs");
        assert_eq!((log.text("status"), log.text("cleaning_status")), ("in_progress", "in_progress"));
        assert_eq!(log.time("cleaning_started_at"), Some(ward.now));
        let end = log.time("cleaning_estimated_completion").unwrap();
        assert_eq!(end.minutes_since(ward.now), 45);
        let turnover = ward.only("bed_turnovers");
        assert_eq!(turnover.text("status"), "cleaning");
        assert!(turnover.refers_to("assigned_cleaner_id", NURSE));

        let error = ward.refusal("startCleaning", json!({ "taskId": task.id() }));
        assert!(error.to_string().starts_with("Nora Berg is at it"), "{error}");
    }
}
