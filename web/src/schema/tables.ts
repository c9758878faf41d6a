/** Finding one's way in the schema of record. */
import { schema, type Column, type Table } from '../engine/generated/schema'

const byName = new Map(schema.tables.map((table) => [table.name, table]))

export const tables: Table[] = [...schema.tables].sort((a, b) => a.name.localeCompare(b.name))

export function findTable(name: string): Table | undefined {
  return byName.get(name)
}

export function tableOf(name: string): Table {
  const table = byName.get(name)
  if (!table) throw new Error(`BUG: the schema has no table ${name}`)
  return table
}

export function columnOf(table: string, name: string): Column {
  const column = tableOf(table).columns.find((candidate) => candidate.name === name)
  if (!column) throw new Error(`BUG: the schema has no column ${table}.${name}`)
  return column
}

/** Columns that exist in a device's tables and that this role may see. */
export function visibleColumns(table: Table, role: string): Column[] {
  return table.columns.filter(
    (column) => column.merge !== 'server' && (!column.restricted || seesRestricted(role)),
  )
}

function seesRestricted(role: string): boolean {
  return role === 'admin' || role === 'manager'
}

/** Columns that a person fills in: the rest is set by the engine. A key that points to another row is chosen once, on creation. */
export function writableColumns(table: Table, role: string, purpose: 'create' | 'edit'): Column[] {
  return visibleColumns(table, role).filter((column) => {
    if (column.merge === 'derived') return false
    if (column.merge === 'identity') return purpose === 'create' && column.references !== undefined
    if (column.merge === 'once') return purpose === 'create' && column.default === undefined
    return true
  })
}
