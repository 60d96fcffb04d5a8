import type { Comparison } from './compare.ts'
import { compareNumbers } from './compare.ts'
import { chainsOf } from './formula.ts'
import { guardOf } from './guards.ts'
import { compareIdentity } from './identity.ts'
import { proseChains } from './prose.ts'
import { readSide } from './side.ts'
import { spansOf } from './spans.ts'

/** One equation that a step states, and what came out. */
export interface Claim {
  /** Numbers on both sides, or symbols too. */
  kind: 'numbers' | 'identity'
  /** As written, without LaTeX dressing. */
  text: string
  /** null = the writer may have meant something in which it holds, or the text around it makes it no claim. */
  holds: boolean | null
  /** What the left side is, where it is not the right one. */
  value?: string
  /** Why nothing is said, where nothing is. */
  why?: string
}

/** A text longer than this is no step of a calculation. */
const MAX_TEXT = 20_000

/** Equations that a text states, in order; each link of a chain is one. Never throws. */
export function claimsOf(text: string): Claim[] {
  if (text.length > MAX_TEXT || !text.includes('=')) return []
  const spans = spansOf(text)
  const found: { at: number; claims: Claim[] }[] = []
  for (const span of spans) {
    if (span.kind !== 'formula' || !span.text.includes('=')) continue
    for (const chain of chainsOf(span.text)) {
      const claims = links(chain.sides, false)
      if (claims.length > 0) found.push({ at: span.from, claims: guarded(claims, text, spans, span.from, span.to) })
    }
  }
  for (const chain of proseChains(spans)) {
    const claims = links(chain.sides, chain.units)
    if (claims.length > 0) found.push({ at: chain.from, claims: guarded(claims, text, spans, chain.from, chain.to) })
  }
  return found.sort((a, b) => a.at - b.at).flatMap((f) => f.claims)
}

function guarded(claims: Claim[], text: string, spans: ReturnType<typeof spansOf>, from: number, to: number): Claim[] {
  if (claims.every((c) => c.holds !== false)) return claims
  const guard = guardOf(text, spans, from, to)
  return guard === null ? claims : claims.map((c) => (c.holds === false ? { ...c, holds: null, why: guard } : c))
}

function links(texts: readonly string[], units: boolean): Claim[] {
  const sides = texts.map(readSide)
  const claims: Claim[] = []
  for (let i = 0; i + 1 < sides.length; i++) {
    const [left, right] = [sides[i], sides[i + 1]]
    if (!left || !right || !(left.compound || right.compound)) continue
    const kind = left.symbols.size + right.symbols.size === 0 ? 'numbers' : 'identity'
    if (kind === 'identity' && !(left.compound && right.compound && left.symbols.size > 0 && right.symbols.size > 0))
      continue
    const found =
      kind === 'numbers'
        ? compareNumbers(units ? { ...left, units } : left, right)
        : compareIdentity(left, right, sides.length > 2)
    claims.push({ kind, text: `${left.text} = ${right.text}`, ...outcome(found) })
  }
  return claims
}

function outcome({ holds, left, why }: Comparison): Pick<Claim, 'holds' | 'why' | 'value'> {
  if (holds === true) return { holds }
  if (holds === null) return { holds, why }
  return { holds, ...(left !== null && { value: String(Number(left.toPrecision(12))) }) }
}
