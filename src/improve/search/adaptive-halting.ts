import { z } from 'zod'
import { examined, solution } from './choice.ts'
import { Purse } from './purse.ts'
import { comparing, refused, type Search, settingsOf } from './search.ts'
import { type Bloc, blocs, heaviest } from './votes.ts'
import { weights } from './weighted-vote.ts'

const Options = z.object({
  n: comparing(32, 'samples at most'),
  least: comparing(4, 'samples before it may halt'),
  block: z.number().int().min(1).default(2).describe('samples between two looks'),
  by: z.enum(['votes', 'scores']).default('votes').describe('what an answer weighs: its samples, or their scores'),
  stability: z.number().min(0).default(0.02).describe('stable: KL from the last look below this'),
  entropy: z.number().min(0).max(1).default(0.6).describe('sure: normalised entropy below this'),
  lead: z.number().min(0.5).max(1).default(0.95).describe('decided: P(the leader stays ahead) above this'),
  strict: z.boolean().default(false).describe('halt only when all three hold, not two'),
})

/** What is known of the answers after some samples. */
export interface Belief {
  /** Weights of the answers so far, in order of appearance. */
  weights: readonly number[]
  /** Samples of the leading answer and of the next one. */
  counts: readonly [number, number]
}

/**
 * Adaptive halting: samples vote until the vote is decided.
 *
 * Looked at every `block` samples; it halts when two of three indicators hold: the shares of the answers have stopped
 * moving (KL), they are concentrated (entropy), the leader keeps its lead over the second. The published rule watches
 * a latent state, whose convergence is its third indicator; text has no such state, so that the lead takes its place.
 * All thresholds are ours. The answer is the heaviest.
 *
 * @see papers/dtrec.md (halting rule only), Aggarwal et al. 2023 (the lead)
 */
export const adaptiveHalting: Search = {
  name: 'adaptive-halting',
  summary: 'whole samples until the vote is decided',
  paper: 'dtrec',
  options: Options,
  needs: [],
  async *solve(context, given) {
    const options = settingsOf(adaptiveHalting.name, Options, given)
    const { n, least, block, by } = options
    if (by === 'scores' && !context.reward) throw refused(adaptiveHalting.name, 'by', 'no reward model', 'by=votes')
    const purse = new Purse(context.budget)
    const candidates = []
    let before: Belief | null = null
    let won: Bloc | null = null
    for (let to = Math.min(least, n), from = 0; from < n && !purse.out; from = to, to = Math.min(n, to + block)) {
      const taken = await context.pool.take(to, { scored: by === 'scores', purse, from })
      const fresh = await examined(taken.candidates, context)
      candidates.push(...fresh)
      for (const candidate of fresh) yield { kind: 'candidate', candidate }
      const found = blocs(candidates, context.same, by === 'scores' ? weights(candidates, context) : undefined)
      won = heaviest(found)
      const belief = beliefOf(found)
      if (halts(belief, before, options)) break
      before = belief
    }
    return solution(candidates, won?.members[0] ?? null, purse)
  },
}

function beliefOf(found: readonly Bloc[]): Belief {
  const counts = found.map(({ members }) => members.length).sort((a, b) => b - a)
  return { weights: found.map(({ weight }) => weight), counts: [counts[0] ?? 0, counts[1] ?? 0] }
}

/** Is it decided? Nothing is before a second look. */
export function halts(
  now: Belief,
  before: Belief | null,
  { stability, entropy, lead, strict }: Pick<z.output<typeof Options>, 'stability' | 'entropy' | 'lead' | 'strict'>,
): boolean {
  const p = shares(now.weights, now.weights.length)
  const holds = [
    before !== null && divergence(p, shares(before.weights, now.weights.length)) < stability,
    normalisedEntropy(p) < entropy,
    staysAhead(...now.counts) > lead,
  ].filter(Boolean).length
  return holds >= (strict ? 3 : 2)
}

/** Shares of n answers and of one that nobody has said yet, each with one more vote than it has. */
function shares(weighed: readonly number[], n: number): number[] {
  const raised = Array.from({ length: n + 1 }, (_, i) => (weighed[i] ?? 0) + 1)
  const sum = raised.reduce((a, b) => a + b, 0)
  return raised.map((one) => one / sum)
}

/** KL(p || q) in nats. */
export const divergence = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, x, i) => sum + (x === 0 ? 0 : x * Math.log(x / q[i]!)), 0)

/** H(p) / log of the number of classes; 1 where there is one class. */
export function normalisedEntropy(p: readonly number[]): number {
  if (p.length < 2) return 1
  return p.reduce((sum, x) => sum - (x === 0 ? 0 : x * Math.log(x)), 0) / Math.log(p.length)
}

/**
 * P(x > 1/2) for x ~ Beta(a + 1, b + 1): that the leader with a votes is ahead of the second with b for good; equal to
 * P(Binomial(a + b + 1, 1/2) <= a).
 */
export function staysAhead(a: number, b: number): number {
  const n = a + b + 1
  let term = 0.5 ** n
  let sum = 0
  for (let i = 0; i <= a; i++) {
    sum += term
    term *= (n - i) / (i + 1)
  }
  return sum
}
