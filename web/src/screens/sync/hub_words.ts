/** How far work has come, and how the ward's hub stands with the hospital, in words for a ward. */
import type { OutboxEntry, Status } from '../../engine/port'
import { showDateTime, showTime } from '../../format/time'
import { count } from '../../format/words'

/** Where an entry can be. */
export type Stop = 'device' | 'hub' | 'hospital'

export const STOP: Record<Stop, string> = { device: 'Device', hub: 'Hub', hospital: 'Hospital' }

/** Of an entry that is there. */
export const HERE: Record<Stop, string> = {
  device: 'On this device',
  hub: 'At the hub',
  hospital: 'At the hospital',
}

/** The stops on an entry's way: over the hub where there is one. */
export function stops(entry: Pick<OutboxEntry, 'durability'>, status: Pick<Status, 'hub'>): Stop[] {
  return status.hub || entry.durability === 'hub' ? ['device', 'hub', 'hospital'] : ['device', 'hospital']
}

/** Since when the hub has not heard from the hospital, shortly: a time for today, a day for longer. */
function since(contact: string | null, now: Date): string {
  if (!contact) return ''
  const today = showDateTime(contact).split(',')[0] === showDateTime(now.toISOString()).split(',')[0]
  return ` since ${today ? showTime(contact) : showDateTime(contact)}`
}

/** While the hub answers and has no link to the hospital: that, and where the work is. */
export function hubNotice(
  status: Pick<Status, 'hub' | 'connection' | 'waiting' | 'atHub'>,
  now: Date,
): string | null {
  const { hub, connection, waiting, atHub } = status
  if (!hub || hub.linked || (connection !== 'online' && connection !== 'syncing')) return null
  const onlyHere = waiting - atHub
  const entries =
    onlyHere > 0
      ? `${count(onlyHere, 'entry', 'entries')} of yours ${onlyHere === 1 ? 'is' : 'are'} on this device only, yet.`
      : atHub > 0
        ? 'your entries are safe at the hub.'
        : 'what you enter is kept at the hub.'
  return `Hub: no link to the hospital${since(hub.contact, now)}; ${entries}`
}

/** The hub's line among the facts of the connection. */
export function hubFact(hub: NonNullable<Status['hub']>, now: Date): string {
  const link = hub.linked
    ? 'Linked to the hospital.'
    : `No link to the hospital${since(hub.contact, now)}. The ward goes on.`
  const others =
    hub.relayed > 0 ? ` ${count(hub.relayed, 'entry', 'entries')} of others on the way to the hospital.` : ''
  const unseen =
    hub.leftOut > 0 ? ` ${count(hub.leftOut, 'more', 'more')} to be shown when the hospital has them.` : ''
  return link + others + unseen
}
