/** Cleaning tasks grouped by the turnover that they belong to, in the tasks' order. */
import type { CleaningTaskRow } from '../care/queries'

export interface Turnover {
  id: string
  bedId: string
  bed: string
  bedStatus: string | null
  room: string
  priority: string | null
  since: string
  tasks: CleaningTaskRow[]
  /** How many tasks are not finished. */
  open: number
}

export function byTurnover(tasks: CleaningTaskRow[]): Turnover[] {
  const turnovers = new Map<string, Turnover>()
  for (const task of tasks) {
    const turnover = turnovers.get(task.turnover_id) ?? {
      id: task.turnover_id,
      bedId: task.bed_id,
      bed: task.bed_number,
      bedStatus: task.bed_status,
      room: task.room_number,
      priority: task.priority,
      since: task.since,
      tasks: [],
      open: 0,
    }
    turnover.tasks.push(task)
    if (task.status !== 'completed') turnover.open += 1
    turnovers.set(task.turnover_id, turnover)
  }
  return [...turnovers.values()]
}
