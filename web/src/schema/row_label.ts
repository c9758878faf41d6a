/**
 * What a row is called: in pickers, lists and conflicts. Expressions stand alone (joins are subqueries), so that they can be
 * put into any query for any row alias.
 */
import type { SqlValue } from '../engine/port'
import type { Table } from '../engine/generated/schema'
import { likeWhere } from './like'
import { rowIdSql, rowIdWhere } from './row_id'
import { tableOf } from './tables'

interface Label {
  label: (row: string) => string
  detail?: (row: string) => string
  /** Expressions that a search looks into; the label's own columns if absent. */
  search?: (row: string) => string[]
}

const person = (row: string) => `${row}.last_name || ', ' || ${row}.first_name`
const column = (name: string) => (row: string) => `${row}.${name}`
const through = (table: string, key: string, value: (row: string) => string) => (row: string) =>
  `(SELECT ${value('far')} FROM ${table} AS far WHERE far.id = ${row}.${key})`
const day = (name: string) => (row: string) => `substr(${row}.${name}, 1, 10)`
const bed = (row: string) => `'Bed ' || ${row}.bed_number`

const LABELS: Record<string, Label> = {
  patients: {
    label: person,
    detail: column('patient_number'),
    search: (row) => [`${row}.last_name`, `${row}.first_name`, `${row}.patient_number`],
  },
  users: {
    label: person,
    detail: column('role'),
    search: (row) => [`${row}.last_name`, `${row}.first_name`, `${row}.username`],
  },
  staff: { label: through('users', 'user_id', person), detail: column('position') },
  departments: { label: column('name') },
  rooms: { label: (row) => `'Room ' || ${row}.room_number`, detail: column('room_type') },
  beds: {
    label: bed,
    detail: (row) => `${through('rooms', 'room_id', (far) => `'Room ' || ${far}.room_number`)(row)}`,
  },
  appointments: { label: through('patients', 'patient_id', person), detail: day('appointment_date') },
  equipment: { label: column('name'), detail: column('equipment_id') },
  equipment_categories: { label: column('name') },
  supplies: { label: column('name'), detail: column('item_code') },
  supply_categories: { label: column('name') },
  inventory_transactions: {
    label: through('supplies', 'supply_id', column('name')),
    detail: day('transaction_date'),
  },
  medical_documents: { label: column('file_name'), detail: column('document_type') },
  extracted_medical_data: { label: column('entity_name'), detail: column('data_type') },
  document_embeddings: { label: through('medical_documents', 'document_id', column('file_name')) },
  discharge_reports: { label: column('report_number'), detail: through('patients', 'patient_id', person) },
  treatment_records: { label: column('treatment_name'), detail: through('patients', 'patient_id', person) },
  equipment_usage: {
    label: through('equipment', 'equipment_id', column('name')),
    detail: through('patients', 'patient_id', person),
  },
  staff_assignments: {
    label: through('patients', 'patient_id', person),
    detail: column('assignment_type'),
  },
  staff_interactions: { label: column('staff_name'), detail: column('interaction_type') },
  agent_interactions: { label: column('agent_type'), detail: column('query') },
  meetings: { label: column('title'), detail: day('meeting_datetime') },
  meeting_participants: { label: through('meetings', 'meeting_id', column('title')) },
  staff_meetings: { label: column('title'), detail: day('meeting_time') },
  staff_meeting_participants: { label: through('staff_meetings', 'meeting_id', column('title')) },
  patient_queue: { label: through('patients', 'patient_id', person), detail: column('status') },
  bed_cleaning_tasks: { label: column('task_name'), detail: column('status') },
  bed_equipment_assignments: {
    label: through('equipment', 'equipment_id', column('name')),
    detail: through('beds', 'bed_id', bed),
  },
  bed_staff_assignments: { label: through('beds', 'bed_id', bed), detail: column('assignment_type') },
  bed_turnover_logs: { label: through('beds', 'bed_id', bed), detail: day('discharge_started_at') },
  bed_turnovers: { label: through('beds', 'bed_id', bed), detail: day('discharge_time') },
  equipment_turnovers: {
    label: through('equipment', 'equipment_id', column('name')),
    detail: column('status'),
  },
  legacy_users: { label: column('name'), detail: column('email') },
}

/** A table that a newer schema brought along is called by its first words, or by its key. */
function labelOf(table: Table): Label {
  const known = LABELS[table.name]
  if (known) return known
  const first = table.columns.find((candidate) => candidate.type === 'text' && candidate.notNull)
  return { label: first ? column(first.name) : (row) => rowIdSql(table, row) }
}

export function labelSql(table: string, row: string): string {
  return `(${labelOf(tableOf(table)).label(row)})`
}

export function detailSql(table: string, row: string): string {
  return `(${labelOf(tableOf(table)).detail?.(row) ?? 'NULL'})`
}

export function searchSql(table: string, row: string): string[] {
  const label = labelOf(tableOf(table))
  return label.search?.(row) ?? [labelSql(table, row), ...(label.detail ? [detailSql(table, row)] : [])]
}

export interface Query {
  sql: string
  parameters: SqlValue[]
}

export type LabelledRow = { id: string; label: string; detail: string | null }

/** Rows of a table by what a person typed: for pickers. `where` narrows them further (row alias `t`). */
export function searchRows(table: string, text: string, limit: number, where = '1'): Query {
  const like = likeWhere(searchSql(table, 't'), text)
  return {
    sql: `SELECT ${rowIdSql(tableOf(table), 't')} AS id, ${labelSql(table, 't')} AS label, ${detailSql(table, 't')} AS detail
      FROM ${table} AS t WHERE ${like.where} AND (${where}) ORDER BY label LIMIT ${limit}`,
    parameters: like.parameters,
  }
}

export function labelledRow(table: string, id: string): Query {
  const { where, parameters } = rowIdWhere(tableOf(table), 't', id)
  return {
    sql: `SELECT ${rowIdSql(tableOf(table), 't')} AS id, ${labelSql(table, 't')} AS label, ${detailSql(table, 't')} AS detail
      FROM ${table} AS t WHERE ${where}`,
    parameters,
  }
}
