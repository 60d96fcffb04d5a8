import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Problem, Usage } from '../../../core/words.ts'
import { NO_USAGE } from '../../../core/words.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { hopworld } from '../../../worlds/tasks/hopworld.ts'
import { imperative } from '../../../worlds/tasks/imperative.ts'
import { objectTracking } from '../../../worlds/tasks/object-tracking.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import type { Policy } from '../policy.ts'
import { type Card, readCard, weightsFolder } from './load.ts'
import { type EmbeddedPolicyOptions, embeddedPolicy } from './policy.ts'
import { RECIPES } from './recipes.ts'

/** How prompts of each task begin, as a policy reads them (with the task's mark). */
const BEGINNINGS: readonly (readonly [string, RegExp])[] = [
  [selfRepairingChain.name, /^~/],
  [arithmeticChain.name, /^[(]*\d+[-+*)]/],
  [registerProgram.name, /^[a-z]=-?\d+[,;]/],
  [game24.name, /^\d+ \d+ \d+/],
  [objectTracking.name, /^[A-Z][a-z]+ [a-z]+, .* swap[,.]/],
  [hopworld.name, /^Name the /],
  [imperative.name, /^(?:state (?:kept|reset)\n)?1 /],
]

/** The weights where nothing tells a task. */
export const USUAL_WEIGHTS = 'chains'

/** The task that a rendered prompt is of, by its first characters; null where none is known. */
export function taskOfText(text: string): string | null {
  return BEGINNINGS.find(([, beginning]) => beginning.test(text))?.[0] ?? null
}

/** Cards of the shipped weights, in the order of their recipes. */
export function shippedCards(root = weightsFolder()): Card[] {
  const cards: Card[] = []
  for (const { name } of RECIPES) {
    const file = join(root, `${name}.json`)
    if (existsSync(file)) cards.push(readCard(readFileSync(file, 'utf8'), file))
  }
  return cards
}

/** The weights for each task: the first that name a level for it, else the first that have learnt it. */
export function weightsByTask(cards: readonly Card[]): Map<string, string> {
  const chosen = new Map<string, string>()
  const choose = (wanted: (levels: readonly number[]) => boolean): void => {
    for (const { name, tasks } of cards) {
      for (const { task, levels } of tasks) if (wanted(levels) && !chosen.has(task)) chosen.set(task, name)
    }
  }
  choose((levels) => levels.length > 0)
  choose(() => true)
  return chosen
}

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
