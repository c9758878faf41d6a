import { describe, expect, it } from 'vitest'
import { EventStreamReader, type ServerEvent } from './event_stream'

const STREAM =
  ': hello\n\nevent: head\ndata: 41\n\ndata: a\ndata: b\r\n\r\nevent: quiet\n\nretry: 5\rdata:c\r\rdata\n\n'
const EVENTS: ServerEvent[] = [
  { name: 'head', data: '41' },
  { name: 'message', data: 'a\nb' },
  { name: 'message', data: 'c' },
  { name: 'message', data: '' },
]

describe('an event stream', () => {
  it('is read with its names, several lines of data, comments and all three line ends', () => {
    expect(new EventStreamReader().take(STREAM)).toEqual(EVENTS)
  })

  it('is read the same wherever it is cut', () => {
    for (let size = 1; size < STREAM.length; size += 1) {
      const reader = new EventStreamReader()
      const events: ServerEvent[] = []
      for (let at = 0; at < STREAM.length; at += size)
        events.push(...reader.take(STREAM.slice(at, at + size)))
      expect(events, `pieces of ${size}`).toEqual(EVENTS)
    }
  })

  it('keeps an event that is not complete', () => {
    const reader = new EventStreamReader()
    expect(reader.take('data: 1\n')).toEqual([])
    expect(reader.take('\n')).toEqual([{ name: 'message', data: '1' }])
  })
})
