import type { Query } from '../../schema/row_label'

export type BedRow = {
  id: string
  bed_number: string
  bed_type: string | null
  status: string | null
  admission_date: string | null
  notes: string | null
  room_id: string
  room_number: string
  room_type: string | null
  floor_number: number | null
  department: string | null
  patient_id: string | null
  patient: string | null
  patient_number: string | null
  date_of_birth: string | null
  allergies: string | null
  staff: string | null
}

export type DepartmentRow = { id: string; name: string }

/** Who cares for a bed's patient: assigned to the bed, or to the patient who lies in it. `?now` is a wire time. */
function staffOfBeds(now: string): string {
  const name = `u.last_name || ', ' || u.first_name AS name`
  return `SELECT bed_id, group_concat(name, '; ') AS staff FROM (
    SELECT a.bed_id, ${name} FROM bed_staff_assignments AS a
      JOIN staff AS s ON s.id = a.staff_id JOIN users AS u ON u.id = s.user_id
      WHERE a.status = 'active' AND a.released_at IS NULL
    UNION
    SELECT b.id, ${name} FROM staff_assignments AS a JOIN beds AS b ON b.patient_id = a.patient_id
      JOIN staff AS s ON s.id = a.staff_id JOIN users AS u ON u.id = s.user_id
      WHERE a.end_date IS NULL OR a.end_date > ${now}
  ) GROUP BY bed_id`
}

const BEDS = `SELECT b.id, b.bed_number, b.bed_type, b.status, b.admission_date, b.notes,
    r.id AS room_id, r.room_number, r.room_type, r.floor_number, d.name AS department,
    b.patient_id, p.last_name || ', ' || p.first_name AS patient, p.patient_number, p.date_of_birth, p.allergies,
    c.staff
  FROM beds AS b JOIN rooms AS r ON r.id = b.room_id
    LEFT JOIN departments AS d ON d.id = r.department_id
    LEFT JOIN patients AS p ON p.id = b.patient_id
    LEFT JOIN (${staffOfBeds('?2')}) AS c ON c.bed_id = b.id`

/** The beds of a department (or of `all`), room by room. */
export function bedsOf(department: string, now: string): Query {
  return {
    sql: `${BEDS} WHERE ?1 = 'all' OR r.department_id = ?1
      ORDER BY d.name, length(r.room_number), r.room_number, length(b.bed_number), b.bed_number`,
    parameters: [department, now],
  }
}

export function oneBed(id: string, now: string): Query {
  return { sql: `${BEDS} WHERE b.id = ?1`, parameters: [id, now] }
}

export function departmentsWithBeds(): Query {
  return {
    sql: `SELECT d.id, d.name FROM departments AS d
      WHERE EXISTS (SELECT 1 FROM rooms AS r JOIN beds AS b ON b.room_id = r.id WHERE r.department_id = d.id)
      ORDER BY d.name`,
    parameters: [],
  }
}

export type OwnStaffRow = { id: string; department_id: string | null }

/** The staff row of the person at this device. */
export function ownStaff(userId: string): Query {
  return { sql: 'SELECT id, department_id FROM staff WHERE user_id = ?1 LIMIT 1', parameters: [userId] }
}

export type WaitingRow = {
  id: string
  patient_id: string
  patient: string
  patient_number: string
  priority_level: string | null
  medical_condition: string | null
  bed_type_required: string | null
  queue_position: number
}

/** Who waits for a bed, most urgent first. */
export function waitingForBed(limit: number): Query {
  return {
    sql: `SELECT q.id, q.patient_id, p.last_name || ', ' || p.first_name AS patient, p.patient_number,
        q.priority_level, q.medical_condition, q.bed_type_required, q.queue_position
      FROM patient_queue AS q JOIN patients AS p ON p.id = q.patient_id
      WHERE q.status IN ('waiting', 'assigned')
      ORDER BY CASE q.priority_level WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'low' THEN 3 ELSE 2 END,
        q.queue_position LIMIT ${limit}`,
    parameters: [],
  }
}
