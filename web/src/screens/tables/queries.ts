import type { Column, Table } from '../../engine/generated/schema'
import { likeWhere } from '../../schema/like'
import { rowIdSql, rowIdWhere } from '../../schema/row_id'
import { detailSql, labelSql, searchSql, type Query } from '../../schema/row_label'

export const PAGE_SIZE = 50

export type ListedRow = { id: string; label: string | null; detail: string | null }
export type CountRow = { number: number }

/** A page of a table's rows by what they are called. `page` counts from 0. */
export function pageOf(table: Table, text: string, page: number): Query {
  const like = likeWhere(searchSql(table.name, 't'), text)
  return {
    sql: `SELECT ${rowIdSql(table, 't')} AS id, ${labelSql(table.name, 't')} AS label,
        ${detailSql(table.name, 't')} AS detail
      FROM ${table.name} AS t WHERE ${like.where}
      ORDER BY label, ${table.primaryKey.map((name) => `t.${name}`).join(', ')}
      LIMIT ${PAGE_SIZE} OFFSET ${page * PAGE_SIZE}`,
    parameters: like.parameters,
  }
}

export function countOf(table: Table, text: string): Query {
  const like = likeWhere(searchSql(table.name, 't'), text)
  return {
    sql: `SELECT count(*) AS number FROM ${table.name} AS t WHERE ${like.where}`,
    parameters: like.parameters,
  }
}

/** The whole row, with what each foreign key's row is called as `label:<column>`. */
export function wholeRow(table: Table, columns: Column[], id: string): Query {
  const { where, parameters } = rowIdWhere(table, 't', id)
  const labels = columns.flatMap((column) =>
    column.references
      ? `(SELECT ${labelSql(column.references.table, 'o')} FROM ${column.references.table} AS o
          WHERE o.${column.references.column} = t.${column.name}) AS "label:${column.name}"`
      : [],
  )
  const own = columns.map((column) => `t.${column.name}`)
  return {
    sql: `SELECT ${[...own, ...labels].join(', ')} FROM ${table.name} AS t WHERE ${where}`,
    parameters,
  }
}
