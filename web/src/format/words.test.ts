import { expect, it } from 'vitest'
import { columnOf } from '../schema/tables'
import { toneOf } from './tone'
import { shorten, showValue } from './value'
import { columnTitle, count, words } from './words'

it.each([
  ['in_progress', 'In progress'],
  ['icu', 'ICU'],
  ['ICU', 'ICU'],
  ['bed_cleaning_tasks', 'Bed cleaning tasks'],
  ['Room 3 (east)', 'Room 3 (east)'],
])('%s reads %s', (name, read) => {
  expect(words(name)).toBe(read)
})

it('drops the _id only of columns that point to a row', () => {
  expect(columnTitle(columnOf('beds', 'room_id'))).toBe('Room')
  expect(columnTitle(columnOf('equipment', 'equipment_id'))).toBe('Equipment ID')
})

it('counts one and many', () => {
  expect(count(1, 'conflict')).toBe('1 conflict')
  expect(count(1200, 'row')).toBe('1,200 rows')
})

it('shows values by their column', () => {
  expect(showValue(columnOf('users', 'is_active'), 0)).toBe('No')
  expect(showValue(columnOf('patients', 'date_of_birth'), '1950-02-01')).toBe('1 Feb 1950')
  expect(showValue(columnOf('appointments', 'duration_minutes'), 90)).toBe('1 h 30 min')
  expect(showValue(columnOf('equipment', 'status'), 'out_of_order')).toBe('Out of order')
  expect(showValue(columnOf('patients', 'email'), null)).toBe('–')
})

it('keeps a word that no vocabulary knows as it was typed', () => {
  expect(showValue(columnOf('equipment', 'status'), 'lost_property')).toBe('lost_property')
})

it('shortens to one line', () => {
  expect(shorten('a\n b', 10)).toBe('a b')
  expect(shorten('abcdef', 4)).toBe('abc…')
})

it('gives an unknown word a calm colour', () => {
  expect(toneOf('urgent')).toBe('bad')
  expect(toneOf('whatever')).toBe('idle')
})
