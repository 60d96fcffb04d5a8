import { z } from 'zod'
import { findingsOf } from './math-claims/findings.ts'
import type { Verifier } from './verifier.ts'

/**
 * Equations between numbers, in plain text and LaTeX: `3 * 4 = 12`, `\\frac{1}{3} \\times 18 = 6`, `<<2*8=16>>`.
 *
 * Each link of a chain is checked exactly. A step is called wrong only where both sides were read whole, no other reading
 * (rounding, units, mixed numbers) makes them equal and the sentence does not make the equation a hypothesis.
 */
export const arithmetic: Verifier = {
  name: 'arithmetic',
  summary: 'recomputes equations between numbers in text and LaTeX',
  covers: 'equations between numbers; nothing about why a number was chosen; decides about one step in five',
  options: z.object({}),
  runsCode: false,
  reliability: { incorrect: 0.92, correct: 0.87, scope: 'claims', measured: 'ProcessBench and MR-GSM8K, tune halves' },
  applies: (trace) => trace.steps.some((s) => s.text.includes('=')),
  verify: (trace) => findingsOf(trace, 'numbers'),
}
