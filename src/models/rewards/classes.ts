import { GradusError } from '../../core/errors.ts'
import type { Rows } from '../training/rows.ts'

/** @throws GradusError GRD-TRAIN-001 where the part to learn from has no two different targets */
export function checkClasses({ targets }: Rows, where = 'what is learnt from'): void {
  if (targets.some((target) => target !== targets[0])) return
  throw new GradusError('GRD-TRAIN-001', {
    found: targets.length === 0 ? `nothing to learn from in ${where}` : `only targets of ${targets[0]} in ${where}`,
    expected: 'steps of both classes',
    try: ['more problems'],
  })
}

/** How much a whole right and a whole wrong row count. */
export interface Classes {
  right: number
  wrong: number
}

/** Both classes with half of all weight; a soft target is a share of a right row and the rest of a wrong one. */
export function classWeights({ targets }: Rows): Classes {
  const right = targets.reduce((sum, target) => sum + target, 0)
  return { right: targets.length / 2 / right, wrong: targets.length / 2 / (targets.length - right) }
}

export function weighed(target: number, { right, wrong }: Classes): { target: number; weight: number } {
  const weight = target * right + (1 - target) * wrong
  return { target: (target * right) / weight, weight }
}

export function balanced(rows: Rows, classes: Classes): Rows {
  const each = Array.from(rows.targets, (target) => weighed(target, classes))
  return {
    ...rows,
    targets: Float32Array.from(each, ({ target }) => target),
    weights: Float32Array.from(each, ({ weight }) => weight),
  }
}
