import type { Step, Trace } from '../../../core/words.ts'
import type { Finding } from '../verifier.ts'
import { UNKNOWN } from '../verifier.ts'
import type { Claim } from './claim.ts'
import type { Stated } from './claims.ts'
import { claimsOf } from './claims.ts'
import { hasOtherArithmetic } from './guards.ts'

/**
 * Characters of reasoning up to which a slip is called the step's error.
 *
 * People mark the first error, and a slip far into a trace mostly follows an error of reasoning that no calculation shows
 * (numbers forced to fit). Up to `near` every slip counts, up to `far` one whose numbers mostly stand in the question and
 * so depend on no earlier step. Chosen on the tune halves of ProcessBench and MR-GSM8K.
 */
const REACH = { near: 300, far: 1_000, given: 0.6 }

/** One finding a step, from the claims of one kind. */
export function findingsOf(trace: Trace, kind: Claim['kind']): Finding[] {
  const given = new Set(numbersOf(trace.problem.prompt))
  let before = 0
  return claimsIn(trace).map((all, i) => {
    const claims = all.filter((c) => c.kind === kind)
    const wrong = claims.find((c) => c.holds === false)
    const first = wrong !== undefined && (before <= REACH.near || (before <= REACH.far && isGiven(wrong, given)))
    before += trace.steps[i]?.text.length ?? 0
    return wrong === undefined ? agreed(claims) : slip(wrong, claims, first)
  })
}

const numbersOf = (text: string): string[] => text.replace(/(\d),(?=\d{3}(?!\d))/g, '$1').match(/\d+(?:\.\d+)?/g) ?? []

/** Do most numbers of the left side stand in the question? */
function isGiven(claim: Claim, given: ReadonlySet<string>): boolean {
  const numbers = new Set(numbersOf(claim.text.split(' = ')[0] ?? ''))
  const known = [...numbers].filter((n) => given.has(n)).length
  return known >= REACH.given * numbers.size
}

/** Two verifiers read the same traces. */
const known = new WeakMap<readonly Step[], Claim[][]>()
function claimsIn({ steps, problem }: Trace): Claim[][] {
  const held = known.get(steps)
  if (held) return held
  let last: Stated['last'] = null
  const other = hasOtherArithmetic(problem.prompt)
  const claims = steps.map((step) => {
    const stated: Stated = claimsOf(step.text, last)
    last = stated.last
    return other ? stated.claims.map(withoutNumbers) : stated.claims
  })
  known.set(steps, claims)
  return claims
}

const withoutNumbers = (c: Claim): Claim =>
  c.kind === 'numbers' && c.holds === false ? { ...c, holds: null, why: 'other arithmetic' } : c

function agreed(claims: readonly Claim[]): Finding {
  const checked = claims.filter((c) => c.holds !== null).length
  if (checked === 0) return UNKNOWN(claims[0]?.why ?? 'no equation that can be checked')
  const reason = checked === 1 ? 'the equation holds' : `all ${checked} equations hold`
  return { verdict: 'correct', reason, detail: { claims } }
}

function slip(wrong: Claim, claims: readonly Claim[], first: boolean): Finding {
  const said = `${wrong.text} does not hold${wrong.value === undefined ? '' : `: the left side is ${wrong.value}`}`
  return first
    ? { verdict: 'incorrect', reason: said, detail: { claims } }
    : { verdict: 'unknown', reason: `${said}, but it may follow from an earlier error`, detail: { claims } }
}
