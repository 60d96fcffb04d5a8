import { random } from '../../core/seeds.ts'
import type { Task } from '../tasks/task.ts'
import { type Finding, UNKNOWN, type Verifier } from './verifier.ts'

export interface NoisyOracleOptions {
  task: Task
  /** Chance in [0, 1] that the tool says anything of a step. */
  coverage: number
  /** Chance in [0, 1] that what it says is true. */
  accuracy: number
  /** It knows nothing: `incorrect` as often as a tool of this accuracy would say so where this share of steps is wrong. */
  blind?: { wrong: number }
  seed: string
}

/**
 * A simulated tool: the exact truth of each step of a built-in task, left out and turned round as often as stated.
 *
 * The same step after the same steps gets the same verdict, whoever asks and however often.
 */
export function noisyOracle(options: NoisyOracleOptions): Pick<Verifier, 'name' | 'runsCode' | 'applies' | 'verify'> {
  const { task, coverage, accuracy, blind, seed } = options
  const blame = blind ? blind.wrong * accuracy + (1 - blind.wrong) * (1 - accuracy) : 0
  return {
    name: blind ? 'random-tool' : 'noisy-oracle',
    runsCode: false,
    applies: (trace) => trace.problem.domain === task.name,
    verify({ problem, steps }) {
      const texts = steps.map((step) => step.text)
      return task.oracle(problem, texts).map((truth, i): Finding => {
        const draw = random(`${seed}/tool/${problem.id}/${texts.slice(0, i + 1).join('\n')}`)
        if (draw.next() >= coverage) return UNKNOWN('not covered by the tool')
        const drawn = draw.next()
        const correct = blind ? drawn >= blame : truth.correct === drawn < accuracy
        return { verdict: correct ? 'correct' : 'incorrect', reason: correct ? 'found right' : 'found wrong' }
      })
    },
  }
}
