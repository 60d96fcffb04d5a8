import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { type Random, random } from '../../core/seeds.ts'
import type { Problem, Step } from '../../core/words.ts'
import { NO_USAGE } from '../../core/words.ts'
import type { Written } from '../../engine/rollout.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { CompleterOptions } from '../../worlds/tasks/task.ts'
import { game24Random } from './game24-random.ts'
import type { Policy } from './policy.ts'

interface SimulatedOptions {
  name: string
  /** What decides the lines apart from the problem, the steps before and the random numbers; JSON. */
  identity: unknown
  /** Name of the seed of every draw. */
  seed: string
  /** The lines that are added to the prefix, up to the end. */
  complete(problem: Problem, prefix: readonly string[], random: Random): string[]
}

/** A player by rules as a writer of steps: no model, no calls, no usage. */
function simulated({ name, identity: rules, seed, complete }: SimulatedOptions): Policy {
  const identity = { rules, sampling: { seed } }
  const write = (problem: Problem, steps: readonly Step[], sample: number, single: boolean): Written => {
    const lines = steps.map((step) => step.text)
    try {
      const added = complete(problem, lines, random(`${seed}/${problem.id}/${contentHash(lines)}/${sample}`))
      const kept = single ? added.slice(0, 1) : added
      return {
        ok: true,
        steps: kept.map((text) => ({ text, kind: 'thought' })),
        end: single && kept.length > 0 ? 'step' : 'stop',
        usage: NO_USAGE,
      }
    } catch (error) {
      if (error instanceof GradusError) return { ok: false, error, usage: NO_USAGE }
      throw error
    }
  }
  return {
    name,
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: async (problem, steps, sample) => write(problem, steps, sample, true),
    complete: async (problem, steps, sample) => write(problem, steps, sample, false),
  }
}

/** The weak player of the Game of 24. */
export function game24RandomPolicy(seed = '0'): Policy {
  const { name } = game24Random
  return simulated({ name, identity: name, seed, complete: game24Random.complete })
}

/**
 * The reference completer of whichever built-in task the problem belongs to (by its `domain`): errs with a known
 * chance, so that the value of every step is known exactly.
 * @throws GradusError GRD-CLI-002 for chances out of range
 */
export function taskPolicy(options: Partial<CompleterOptions> = {}, seed = '0'): Policy {
  for (const [name, chance] of Object.entries(options)) {
    if (chance >= 0 && chance <= (name === 'slip' ? 0.9 : 1)) continue
    throw new GradusError('GRD-CLI-002', {
      found: `${name} ${chance}`,
      expected: `a chance from 0 to ${name === 'slip' ? 0.9 : 1}`,
    })
  }
  return simulated({
    name: 'task',
    identity: { name: 'task', ...options },
    seed,
    complete(problem, prefix, draws) {
      const task = TASKS.find(({ name }) => name === problem.domain)
      if (task) return task.complete(problem, prefix, draws, options)
      throw new GradusError('GRD-WORLD-001', {
        where: { field: 'problem.domain' },
        found: problem.domain ?? 'nothing',
        expected: `one of ${TASKS.map(({ name }) => name).join(', ')}`,
      })
    },
  })
}
