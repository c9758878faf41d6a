/** How it stands with the server, and with this device's copy of the hospital, in words for a ward. */
import type { Status } from '../../engine/port'
import { count } from '../../format/words'

export const CONNECTION: Record<Status['connection'], string> = {
  online: 'The server answers.',
  syncing: 'Exchanging with the server…',
  offline: 'The server is not reached. Your work is kept on this device and sent later.',
  signedOut: 'The server asks you to sign in again. Your work is kept on this device.',
  otherHospital:
    'This address now belongs to another hospital. Nothing is exchanged with it. Your work is kept on this device.',
}

/** Above every screen while another hospital answers at this address. */
export function otherHospital(server: string): string {
  return (
    `${server} now belongs to another hospital. Nothing is sent there or taken from there; your work is kept on this ` +
    'device and you can go on. Tell your administrator: they know your hospital’s address.'
  )
}

/** Something to know about the copy. */
export interface CopyNotice {
  about: 'renewing' | 'differences' | 'unfolded'
  /** `warn`: a person may have to do something. */
  tone: 'calm' | 'warn'
  text: string
}

/** Nothing, as long as the copy has always been right. */
export function copyNotices(status: Pick<Status, 'renewing' | 'differences' | 'unfolded'>): CopyNotice[] {
  const { renewing, differences, unfolded } = status
  const notices: CopyNotice[] = []
  if (renewing)
    notices.push({
      about: 'renewing',
      tone: 'calm',
      text: 'Checking this device’s copy against the hospital… You can go on working.',
    })
  // The one that is being put right now is told above.
  const earlier = renewing ? differences - 1 : differences
  if (earlier > 0) notices.push({ about: 'differences', ...differed(earlier) })
  if (unfolded > 0)
    notices.push({
      about: 'unfolded',
      tone: 'warn',
      text:
        `This version of Holdfast cannot show ${count(unfolded, 'change')} from the hospital. ` +
        'Reload the page while online to get the newest version. If this stays, tell your administrator.',
    })
  return notices
}

function differed(times: number): Pick<CopyNotice, 'tone' | 'text'> {
  if (times === 1)
    return {
      tone: 'calm',
      text: 'This device’s copy once differed from the hospital’s, and was renewed. Your work is safe. If it happens again, tell your administrator.',
    }
  return {
    tone: 'warn',
    text:
      `This device’s copy differed from the hospital’s ${times.toLocaleString('en-GB')} times. Tell your administrator: ` +
      'the device’s storage or the server may be damaged. Your own work is not lost.',
  }
}
