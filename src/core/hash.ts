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
  // Loops and no lists in between: a fifth to a quarter of the time of every hash (docs/decisions/profiles.md).
  if (Array.isArray(value)) {
    let out = '['
    for (let i = 0; i < value.length; i++) out += `${i === 0 ? '' : ','}${canonicalJson(value[i] ?? null, depth + 1)}`
    return `${out}]`
  }
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>
    let out = ''
    for (const key of Object.keys(object).sort()) {
      const member = object[key]
      if (member === undefined) continue
      out += `${out === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`
    }
    return `{${out}}`
  }
  throw new GradusError('GRD-CORE-001', { found: `a ${typeof value} in hashed content` })
}

/** SHA-256 of the canonical JSON, as 64 hexadecimal digits. */
export function contentHash(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex')
}
