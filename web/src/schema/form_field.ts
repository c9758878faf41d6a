/** A field of a form: one value of a command, typed by a column of the schema. */
import type { Column } from '../engine/generated/schema'
import { columnTitle } from '../format/words'
import { columnOf } from './tables'

export interface FormField {
  /** As the command names it. */
  name: string
  label: string
  column: Column
  hint?: string
  /** Narrows a picker's rows: an SQL condition on the row alias `t`. */
  only?: string
  /** Shows − and + beside the present value instead of a number to overwrite. */
  counts?: boolean
}

interface Options {
  label?: string
  hint?: string
  only?: string
  required?: boolean
  /** Sets the vocabulary aside, or narrows it. */
  values?: string[]
}

/** A field of a command that fills `table.column`. */
export function field(name: string, table: string, column: string, options: Options = {}): FormField {
  const base = columnOf(table, column)
  const { required = false, values, label = columnTitle(base), ...rest } = options
  return {
    name,
    label,
    column: { ...base, notNull: required, ...(values ? { values, valuesOpen: false } : {}) },
    ...rest,
  }
}

/** A field for the column itself, as the plain editor has it. */
export function columnField(column: Column, purpose: 'create' | 'edit'): FormField {
  const filledIn = column.default !== undefined
  return {
    name: column.name,
    label: columnTitle(column),
    // What has a default may be left open when the row is made.
    column: { ...column, notNull: column.notNull === true && !(purpose === 'create' && filledIn) },
    counts: column.merge === 'counter' && purpose === 'edit',
    ...(purpose === 'create' && filledIn && column.default !== 'now' && column.default !== 'uuid'
      ? { hint: `If left open: ${column.default}` }
      : {}),
  }
}
