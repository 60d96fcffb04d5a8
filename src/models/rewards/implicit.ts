import type { GradusError } from '../../core/errors.ts'
import { addUsage, NO_USAGE, type Usage } from '../../core/words.ts'
import type { EmbeddedModel } from '../policies/embedded/model.ts'
import { sigmoid } from '../training/rows.ts'
import { type AlignedText, stepTokens } from './aligned-text.ts'
import { type LineReader, lineText, overReadable } from './line-text.ts'
import type { Line, RewardModel, Scored } from './reward.ts'

/** How rewards of steps become the margin of a run: `sum` telescopes, `mean` (as released with OPRL) does not. */
export type Reduce = 'sum' | 'mean'

export interface ImplicitOptions {
  /** How both read a line. */
  reader: LineReader
  /** The trained model, and the one that it started from. */
  model: Pick<EmbeddedModel, 'score'>
  reference: Pick<EmbeddedModel, 'score'>
  /** Scale of the log-ratio; .05 in OPRL. */
  beta: number
  reduce: Reduce
  name: string
  /** What tells this pair of weights from others. */
  identity: unknown
}

/** Rewards of a line's steps, any real numbers, or why there are none. */
export type StepRewards =
  | { ok: true; rewards: number[]; usage: Usage }
  | { ok: false; error: GradusError; usage: Usage }

/**
 * Reward of each step of a line: `beta · Σ (log p − log p_ref)` over its tokens, the one that closes it included.
 *
 * Trained on preferences with the sum, it is the change of the soft value `V(h) = beta log E_ref[exp(R / beta) | h]`
 * that the step makes (papers/oprl.md).
 * @param from number of the first token of the steps
 */
export function stepRewards(
  logprobs: readonly number[],
  reference: readonly number[],
  ends: readonly number[],
  from: number,
  beta: number,
): number[] {
  return ends.map((_, step) => {
    let sum = 0
    const [first, behind] = stepTokens({ from, ends }, step)
    for (let token = first; token < behind; token++) {
      sum += logprobs[token]! - reference[token]!
    }
    return beta * sum
  })
}

/** Margin of a run, or of its first steps. */
export function marginOf(rewards: readonly number[], reduce: Reduce): number {
  const sum = rewards.reduce((a, b) => a + b, 0)
  return reduce === 'sum' ? sum : sum / rewards.length
}

/**
 * The implicit reward of two policies as a reward model: the score of a step is `sigmoid(margin of the line up to it)`,
 * the chance that the line so far is preferred to one that the two policies find equally likely. Only its order is a
 * value: a probability of success it is where the pair was trained to be one.
 *
 * @see papers/oprl.md (log-ratio of two policies)
 */
export function implicitReward(options: ImplicitOptions): RewardModel & {
  /** The rewards themselves, for credit assignment. */
  rewards(lines: readonly Line[]): Promise<StepRewards[]>
} {
  const { reader, beta, reduce, name, identity } = options
  const both = async (texts: readonly string[]) => {
    const own = await options.model.score(texts)
    const base = await options.reference.score(texts)
    return own.map((scored, i) => ({ ...scored, reference: base[i]!.logprobs }))
  }
  const rewards = (lines: readonly Line[]): Promise<StepRewards[]> =>
    overReadable(reader, lines, both, (text, { logprobs, reference, tokenIds }): StepRewards => {
      const once = { ...NO_USAGE, calls: 1, promptTokens: tokenIds.length }
      return {
        ok: true,
        rewards: stepRewards(logprobs, reference, text.ends, text.from, beta),
        usage: addUsage(once, once),
      }
    })
  return {
    name,
    identity: { implicit: identity, beta, reduce },
    meaning: 'value',
    aggregate: 'last',
    rewards,
    async score(lines) {
      return (await rewards(lines)).map((one): Scored => {
        if (!one.ok) return one
        const scores = one.rewards.map((_, step) => sigmoid(marginOf(one.rewards.slice(0, step + 1), reduce)))
        return { ok: true, scores, usage: one.usage }
      })
    },
  }
}

/** A text with the tokens that its margin is made of. */
export interface MarginText {
  ids: number[]
  /** Weight of each token in the margin: beta, or beta over the number of steps; 0 in the prompt. */
  weights: number[]
}

/** @throws GradusError as `lineText` */
export function marginText(reader: LineReader, line: Line, beta: number, reduce: Reduce): MarginText {
  const { text, ends, from }: AlignedText = lineText(reader, line)
  const ids = reader.tokenizer.encode(text)
  const weight = reduce === 'sum' ? beta : beta / ends.length
  return { ids, weights: ids.map((_, token) => (token < from ? 0 : weight)) }
}
