import { describe, expect, it } from 'vitest'
import type { Command } from '../../engine/generated/commands'
import { fromField } from '../../schema/field_value'
import { mended, mendFields, mendOpened } from './mend_fields'

const ID = '01900000-0000-7000-8000-000000000001'
const OTHER = '01900000-0000-7000-8000-000000000002'

/** What the form gives when nothing but `typed` is changed in it. */
function fill(command: Command, typed: Record<string, string> = {}) {
  const fields = mendFields(command, 'nurse')
  const shown = { ...mendOpened(command, fields), ...typed }
  const values = Object.fromEntries(
    fields.flatMap(({ name, column }) => {
      const read = fromField(column, shown[name] ?? '')
      if (!read.ok) throw new Error(`${name}: ${read.problem}`)
      return read.value === null ? [] : [[name, read.value]]
    }),
  )
  return { fields, shown, again: mended(command, fields, values, {}) }
}

/** One of each that a device gives, with values in all parts that its form shows. */
const COMMANDS: Command[] = [
  { type: 'createRow', table: 'departments', values: { name: 'Night ward' } },
  {
    type: 'registerPatient',
    values: { first_name: 'A', last_name: 'B', date_of_birth: '1990-01-01', patient_number: 'P-1' },
  },
  { type: 'deleteRow', table: 'departments', id: ID },
  { type: 'queuePatient', patientId: ID, departmentId: OTHER, priorityLevel: 'urgent', doctorId: ID },
  { type: 'admitPatient', patientId: ID, bedId: OTHER, queueEntryId: ID },
  { type: 'transferPatient', patientId: ID, fromBedId: ID, toBedId: OTHER },
  {
    type: 'dischargePatient',
    patientId: ID,
    bedId: OTHER,
    dischargeCondition: 'improved',
    medications: ['x'],
  },
  { type: 'startCleaning', taskId: ID, staffId: OTHER },
  { type: 'finishCleaning', taskId: ID, qualityCheckPassed: false, notes: 'again' },
  { type: 'bedReady', bedId: ID },
  {
    type: 'recordTreatment',
    patientId: ID,
    treatmentType: 'medication',
    treatmentName: 'Metamizole',
    dosage: '500 mg',
    startDate: '2026-01-31T12:00:00.000000Z',
    bedId: OTHER,
  },
  { type: 'assignStaff', patientId: ID, staffId: OTHER, assignmentType: 'primary_care' },
  { type: 'takeStock', supplyId: ID, quantity: 3, notes: 'ward 2' },
  { type: 'refillStock', supplyId: ID, quantity: 3, unitCost: '1.50' },
  { type: 'useEquipment', equipmentId: ID, patientId: OTHER, staffId: ID, bedId: OTHER },
  { type: 'releaseEquipment', usageId: ID, notes: 'clean' },
  {
    type: 'bookAppointment',
    patientId: ID,
    doctorId: OTHER,
    departmentId: ID,
    appointmentDate: '2026-01-31T12:00:00.000000Z',
    durationMinutes: 30,
  },
  { type: 'moveAppointment', appointmentId: ID, appointmentDate: '2026-01-31T12:00:00.000000Z' },
  {
    type: 'callMeeting',
    title: 'Handover',
    meetingTime: '2026-01-31T12:00:00.000000Z',
    organizerStaffId: ID,
    participantStaffIds: [ID, OTHER],
  },
  { type: 'settleConflict', conflictId: ID, value: true },
]

describe('the form that mends', () => {
  it.each(COMMANDS.map((command) => [command.type, command] as const))(
    'shows the refused values of %s and sends them as they were when nothing is changed',
    (_, command) => expect(fill(command).again).toEqual(command),
  )

  it('sends another bed when another is chosen', () => {
    const { again } = fill({ type: 'admitPatient', patientId: ID, bedId: ID }, { bedId: OTHER })
    expect(again).toEqual({ type: 'admitPatient', patientId: ID, bedId: OTHER })
  })

  it('leaves out what was emptied', () => {
    const { again } = fill({ type: 'takeStock', supplyId: ID, quantity: 3, notes: 'x' }, { notes: '' })
    expect(again).toEqual({ type: 'takeStock', supplyId: ID, quantity: 3 })
  })

  it('shows of an edited row only what was edited, empties what is emptied, and keeps steps of counters', () => {
    const command: Command = {
      type: 'editRow',
      table: 'patients',
      id: ID,
      values: { phone: '030 111', email: 'a@b.example' },
      add: {},
      seen: { phone: null },
    }
    const { fields, again } = fill(command, { email: '' })
    expect(fields.map(({ name }) => name).sort()).toEqual(['email', 'phone'])
    expect(again).toEqual({ ...command, values: { phone: '030 111', email: null }, seen: {} })
  })
})
