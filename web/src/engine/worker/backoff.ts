/** How long to wait after failures: longer each time, never the same for two devices. */
const FIRST = 1_000
const LONGEST = 60_000

export class Backoff {
  #failures = 0

  /** `random` is in [0, 1), as `Math.random`. */
  constructor(private readonly random: () => number = Math.random) {}

  /**
   * Milliseconds to wait after one more failure: between half and the whole of 1 s, 2 s, 4 s … 60 s. `atLeast` is what
   * the server asked for: it is waited out, and spread over half as much again.
   */
  next(atLeast = 0): number {
    const whole = Math.min(FIRST * 2 ** this.#failures, LONGEST)
    this.#failures += 1
    const spread = this.random() / 2
    return Math.round(Math.max(whole * (0.5 + spread), atLeast * (1 + spread)))
  }

  /** It worked: the next failure is the first again. */
  reset(): void {
    this.#failures = 0
  }
}
