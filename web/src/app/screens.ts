/** The screens: where they are, what they are called, which key goes there. */
import BedDouble from '@lucide/svelte/icons/bed-double'
import CalendarDays from '@lucide/svelte/icons/calendar-days'
import GitCompareArrows from '@lucide/svelte/icons/git-compare-arrows'
import HeartPulse from '@lucide/svelte/icons/heart-pulse'
import ListOrdered from '@lucide/svelte/icons/list-ordered'
import Package from '@lucide/svelte/icons/package'
import RefreshCw from '@lucide/svelte/icons/refresh-cw'
import SprayCan from '@lucide/svelte/icons/spray-can'
import Table2 from '@lucide/svelte/icons/table-2'
import UsersRound from '@lucide/svelte/icons/users-round'
import Presentation from '@lucide/svelte/icons/presentation'

export interface Screen {
  name: string
  title: string
  /** Shorter, for the phone's bottom bar. */
  short?: string
  key: string
  icon: typeof BedDouble
}

export const SCREENS: Screen[] = [
  { name: 'board', title: 'Ward board', short: 'Ward', key: 'b', icon: BedDouble },
  { name: 'queue', title: 'Queue', key: 'q', icon: ListOrdered },
  { name: 'patients', title: 'Patients', key: 'p', icon: UsersRound },
  { name: 'cleaning', title: 'Cleaning', key: 'c', icon: SprayCan },
  { name: 'stock', title: 'Stock', key: 's', icon: Package },
  { name: 'equipment', title: 'Equipment', short: 'Devices', key: 'e', icon: HeartPulse },
  { name: 'appointments', title: 'Appointments', key: 'a', icon: CalendarDays },
  { name: 'meetings', title: 'Meetings', key: 'm', icon: Presentation },
  { name: 'conflicts', title: 'Conflicts', key: 'x', icon: GitCompareArrows },
  { name: 'sync', title: 'Outbox', short: 'Outbox', key: 'o', icon: RefreshCw },
  { name: 'tables', title: 'All tables', short: 'Tables', key: 't', icon: Table2 },
]

/** What fits in the phone's bottom bar, beside "More". */
export function bottomBar(role: string): string[] {
  return role === 'cleaner'
    ? ['cleaning', 'board', 'equipment', 'stock']
    : ['board', 'queue', 'patients', 'stock']
}

export function startScreen(role: string): string {
  return role === 'cleaner' ? 'cleaning' : 'board'
}

export const places: ReadonlyMap<string, string[]> = new Map(
  SCREENS.map((screen) => [screen.key, [screen.name]]),
)
