/** Signing in and out: asks the server; the answer is the replica's to take. */
import type { EngineError } from '../port'
import { HOSPITAL } from './exchange'

/** Whom the server is asked about. */
export interface Credentials {
  server: string
  username: string
  password: string
  /** Whose refusal counts, if it is known. */
  hospital?: string
}

/** Another hospital refused: it knows nobody of this device. */
export class OtherHospital extends Error {
  override readonly name = 'OtherHospital'
  /** Makes it an `EngineError`. */
  readonly code = 'other_hospital'

  constructor(readonly hospital: string) {
    super('This address now belongs to another hospital. Tell your administrator.')
  }
}

/** `SignInRequest` of core's protocol. */
interface Body {
  username: string
  password: string
  /** The device's public key, in hexadecimal digits. */
  deviceKey: string
  deviceName: string
}

const PATIENCE = 30_000

/** Returns the server's answer as it came; throws an `EngineError` in words, `OtherHospital` among them. `patience` in milliseconds. */
export async function askToSignIn(
  { server, username, password, hospital }: Credentials,
  device: { deviceKey: string; deviceName: string },
  patience = PATIENCE,
): Promise<string> {
  const body: Body = { username, password, ...device }
  let response: Response
  let text: string
  try {
    response = await fetch(`${address(server)}/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(patience),
    })
    text = await response.text()
  } catch {
    throw problem(
      'offline',
      'The server could not be reached. Check the network and the address, then try again.',
    )
  }
  if (response.ok) return text
  const named = response.headers.get(HOSPITAL)
  if (hospital !== undefined && named !== null && named !== hospital) throw new OtherHospital(named)
  throw refusal(response.status, text)
}

/** The hospital that took a sign-in. */
export function hospitalOf(answer: string): string | undefined {
  try {
    const said: unknown = JSON.parse(answer)
    if (
      typeof said === 'object' &&
      said !== null &&
      'hospitalId' in said &&
      typeof said.hospitalId === 'string'
    )
      return said.hospitalId
  } catch {
    // The replica says what is wrong with it.
  }
  return undefined
}

/** Tells the server that a session is over, if it can be told; it ends there by itself in time. */
export function tellSignedOut(server: string, token: string): void {
  const headers = { Authorization: `Bearer ${token}` }
  fetch(`${server}/v1/session`, { method: 'DELETE', headers, credentials: 'omit', keepalive: true }).catch(
    () => undefined,
  )
}

/** The address without what people put behind it by mistake. */
export function address(server: string): string {
  try {
    const url = new URL(server)
    if (url.protocol === 'https:' || url.protocol === 'http:')
      return url.href.replace(/[?#].*$/, '').replace(/\/+$/, '')
  } catch {
    // Said below.
  }
  const error = problem('invalid', 'This is not a server’s address. It looks like https://hospital.example.')
  throw { ...error, field: 'server' } satisfies EngineError
}

/** What the server's refusal says, if it is one of Holdfast's; a proxy may answer in its place. */
export function refusal(status: number, text: string): EngineError {
  try {
    const said: unknown = JSON.parse(text)
    if (typeof said === 'object' && said !== null && 'code' in said && 'message' in said) {
      const { code, message } = said
      if (typeof code === 'string' && typeof message === 'string') return problem(code, message)
    }
  } catch {
    // Not JSON, so not the server's.
  }
  if (status === 401 || status === 403)
    return problem('sign_in_failed', 'User name or password is not right.')
  return problem(
    status >= 500 ? 'offline' : 'server',
    `The server answered in a way that Holdfast does not understand (HTTP ${status}). Check the address, or try again later.`,
  )
}

const problem = (code: string, message: string): EngineError => ({ code, message })
