import { expect } from 'vitest'
import type { Trace, Verdict } from '../../core/words.ts'
import { OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { labelTrace } from '../pipeline/label.ts'

/**
 * Matchers for traces in vitest: `import 'gradus/vitest'` in a test or a setup file.
 *
 * A trace that carries a verdict is taken at it; any other is looked at by every tool that needs no model and runs no
 * code. Where no step could be decided the assertion fails, with `.not` too: nobody knows. They are asynchronous: `await`.
 */
interface TraceMatchers {
  /** No step is probably wrong (risk below .5), and at least one was decided. */
  toHaveNoWrongStep(): Promise<void>
  /** The first wrong step, from 0; -1 = none. */
  toHaveFirstErrorAt(step: number): Promise<void>
  /** Every step that was decided has a risk below the limit. */
  toHaveRiskBelow(limit: number): Promise<void>
}

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends TraceMatchers {}
}

interface Seen {
  trace: Trace
  verdict: Verdict
}

expect.extend({
  async toHaveNoWrongStep(received: Trace) {
    const seen = await look(received)
    const wrong = worst(seen, 0.5)
    return {
      pass: wrong === null,
      message: () =>
        wrong === null
          ? 'expected a wrong step, and none was found'
          : `expected no wrong step\n${describeStep(seen, wrong)}`,
    }
  },
  async toHaveFirstErrorAt(received: Trace, step: number) {
    const seen = await look(received)
    const found = seen.verdict.firstError
    const where =
      found === null
        ? 'nobody can say'
        : found < 0
          ? 'there is none'
          : `it is step ${found}\n${describeStep(seen, found)}`
    return {
      pass: found === step,
      message: () => `expected the first wrong step ${found === step ? 'not ' : ''}to be ${step}; ${where}`,
    }
  },
  async toHaveRiskBelow(received: Trace, limit: number) {
    const seen = await look(received)
    const risky = worst(seen, limit)
    return {
      pass: risky === null,
      message: () =>
        risky === null
          ? `expected a step with risk ${limit} or more`
          : `expected risks below ${limit}\n${describeStep(seen, risky)}`,
    }
  },
})

/** @throws Error where no step was decided */
async function look(trace: Trace): Promise<Seen> {
  const context = { allowCode: false, allowLocalExec: false, seed: '0', spend: () => {} }
  const judged = trace.verdict
    ? trace
    : await labelTrace(
        trace,
        OFFLINE_ANNOTATORS.filter((a) => !a.runsCode),
        context,
      )
  const { verdict } = judged
  // A verdict of our own names a first wrong step from the prior alone where nothing was decided.
  const decided = verdict?.risk.some((risk) => risk !== null) || (trace.verdict?.firstError ?? null) !== null
  if (verdict && decided) return { trace: judged, verdict }
  throw new Error(
    `nobody can say: no step of the ${trace.steps.length} of this trace was decided; label it with a judge first`,
  )
}

/** The riskiest step from a limit on; where only the first wrong step is known, that one. */
function worst({ verdict }: Seen, limit: number): number | null {
  const risks = verdict.risk.map((risk) => risk ?? Number.NEGATIVE_INFINITY)
  const at = risks.indexOf(Math.max(...risks))
  if ((risks[at] ?? 0) >= limit) return at
  return risks.every((risk) => risk < 0) && (verdict.firstError ?? -1) >= 0 ? verdict.firstError : null
}

function describeStep({ trace, verdict }: Seen, at: number): string {
  const risk = verdict.risk[at]
  const reasons = (trace.evidence ?? []).flatMap((e) =>
    e.step === at && 'reason' in e && 'verdict' in e && e.verdict === 'incorrect' ? [`  ${e.source}: ${e.reason}`] : [],
  )
  const said = `step ${at}${risk == null ? '' : ` (risk ${risk.toFixed(2)})`}: ${trace.steps[at]?.text ?? ''}`
  return [said, ...reasons].join('\n')
}
