import { dayBounds } from '../../format/time'
import type { Query } from '../../schema/row_label'

export type AppointmentRow = {
  id: string
  patient_id: string
  patient: string
  doctor: string | null
  department: string | null
  appointment_date: string
  duration_minutes: number | null
  status: string | null
  reason: string | null
  notes: string | null
}

const APPOINTMENTS = `SELECT a.id, a.patient_id, p.last_name || ', ' || p.first_name AS patient,
    (SELECT u.last_name || ', ' || u.first_name FROM users AS u WHERE u.id = a.doctor_id) AS doctor,
    d.name AS department, a.appointment_date, a.duration_minutes, a.status, a.reason, a.notes
  FROM appointments AS a JOIN patients AS p ON p.id = a.patient_id
    LEFT JOIN departments AS d ON d.id = a.department_id`

/** A day's appointments; `day` is the local day, and so are its bounds. */
export function appointmentsOf(day: string, department: string): Query {
  const [from, until] = dayBounds(day)
  return {
    sql: `${APPOINTMENTS}
      WHERE a.appointment_date >= ?1 AND a.appointment_date < ?2 AND (?3 = 'all' OR a.department_id = ?3)
      ORDER BY a.appointment_date, patient LIMIT 1000`,
    parameters: [from, until, department],
  }
}

export function oneAppointment(id: string): Query {
  return { sql: `${APPOINTMENTS} WHERE a.id = ?1`, parameters: [id] }
}
