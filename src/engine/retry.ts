import type { ErrorCode } from '../core/errors.ts'
import { random } from '../core/seeds.ts'
import type { Fault } from './fault.ts'

/**
 * How often a call is sent at most while it fails in this way; what is not listed is never tried again.
 *
 * A refused key, a prompt that does not fit or a malformed request fails the same way each time. Slowing down costs
 * nothing at the endpoint, so that is tried for longest. An answer that is not readable may be paid for each time.
 */
export const ATTEMPTS: Partial<Record<ErrorCode, number>> = {
  'GRD-CALL-001': 4,
  'GRD-CALL-003': 30,
  'GRD-CALL-004': 6,
  'GRD-CALL-005': 3,
  'GRD-CALL-006': 4,
  'GRD-CALL-007': 3,
  'GRD-CALL-008': 4,
}

/** After these every further call to the same endpoint would fail in the same way: the pool is closed. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['GRD-CALL-002', 'GRD-CALL-012'])

export interface RetryRule {
  /** Upper bound of the first wait, milliseconds; doubles with each attempt. */
  baseMs: number
  /** Upper bound of every wait that the endpoint did not ask for, milliseconds. */
  capMs: number
  /** An endpoint that asks to wait longer than this, milliseconds, is given up. */
  patienceMs: number
}

/** First wait and growth as common in clients of hosted models; patience is the usual window of a quota, with room. */
export const RETRY: RetryRule = { baseMs: 500, capMs: 30_000, patienceMs: 10 * 60_000 }

/**
 * Milliseconds to wait before the next attempt, or null: give up.
 *
 * Full jitter (uniform in [0, min(cap, base 2^attempt)), M. Brooker, "Exponential Backoff and Jitter", 2015), never
 * sooner than the endpoint asks; the jitter comes from the name, so that it can be repeated.
 * @param attempt attempts made so far that ended with this fault, from 1
 */
export function waitBeforeRetry(fault: Fault, attempt: number, name: string, rule: RetryRule = RETRY): number | null {
  if (attempt >= (ATTEMPTS[fault.code] ?? 0)) return null
  const asked = fault.retryAfterMs ?? 0
  if (asked > rule.patienceMs) return null
  const ceiling = Math.min(rule.capMs, rule.baseMs * 2 ** (attempt - 1))
  return asked + random(`retry/${name}/${attempt}`).next() * ceiling
}

/** Does this fault end all calls to the endpoint? */
export function isHopeless(fault: Fault, rule: RetryRule = RETRY): boolean {
  return HOPELESS.has(fault.code) || (fault.retryAfterMs ?? 0) > rule.patienceMs
}

/**
 * `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3); undefined where it says neither.
 * @param now milliseconds since 1970
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
