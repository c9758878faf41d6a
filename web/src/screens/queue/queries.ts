import type { Query } from '../../schema/row_label'

export type QueueRow = {
  id: string
  patient_id: string
  patient: string
  patient_number: string
  date_of_birth: string
  allergies: string | null
  department: string
  queue_position: number
  priority_level: string | null
  admission_type: string | null
  bed_type_required: string | null
  medical_condition: string | null
  queue_entry_time: string | null
  status: string | null
  doctor: string | null
}

/** Who waits, most urgent first, then by position. */
export function queueOf(department: string): Query {
  return {
    sql: `SELECT q.id, q.patient_id, p.last_name || ', ' || p.first_name AS patient, p.patient_number,
        p.date_of_birth, p.allergies, d.name AS department, q.queue_position, q.priority_level, q.admission_type,
        q.bed_type_required, q.medical_condition, q.queue_entry_time, q.status,
        (SELECT u.last_name || ', ' || u.first_name FROM users AS u WHERE u.id = q.doctor_id) AS doctor
      FROM patient_queue AS q
        JOIN patients AS p ON p.id = q.patient_id
        JOIN departments AS d ON d.id = q.department_id
      WHERE coalesce(q.status, 'waiting') IN ('waiting', 'assigned') AND (?1 = 'all' OR q.department_id = ?1)
      ORDER BY CASE q.priority_level WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'low' THEN 3 ELSE 2 END,
        q.queue_position, q.queue_entry_time LIMIT 500`,
    parameters: [department],
  }
}
