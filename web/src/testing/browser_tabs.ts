/** Locks and channels between tabs, as browsers have them: for tests of what tabs say to each other. */
import type { Channel, Locks } from '../engine/worker/tabs'

interface Wish {
  tab: string
  held: () => Promise<unknown>
  resolve(value: unknown): void
  reject(error: Error): void
}

const abortError = () => Object.assign(new Error('aborted'), { name: 'AbortError' })

/** Web Locks (exclusive ones), with what becomes of them when a tab ends. */
export class FakeLocks {
  readonly #held = new Map<string, Wish>()
  readonly #queues = new Map<string, Wish[]>()

  holder(name: string): string | undefined {
    return this.#held.get(name)?.tab
  }

  of(tab: string): Locks {
    return {
      request: (name, { signal }, held) =>
        new Promise((resolve, reject) => {
          const wish: Wish = { tab, held, resolve, reject }
          if (signal?.aborted) return reject(abortError())
          const queue = this.#queues.get(name) ?? []
          this.#queues.set(name, queue)
          queue.push(wish)
          signal?.addEventListener('abort', () => {
            if (!queue.includes(wish)) return
            queue.splice(queue.indexOf(wish), 1)
            reject(abortError())
          })
          queueMicrotask(() => this.#next(name))
        }),
    }
  }

  /** The tab is gone: nothing of it runs on. */
  end(tab: string): void {
    for (const queue of this.#queues.values()) {
      for (const wish of queue.filter((one) => one.tab === tab)) queue.splice(queue.indexOf(wish), 1)
    }
    for (const [name, wish] of [...this.#held]) {
      if (wish.tab !== tab) continue
      this.#held.delete(name)
      queueMicrotask(() => this.#next(name))
    }
  }

  #next(name: string): void {
    if (this.#held.has(name)) return
    const wish = this.#queues.get(name)?.shift()
    if (wish) this.#grant(name, wish)
  }

  #grant(name: string, wish: Wish): void {
    this.#held.set(name, wish)
    void wish.held().then((value) => {
      if (this.#held.get(name) !== wish) return
      this.#held.delete(name)
      wish.resolve(value)
      this.#next(name)
    })
  }
}

/** `BroadcastChannel`s: every message is copied, arrives later and in order, at all others of that name. */
export class FakeChannels {
  readonly #open = new Set<{ name: string; tab: string; channel: Channel }>()

  of(tab: string): (name: string) => Channel {
    return (name) => {
      const post = (message: unknown) => {
        const copy: unknown = structuredClone(message)
        for (const other of [...this.#open]) {
          if (other === mine || other.name !== name) continue
          setTimeout(() => {
            if (this.#open.has(other)) other.channel.onmessage?.({ data: copy } as MessageEvent<never>)
          })
        }
      }
      const channel: Channel = {
        onmessage: null,
        postMessage: (message) => this.#open.has(mine) && post(message),
        close: () => void this.#open.delete(mine),
      }
      const mine = { name, tab, channel }
      this.#open.add(mine)
      return channel
    }
  }

  end(tab: string): void {
    for (const one of [...this.#open]) if (one.tab === tab) this.#open.delete(one)
  }
}
