/** What a page and the service worker say to each other. */
export type ToServiceWorker =
  /** As older pages say it too. */
  | 'use-new-release'
  /** See `engine/reload.ts`. */
  | { type: 'keep-secret'; ticket: string; secret: unknown }
  /** Answered with the secret, once, or with null, on the port that comes with it. */
  | { type: 'take-secret'; ticket: string }
