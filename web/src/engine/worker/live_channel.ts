/**
 * The server's word that there is something new: `GET /v1/live`, held open. It carries no data: whatever comes means
 * "pull now", and the first event comes when the channel opens, for what was missed. A channel that breaks means it too,
 * to learn how the server is. What another hospital says there is not heard.
 */
import type { Backoff } from './backoff'
import { EventStreamReader } from './event_stream'
import { HOSPITAL, retryAfterOf } from './exchange'

/** Where to listen, and as whom. */
export interface Station {
  server: string
  token: string
}

/** Milliseconds without a byte after which the channel is taken for dead; the server comments more often. */
const SILENCE = 60_000

export class LiveChannel {
  #station: Station | null = null
  #stop = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #connected = false

  constructor(
    private readonly poke: () => void,
    /** Whether it is the replica's hospital that names itself so. */
    private readonly isOwn: (hospital: string | null) => boolean,
    private readonly backoff: Backoff,
  ) {}

  /** Listens there from now on; `null` is silence. The same station again changes nothing. */
  follow(station: Station | null): void {
    if (station?.server === this.#station?.server && station?.token === this.#station?.token) return
    this.#station = station
    this.#stop.abort()
    this.#connected = false
    this.backoff.reset()
    this.#connectIn(0)
  }

  /** The server answers: connect now if that was being waited for. */
  reached(): void {
    if (!this.#connected) this.#connectIn(0)
  }

  #connectIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    const station = this.#station
    if (station) this.#timer = setTimeout(() => void this.#listen(station), milliseconds)
  }

  async #listen(station: Station): Promise<void> {
    const stop = new AbortController()
    this.#stop = stop
    this.#connected = true
    const retryAfter = await this.#read(station, stop).catch(() => 0)
    // Stopped from outside: somebody else's turn.
    if (this.#stop !== stop || this.#station !== station) return
    this.#connected = false
    this.#connectIn(this.backoff.next(retryAfter))
  }

  /** Returns how many milliseconds the server asks to wait before the next attempt. */
  async #read(station: Station, stop: AbortController): Promise<number> {
    let silence = setTimeout(() => stop.abort(), SILENCE)
    let open = false
    try {
      const response = await fetch(`${station.server}/v1/live`, {
        headers: { Authorization: `Bearer ${station.token}`, Accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'omit',
        signal: stop.signal,
      })
      // Refused or not offered: rounds of sync find out which, and go on without a channel.
      if (!this.isOwn(response.headers.get(HOSPITAL))) {
        stop.abort()
        return 0
      }
      if (!response.ok || !response.body) return retryAfterOf(response.headers)
      open = true
      this.backoff.reset()
      const events = new EventStreamReader()
      const text = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const piece = await text.read()
        if (piece.done) return 0
        clearTimeout(silence)
        silence = setTimeout(() => stop.abort(), SILENCE)
        if (events.take(piece.value).length > 0) this.poke()
      }
    } finally {
      clearTimeout(silence)
      if (open && this.#stop === stop) this.poke()
    }
  }
}
