import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Problem, Usage } from '../../../core/words.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { Policy } from '../policy.ts'
import { shippedCards, weightsByTask } from './cards.ts'
import { type EmbeddedPolicyOptions, embeddedPolicy } from './policy.ts'
import { warmThread } from './thread-pool.ts'

/**
 * All shipped weights as one writer of steps: each problem goes to those that have learnt its task (`domain`), which
 * are loaded when the first such problem comes.
 * @throws GradusError GRD-MODEL-004 where no weights are shipped, GRD-MODEL-003 where a card is damaged
 */
export async function embeddedByTask(options: EmbeddedPolicyOptions & { root?: string }): Promise<Policy> {
  const { temperature = 1, seed = '0', root } = options
  const cards = shippedCards(root)
  const byTask = weightsByTask(cards)
  if (byTask.size === 0) {
    throw new GradusError('GRD-MODEL-004', { found: 'no weights', try: ['gradus train policy chains'] })
  }
  const identity = {
    sampler: { embedded: cards.map(({ name, sha256 }) => ({ name, sha256 })) },
    sampling: { temperature, seed },
  }
  warmThread()
  const opened = new Map<string, Promise<Policy>>()
  const policyFor = (problem: Problem): Promise<Policy> | null => {
    const name = byTask.get(problem.domain ?? '')
    if (name === undefined) return null
    const policy = opened.get(name) ?? embeddedPolicy(name, options)
    opened.set(name, policy)
    return policy
  }
  const unlearnt = (problem: Problem): { ok: false; error: GradusError; usage: Usage } => {
    const error = new GradusError('GRD-WORLD-001', {
      where: { field: 'problem.domain' },
      found: problem.domain ?? 'nothing',
      expected: `a task that shipped weights have learnt: ${[...byTask.keys()].join(', ')}`,
    })
    return { ok: false, error, usage: NO_USAGE }
  }
  return {
    name: 'embedded',
    identity,
    hash: contentHash(identity).slice(0, 12),
    async next(problem, ...rest) {
      const policy = await policyFor(problem)
      return policy ? policy.next(problem, ...rest) : unlearnt(problem)
    },
    async complete(problem, ...rest) {
      const policy = await policyFor(problem)
      return policy ? policy.complete(problem, ...rest) : unlearnt(problem)
    },
    async completeMany(problem, steps, samples, signal) {
      const policy = await policyFor(problem)
      const many = policy?.completeMany?.(problem, steps, samples, signal)
      return many ?? Array.from({ length: samples.count }, () => unlearnt(problem))
    },
    async logprobs(problem, ...rest) {
      const policy = await policyFor(problem)
      return policy?.logprobs?.(problem, ...rest) ?? unlearnt(problem)
    },
  }
}
