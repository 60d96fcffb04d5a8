import type { Step, Trace } from '../../../core/words.ts'
import type { Finding } from '../verifier.ts'
import { UNKNOWN } from '../verifier.ts'
import type { Claim } from './claims.ts'
import { claimsOf } from './claims.ts'

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
  return trace.steps.map((step) => {
    const finding = judge(
      claimsIn(step).filter((c) => c.kind === kind),
      before <= REACH,
    )
    before += step.text.length
    return finding
  })
}

/** Two verifiers read the same steps. */
const known = new WeakMap<Step, Claim[]>()
function claimsIn(step: Step): Claim[] {
  const held = known.get(step)
  if (held) return held
  const claims = claimsOf(step.text)
  known.set(step, claims)
  return claims
}

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
