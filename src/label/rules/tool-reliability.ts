import { z } from 'zod'
import type { Evidence, StepLabel } from '../../core/words.ts'
import type { Reliability } from '../../worlds/verifiers/verifier.ts'
import { ANNOTATORS } from '../annotators/index.ts'
import type { LabelRule } from './rule.ts'

const Options = z.object({
  prior: z
    .number()
    .min(0.001)
    .max(0.999)
    .default(0.1)
    .describe('share of wrong steps before any evidence (ProcessBench, tune half: about one step in ten)'),
})

/**
 * How likely each step is right, given what tools found and how reliable each tool was measured to be.
 *
 * log-odds(wrong) = logit(prior) + sum over tools of [logit(P(wrong | its finding)) - logit(prior)]: naive Bayes over
 * findings of different tools. A tool that is silent adds nothing; a step that no tool decided has no value.
 */
export const toolReliability: LabelRule = {
  name: 'tool-reliability',
  summary: "tools' findings, each weighed by its measured reliability",
  options: Options,
  apply(steps, evidence, options) {
    const { prior } = Options.parse(options)
    const logOdds: (number | null)[] = new Array(steps).fill(null)
    for (const e of evidence) {
      if (e.kind !== 'tool' || e.verdict === 'unknown' || e.step >= steps) continue
      const reliability = reliabilityOf(e.source)
      if (!reliability) continue
      logOdds[e.step] = (logOdds[e.step] ?? logit(prior)) + logit(wrongGiven(e, reliability, prior)) - logit(prior)
    }
    return logOdds.map((odds, step): StepLabel => {
      const head = { step, meaning: 'correctness', source: toolReliability.name } as const
      return odds === null
        ? { ...head, value: null, reason: evidence.length === 0 ? 'no-evidence' : 'not-covered' }
        : { ...head, value: 1 - sigmoid(odds) }
    })
  },
}

/**
 * P(step is wrong | this finding alone). Claims that hold never speak against a step, whatever the share of wrong steps
 * was where the reliability was measured.
 */
function wrongGiven(e: Evidence & { kind: 'tool' }, reliability: Reliability, prior: number): number {
  return e.verdict === 'incorrect' ? reliability.incorrect : Math.min(prior, 1 - reliability.correct)
}

function reliabilityOf(source: string): Reliability | undefined {
  return ANNOTATORS.find((a) => a.name === source)?.reliability
}

const logit = (p: number): number => Math.log(p / (1 - p))
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
