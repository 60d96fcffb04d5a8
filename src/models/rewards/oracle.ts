import { GradusError } from '../../core/errors.ts'
import { NO_USAGE } from '../../core/words.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { CompleterOptions } from '../../worlds/tasks/task.ts'
import type { RewardModel, Scored } from './reward.ts'

/**
 * The exact truth about steps of built-in tasks as a reward model: an upper bound for every other one, never a result.
 *
 * `correctness`: 1 for a right step, 0 for a wrong one. `value`: the chance that the task's reference completer ends
 * right from there; null where the task does not know it.
 * @param completer how the completer errs whose chances are the values
 */
export function oracleReward(
  meaning: RewardModel['meaning'] = 'correctness',
  completer: Partial<CompleterOptions> = {},
): RewardModel {
  return {
    name: meaning === 'value' ? 'oracle:value' : 'oracle',
    identity: { oracle: meaning, ...completer },
    meaning,
    aggregate: meaning === 'value' ? 'last' : 'min',
    score: async (lines) =>
      lines.map(({ problem, steps }): Scored => {
        const task = TASKS.find(({ name }) => name === problem.domain)
        if (!task) {
          const error = new GradusError('GRD-WORLD-001', {
            where: { field: 'problem.domain' },
            found: problem.domain ?? 'nothing',
            expected: `one of ${TASKS.map(({ name }) => name).join(', ')}`,
          })
          return { ok: false, error, usage: NO_USAGE }
        }
        const texts = steps.map((step) => step.text)
        const truths = task.oracle(problem, texts, completer)
        const scores = truths.map(({ correct, value }) => (meaning === 'value' ? value : Number(correct)))
        return { ok: true, scores, usage: NO_USAGE }
      }),
  }
}
