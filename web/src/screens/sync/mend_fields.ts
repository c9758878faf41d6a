/**
 * What can be changed of a refused command: its own values as fields of a form, so that they can be put right and sent
 * again. What a field does not show is sent as it was.
 */
import type { ColumnValue, Command } from '../../engine/generated/commands'
import { toField } from '../../schema/field_value'
import { columnField, field, type FormField } from '../../schema/form_field'
import { findTable, writableColumns } from '../../schema/tables'

const FREE_BED = { required: true, only: `t.status = 'available'` }
const patient = field('patientId', 'patient_queue', 'patient_id', { required: true })
const doctor = (table: string) => field('doctorId', table, 'doctor_id', { only: `t.role = 'doctor'` })
const bed = (name: string, options = {}) =>
  field(name, 'patient_queue', 'target_bed_id', { label: 'Bed', required: true, ...options })
const notes = (table: string) => field('notes', table, 'notes')
const stock = (name: string, column: string, options = {}) =>
  field(name, 'inventory_transactions', column, options)

type Kind = Exclude<Command['type'], 'createRow' | 'editRow' | 'registerPatient'>

const FIELDS: Record<Kind, () => FormField[]> = {
  deleteRow: () => [],
  settleConflict: () => [],
  queuePatient: () => {
    const of = 'patient_queue'
    return [
      patient,
      field('departmentId', of, 'department_id', { required: true }),
      field('priorityLevel', of, 'priority_level', { label: 'Priority' }),
      field('admissionType', of, 'admission_type'),
      field('bedTypeRequired', of, 'bed_type_required', { label: 'Kind of bed' }),
      field('medicalCondition', of, 'medical_condition'),
      doctor(of),
      bed('targetBedId', { label: 'Bed in mind', required: false }),
    ]
  },
  admitPatient: () => [patient, bed('bedId', FREE_BED)],
  transferPatient: () => [
    patient,
    bed('fromBedId', { label: 'From bed' }),
    bed('toBedId', { ...FREE_BED, label: 'To bed' }),
  ],
  dischargePatient: () => {
    const of = 'discharge_reports'
    return [
      patient,
      bed('bedId'),
      field('dischargeCondition', of, 'discharge_condition', { label: 'Condition' }),
      field('dischargeDestination', of, 'discharge_destination', { label: 'Goes to' }),
      field('dischargeInstructions', of, 'discharge_instructions', { label: 'Instructions' }),
      field('followUpRequired', of, 'follow_up_required', { label: 'Follow-up' }),
    ]
  },
  startCleaning: () => [field('staffId', 'staff_assignments', 'staff_id', { label: 'Who cleans' })],
  finishCleaning: () => [
    field('qualityCheckPassed', 'bed_cleaning_tasks', 'quality_check_passed'),
    notes('bed_cleaning_tasks'),
  ],
  bedReady: () => [bed('bedId')],
  recordTreatment: () => {
    const of = 'treatment_records'
    return [
      patient,
      field('treatmentType', of, 'treatment_type', { label: 'Kind', required: true }),
      field('treatmentName', of, 'treatment_name', { label: 'What', required: true }),
      field('dosage', of, 'dosage'),
      field('frequency', of, 'frequency'),
      field('duration', of, 'duration'),
      field('startDate', of, 'start_date', { label: 'Given or started at' }),
      doctor(of),
      field('description', of, 'description'),
      notes(of),
    ]
  },
  assignStaff: () => {
    const of = 'staff_assignments'
    return [
      patient,
      field('staffId', of, 'staff_id', { label: 'Member of staff', required: true }),
      field('assignmentType', of, 'assignment_type', { label: 'As', required: true }),
      field('shift', of, 'shift'),
      field('responsibilities', of, 'responsibilities'),
    ]
  },
  takeStock: () => [
    stock('supplyId', 'supply_id', { required: true }),
    stock('quantity', 'quantity', { label: 'How many', required: true }),
    stock('referenceNumber', 'reference_number', { label: 'Reference' }),
    stock('notes', 'notes'),
  ],
  refillStock: () => [
    stock('supplyId', 'supply_id', { required: true }),
    stock('quantity', 'quantity', { label: 'How many', required: true }),
    stock('unitCost', 'unit_cost'),
    stock('referenceNumber', 'reference_number', { label: 'Reference' }),
    stock('notes', 'notes'),
  ],
  useEquipment: () => {
    const of = 'equipment_usage'
    return [
      field('equipmentId', of, 'equipment_id', { required: true }),
      field('patientId', of, 'patient_id', { required: true }),
      field('staffId', of, 'staff_id', { label: 'By', required: true }),
      field('purpose', of, 'purpose'),
      notes(of),
    ]
  },
  releaseEquipment: () => [notes('equipment_usage')],
  bookAppointment: () => {
    const of = 'appointments'
    return [
      field('patientId', of, 'patient_id', { required: true }),
      { ...doctor(of), column: { ...doctor(of).column, notNull: true } },
      field('departmentId', of, 'department_id', { required: true }),
      field('appointmentDate', of, 'appointment_date', { label: 'When', required: true }),
      field('durationMinutes', of, 'duration_minutes', { label: 'Duration' }),
      field('reason', of, 'reason'),
    ]
  },
  moveAppointment: () => [
    field('appointmentDate', 'appointments', 'appointment_date', { label: 'When', required: true }),
    field('durationMinutes', 'appointments', 'duration_minutes', { label: 'Duration' }),
  ],
  callMeeting: () => {
    const of = 'staff_meetings'
    return [
      field('title', of, 'title', { required: true }),
      field('meetingTime', of, 'meeting_time', { label: 'When', required: true }),
      field('durationMinutes', of, 'duration_minutes', { label: 'Duration' }),
      field('location', of, 'location'),
      field('departmentId', of, 'department_id'),
      field('organizerStaffId', of, 'organizer_id', { label: 'Called by', required: true }),
      field('description', of, 'description'),
    ]
  },
}

