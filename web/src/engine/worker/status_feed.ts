/** Tells the page the status, whenever it is another one, once for all that moved together. */
import type { Status } from '../port'

export class StatusFeed {
  #due = false
  #sent = ''

  constructor(
    private readonly read: () => Status,
    private readonly send: (status: Status) => void,
    private readonly soon: (callback: () => void) => void,
  ) {}

  /** The status may be another one. */
  moved(): void {
    if (this.#due) return
    this.#due = true
    this.soon(() => this.tell())
  }

  /** Tells it now, if it is another one. */
  tell(): void {
    this.#due = false
    const status = this.read()
    const words = JSON.stringify(status)
    if (words === this.#sent) return
    this.#sent = words
    this.send(status)
  }
}
