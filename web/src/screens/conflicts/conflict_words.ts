/** What a conflict is called, and what its sides say. */
import type { Conflict } from '../../engine/port'
import { columnTitle, words } from '../../format/words'
import { findTable } from '../../schema/tables'
import type { Column } from '../../engine/generated/schema'

const KINDS: Record<Conflict['kind'], string> = {
  concurrent: 'Changed by two at once',
  claim: 'Claimed by two',
  deleted: 'Deleted and changed',
  negative: 'Less than nothing left',
}

export function kindTitle(conflict: Conflict): string {
  return KINDS[conflict.kind]
}

/** The column in dispute; undefined when the whole row is, or when a newer schema added it. */
export function columnInDispute(conflict: Conflict): Column | undefined {
  return findTable(conflict.table)?.columns.find((column) => column.name === conflict.column)
}

/** Whether a person may settle it with a value that nobody has written yet: a count, another number, the right word. */
export function takesAnotherValue(conflict: Conflict): boolean {
  const column = columnInDispute(conflict)
  return !!column && !column.references && !column.json && ['text', 'integer'].includes(column.type)
}

export function subject(conflict: Conflict): string {
  const column = columnInDispute(conflict)
  const what = column ? columnTitle(column) : conflict.column ? words(conflict.column) : null
  return what ? `${words(conflict.table)} · ${what}` : words(conflict.table)
}
