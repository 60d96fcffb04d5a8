import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'

/** 192 random bits, as text that survives in a header or an address. */
export function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Lets in only who has the token, from a page or program on this machine.
 *
 * The Host header must name this machine, which stops DNS rebinding; a request that a foreign page sends carries an
 * Origin of its own and is refused; the token is compared in constant time.
 * @param options.inAddress takes the token also as `?token=`, for clients that cannot send headers
 */
export function guard(token: string, options: { inAddress?: boolean } = {}): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('host') ?? ''
    if (!isLocal(`http://${host}`)) return c.json(refusal('this server answers to localhost only'), 403)
    const origin = c.req.header('origin')
    if (origin !== undefined && !isLocal(origin)) return c.json(refusal('requests of other sites are refused'), 403)
    const given =
      /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1] ??
      (options.inAddress === true ? c.req.query('token') : undefined) ??
      ''
    if (!same(given, token)) return c.json(refusal('the token is missing or wrong'), 401)
    return await next()
  }
}

/** Is it the address of this machine, by name or by number? */
export function isLocal(address: string): boolean {
  const name = URL.canParse(address) ? new URL(address).hostname : ''
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
}

/** In a time that does not depend on where they differ. */
export function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

function refusal(message: string): { error: { message: string; type: string; code: string } } {
  return { error: { message, type: 'invalid_request_error', code: 'refused' } }
}
