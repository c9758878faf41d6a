/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2.6), which arrives cut anywhere. `EventSource` would read it for us, but it
 * cannot send an Authorization header.
 */
export interface ServerEvent {
  /** `message` if the server named none. */
  name: string
  data: string
}

export class EventStreamReader {
  #rest = ''
  #name = ''
  #data: string[] = []

  /** Takes the next piece of text and returns the events that it completes. */
  take(text: string): ServerEvent[] {
    const events: ServerEvent[] = []
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    // The last piece is no line yet. A carriage return at its end stays with it: its line feed may be on the way.
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) events.push(this.#finish())
      else this.#name = ''
    }
    return events
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    // A line that starts with a colon is a comment: the server shows that it is there.
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    if (field === 'data') this.#data.push(value)
  }

  #finish(): ServerEvent {
    const event = { name: this.#name || 'message', data: this.#data.join('\n') }
    this.#name = ''
    this.#data = []
    return event
  }
}
