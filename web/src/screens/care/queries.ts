import type { Query } from '../../schema/row_label'

export type MedicationRow = { line: string }

export function activeMedications(patientId: string): Query {
  return {
    sql: `SELECT DISTINCT rtrim(treatment_name || coalesce(', ' || dosage, '') || coalesce(', ' || replace(frequency, '_', ' '), ''), ', ') AS line
      FROM treatment_records
      WHERE patient_id = ?1 AND treatment_type = 'medication' AND status = 'active' ORDER BY 1`,
    parameters: [patientId],
  }
}

export type CleaningTaskRow = {
  id: string
  task_name: string
  task_description: string | null
  status: string | null
  estimated_duration: number | null
  started_at: string | null
  quality_check_passed: number | null
  assigned: string | null
  bed_id: string
  bed_number: string
  bed_status: string | null
  room_number: string
  department: string | null
  priority: string | null
  since: string
  turnover_id: string
}

const TASKS = `SELECT t.id, t.task_name, t.task_description, t.status, t.estimated_duration, t.started_at,
    t.quality_check_passed,
    (SELECT u.last_name || ', ' || u.first_name FROM staff AS s JOIN users AS u ON u.id = s.user_id
      WHERE s.id = t.assigned_staff_id) AS assigned,
    b.id AS bed_id, b.bed_number, b.status AS bed_status, r.room_number, d.name AS department,
    l.priority, l.discharge_started_at AS since, l.id AS turnover_id
  FROM bed_cleaning_tasks AS t
    JOIN bed_turnover_logs AS l ON l.id = t.turnover_log_id
    JOIN beds AS b ON b.id = l.bed_id
    JOIN rooms AS r ON r.id = b.room_id
    LEFT JOIN departments AS d ON d.id = r.department_id
  WHERE coalesce(l.status, 'initiated') <> 'completed' AND l.turnover_completed_at IS NULL`

const ORDER = `CASE l.priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'low' THEN 3 ELSE 2 END,
  l.discharge_started_at, l.id, t.task_name, t.id`

/** The tasks of all turnovers that are not over, most urgent first. */
export function openCleaning(department: string): Query {
  return {
    sql: `${TASKS} AND (?1 = 'all' OR r.department_id = ?1) ORDER BY ${ORDER} LIMIT 1000`,
    parameters: [department],
  }
}

export function cleaningOfBed(bedId: string): Query {
  return { sql: `${TASKS} AND l.bed_id = ?1 ORDER BY ${ORDER}`, parameters: [bedId] }
}
