import type { Trace } from '../../core/words.ts'
import { CUT_CHARS } from './schemas.ts'

export interface Cut {
  pointer: string
  length: number
}

/**
 * The trace without token ids and log-probabilities and with long texts cut, so that a single step of megabytes does
 * not stop the page.
 */
export function cutTrace(trace: Trace): { trace: Trace; cuts: Cut[] } {
  const cuts: Cut[] = []
  const steps = trace.steps.map(({ tokens: _, ...step }) => step)
  return { trace: cutValue({ ...trace, steps }, '', cuts) as Trace, cuts }
}

function cutValue(value: unknown, pointer: string, cuts: Cut[]): unknown {
  if (typeof value === 'string') {
    if (value.length <= CUT_CHARS) return value
    cuts.push({ pointer, length: value.length })
    return value.slice(0, whole(value, CUT_CHARS))
  }
  if (Array.isArray(value)) return value.map((item, i) => cutValue(item, `${pointer}/${i}`, cuts))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cutValue(item, `${pointer}/${escaped(key)}`, cuts)]),
  )
}

/** A piece of the text at a JSON Pointer (RFC 6901); null where there is no text. */
export function pieceOf(
  trace: Trace,
  pointer: string,
  from: number,
): { text: string; next: number | null; length: number } | null {
  let value: unknown = trace
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null
    value = (value as Record<string, unknown>)[key]
  }
  if (typeof value !== 'string' || !/^(\/|$)/.test(pointer)) return null
  const end = whole(value, Math.min(value.length, from + CUT_CHARS))
  return { text: value.slice(from, end), next: end < value.length ? end : null, length: value.length }
}

/** The place, or one before it where it would part a pair of surrogates. */
function whole(text: string, end: number): number {
  const before = text.charCodeAt(end - 1)
  return end < text.length && before >= 0xd800 && before < 0xdc00 ? end - 1 : end
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
