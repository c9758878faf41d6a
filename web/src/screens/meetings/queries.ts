import type { Query } from '../../schema/row_label'

export type MeetingRow = {
  id: string
  title: string
  description: string | null
  meeting_time: string
  duration_minutes: number | null
  location: string | null
  status: string | null
  organizer: string | null
  department: string | null
  participants: string | null
}

const NAME = `u.last_name || ', ' || u.first_name`

/** Meetings from `since` on, soonest first, or those before it, latest first. */
export function meetings(when: 'coming' | 'past', since: string): Query {
  return {
    sql: `SELECT m.id, m.title, m.description, m.meeting_time, m.duration_minutes, m.location, m.status,
        (SELECT ${NAME} FROM staff AS s JOIN users AS u ON u.id = s.user_id WHERE s.id = m.organizer_id) AS organizer,
        (SELECT d.name FROM departments AS d WHERE d.id = m.department_id) AS department,
        (SELECT group_concat(${NAME}, '; ') FROM staff_meeting_participants AS p
          JOIN staff AS s ON s.id = p.staff_id JOIN users AS u ON u.id = s.user_id
          WHERE p.meeting_id = m.id) AS participants
      FROM staff_meetings AS m
      WHERE m.meeting_time ${when === 'coming' ? '>=' : '<'} ?1
      ORDER BY m.meeting_time ${when === 'coming' ? 'ASC' : 'DESC'} LIMIT 100`,
    parameters: [since],
  }
}
