import { likeWhere } from '../../schema/like'
import type { Query } from '../../schema/row_label'

export type SupplyRow = {
  id: string
  item_code: string
  name: string
  unit_of_measure: string
  current_stock: number | null
  minimum_stock_level: number | null
  maximum_stock_level: number | null
  location: string | null
  supplier: string | null
  expiry_date: string | null
  category: string | null
}

const SUPPLIES = `SELECT s.id, s.item_code, s.name, s.unit_of_measure, s.current_stock, s.minimum_stock_level,
    s.maximum_stock_level, s.location, s.supplier, s.expiry_date,
    (SELECT c.name FROM supply_categories AS c WHERE c.id = s.category_id) AS category
  FROM supplies AS s`

const LOW = 'coalesce(s.current_stock, 0) < coalesce(s.minimum_stock_level, 0)'

export const SUPPLIES_SHOWN = 200

export function findSupplies(text: string, lowOnly: boolean): Query {
  const like = likeWhere(['s.name', 's.item_code', 's.location'], text)
  return {
    sql: `${SUPPLIES} WHERE ${like.where} ${lowOnly ? `AND ${LOW}` : ''} ORDER BY s.name, s.id LIMIT ${SUPPLIES_SHOWN}`,
    parameters: like.parameters,
  }
}

export function oneSupply(id: string): Query {
  return { sql: `${SUPPLIES} WHERE s.id = ?1`, parameters: [id] }
}

export type CountRow = { number: number }

export function countLow(): Query {
  return { sql: `SELECT count(*) AS number FROM supplies AS s WHERE ${LOW}`, parameters: [] }
}

export type MovementRow = {
  id: string
  transaction_type: string
  quantity: number
  notes: string | null
  reference_number: string | null
  transaction_date: string | null
  by: string | null
}

export function movementsOf(supplyId: string): Query {
  return {
    sql: `SELECT t.id, t.transaction_type, t.quantity, t.notes, t.reference_number, t.transaction_date,
        u.last_name || ', ' || u.first_name AS by
      FROM inventory_transactions AS t LEFT JOIN users AS u ON u.id = t.performed_by
      WHERE t.supply_id = ?1 ORDER BY t.transaction_date DESC LIMIT 100`,
    parameters: [supplyId],
  }
}

/** Below zero means that a device took what another had taken: the shelf must be counted. */
export function stockState(supply: SupplyRow): 'negative' | 'low' | 'enough' {
  const stock = supply.current_stock ?? 0
  if (stock < 0) return 'negative'
  return stock < (supply.minimum_stock_level ?? 0) ? 'low' : 'enough'
}
