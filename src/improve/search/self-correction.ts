import { z } from 'zod'
import type { Step } from '../../core/words.ts'
import { attempts, firstDoubted, thresholdOf, thresholdOption } from './attempts.ts'
import type { Candidate } from './candidates.ts'
import { best, examined, scoreFlags, solution } from './choice.ts'
import { Purse } from './purse.ts'
import { rewardOf, type Search, settingsOf } from './search.ts'

const Options = z.object({
  rounds: z.number().int().min(1).default(3).describe('further attempts at most'),
  threshold: thresholdOption('is doubted'),
  how: z
    .enum(['resample', 'complain'])
    .default('resample')
    .describe('the policy goes on from the last good step, or, for one that can be told, reads what is wrong'),
})

/**
 * Self-correction: one sample, and while the reward model doubts a step of the last attempt, another.
 *
 * `complain`: the policy reads its whole attempt with a complaint that quotes the doubted step, and goes on; what it
 * then writes follows on the good steps before it. `resample`, for policies that only continue text: it goes on from
 * the last good step without a word. The answer is that of the first attempt without a doubted step, else that of the
 * best.
 */
export const selfCorrection: Search = {
  name: 'self-correction',
  summary: 'one attempt after another, while the reward model doubts a step',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { rounds, how, ...chosen } = settingsOf(selfCorrection.name, Options, given)
    rewardOf(selfCorrection.name, context)
    const threshold = thresholdOf(chosen.threshold, context)
    const purse = new Purse(context.budget)
    const taken = await context.pool.take(1, { purse })
    const candidates = await examined(taken.candidates, context)
    for (const candidate of candidates) yield { kind: 'candidate', candidate }
    for (let round = 1; round <= rounds && !purse.out; round++) {
      const last = candidates.at(-1)
      const doubted = last && firstDoubted(last, threshold)
      if (!last || doubted === null || doubted === undefined) break
      const prefix = last.trace.steps.slice(0, doubted)
      const prompt = how === 'complain' ? [...last.trace.steps, complaint(last, doubted)] : prefix
      const about = { from: candidates.length - 1, doubted }
      const [next] = await attempts(context, purse, [{ prompt, prefix, sample: round, about }])
      if (!next) break
      candidates.push(next)
      yield { kind: 'candidate', candidate: next }
    }
    const clean = candidates.findIndex((one) => one.trace.answer !== undefined && firstDoubted(one, threshold) === null)
    return solution(candidates, clean < 0 ? best(candidates) : clean, purse, { flags: scoreFlags(candidates) })
  },
}

/** What the policy is told; the doubted step is quoted, since it may count its steps otherwise. */
function complaint({ trace, scores, refuted }: Candidate, doubted: number): Step {
  const quoted = JSON.stringify(trace.steps[doubted]?.text ?? '')
  const said = trace.evidence?.findLast(
    (e) => e.step === doubted && (e.kind === 'judgement' || e.kind === 'tool') && e.verdict === 'incorrect',
  )
  const why =
    said && 'reason' in said && said.reason
      ? said.reason
      : refuted === doubted
        ? 'A tool refutes it.'
        : `It is right with a chance of ${scores[doubted]?.toFixed(2)}.`
  const text = `Step ${doubted + 1} is doubtful: ${quoted} ${why} Go on from before it, and state the answer again.`
  return { text, kind: 'observation' }
}
