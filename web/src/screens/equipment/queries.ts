import { likeWhere } from '../../schema/like'
import type { Query } from '../../schema/row_label'

export type EquipmentRow = {
  id: string
  equipment_id: string
  name: string
  model: string | null
  location: string | null
  status: string | null
  next_maintenance: string | null
  category: string | null
  department: string | null
  usage_id: string | null
  patient: string | null
  patient_id: string | null
  since: string | null
}

const EQUIPMENT = `SELECT e.id, e.equipment_id, e.name, e.model, e.location, e.status, e.next_maintenance,
    (SELECT c.name FROM equipment_categories AS c WHERE c.id = e.category_id) AS category,
    (SELECT d.name FROM departments AS d WHERE d.id = e.department_id) AS department,
    u.id AS usage_id, p.last_name || ', ' || p.first_name AS patient, p.id AS patient_id, u.start_time AS since
  FROM equipment AS e
    LEFT JOIN equipment_usage AS u ON u.id = (SELECT v.id FROM equipment_usage AS v
      WHERE v.equipment_id = e.id AND v.status = 'active' AND v.end_time IS NULL ORDER BY v.start_time DESC LIMIT 1)
    LEFT JOIN patients AS p ON p.id = u.patient_id`

export const EQUIPMENT_SHOWN = 200

export function findEquipment(text: string, state: string): Query {
  const like = likeWhere(['e.name', 'e.equipment_id', 'e.model', 'e.location'], text)
  const parameters = [...like.parameters, ...(state === 'all' ? [] : [state])]
  const only = state === 'all' ? '' : `AND coalesce(e.status, 'available') = ?${parameters.length}`
  return {
    sql: `${EQUIPMENT} WHERE ${like.where} ${only} ORDER BY e.name, e.equipment_id LIMIT ${EQUIPMENT_SHOWN}`,
    parameters,
  }
}

export function oneEquipment(id: string): Query {
  return { sql: `${EQUIPMENT} WHERE e.id = ?1`, parameters: [id] }
}
