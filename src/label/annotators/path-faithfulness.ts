import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import { addUsage, type Evidence, NO_USAGE, type Step, type Trace, type Usage } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import type { AnnotateContext, Annotator } from './annotator.ts'

const Options = z.object({
  baseline: z
    .enum(['empty', 'masked', 'shuffled'])
    .default('empty')
    .describe('what stands in place of the steps so far: nothing, their masked text, their characters in random order'),
  mask: z.string().min(1).default('_').describe('character that masks letters and digits; the model must know it'),
  control: z.boolean().default(false).describe('the same for the steps with their characters in random order'),
})

/** What a model says of every rest of the reference: the sum of its log-probabilities, and of how many tokens. */
interface Weighted {
  weights: ({ logprob: number; tokens: number } | null)[]
  usage: Usage
}

/**
 * P2S: how much the steps so far raise the probability of the rest of a reference solution, for every rest of it.
 *
 * Evidence about every step but the last, which usually states the answer: there is no rest to weigh after it. A rest
 * that cannot be weighed (too long for the context, a failed call) is null. One forward pass a prefix and rest; the
 * server's or the engine's cache may make it less.
 * @see papers/p2s.md
 */
export const pathFaithfulness: Annotator = {
  name: 'path-faithfulness',
  summary: 'how much the steps so far raise the log-probability of the rest of the reference',
  paper: 'p2s',
  options: Options,
  needs: ['logprobs', 'reference'],
  rule: 'faithfulness',
  runsCode: false,
  applies: (trace) => trace.steps.length > 1 && referenceOf(trace).length > 1,
  refuses(trace) {
    const reference = referenceOf(trace)
    if (reference.length > 1) return null
    return new GradusError('GRD-LABEL-004', {
      found: reference.length === 0 ? 'no reference solution' : 'a reference solution in one piece',
      expected: 'a problem with `solution`, a list of two reference steps or more',
    })
  },
  expect(trace, given) {
    const { baseline, control } = Options.parse(given ?? {})
    const prefixes = trace.steps.length - 1
    const looks = prefixes * (1 + (baseline === 'empty' ? 0 : 1) + Number(control)) + (baseline === 'empty' ? 1 : 0)
    return { rollouts: 0, texts: looks * referenceOf(trace).length }
  },
  async annotate(trace, context, given): Promise<Evidence[]> {
    const { baseline, mask, control } = Options.parse(given ?? {})
    const reference = referenceOf(trace)
    const weigh = weigherOf(trace, context)
    const empty = baseline === 'empty' ? weigh([], reference) : null
    const evidence = await Promise.all(
      trace.steps.slice(0, -1).map(async (_, step): Promise<Evidence[]> => {
        const prefix = trace.steps.slice(0, step + 1)
        const shuffled = shuffledSteps(prefix, `${context.seed}/${trace.id}/${step}`)
        const instead = baseline === 'masked' ? masked(prefix, mask) : shuffled
        const [given, base, random] = await Promise.all([
          weigh(prefix, reference),
          empty ?? weigh(instead, reference),
          control ? weigh(shuffled, reference) : null,
        ])
        const against = ({ weights }: Weighted): (number | null)[] =>
          weights.map((one, t) => {
            const other = base.weights[t] ?? null
            return one === null || other === null ? null : one.logprob - other.logprob
          })
        const ratios = against(given)
        if (ratios.every((ratio) => ratio === null)) return []
        // What is shared by all steps is paid for by the first.
        const usages = [given.usage, ...(empty && step > 0 ? [] : [base.usage]), ...(random ? [random.usage] : [])]
        return [
          {
            kind: 'likelihood',
            source: pathFaithfulness.name,
            step,
            ratios,
            ...(random && { control: against(random) }),
            tokens: given.weights.map((one) => one?.tokens ?? 0),
            usage: usages.reduce(addUsage, NO_USAGE),
          },
        ]
      }),
    )
    return evidence.flat()
  },
}

/** Reference steps with something in them. */
function referenceOf({ problem }: Trace): string[] {
  return (problem.solution ?? []).filter((text) => text.trim() !== '')
}

/**
 * Weighs every rest of the reference after some steps.
 * @throws GradusError GRD-LABEL-004 for a policy without probabilities, GRD-RUN-* when the run has ended
 */
function weigherOf(trace: Trace, { policy, spend, signal }: AnnotateContext) {
  if (!policy?.logprobs) {
    throw new GradusError('GRD-LABEL-004', {
      found: policy ? `${policy.name}, which knows no probabilities` : 'no policy',
      expected: 'a model that says how probable a given text is',
      try: ['--policy embedded', '--policy http://127.0.0.1:8000/v1#NAME --prompt text'],
    })
  }
  const logprobs: NonNullable<StepWriter['logprobs']> = policy.logprobs
  return async (steps: readonly Step[], reference: readonly string[]): Promise<Weighted> => {
    const weighed = await Promise.all(
      reference.map((_, t) => logprobs(trace.problem, steps, reference.slice(t), signal)),
    )
    let usage: Usage = NO_USAGE
    const weights = weighed.map((one) => {
      if (!one.ok && one.error.code.startsWith('GRD-RUN-')) throw one.error
      // Seconds would make two equal runs differ.
      usage = addUsage(usage, { ...one.usage, seconds: 0 })
      if (!one.ok) return null
      return { logprob: one.logprobs.reduce((sum, l) => sum + l, 0), tokens: one.logprobs.length }
    })
    spend(usage)
    return { weights, usage }
  }
}

function masked(steps: readonly Step[], mask: string): Step[] {
  return steps.map((step) => ({ ...step, text: step.text.replace(/[\p{L}\p{N}]/gu, mask) }))
}

function shuffledSteps(steps: readonly Step[], seed: string): Step[] {
  const draw = random(`${seed}/shuffled`)
  return steps.map((step) => ({ ...step, text: draw.shuffle([...step.text]).join('') }))
}
