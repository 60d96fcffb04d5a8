import type { Canonical, Polynomial } from '../../answers/canonical.ts'
import { canonical, linear, proportional, totalDegree } from '../../answers/canonical.ts'
import type { Expr } from '../../answers/expression.ts'
import { negated } from '../../answers/expression.ts'
import { type Rational, same, TooLarge } from '../../answers/rational.ts'
import { OutOfWork, startWork } from '../../answers/work.ts'
import type { Claim } from './claim.ts'
import type { Chain } from './formula.ts'
import { overlap } from './identity.ts'
import type { Side } from './side.ts'

/** An equation with symbols, in the order of the text. */
export interface Equation {
  text: string
  /** null where a side cannot be read. */
  sides: readonly [Side, Side] | null
  joint: Chain['joint']
  /** Prose between the equation before and this one. */
  between: string
  at: number
}

type Read = Equation & { sides: readonly [Side, Side] }
const isRead = (x: Equation): x is Read => x.sides !== null

/** Words by which one equation is said to be another form of the one before it. */
const REMAKES = /\b(?:simplif\w*|expand\w*|distribut\w*|rearrang\w*|combin\w*|becomes|implies)\b/i
/** Words by which one equation follows from the one before it. */
const DERIVES =
  /\b(?:gives?|get|yields?|obtain|so|thus|hence|therefore|means|subtract\w*|divid\w*|add\w*|multipl\w*|solv\w*|isolat\w*|which)\b/i
/** Words by which another equation comes in. */
const ANOTHER =
  /\b(?:or|either|case|other|another|second|third|next|equations|let|if|similarly|also|substitut\w*|where|since|from|root|factor\w*|both|elimina\w*|first|when|for|suppose|assume|given|plug\w*|original|back|set|setting)\b/i

/**
 * Equations that should follow from the one before and do not.
 *
 * Two linear equations in the same single unknown must have the same solution, where the second is solved further; two
 * equations of the same degree must be multiples of each other, where words or an arrow say that one was made from the other
 * and most terms stayed.
 */
export function consequences(equations: readonly Equation[]): { claim: Claim; at: number }[] {
  const out: { claim: Claim; at: number }[] = []
  for (let i = 1; i < equations.length; i++) {
    const [before, after] = [equations[i - 1] as Equation, equations[i] as Equation]
    const derived = derivedBy(after)
    if (derived === null || !isRead(before) || !isRead(after)) continue
    startWork()
    try {
      const holds = follows(before, after, equations.slice(0, i - 1), derived)
      if (holds === null) continue
      out.push({ claim: { kind: 'identity', text: `${before.text} gives ${after.text}`, holds }, at: after.at })
    } catch (error) {
      if (!(error instanceof OutOfWork || error instanceof TooLarge || error instanceof RangeError)) throw error
    }
  }
  return out
}

type Derived = 'arrow' | 'said' | 'beside'

/** How an equation says that it follows from the one before; null where it does not. */
function derivedBy(x: Equation): Derived | null {
  if (x.joint === 'arrow') return 'arrow'
  if (x.joint === 'row') return 'beside'
  if (x.joint === 'beside' || ANOTHER.test(x.between)) return null
  if (REMAKES.test(x.between)) return 'said'
  if (DERIVES.test(x.between)) return 'beside'
  return /^[\s.,:;]*$/.test(x.between) && x.between.includes('\n') ? 'beside' : null
}

function follows(before: Read, after: Read, earlier: readonly Equation[], derived: Derived): boolean | null {
  const [f, g] = [vanishing(before), vanishing(after)]
  const names = symbolsOf(before)
  const others = symbolsOf(after)
  if (f === null || g === null || names.size !== others.size || ![...names].every((s) => others.has(s))) return null
  const [name] = names
  if (names.size === 1 && name !== undefined) {
    const [p, q] = [linear(f, name), linear(g, name)]
    if (p !== null && q !== null) {
      if (isSolved(before) || !isMonomial(after.sides[0])) return null
      if (same(p.root, q.root)) return true
      if (rounded(p.root, q.root, after.text + before.text)) return null
      return earlier.some((e) => isRead(e) && agrees(e, name, q.root)) ? null : false
    }
  }
  if (derived === 'beside') return null
  const [m, n] = [totalDegree(f.n), totalDegree(g.n)]
  if (m === null || m !== n || m === 0 || f.d.size !== 1 || g.d.size !== 1) return null
  // Between several unknowns an arrow may bring in another equation, and a solved one another solution.
  if (m === 1 && (derived === 'arrow' || before.sides[0].expr.t === 'symbol')) return null
  if (proportional(f.n, g.n) !== null) return true
  return [g.n, opposite(g.n)].some((h) => {
    const { shared, differing } = overlap(f.n, h)
    return shared >= 2 && shared > differing
  })
    ? false
    : null
}

const vanishing = (x: Read): Canonical | null => {
  const out = canonical({ t: 'sum', a: [x.sides[0].expr, negated(x.sides[1].expr)] })
  return out.n.size === 0 ? null : out
}
const symbolsOf = (x: Read): Set<string> => new Set([...x.sides[0].symbols, ...x.sides[1].symbols])
const isSolved = (x: Read): boolean => x.sides[0].expr.t === 'symbol' && x.sides[1].symbols.size === 0
/** x, 3x or x/2 alone on the left. */
const isMonomial = (s: Side): boolean => {
  const part = (x: Expr): boolean =>
    x.t === 'symbol' ||
    x.t === 'number' ||
    ((x.t === 'product' || x.t === 'quotient') && (x.t === 'product' ? x.a : [x.n, x.d]).every(part))
  return part(s.expr)
}
const rounded = (a: Rational, b: Rational, text: string): boolean => {
  const [x, y] = [Number(a.n) / Number(a.d), Number(b.n) / Number(b.d)]
  return Math.abs(x - y) < 1 && (/\d\.\d/.test(text) || Math.abs(x - y) < 0.01 * Math.abs(x))
}
const agrees = (x: Read, name: string, root: Rational): boolean => {
  const form = vanishing(x)
  const p = form === null ? null : linear(form, name)
  return p !== null && same(p.root, root)
}
const opposite = (p: Polynomial): Polynomial =>
  new Map([...p].map(([key, term]) => [key, { ...term, c: { n: -term.c.n, d: term.c.d } }]))
