/** Beds as the ward sees them: room by room, with how many are in which state. */
import type { BedRow } from './queries'

export const STATES = ['available', 'occupied', 'cleaning', 'maintenance'] as const

export interface Room {
  id: string
  number: string
  type: string | null
  floor: number | null
  department: string | null
  beds: BedRow[]
}

export function byRoom(beds: BedRow[]): Room[] {
  const rooms = new Map<string, Room>()
  for (const bed of beds) {
    const room = rooms.get(bed.room_id) ?? {
      id: bed.room_id,
      number: bed.room_number,
      type: bed.room_type,
      floor: bed.floor_number,
      department: bed.department,
      beds: [],
    }
    room.beds.push(bed)
    rooms.set(bed.room_id, room)
  }
  return [...rooms.values()]
}

/** How many beds are in each state, and `all` of them. */
export function tally(beds: BedRow[]): Map<string, number> {
  const counts = new Map<string, number>([['all', beds.length]])
  for (const state of STATES) counts.set(state, 0)
  for (const bed of beds) {
    const state = bed.status ?? 'available'
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return counts
}

export function matches(bed: BedRow, state: string, text: string): boolean {
  if (state !== 'all' && (bed.status ?? 'available') !== state) return false
  const hay = [bed.bed_number, bed.room_number, bed.patient, bed.patient_number, bed.staff]
    .join(' ')
    .toLowerCase()
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .every((word) => hay.includes(word))
}
