import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import { heldOutProblems } from '../../models/policies/embedded/lessons.ts'
import { RECIPES } from '../../models/policies/embedded/recipes.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import type { Task } from '../../worlds/tasks/task.ts'

/**
 * `game24`, `game24:2`.
 * @throws GradusError GRD-CLI-002 where there is no such task, GRD-WORLD-002 where it has no such level
 */
export function readTaskSpec(text: string): { task: Task; level: number } {
  const [name = '', level = '0', ...more] = text.split(':')
  const task = TASKS.find((each) => each.name === name)
  if (!task || more.length > 0) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--task' },
      found: text,
      expected: `one of ${TASKS.map((each) => each.name).join(', ')}, and a level behind a colon`,
    })
  }
  if (!/^\d+$/.test(level) || task.levels[Number(level)] === undefined) {
    throw new GradusError('GRD-WORLD-002', {
      where: { field: '--task' },
      found: text,
      expected: task.levels.map((says, i) => `${name}:${i} (${says})`).join(', '),
    })
  }
  return { task, level: Number(level) }
}

/**
 * n problems of a level, the same for every policy. Where a shipped policy has learnt the level they are from the part
 * that was kept from its training.
 */
export function taskProblems({ task, level }: { task: Task; level: number }, seed: string, n: number): Problem[] {
  const learnt = RECIPES.some((recipe) =>
    recipe.stages.some(({ lessons }) =>
      lessons.some((l) => l.task.name === task.name && l.levels[level] !== undefined),
    ),
  )
  return learnt ? heldOutProblems(task, level, seed, n) : task.generate(seed, level, n)
}
