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
