//! A cleaning task ends.

use crate::{
    command::{CommandError, declare, draft::Draft, record::Record, turnover},
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Ends a cleaning task. If its quality check did not pass, it has to be done again.
    pub struct FinishCleaning {
        pub task_id: RowId,
        pub quality_check_passed: Option<bool>,
        /// Added to the notes that are there.
        pub notes: Option<String>,
    }
}

impl FinishCleaning {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let task = draft.named_row("bed_cleaning_tasks", self.task_id, "taskId")?;
        let name = task.text("task_name");
        if task.text("status") == "completed" {
            return Err(CommandError::refused(format!("{name} is done already. Choose another task.")));
        }
        let failed = self.quality_check_passed == Some(false);
        self.edit_task(draft, &task, failed)?;
        if let Some(log) = draft.referenced(&task, "turnover_log_id")? {
            turnover::cleaning_starts(draft, &log, None)?;
            let tasks = turnover::tasks(draft, log.id())?;
            if !failed && tasks.iter().all(|t| t.id() == task.id() || t.text("status") == "completed") {
                turnover::cleaning_ends(draft, &log)?;
            }
        }
        Ok(format!("{}: {name}", if failed { "Cleaning to be done again" } else { "Finish cleaning" }))
    }

    fn edit_task(&self, draft: &mut Draft, task: &Record, failed: bool) -> Result<(), CommandError> {
        let now = draft.now();
        let minutes = task.time("started_at").map(|start| now.minutes_since(start));
        let mut values = vec![
            ("status", if failed { "failed" } else { "completed" }.into()),
            ("completed_at", if failed { Value::Null } else { now.into() }),
            ("actual_duration", minutes.into()),
        ];
        values.extend(self.quality_check_passed.map(|passed| ("quality_check_passed", passed.into())));
        values.extend(self.notes.as_deref().map(|notes| ("notes", task.with_line("notes", notes))));
        draft.edit(task, values)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    fn in_cleaning() -> Ward {
        let mut ward = Ward::with_anna_in_bed_1();
        ward.run("dischargePatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        ward
    }

    #[test]
    fn a_task_knows_how_long_it_took() {
        let mut ward = in_cleaning();
        let task = ward.rows("bed_cleaning_tasks")[0].id();
        ward.run("startCleaning", json!({ "taskId": task })).unwrap();
        ward.wait(7);
        ward.run("finishCleaning", json!({ "taskId": task, "notes": "stain", "qualityCheckPassed": true })).unwrap();
        let task = ward.row("bed_cleaning_tasks", task);
        assert_eq!((task.text("status"), task.number("actual_duration")), ("completed", Some(7)));
        assert_eq!(task.text("notes"), "stain");
        assert_eq!(ward.only("bed_turnovers").text("status"), "cleaning");
        assert_eq!(ward.refusal("finishCleaning", json!({ "taskId": task.id() })).code(), "refused");
    }

    #[test]
    fn the_last_task_ends_the_cleaning() {
        let mut ward = in_cleaning();
        ward.clean();
        let (log, turnover) = (ward.only("bed_turnover_logs"), ward.only("bed_turnovers"));
        assert_eq!(log.text("cleaning_status"), "completed");
        assert_eq!(log.time("cleaning_actual_completion"), Some(ward.now));
        assert_eq!(turnover.text("status"), "cleaning_complete");
        assert_eq!(turnover.time("cleaning_end_time"), Some(ward.now));
        assert_eq!(ward.text("beds", BED_1, "status"), "cleaning");
    }

    #[test]
    fn a_failed_check_means_once_more() {
        let mut ward = in_cleaning();
        let task = ward.rows("bed_cleaning_tasks")[0].id();
        ward.run("finishCleaning", json!({ "taskId": task, "qualityCheckPassed": false })).unwrap();
        assert_eq!(ward.text("bed_cleaning_tasks", task, "status"), "failed");
        assert_eq!(ward.refusal("bedReady", json!({ "bedId": BED_1 })).code(), "refused");
        ward.run("startCleaning", json!({ "taskId": task })).unwrap();
        ward.clean();
        ward.run("bedReady", json!({ "bedId": BED_1 })).unwrap();
    }
}
