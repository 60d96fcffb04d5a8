import { z } from 'zod'
import type { Claim } from './math-claims/claims.ts'
import { claimsOf } from './math-claims/claims.ts'
import { type Finding, UNKNOWN, type Verifier } from './verifier.ts'

/**
 * Equations between numbers, in plain text and LaTeX: `3 * 4 = 12`, `\frac{1}{3} \times 18 = 6`, `<<2*8=16>>`.
 *
 * Each link of a chain is checked exactly. A step is called wrong only where both sides were read whole, no other reading
 * (rounding, units, mixed numbers) makes them equal and the sentence does not make the equation a hypothesis.
 */
export const arithmetic: Verifier = {
  name: 'arithmetic',
  summary: 'recomputes equations between numbers in text and LaTeX',
  covers: 'equations with +, -, *, / and powers between numbers; nothing about why a number was chosen',
  options: z.object({}),
  runsCode: false,
  reliability: { incorrect: 0.47, correct: 0.88, scope: 'claims', measured: 'ProcessBench, tune half' },
  applies: (trace) => trace.steps.some((s) => /\d.*=.*\d/s.test(s.text)),
  verify: (trace) => trace.steps.map((step) => judge(claimsOf(step.text))),
}

function judge(claims: readonly Claim[]): Finding {
  const decided = claims.filter((c) => c.holds !== null)
  if (decided.length === 0) return UNKNOWN(claims[0]?.why ?? 'no equation between numbers')
  const wrong = decided.find((c) => c.holds === false)
  return wrong
    ? {
        verdict: 'incorrect',
        reason: `${wrong.text} does not hold${wrong.value === undefined ? '' : `: the left side is ${wrong.value}`}`,
        detail: { claims },
      }
    : {
        verdict: 'correct',
        reason: `${decided.length === 1 ? 'the equation holds' : `all ${decided.length} equations hold`}`,
        detail: { claims },
      }
}
