import { beforeEach, describe, expect, it } from 'vitest'
import { gatherWrites, type Opener, type SyncFile } from './gathered_writes'

/** A file in memory that tells what it was asked. */
class FakeFile implements SyncFile {
  bytes: number[] = []
  asked: string[] = []
  room = Infinity

  write(bytes: Uint8Array, { at }: { at: number }): number {
    this.asked.push(`write ${at}+${bytes.length}`)
    const fits = Array.from(bytes).slice(0, Math.max(this.room - at, 0))
    for (let index = this.bytes.length; index < at; index += 1) this.bytes[index] = 0
    fits.forEach((byte, index) => (this.bytes[at + index] = byte))
    return fits.length
  }
  read(into: Uint8Array, { at }: { at: number }): number {
    this.asked.push('read')
    const found = this.bytes.slice(at, at + into.length)
    into.set(found)
    return found.length
  }
  truncate(size: number): void {
    this.asked.push('truncate')
    this.bytes.length = size
  }
  getSize(): number {
    this.asked.push('getSize')
    return this.bytes.length
  }
  flush(): void {
    this.asked.push('flush')
  }
  close(): void {
    this.asked.push('close')
  }
}

let real: FakeFile
let file: SyncFile

beforeEach(async () => {
  real = new FakeFile()
  const opener: Opener = { createSyncAccessHandle: async () => real }
  gatherWrites(opener)
  file = await opener.createSyncAccessHandle()
})

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)

describe('gathered writes', () => {
  it('writes what lies behind each other at once, when it is flushed', () => {
    expect(file.write(bytes(24, 1), { at: 100 })).toBe(24)
    expect(file.write(bytes(4096, 2), { at: 124 })).toBe(4096)
    file.write(bytes(24, 3), { at: 4220 })
    expect(real.asked).toEqual([])
    file.flush()
    expect(real.asked).toEqual(['write 100+4144', 'flush'])
    expect([real.bytes[99], real.bytes[100], real.bytes[124], real.bytes[4243]]).toEqual([0, 1, 2, 3])
    file.flush()
    expect(real.asked).toHaveLength(3)
  })

  it('keeps its own copy: the writer uses its memory again', () => {
    const page = bytes(8, 1)
    file.write(page, { at: 0 })
    page.fill(2)
    file.flush()
    expect(real.bytes).toEqual(Array(8).fill(1))
  })

  it('writes in the order in which it was asked to', () => {
    file.write(bytes(8, 1), { at: 0 })
    file.write(bytes(4, 2), { at: 2 })
    file.write(bytes(2, 3), { at: 100 })
    file.flush()
    expect(real.asked).toEqual(['write 0+8', 'write 2+4', 'write 100+2', 'flush'])
    expect(real.bytes.slice(0, 8)).toEqual([1, 1, 2, 2, 2, 2, 1, 1])
  })

  it('shows what it holds to whoever reads, asks for the size or truncates', () => {
    file.write(bytes(8, 1), { at: 0 })
    const into = bytes(4, 0)
    expect(file.read(into, { at: 6 })).toBe(2)
    expect(Array.from(into)).toEqual([1, 1, 0, 0])
    file.write(bytes(8, 2), { at: 8 })
    expect(file.getSize()).toBe(16)
    file.write(bytes(8, 3), { at: 16 })
    file.truncate(20)
    expect(real.bytes).toHaveLength(20)
    file.write(bytes(1, 4), { at: 20 })
    file.close()
    expect(real.bytes).toHaveLength(21)
    expect(real.asked.at(-1)).toBe('close')
  })

  it('holds no more than its room, and what is larger goes through', () => {
    const half = 128 * 1024
    for (let page = 0; page < 3; page += 1) file.write(bytes(half, page), { at: page * half })
    expect(real.asked).toEqual([`write 0+${2 * half}`])
    file.write(bytes(3 * half, 9), { at: 3 * half })
    expect(real.asked.slice(1)).toEqual([`write ${2 * half}+${half}`, `write ${3 * half}+${3 * half}`])
    file.write(bytes(1, 1), { at: 6 * half })
    file.flush()
    expect(real.bytes).toHaveLength(6 * half + 1)
  })

  it('tells of a full device, and holds nothing afterwards', () => {
    real.room = 4
    file.write(bytes(8, 1), { at: 0 })
    expect(() => file.flush()).toThrow('Of 8 bytes 4 could be written.')
    real.room = Infinity
    file.flush()
    expect(real.asked).toEqual(['write 0+8', 'flush'])
  })
})
