import type { Claim } from './claim.ts'
import type { Comparison } from './compare.ts'
import { compareNumbers } from './compare.ts'
import type { Equation } from './consequences.ts'
import { consequences } from './consequences.ts'
import { chainsOf } from './formula.ts'
import { guardOf, shadowOf } from './guards.ts'
import { compareIdentity } from './identity.ts'
import { proseChains } from './prose.ts'
import type { Side } from './side.ts'
import { readSide } from './side.ts'
import { spansOf } from './spans.ts'

/** A text longer than this is no step of a calculation. */
const MAX_TEXT = 20_000

type Found = { at: number; claims: Claim[] }

/** What a step states, and with what the next one goes on. */
export interface Stated {
  claims: Claim[]
  /** The last equation with the prose behind it; null where there is none. */
  last: Equation | null
}

/**
 * Equations that a step states, in order; each link of a chain is one. Never throws.
 *
 * @param before the last equation of the step before, from which the first one here may follow
 */
export function claimsOf(text: string, before: Equation | null = null): Stated {
  if (text.length > MAX_TEXT || !text.includes('=')) return { claims: [], last: null }
  const spans = spansOf(text)
  const shadow = shadowOf(spans)
  const found: Found[] = []
  const equations: Equation[] = before === null ? [] : [before]
  let between = before === null ? '' : `${before.between}\n`
  for (const span of spans) {
    if (span.kind === 'prose') between += span.text
    else if (span.text.includes('=')) {
      for (const chain of chainsOf(span.text)) {
        const sides = chain.sides.map(readSide)
        const claims = links(sides, false)
        if (claims.length > 0) found.push({ at: span.from, claims: guarded(claims, shadow, span.from, span.to) })
        equations.push({ ...equationOf(sides), joint: chain.joint, between, at: span.from })
        between = ''
      }
    }
  }
  for (const { claim, at } of consequences(equations)) found.push({ at, claims: guarded([claim], shadow, at, at) })
  for (const chain of proseChains(spans)) {
    const claims = links(chain.sides.map(readSide), chain.units)
    if (claims.length > 0) found.push({ at: chain.from, claims: guarded(claims, shadow, chain.from, chain.to) })
  }
  const last = equations.length > (before === null ? 0 : 1) ? (equations.at(-1) ?? null) : null
  return {
    claims: found.sort((a, b) => a.at - b.at).flatMap((f) => f.claims),
    last: last === null ? null : { ...last, between },
  }
}

/** Of `x = 2 + 3 = 5` the first and the last side; null where a side cannot be read. */
function equationOf(sides: readonly (Side | null)[]): Pick<Equation, 'sides' | 'text'> {
  const [first, last] = [sides[0] ?? null, sides.at(-1) ?? null]
  if (first === null || last === null || sides.includes(null)) return { sides: null, text: '' }
  if (sides.length > 2 && sides.slice(1).some((s) => s !== null && s.symbols.size > 0)) return { sides: null, text: '' }
  return { sides: [first, last], text: `${first.text} = ${last.text}` }
}

function guarded(claims: Claim[], shadow: string, from: number, to: number): Claim[] {
  if (claims.every((c) => c.holds !== false)) return claims
  const symbols = claims.some((c) => c.kind === 'identity')
  const guard = guardOf(shadow, from, to, symbols)
  return guard === null ? claims : claims.map((c) => (c.holds === false ? { ...c, holds: null, why: guard } : c))
}

function links(sides: readonly (Side | null)[], units: boolean): Claim[] {
  const claims: Claim[] = []
  for (let i = 0; i + 1 < sides.length; i++) {
    const [left, right] = [sides[i], sides[i + 1]]
    if (!left || !right || !(left.compound || right.compound)) continue
    const kind = left.symbols.size + right.symbols.size === 0 ? 'numbers' : 'identity'
    if (kind === 'identity' && !(left.compound && right.compound && left.symbols.size > 0 && right.symbols.size > 0))
      continue
    const found =
      kind === 'numbers'
        ? compareNumbers(units ? { ...left, units } : left, right, sides.length > 2)
        : compareIdentity(left, right, sides.length > 2)
    const pen = found.holds === false && (isAgreed(left, sides[i + 2]) || isAgreed(sides[i - 1], right))
    const said = pen ? { holds: null, why: 'a slip of the pen that the next side corrects' } : outcome(found)
    claims.push({ kind, text: `${left.text} = ${right.text}`, ...said })
  }
  return claims
}

/** Of `a = b = c` with a = c a wrong b was not gone on with. */
const isAgreed = (a: Side | null | undefined, c: Side | null | undefined): boolean =>
  !!a && !!c && (a.compound || c.compound) && a.text !== c.text && compareIdentity(a, c, false).holds === true

function outcome({ holds, left, why }: Comparison): Pick<Claim, 'holds' | 'why' | 'value'> {
  if (holds === true) return { holds }
  if (holds === null) return { holds, why }
  return { holds, ...(left !== null && { value: String(Number(left.toPrecision(12))) }) }
}
