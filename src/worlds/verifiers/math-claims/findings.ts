import type { Step, Trace } from '../../../core/words.ts'
import type { Finding } from '../verifier.ts'
import { UNKNOWN } from '../verifier.ts'
import type { Claim, Stated } from './claims.ts'
import { claimsOf } from './claims.ts'
import { hasOtherArithmetic } from './guards.ts'

/**
 * Characters of reasoning after which a slip is no longer called the step's error.
 *
 * A slip far into a trace mostly follows an error of reasoning that no calculation shows: people mark that one, and the
 * slip is its consequence (numbers forced to fit). Chosen on the tune half of ProcessBench.
 */
const REACH = 1_000

/** One finding a step, from the claims of one kind. */
export function findingsOf(trace: Trace, kind: Claim['kind']): Finding[] {
  let before = 0
  return claimsIn(trace).map((claims, i) => {
    const finding = judge(
      claims.filter((c) => c.kind === kind),
      before <= REACH,
    )
    before += trace.steps[i]?.text.length ?? 0
    return finding
  })
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

function judge(claims: readonly Claim[], near: boolean): Finding {
  const decided = claims.filter((c) => c.holds !== null)
  if (decided.length === 0) return UNKNOWN(claims[0]?.why ?? 'no equation that can be checked')
  const wrong = decided.find((c) => c.holds === false)
  if (!wrong) {
    const reason = decided.length === 1 ? 'the equation holds' : `all ${decided.length} equations hold`
    return { verdict: 'correct', reason, detail: { claims } }
  }
  const said = `${wrong.text} does not hold${wrong.value === undefined ? '' : `: the left side is ${wrong.value}`}`
  return near
    ? { verdict: 'incorrect', reason: said, detail: { claims } }
    : { verdict: 'unknown', reason: `${said}; so late that an earlier error is likelier`, detail: { claims } }
}
