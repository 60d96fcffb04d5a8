import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { isLocal, newToken, same } from '../server/guard.ts'
import { POST_HEADER } from './api.ts'

/** Nothing but what this server itself sends is loaded, run or drawn; pictures may stand in the data. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS: Record<string, string> = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * Who may come in: a token in the address lets one browser in, once, and is exchanged for a cookie that no script and
 * no other site can use.
 */
export class Door {
  readonly #tokens = new Set<string>()
  readonly #sessions = new Set<string>()

  /** A token that lets one browser in. */
  invite(): string {
    const token = newToken()
    this.#tokens.add(token)
    return token
  }

  /** Headers of every answer; requests under another name than this machine's, or of another site, are refused. */
  readonly guard: MiddlewareHandler = async (c, next) => {
    const host = c.req.header('host') ?? ''
    if (!isLocal(`http://${host}`)) return this.#refuse(c, 403, 'this server answers to localhost only')
    const origin = c.req.header('origin')
    if (origin !== undefined && origin !== `http://${host}`)
      return this.#refuse(c, 403, 'requests of other sites are refused')
    const site = c.req.header('sec-fetch-site') ?? 'none'
    const page = c.req.method === 'GET' && !c.req.path.startsWith('/api/')
    if (!page && site !== 'none' && site !== 'same-origin')
      return this.#refuse(c, 403, 'requests of other sites are refused')
    const token = c.req.query('token')
    if (token !== undefined && c.req.path === '/' && c.req.method === 'GET') return this.#enter(c, token)
    await next()
    addHeaders(c)
    return
  }

  /** For data: who has the cookie, and for changes also the header that only our page sends. */
  readonly members: MiddlewareHandler = async (c, next) => {
    if (!this.#knows(c)) return this.#refuse(c, 401, 'open the address that the command printed')
    const json = /^application\/json\b/.test(c.req.header('content-type') ?? '')
    if (c.req.method !== 'GET' && (c.req.header(POST_HEADER) === undefined || !json)) {
      return this.#refuse(c, 403, `a change is JSON with the header ${POST_HEADER}`)
    }
    return await next()
  }

  #enter(c: Context, token: string): Response {
    const known = [...this.#tokens].find((t) => same(t, token))
    if (known !== undefined) {
      this.#tokens.delete(known)
      const session = newToken()
      this.#sessions.add(session)
      setCookie(c, cookieName(c), session, { httpOnly: true, sameSite: 'Strict', path: '/' })
    } else if (!this.#knows(c)) {
      return this.#refuse(c, 401, 'this address was used already; press Enter where the command runs for another')
    }
    addHeaders(c)
    return c.redirect('/', 303)
  }

  #knows(c: Context): boolean {
    const given = getCookie(c, cookieName(c))
    return given !== undefined && [...this.#sessions].some((s) => same(s, given))
  }

  #refuse(c: Context, status: 401 | 403, message: string): Response {
    addHeaders(c)
    return c.json({ error: { code: 'GRD-SERVE-004', message, try: ['gradus view FILE'] } }, status)
  }
}

function addHeaders(c: Context): void {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
}

/** Cookies are shared by all ports of a machine: two viewers must not overwrite each other's. */
function cookieName(c: Context): string {
  return `gradus_${/:(\d+)$/.exec(c.req.header('host') ?? '')?.[1] ?? '80'}`
}
