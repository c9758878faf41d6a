import { likeWhere } from '../../schema/like'
import type { Query } from '../../schema/row_label'

export type PatientRow = {
  id: string
  patient: string
  patient_number: string
  date_of_birth: string
  gender: string | null
  allergies: string | null
  bed_number: string | null
  room_number: string | null
}

const PAGE = 60

/** Patients by name or number, in the order of names. */
export function findPatients(text: string): Query {
  const like = likeWhere(['p.last_name', 'p.first_name', 'p.patient_number'], text)
  return {
    sql: `SELECT p.id, p.last_name || ', ' || p.first_name AS patient, p.patient_number, p.date_of_birth, p.gender,
        p.allergies, b.bed_number, r.room_number
      FROM (SELECT * FROM patients AS p WHERE ${like.where} ORDER BY p.last_name, p.first_name, p.id LIMIT ${PAGE}) AS p
        LEFT JOIN beds AS b ON b.patient_id = p.id LEFT JOIN rooms AS r ON r.id = b.room_id
      ORDER BY p.last_name, p.first_name, p.id`,
    parameters: like.parameters,
  }
}

export { PAGE as PATIENTS_SHOWN }

export type PlaceRow = {
  bed_id: string
  bed_number: string
  room_number: string
  admission_date: string | null
}

export function placeOf(patientId: string): Query {
  return {
    sql: `SELECT b.id AS bed_id, b.bed_number, r.room_number, b.admission_date
      FROM beds AS b JOIN rooms AS r ON r.id = b.room_id WHERE b.patient_id = ?1`,
    parameters: [patientId],
  }
}

export type WaitRow = {
  id: string
  department: string
  priority_level: string | null
  queue_position: number
}

export function waitOf(patientId: string): Query {
  return {
    sql: `SELECT q.id, d.name AS department, q.priority_level, q.queue_position
      FROM patient_queue AS q JOIN departments AS d ON d.id = q.department_id
      WHERE q.patient_id = ?1 AND coalesce(q.status, 'waiting') IN ('waiting', 'assigned')`,
    parameters: [patientId],
  }
}

/** A line of a chart's list. `table` and `id` lead to the whole row. */
export type ChartLine = {
  id: string
  title: string
  detail: string | null
  time: string | null
  state: string | null
}

const user = (key: string) =>
  `(SELECT u.last_name || ', ' || u.first_name FROM users AS u WHERE u.id = ${key})`
const staff = (key: string) =>
  `(SELECT u.last_name || ', ' || u.first_name FROM staff AS s JOIN users AS u ON u.id = s.user_id WHERE s.id = ${key})`
const joined = (...parts: string[]) =>
  `trim(${parts.map((part) => `coalesce(${part} || ' · ', '')`).join(' || ')}, ' ·')`

/** The lists of a chart: what a patient has in each table, newest first. */
export const CHART: Record<string, { title: string; table: string; empty: string; sql: string }> = {
  treatments: {
    title: 'Treatments',
    table: 'treatment_records',
    empty: 'No treatment recorded.',
    sql: `SELECT t.id, t.treatment_name AS title,
        ${joined('t.dosage', `replace(t.frequency, '_', ' ')`, `replace(t.duration, '_', ' ')`, user('t.doctor_id'))} AS detail,
        t.start_date AS time, t.status AS state
      FROM treatment_records AS t WHERE t.patient_id = ?1 ORDER BY t.start_date DESC LIMIT 200`,
  },
  team: {
    title: 'Care team',
    table: 'staff_assignments',
    empty: 'Nobody is assigned.',
    sql: `SELECT t.id, ${staff('t.staff_id')} AS title,
        ${joined(`replace(t.assignment_type, '_', ' ')`, 't.shift', 't.responsibilities')} AS detail,
        t.start_date AS time, CASE WHEN t.end_date IS NULL THEN 'active' ELSE 'completed' END AS state
      FROM staff_assignments AS t WHERE t.patient_id = ?1 ORDER BY t.start_date DESC LIMIT 200`,
  },
  equipment: {
    title: 'Equipment',
    table: 'equipment_usage',
    empty: 'No equipment used.',
    sql: `SELECT t.id, e.name AS title, ${joined('e.equipment_id', 't.purpose', staff('t.staff_id'))} AS detail,
        t.start_time AS time, t.status AS state
      FROM equipment_usage AS t JOIN equipment AS e ON e.id = t.equipment_id
      WHERE t.patient_id = ?1 ORDER BY t.start_time DESC LIMIT 200`,
  },
  appointments: {
    title: 'Appointments',
    table: 'appointments',
    empty: 'No appointment.',
    sql: `SELECT t.id, coalesce(t.reason, 'Appointment') AS title,
        ${joined(user('t.doctor_id'), 'd.name')} AS detail, t.appointment_date AS time, t.status AS state
      FROM appointments AS t LEFT JOIN departments AS d ON d.id = t.department_id
      WHERE t.patient_id = ?1 ORDER BY t.appointment_date DESC LIMIT 200`,
  },
  documents: {
    title: 'Documents',
    table: 'medical_documents',
    empty: 'No document.',
    sql: `SELECT t.id, t.file_name AS title, replace(t.document_type, '_', ' ') AS detail,
        t.upload_date AS time, t.processing_status AS state
      FROM medical_documents AS t WHERE t.patient_id = ?1 ORDER BY t.upload_date DESC LIMIT 200`,
  },
  discharges: {
    title: 'Discharges',
    table: 'discharge_reports',
    empty: 'No discharge report.',
    sql: `SELECT t.id, t.report_number AS title,
        ${joined(`'to ' || replace(t.discharge_destination, '_', ' ')`, 't.follow_up_required', user('t.generated_by'))} AS detail,
        t.discharge_date AS time, t.discharge_condition AS state
      FROM discharge_reports AS t WHERE t.patient_id = ?1 ORDER BY t.discharge_date DESC LIMIT 200`,
  },
}
