/** One request and its answer, with the patience that ward networks need. */
import type { HttpRequest } from './replica'

export interface HttpAnswer {
  status: number
  /** The header `Holdfast-Hospital`: which hospital answers. Every answer of a server has it; what a proxy says itself has not. */
  hospital: string | null
  /** The header `Retry-After`: milliseconds until asking again makes sense; 0 where the server does not say. */
  retryAfter: number
  body: Uint8Array<ArrayBuffer>
}

/** No answer came; the message is for people. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** Makes it an `EngineError`. */
  readonly code = 'offline'
}

export interface Patience {
  /** Milliseconds until the answer must begin; large pushes over slow networks need it. */
  begin: number
  /** Milliseconds without a further byte after which an answer that began is given up. */
  silence: number
}

export const HOSPITAL = 'Holdfast-Hospital'

/** Milliseconds that are waited at most: whatever stands between may ask for anything. */
const LONGEST_RETRY = 60_000

/** Milliseconds that the header asks to wait; a date in its place is not understood. */
export function retryAfterOf(headers: Headers): number {
  const seconds = Number(headers.get('Retry-After') ?? 0)
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1_000, 0), LONGEST_RETRY) : 0
}

const PATIENCE: Patience = { begin: 60_000, silence: 20_000 }
/** Smaller bodies gain nothing from compression. */
const COMPRESS_FROM = 1_024
const UNREACHABLE = 'The server could not be reached. Your work is kept on this device and sent later.'
const SLOW = 'The server did not answer in time. Your work is kept on this device and sent later.'

export async function exchange(
  server: string,
  request: HttpRequest,
  token: string | null,
  stop: AbortSignal,
  patience = PATIENCE,
): Promise<HttpAnswer> {
  const watchdog = new AbortController()
  let timer = setTimeout(() => watchdog.abort(), patience.begin)
  const stillThere = () => {
    clearTimeout(timer)
    timer = setTimeout(() => watchdog.abort(), patience.silence)
  }
  try {
    // Nothing is awaited before a request that need not be packed: what is asked ahead leaves before its caller goes on to work.
    const content = request.body.length < COMPRESS_FROM ? plain(request, token) : await packed(request, token)
    const response = await fetch(server + request.path, {
      ...content,
      method: request.method,
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.any([watchdog.signal, stop]),
    })
    const hospital = response.headers.get(HOSPITAL)
    const retryAfter = retryAfterOf(response.headers)
    return { status: response.status, hospital, retryAfter, body: await readAll(response, stillThere) }
  } catch (error) {
    throw new NoAnswer(watchdog.signal.aborted ? SLOW : UNREACHABLE, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function plain({ body }: HttpRequest, token: string | null) {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` }
  if (body.length === 0) return { headers }
  headers['Content-Type'] = 'application/cbor'
  return { headers, body }
}

async function packed(request: HttpRequest, token: string | null) {
  const { headers } = plain(request, token)
  headers['Content-Encoding'] = 'gzip'
  return { headers, body: await gzip(request.body) }
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}

async function readAll(response: Response, onPiece: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  const reader = response.body?.getReader()
  for (let size = 0; ;) {
    onPiece()
    const piece = await reader?.read()
    if (!piece?.value) return join(pieces, size)
    pieces.push(piece.value)
    size += piece.value.length
  }
}

function join(pieces: Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
