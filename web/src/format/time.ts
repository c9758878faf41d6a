/** Times are kept in UTC and shown in the device's zone. The wire form is `2026-01-31T12:00:00.000000Z`. */

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const MINUTE = 60_000

/** Not every browser reads six digits of a second; milliseconds are all that a person needs. */
export function parseTime(iso: string): Date {
  return new Date(iso.replace(/(\.\d{3})\d+/, '$1'))
}

export function wireTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}

export function showDay(iso: string): string {
  // A bare date has no zone: reading it as UTC would show the day before in half the world.
  const day = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? new Date(`${iso}T12:00:00`) : parseTime(iso)
  return Number.isNaN(day.getTime()) ? iso : DAY.format(day)
}

export function showTime(iso: string): string {
  const time = parseTime(iso)
  return Number.isNaN(time.getTime()) ? iso : TIME.format(time)
}

export function showDateTime(iso: string): string {
  const time = parseTime(iso)
  return Number.isNaN(time.getTime()) ? iso : `${DAY.format(time)}, ${TIME.format(time)}`
}

/** How long ago, in the words one would use at the bedside. */
export function showSince(iso: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - parseTime(iso).getTime()) / MINUTE)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  const days = Math.floor(minutes / (24 * 60))
  return days === 1 ? 'yesterday' : `${days} days ago`
}

export function showMinutes(minutes: number): string {
  if (minutes < 60) return `${minutes} min`
  const rest = minutes % 60
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`
}

/** Whole years; below two years in months, as children's wards do. */
export function showAge(dateOfBirth: string, today: Date): string {
  const [year, month, day] = dateOfBirth.split('-').map(Number)
  if (!year || !month || !day) return ''
  const months =
    (today.getFullYear() - year) * 12 + today.getMonth() + 1 - month - (today.getDate() < day ? 1 : 0)
  return months < 24 ? `${Math.max(months, 0)} mo` : `${Math.floor(months / 12)} y`
}

const two = (number: number) => String(number).padStart(2, '0')

/** The local day, as `<input type="date">` has it. */
export function localDay(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}

/** The local minute, as `<input type="datetime-local">` has it. */
export function localMinute(time: Date): string {
  return `${localDay(time)}T${two(time.getHours())}:${two(time.getMinutes())}`
}

/** First and last instant (exclusive) of a local day, in wire form. */
export function dayBounds(day: string): [from: string, until: string] {
  const from = new Date(`${day}T00:00:00`)
  const until = new Date(from)
  until.setDate(until.getDate() + 1)
  return [wireTime(from), wireTime(until)]
}

export function addDays(day: string, days: number): string {
  const time = new Date(`${day}T12:00:00`)
  time.setDate(time.getDate() + days)
  return localDay(time)
}
