/** The hospital's tables in a real SQLite in memory, made from the schema as a device's are. */
import type { Database, SqlJsStatic } from 'sql.js'
import { schema, type Column } from '../engine/generated/schema'
import type { Row, SqlValue } from '../engine/port'
import type { Hospital } from './hospital'

const onDevice = (column: Column) => column.merge !== 'server'

export function makeReplica(sql: SqlJsStatic, rows: Hospital): Database {
  const database = new sql.Database()
  for (const table of schema.tables) {
    const columns = table.columns.filter(onDevice).map((column) => {
      const whole = column.type === 'integer' || column.type === 'boolean'
      return `"${column.name}" ${whole ? 'INTEGER' : 'TEXT'}${column.notNull ? ' NOT NULL' : ''}`
    })
    database.run(
      `CREATE TABLE "${table.name}" (${columns.join(', ')}, PRIMARY KEY (${table.primaryKey.join(', ')}))`,
    )
  }
  for (const [table, seeds] of Object.entries(rows)) {
    for (const seed of seeds) insert(database, table, seed)
  }
  return database
}

export function insert(database: Database, table: string, values: Record<string, SqlValue>): void {
  const names = Object.keys(values)
  const places = names.map(() => '?').join(', ')
  database.run(`INSERT INTO "${table}" (${names.join(', ')}) VALUES (${places})`, Object.values(values))
}

export function ask(database: Database, sql: string, parameters: SqlValue[] = []): Row[] {
  const statement = database.prepare(sql)
  try {
    statement.bind(parameters)
    const rows: Row[] = []
    while (statement.step()) rows.push(statement.getAsObject() as Row)
    return rows
  } finally {
    statement.free()
  }
}
