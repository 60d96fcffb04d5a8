import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Method } from '../../core/method.ts'
import { boostingHead, fitBoosting } from './boosting.ts'
import { fitLogistic, logisticHead } from './logistic.ts'
import { fitMlp, MLP_DEFAULTS, mlpHead } from './mlp.ts'
import type { FittedHead, Head, Rows } from './rows.ts'
import type { Weights } from './transformer/params.ts'

/** A way to learn a head from rows of numbers. */
export interface Learner extends Method {
  /** @param held rows of other problems for early stopping; @param seed names every random choice */
  fit(rows: Rows, held: Rows | undefined, options: unknown, seed: string): FittedHead
  /** The head from its tensors. */
  restore(tensors: Weights): Head
}

const logisticOptions = z.object({
  l2: z
    .number()
    .min(0)
    .default(1)
    .describe('penalty on squared weights of standardised columns, against the summed log loss'),
})

const logistic: Learner = {
  name: 'logistic',
  summary: 'logistic regression: the honest baseline',
  options: logisticOptions,
  fit: (rows, _held, options) => fitLogistic(rows, logisticOptions.parse(options ?? {})),
  restore: logisticHead,
}

const boostingOptions = z.object({
  trees: z.number().int().min(1).default(200).describe('trees at most; held-out problems decide'),
  leaves: z.number().int().min(2).default(15).describe('leaves of a tree at most'),
  minRows: z.number().int().min(1).default(10).describe('rows in a leaf at least'),
  rate: z.number().gt(0).max(1).default(0.1).describe("share of each tree's step that is taken"),
})

const boosting: Learner = {
  name: 'boosting',
  summary: 'gradient boosting of trees on histograms',
  options: boostingOptions,
  fit: (rows, held, options) => fitBoosting(rows, boostingOptions.parse(options ?? {}), held),
  restore: boostingHead,
}

const mlpOptions = z.object({
  units: z.number().int().min(0).default(96).describe('hidden units; 0 = a linear head'),
  loss: z.enum(['bce', 'mse']).default('bce').describe('log loss, or squared error of the probability as in OVM'),
  epochs: z.number().int().positive().default(MLP_DEFAULTS.epochs).describe('passes at most; held-out problems decide'),
  rate: z.number().gt(0).default(MLP_DEFAULTS.rate).describe('highest learning rate of Adam'),
})

const mlp: Learner = {
  name: 'mlp',
  summary: 'a small network with one hidden layer',
  paper: 'prm-lessons',
  options: mlpOptions,
  fit(rows, held, options, seed) {
    const { units, ...rest } = mlpOptions.parse(options ?? {})
    return fitMlp(rows, { ...rest, hidden: units > 0 ? [units] : [], seed }, held)
  },
  restore: mlpHead,
}

export const LEARNERS: readonly Learner[] = [logistic, boosting, mlp]

/** @throws GradusError GRD-LABEL-001 */
export function learnerNamed(name: string): Learner {
  const found = LEARNERS.find((learner) => learner.name === name)
  if (found) return found
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `one of ${LEARNERS.map((learner) => learner.name).join(', ')}`,
    try: ['gradus methods learners'],
  })
}
