/** A row's id as commands name it: its key, or the parts of a composite key joined with `/` in the key's order. */
import type { Table } from '../engine/generated/schema'

/** The SQL expression of the id of a row called `row`. */
export function rowIdSql(table: Table, row: string): string {
  return table.primaryKey.map((name) => `${row}.${name}`).join(` || '/' || `)
}

/** A condition that finds the row by its key columns, so that the primary key's index serves it. */
export function rowIdWhere(table: Table, row: string, id: string): { where: string; parameters: string[] } {
  const parameters = table.primaryKey.length === 1 ? [id] : id.split('/')
  return {
    where: table.primaryKey.map((name, at) => `${row}.${name} = ?${at + 1}`).join(' AND '),
    parameters,
  }
}
