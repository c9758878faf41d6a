/** Every query of every screen, asked of a real SQLite with the tables of the schema and a made-up hospital in them. */
import initSqlJs from 'sql.js'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../engine/port'
import { labelledRow, searchRows, type Query } from '../schema/row_label'
import { tables, visibleColumns } from '../schema/tables'
import { appointmentsOf, oneAppointment } from '../screens/appointments/queries'
import * as board from '../screens/board/queries'
import { byRoom, matches, tally } from '../screens/board/rooms'
import * as care from '../screens/care/queries'
import { byTurnover } from '../screens/cleaning/turnovers'
import { findEquipment, oneEquipment } from '../screens/equipment/queries'
import { meetings } from '../screens/meetings/queries'
import { CHART, findPatients, placeOf, waitOf } from '../screens/patients/queries'
import { queueOf } from '../screens/queue/queries'
import * as stock from '../screens/stock/queries'
import { countOf, pageOf, wholeRow } from '../screens/tables/queries'
import { localDay, wireTime } from '../format/time'
import { hospital, id, NURSE } from './hospital'
import { ask, makeReplica } from './replica'

const now = new Date('2026-03-10T12:00:00Z')
let read: <T extends Row>(query: Query) => T[]

beforeAll(async () => {
  const database = makeReplica(await initSqlJs(), hospital(now))
  read = <T extends Row>(query: Query) => ask(database, query.sql, query.parameters) as T[]
})

describe('the ward board', () => {
  const beds = (department: string) => read<board.BedRow>(board.bedsOf(department, wireTime(now)))

  it('shows every bed once, with patient and staff', () => {
    const all = beds('all')
    expect(new Set(all.map((bed) => bed.id)).size).toBe(44)
    expect(all).toHaveLength(44)
    const occupied = all.filter((bed) => bed.status === 'occupied')
    expect(occupied.every((bed) => bed.patient !== null)).toBe(true)
    expect(occupied.some((bed) => bed.staff !== null)).toBe(true)
  })

  it('shows one department when asked', () => {
    const some = beds(id('departments', 1))
    expect(some.length).toBeGreaterThan(0)
    expect(new Set(some.map((bed) => bed.department))).toEqual(new Set(['Emergency']))
  })

  it('groups by room and counts by state', () => {
    const rooms = byRoom(beds('all'))
    expect(rooms).toHaveLength(16)
    const counts = tally(beds('all'))
    expect(counts.get('all')).toBe(44)
    expect((counts.get('occupied') ?? 0) + (counts.get('available') ?? 0)).toBeLessThan(44)
  })

  it('is searched by bed, room and patient', () => {
    const bed = beds('all').find((candidate) => candidate.patient !== null) as board.BedRow
    expect(matches(bed, 'all', (bed.patient ?? '').toLowerCase())).toBe(true)
    expect(matches(bed, 'all', bed.bed_number)).toBe(true)
    expect(matches(bed, 'available', '')).toBe(false)
    expect(matches(bed, 'all', 'nobody')).toBe(false)
  })

  it('finds one bed, its department and the nurse’s own staff row', () => {
    expect(read(board.oneBed(id('beds', 3), wireTime(now)))).toHaveLength(1)
    expect(read(board.departmentsWithBeds())).toHaveLength(4)
    expect(read(board.ownStaff(NURSE))).toEqual([{ id: id('staff', 3), department_id: id('departments', 3) }])
  })
})

it('the queue goes by priority, then by position', () => {
  const queue = read<{ priority_level: string; queue_position: number }>(queueOf('all'))
  expect(queue.map((row) => row.priority_level)).toEqual([
    ...['urgent', 'urgent', 'high', 'high', 'normal', 'normal', 'normal', 'normal', 'low'],
  ])
  const normal = queue.filter((row) => row.priority_level === 'normal').map((row) => row.queue_position)
  expect(normal).toEqual([...normal].sort((a, b) => a - b))
  expect(read<board.WaitingRow>(board.waitingForBed(3)).map((row) => row.priority_level)).toEqual([
    ...['urgent', 'urgent', 'high'],
  ])
})

