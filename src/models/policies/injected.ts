import { contentHash } from '../../core/hash.ts'
import { random } from '../../core/seeds.ts'
import { NO_USAGE, type Problem, type Step } from '../../core/words.ts'
import type { Written } from '../../engine/rollout.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { Policy } from './policy.ts'
import { foreignProblem } from './simulated.ts'

/** Draws of kind and place until an error can be put in; some kinds fit few steps. */
const ATTEMPTS = 20

/**
 * Writes the problem's own solution, in a share of the samples with one error put in on purpose and its consequences: a
 * source of traces whose first errors are spread as one likes, for audits. It cannot go on from what others wrote.
 * @param share of the samples with an error, in [0, 1]
 */
export function injectedPolicy(share = 0.5, seed = '0'): Policy {
  const identity = { name: 'inject', share, seed }
  const write = (problem: Problem, steps: readonly Step[], sample: number, single: boolean): Written => {
    const task = TASKS.find(({ name }) => name === problem.domain)
    if (!task) return foreignProblem(problem)
    const draw = random(`${seed}/inject/${problem.prompt}/${sample}`)
    const solution = problem.solution ?? task.complete(problem, [], draw, { slip: 0, recovery: 0 })
    let texts = solution
    if (draw.next() < share) {
      for (let attempt = 0; attempt < ATTEMPTS && texts === solution; attempt++) {
        const kind = draw.pick(task.errorKinds)
        texts = task.inject(problem, kind, draw.below(solution.length), `${seed}/${attempt}`)?.steps ?? solution
      }
    }
    const rest = texts.slice(steps.length, single ? steps.length + 1 : undefined)
    return {
      ok: true,
      steps: rest.map((text) => ({ text, kind: 'thought' })),
      end: single && steps.length + 1 < texts.length ? 'step' : 'stop',
      usage: NO_USAGE,
    }
  }
  return {
    name: 'inject',
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: async (problem, steps, sample) => write(problem, steps, sample, true),
    complete: async (problem, steps, sample) => write(problem, steps, sample, false),
  }
}
