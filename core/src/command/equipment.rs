//! Equipment in use.

use crate::command::{CommandError, draft::Draft, record::Record};

/// True until the use has ended.
pub(super) fn is_in_use(usage: &Record) -> bool {
    usage.is_null("end_time") && !matches!(usage.text("status"), "completed" | "interrupted")
}

/// The use ends now.
pub(super) fn end_usage(draft: &mut Draft, usage: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    draft.edit(
        usage,
        vec![
            ("end_time", now.into()),
            (
                "duration_minutes",
                usage.time("start_time").map(|start| now.minutes_since(start)).into(),
            ),
            ("status", "completed".into()),
        ],
    )
}

/// Nobody uses it any more. Equipment that somebody has put under maintenance stays there.
pub(super) fn make_available(draft: &mut Draft, piece: &Record) -> Result<(), CommandError> {
    if piece.text("status") == "in_use" {
        draft.edit(piece, vec![("status", "available".into())])?;
    }
    Ok(())
}