describe('patients', () => {
  it('are found by parts of name and number, in any order', () => {
    const [first] = read<{ id: string; patient: string; patient_number: string }>(findPatients(''))
    if (!first) throw new Error('no patients')
    const [last = '', given = ''] = first.patient.split(', ')
    const text = `${given.slice(0, 3).toLowerCase()} ${last.slice(0, 4)} ${first.patient_number.slice(-4)}`
    expect(read<{ id: string }>(findPatients(text)).map((row) => row.id)).toContain(first.id)
    expect(read(findPatients('100%'))).toEqual([])
  })

  it('have a place, a queue entry and lists in their chart', () => {
    expect(read(placeOf(id('patients', 0)))).toHaveLength(1)
    expect(read(waitOf(id('patients', 60)))).toHaveLength(1)
    const found = Object.entries(CHART).map(([key, list]) => [
      key,
      read({ sql: list.sql, parameters: [id('patients', 0)] }).length > 0,
    ])
    expect(Object.fromEntries(found)).toEqual({
      ...{ treatments: true, team: true, equipment: true, appointments: true, documents: true },
      discharges: true,
    })
  })

  it('leave with their active medications, each on one line', () => {
    const lines = read<care.MedicationRow>(care.activeMedications(id('patients', 1)))
    expect(lines.map((row) => row.line)).toEqual(['Paracetamol, 500 mg, twice daily'])
  })
})

it('cleaning comes most urgent first and groups by turnover', () => {
  const turnovers = byTurnover(read<care.CleaningTaskRow>(care.openCleaning('all')))
  expect(turnovers).toHaveLength(5)
  expect(turnovers[0]?.priority).toBe('urgent')
  expect(turnovers[0]?.tasks).toHaveLength(3)
  expect(turnovers[0]?.open).toBe(2)
  expect(read(care.cleaningOfBed(turnovers[0]?.bedId ?? ''))).toHaveLength(3)
})

it('stock tells what is below its minimum', () => {
  const low = read<stock.SupplyRow>(stock.findSupplies('', true))
  expect(low.length).toBeGreaterThan(0)
  expect(low.every((row) => stock.stockState(row) !== 'enough')).toBe(true)
  expect(read(stock.countLow())).toEqual([{ number: low.length }])
  expect(low.some((row) => stock.stockState(row) === 'negative')).toBe(true)
  expect(read(stock.findSupplies('glove s-400', false))).toHaveLength(1)
  expect(read(stock.oneSupply(id('supplies', 1)))).toHaveLength(1)
  const dates = read<stock.MovementRow>(stock.movementsOf(id('supplies', 1))).map(
    (row) => row.transaction_date,
  )
  expect(dates).toEqual([...dates].sort().reverse())
})

it('equipment names who uses it', () => {
  const used = read<{ patient: string | null; usage_id: string | null }>(findEquipment('', 'in_use'))
  expect(used).toHaveLength(5)
  expect(used.every((row) => row.patient !== null && row.usage_id !== null)).toBe(true)
  expect(read(findEquipment('pump eq-2', 'available')).length).toBeGreaterThan(0)
  expect(read(oneEquipment(id('equipment', 9)))).toHaveLength(1)
})

it('appointments are those of the local day', () => {
  const today = read<{ id: string; appointment_date: string }>(appointmentsOf(localDay(now), 'all'))
  expect(today.length).toBeGreaterThan(0)
  expect(read(appointmentsOf('2031-01-01', 'all'))).toEqual([])
  expect(read(oneAppointment(today[0]?.id ?? ''))).toHaveLength(1)
})

it('meetings come soonest first with their participants', () => {
  const coming = read<{ meeting_time: string; participants: string }>(meetings('coming', wireTime(now)))
  expect(coming).toHaveLength(3)
  expect(coming[0]?.participants).toContain('; ')
  expect(read(meetings('past', wireTime(now)))).toEqual([])
})

describe.each(tables.map((table) => [table.name, table] as const))('%s', (name, table) => {
  it('can be listed, counted, searched and opened', () => {
    const page = read<{ id: string }>(pageOf(table, '', 0))
    const [counted] = read<{ number: number }>(countOf(table, ''))
    expect(page).toHaveLength(Math.min(counted?.number ?? -1, 50))
    expect(() => read(searchRows(name, 'some words', 20))).not.toThrow()
    const first = page[0]
    if (!first) return
    expect(read(labelledRow(name, first.id))).toMatchObject([{ id: first.id }])
    const [row] = read(wholeRow(table, visibleColumns(table, 'admin'), first.id))
    for (const column of table.columns) {
      if (column.references && row?.[column.name]) expect(row[`label:${column.name}`]).toBeTruthy()
    }
  })
})
