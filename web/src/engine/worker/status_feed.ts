/** Tells the page the status: whenever it is another one, once for all that moved together, and without flicker. */
import type { ReplicaStatus } from './replica'

export interface FeedSurroundings {
  read(): ReplicaStatus
  send(status: ReplicaStatus): void
  /** Calls back after so many milliseconds. */
  later(milliseconds: number, callback: () => void): void
  /** Milliseconds, as `performance.now`. */
  now(): number
}

/** Milliseconds for which an exchange that goes well is not worth a word. */
const BRIEF = 300

export class StatusFeed {
  #due = false
  #sent = ''
  #connection: ReplicaStatus['connection'] = 'offline'
  #busySince: number | null = null

  constructor(private readonly around: FeedSurroundings) {}

  /** The status may be another one. */
  moved(): void {
    if (this.#due) return
    this.#due = true
    this.around.later(0, () => {
      this.#due = false
      this.tell()
    })
  }

  /** Tells it now, if it is another one. */
  tell(): void {
    const status = this.#steadied(this.around.read())
    const words = JSON.stringify(status)
    if (words === this.#sent) return
    this.#sent = words
    this.#connection = status.connection
    this.around.send(status)
  }

  /** Who was online a moment ago still is, until an exchange takes its time. */
  #steadied(status: ReplicaStatus): ReplicaStatus {
    if (status.connection !== 'syncing' || this.#connection !== 'online' || status.firstSync) {
      this.#busySince = null
      return status
    }
    const now = this.around.now()
    if (this.#busySince === null) {
      this.#busySince = now
      this.around.later(BRIEF, () => this.tell())
    }
    return now - this.#busySince < BRIEF ? { ...status, connection: 'online' } : status
  }
}
