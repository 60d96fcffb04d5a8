import { hash } from 'node:crypto'
import { GradusError } from './errors.ts'
import { LIMITS } from './limits.ts'

/**
 * JSON with sorted keys and no white space: equal values give equal bytes.
 *
 * `undefined` members are left out, as JSON does.
 * @throws GradusError GRD-CORE-001 for NaN, infinities, functions, symbols, bigints and too deep nesting
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > LIMITS.jsonDepth) {
    throw new GradusError('GRD-CORE-001', { found: `nesting deeper than ${LIMITS.jsonDepth}` })
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new GradusError('GRD-CORE-001', { found: `number ${value} in hashed content` })
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((v) => canonicalJson(v ?? null, depth + 1)).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v, depth + 1)}`)
    return `{${members.join(',')}}`
  }
  throw new GradusError('GRD-CORE-001', { found: `a ${typeof value} in hashed content` })
}

/** SHA-256 of the canonical JSON, as 64 hexadecimal digits. */
export function contentHash(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex')
}
