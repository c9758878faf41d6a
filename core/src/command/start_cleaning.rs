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