/** The table whose columns the command names itself. */
function rowTable(command: Command): string | null {
  if (command.type === 'registerPatient') return 'patients'
  return command.type === 'createRow' || command.type === 'editRow' ? command.table : null
}

/** The values of a command that fields can show, by field. */
function valuesOf(command: Command): Record<string, ColumnValue | undefined> {
  return 'values' in command ? command.values : (command as Record<string, ColumnValue | undefined>)
}

/** The fields of a refused command. `role` is who mends it. */
export function mendFields(command: Command, role: string): FormField[] {
  const table = rowTable(command)
  if (table === null) return FIELDS[command.type as Kind]()
  const known = findTable(table)
  if (!known) return []
  const purpose = command.type === 'editRow' ? 'edit' : 'create'
  const columns = writableColumns(known, role, purpose).filter(
    // Of a row that was edited only what was edited; counts are added to what is there now, as they were.
    (column) => purpose === 'create' || column.name in valuesOf(command),
  )
  return columns.map((column) => ({ ...columnField(column, purpose), counts: false }))
}

/** What the fields are opened with: the values that were refused. */
export function mendOpened(command: Command, fields: readonly FormField[]): Record<string, string> {
  const values = valuesOf(command)
  return Object.fromEntries(fields.map(({ name, column }) => [name, shown(column, values[name])]))
}

function shown(column: FormField['column'], value: ColumnValue | undefined): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'object' && value !== null) return toField(column, JSON.stringify(value))
  return toField(column, value)
}

/** The command to give instead. `seen` are the row's values now, for what is edited. */
export function mended(
  command: Command,
  fields: readonly FormField[],
  values: Record<string, ColumnValue>,
  seen: Record<string, ColumnValue>,
): Command {
  // What a field was emptied of is gone; what no field shows stays.
  const named = new Set(fields.map(({ name }) => name))
  const rest = Object.entries(valuesOf(command)).filter(([name]) => !named.has(name))
  if (!('values' in command)) return { ...Object.fromEntries(rest), ...values } as Command
  const columns = { ...Object.fromEntries(rest), ...values } as Record<string, ColumnValue>
  if (command.type !== 'editRow') return { ...command, values: columns }
  for (const { name } of fields) columns[name] = values[name] ?? null
  return { ...command, values: columns, seen }
}
