import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { checkGold, type LabelModel } from './label-model.ts'
import { fittedFrom } from './source-report.ts'
import type { VoteMatrix } from './votes.ts'

const options = z.object({
  l2: z.number().gt(0).default(3).describe('penalty on squared weights, against the summed log loss'),
  steps: z.number().int().min(1).default(500).describe('steps of accelerated gradient descent'),
})
type Options = z.output<typeof options>

/**
 * Multinomial logistic regression on one-hot votes, trained on the items with gold labels: the baseline that every
 * other model has to beat once some gold labels exist. An abstention is a row of zeros; the intercept is not penalised.
 *
 * @throws GradusError GRD-LABEL-003 where fewer than two classes have a gold item
 */
export const goldLogistic: LabelModel<Options> = {
  name: 'gold-logistic',
  summary: 'logistic regression from votes to gold labels',
  paper: 'autows-bench',
  gold: 'required',
  options,
  fit(votes, given, gold) {
    const settings = options.parse(given ?? {})
    if (gold) checkGold(votes, gold)
    const train = [...(gold ?? [])].flatMap((g, i) => (g >= 0 ? [i] : []))
    const seen = new Set(train.map((i) => gold![i]!))
    if (!gold || seen.size < 2) {
      throw new GradusError('GRD-LABEL-003', {
        found: `gold labels of ${seen.size} classes`,
        expected: 'gold items of at least two classes',
        try: ['a model that needs none: dawid-skene, sequence-dawid-skene'],
      })
    }
    const weights = descend(votes, gold, train, settings)
    const posterior = new Float64Array(votes.items * votes.classes.length)
    for (let i = 0; i < votes.items; i++) predict(votes, i, weights, posterior, i * votes.classes.length)
    const missing = votes.classes.filter((_, k) => !seen.has(k))
    return fittedFrom(
      votes,
      posterior,
      missing.length === 0 ? [] : [`no gold item of ${missing.join(', ')}: hardly ever predicted`],
    )
  },
}

/** Weights `[feature * K + class]`; feature = source * K + vote, the last feature is the intercept. */
function descend(votes: VoteMatrix, gold: Int8Array, train: readonly number[], settings: Options): Float64Array {
  const m = votes.sources.length
  const classes = votes.classes.length
  const bias = m * classes * classes
  let weights: Float64Array = new Float64Array(bias + classes)
  let ahead = weights
  let pace = 1
  // The log loss of a row with m + 1 ones curves by at most (m + 1) / 2, so this step never overshoots.
  const rate = 1 / ((train.length * (m + 1)) / 2 + settings.l2)
  const p = new Float64Array(classes)
  for (let step = 0; step < settings.steps; step++) {
    const gradient = ahead.map((w, cell) => (cell < bias ? settings.l2 * w : 0))
    for (const i of train) {
      predict(votes, i, ahead, p, 0)
      p[gold[i]!] = p[gold[i]!]! - 1
      for (let k = 0; k < classes; k++) {
        gradient[bias + k] = gradient[bias + k]! + p[k]!
        for (let s = 0; s < m; s++) {
          const vote = votes.votes[i * m + s]!
          if (vote < 0) continue
          const cell = (s * classes + vote) * classes + k
          gradient[cell] = gradient[cell]! + p[k]!
        }
      }
    }
    const next = ahead.map((w, cell) => w - rate * gradient[cell]!)
    const nextPace = (1 + Math.sqrt(1 + 4 * pace * pace)) / 2
    const push = (pace - 1) / nextPace
    ahead = next.map((w, cell) => w + push * (w - weights[cell]!))
    weights = next
    pace = nextPace
  }
  return weights
}

/** Class probabilities of one item, written to `out` from `at`. */
function predict(votes: VoteMatrix, item: number, weights: Float64Array, out: Float64Array, at: number): void {
  const m = votes.sources.length
  const classes = votes.classes.length
  let top = Number.NEGATIVE_INFINITY
  for (let k = 0; k < classes; k++) {
    let score = weights[m * classes * classes + k]!
    for (let s = 0; s < m; s++) {
      const vote = votes.votes[item * m + s]!
      if (vote >= 0) score += weights[(s * classes + vote) * classes + k]!
    }
    out[at + k] = score
    if (score > top) top = score
  }
  let total = 0
  for (let k = 0; k < classes; k++) {
    out[at + k] = Math.exp(out[at + k]! - top)
    total += out[at + k]!
  }
  for (let k = 0; k < classes; k++) out[at + k] = out[at + k]! / total
}
