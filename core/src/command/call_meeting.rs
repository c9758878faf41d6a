//! A meeting is called.

use std::collections::BTreeSet;

use crate::{
    command::{CommandError, check, declare, draft::Draft, words},
    ids::RowId,
};

declare::command! {
    /// Calls a meeting of staff.
    pub struct CallMeeting {
        pub title: String,
        pub meeting_time: String,
        pub duration_minutes: Option<i64>,
        pub location: Option<String>,
        pub description: Option<String>,
        pub department_id: Option<RowId>,
        pub organizer_staff_id: RowId,
        /// At least one.
        pub participant_staff_ids: Vec<RowId>,
    }
}

impl CallMeeting {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let organizer = draft.named_row("staff", self.organizer_staff_id, "organizerStaffId")?;
        let mut participants: BTreeSet<RowId> = BTreeSet::new();
        participants.extend(&self.participant_staff_ids);
        if participants.is_empty() {
            return Err(CommandError::invalid("participantStaffIds", "Choose at least one participant."));
        }
        let start = check::time("staff_meetings", "meeting_time", &self.meeting_time)?;
        self.duration_minutes.map_or(Ok(()), |minutes| check::positive("duration_minutes", minutes))?;
        let values = vec![
            ("title", self.title.as_str().into()),
            ("description", self.description.as_deref().into()),
            ("meeting_time", start.into()),
            ("duration_minutes", self.duration_minutes.into()),
            ("location", self.location.as_deref().into()),
            ("organizer_id", organizer.id().into()),
            ("department_id", self.department_id.into()),
            ("status", "scheduled".into()),
        ];
        let meeting = draft.create("staff_meetings", values)?;
        for participant in &participants {
            let staff = draft.named_row("staff", *participant, "participantStaffIds")?;
            let values = vec![("meeting_id", meeting.into()), ("staff_id", staff.id().into())];
            draft.create("staff_meeting_participants", values)?;
        }
        Ok(format!(
            "Call {} with {} on {}",
            self.title,
            words::count("staff", participants.len()),
            words::minute(start)
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn each_participant_is_called_once() {
        let mut ward = Ward::new();
        let command = json!({ "title": "Handover", "meetingTime": "2026-02-01T06:00:00Z", "durationMinutes": 15,
                              "organizerStaffId": DOCTOR_STAFF,
                              "participantStaffIds": [NURSE_STAFF, DOCTOR_STAFF, NURSE_STAFF] });
        let plan = ward.run("callMeeting", command).unwrap();
        assert_eq!(plan.summary, "Call Handover with 2 members of staff on 2026-02-01 06:00 UTC");
        assert_eq!(ward.only("staff_meetings").text("status"), "scheduled");
        assert_eq!(ward.rows("staff_meeting_participants").len(), 2);
    }

    #[test]
    fn a_meeting_needs_somebody_to_meet() {
        let command = json!({ "title": "Handover", "meetingTime": "2026-02-01T06:00:00Z",
                              "organizerStaffId": DOCTOR_STAFF, "participantStaffIds": [] });
        assert_eq!(Ward::new().refusal("callMeeting", command).field(), Some("participantStaffIds"));
    }
}
