import { z } from 'zod'
import { findingsOf } from './math-claims/findings.ts'
import type { Verifier } from './verifier.ts'

/**
 * Transformations of polynomials: expanding, factoring and collecting terms, `(x+1)^2 = x^2 + 2x + 1`.
 *
 * A step is called wrong only where the two sides keep most of their terms, since an equation to be solved is no claim
 * that both sides are the same function.
 */
export const algebra: Verifier = {
  name: 'algebra',
  summary: 'checks rewritten polynomials and equations solved line by line',
  covers:
    'equations between expressions with the same symbols in formulas; not whether an equation follows from another',
  options: z.object({}),
  runsCode: false,
  reliability: { incorrect: 0.76, correct: 0.91, scope: 'claims', measured: 'ProcessBench, tune half' },
  applies: (trace) => trace.steps.some((s) => s.text.includes('=')),
  verify: (trace) => findingsOf(trace, 'identity'),
}
