import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import { NO_USAGE, type Problem, type Step, type Usage } from '../../core/words.ts'
import type { StepWriter, Written } from '../../engine/rollout.ts'
import type { CompleterOptions, Task } from '../../worlds/tasks/task.ts'

export interface TaskCompleterOptions extends Partial<CompleterOptions> {
  task: Task
  /**
   * Chance in [0, 1] that a run from a lost prefix returns to the right line, without a slip, at whatever distance from
   * the error: the recovery of the published pilots, which `recovery` (only right after the error) is not.
   */
  rescue?: number
  seed: string
}

/**
 * The reference completer of a built-in task as a policy: free, with known slips and recovery, so that every figure
 * measured with it has an exact counterpart.
 *
 * Same seed, problem, prefix and sample, same steps. Usage counts a call a text and a token a character.
 */
export function taskCompleter(options: TaskCompleterOptions): StepWriter {
  const { task, rescue = 0, seed } = options
  const given: Partial<CompleterOptions> = {
    ...(options.slip !== undefined && { slip: options.slip }),
    ...(options.recovery !== undefined && { recovery: options.recovery }),
  }

  function write(problem: Problem, steps: readonly Step[], sample: number, single: boolean): Written {
    const prefix = steps.map((step) => step.text)
    const rng = random(`${seed}/${task.name}/${sample}/${[problem.prompt, ...prefix].join('\n')}`)
    let texts: string[]
    try {
      const rescued = rescue > 0 && rng.next() < rescue ? rightRest(task, problem, prefix) : null
      texts = rescued ?? task.complete(problem, prefix, rng, given)
    } catch (error) {
      if (error instanceof GradusError) return { ok: false, error, usage: NO_USAGE }
      throw error
    }
    const written = single ? texts.slice(0, 1) : texts
    return {
      ok: true,
      steps: written.map((text): Step => ({ text, kind: 'thought' })),
      end: single && texts.length > 1 ? 'step' : 'stop',
      usage: usageOf(written),
    }
  }

  return {
    name: `${task.name}-completer`,
    identity: { task: task.name, ...task.options.parse(given), rescue, seed },
    next: async (problem, steps, sample) => write(problem, steps, sample, true),
    complete: async (problem, steps, sample) => write(problem, steps, sample, false),
  }
}

/** What the right solution says after as many steps, where the prefix is lost; null where it is not. */
function rightRest(task: Task, problem: Problem, prefix: readonly string[]): string[] | null {
  if (prefix.length === 0) return null
  const value = task.oracle(problem, prefix, { slip: 0, recovery: 0 }).at(-1)?.value
  const rest = task.complete(problem, [], random('careful'), { slip: 0, recovery: 0 }).slice(prefix.length)
  return value === 0 && rest.length > 0 ? rest : null
}

function usageOf(texts: readonly string[]): Usage {
  const characters = texts.reduce((sum, text) => sum + text.length + 1, 0)
  return { calls: 1, promptTokens: 0, completionTokens: characters, cachedTokens: 0, seconds: 0 }
}
