import { expect, it } from 'vitest'
import { rowIdSql, rowIdWhere } from './row_id'
import { tableOf, tables, visibleColumns, writableColumns } from './tables'

const names = (table: string, role: string, purpose: 'create' | 'edit') =>
  writableColumns(tableOf(table), role, purpose).map((column) => column.name)

it('knows all 33 tables', () => {
  expect(tables).toHaveLength(33)
})

it('never asks a device for what stays on the server', () => {
  const columns = visibleColumns(tableOf('users'), 'admin').map((column) => column.name)
  expect(columns).not.toContain('password_hash')
})

it('shows a salary only to those who may see it', () => {
  expect(names('staff', 'nurse', 'edit')).not.toContain('salary')
  expect(names('staff', 'manager', 'edit')).toContain('salary')
})

it('lets nobody edit what the engine sets', () => {
  const edited = names('patients', 'admin', 'edit')
  expect(edited).not.toContain('id')
  expect(edited).not.toContain('created_at')
  expect(edited).not.toContain('updated_at')
  expect(edited).toContain('allergies')
})

it('asks for the two sides of a link when it is made, and never again', () => {
  expect(names('staff_meeting_participants', 'admin', 'create')).toEqual(['meeting_id', 'staff_id'])
  expect(names('staff_meeting_participants', 'admin', 'edit')).toEqual([])
})

it('joins a composite key in the order of the key', () => {
  const table = tableOf('staff_meeting_participants')
  expect(rowIdSql(table, 't')).toBe(`t.meeting_id || '/' || t.staff_id`)
  expect(rowIdWhere(table, 't', 'm/s')).toEqual({
    where: 't.meeting_id = ?1 AND t.staff_id = ?2',
    parameters: ['m', 's'],
  })
})
