/**
 * A store's key, wrapped by a password: PBKDF2 with SHA-256 (NIST SP 800-132) derives a key that encrypts it with AES-GCM
 * (NIST SP 800-38D). A wrong password is told by the tag that does not fit, and by nothing else on the device.
 */
export interface Wrapped {
  salt: Uint8Array<ArrayBuffer>
  iterations: number
  /** AES-GCM's initialisation vector. */
  iv: Uint8Array<ArrayBuffer>
  key: Uint8Array<ArrayBuffer>
}

/** What OWASP's password storage cheat sheet asks of PBKDF2 with SHA-256. */
export const ITERATIONS = 600_000
const KEY_BYTES = 32
const SALT_BYTES = 16
const IV_BYTES = 12

export const newKey = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(KEY_BYTES))

/** Fewer `iterations` are for tests. */
export async function wrap(
  key: Uint8Array<ArrayBuffer>,
  password: string,
  iterations = ITERATIONS,
): Promise<Wrapped> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const wrapping = await derive(password, salt, iterations)
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, key)
  return { salt, iterations, iv, key: new Uint8Array(wrapped) }
}

/** The key, or null if the password is not the one. */
export async function unwrap(wrapped: Wrapped, password: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const { salt, iterations, iv, key } = wrapped
  const wrapping = await derive(password, salt, iterations)
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, wrapping, key))
  } catch {
    return null
  }
}

async function derive(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<CryptoKey> {
  // The same letters can be typed as different code points, by keyboard.
  const bytes = new TextEncoder().encode(password.normalize('NFKC'))
  const typed = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveKey'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
  return crypto.subtle.deriveKey(how, typed, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}
