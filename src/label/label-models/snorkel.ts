import { z } from 'zod'
import { decide, type LabelModel } from './label-model.ts'
import { majority } from './majority.ts'
import { fittedFrom, sourceReports } from './source-report.ts'
import type { VoteMatrix } from './votes.ts'

const options = z.object({
  steps: z.number().int().min(1).default(400).describe('steps of gradient descent'),
  rate: z.number().gt(0).default(0.01).describe('learning rate of Adam'),
  l2: z.number().min(0).default(0).describe('pull towards the start, per squared parameter'),
  prior: z.array(z.number().gt(0)).optional().describe('class balance; from the majority vote where absent'),
})
type Options = z.output<typeof options>

/** P(vote | class) is kept inside these, as the published code does. */
const CLIP = { low: 0.01, high: 0.99 }

/**
 * The matrix-completion generative model of Snorkel (MeTaL): mu = P(vote | class) such that the second moments of the
 * one-hot votes of *different* sources are O = mu diag(prior) mu^T; votes of one source with itself are masked out.
 *
 * Squared error by full-batch Adam, started at the votes given the majority, which settles the order of the classes
 * (sources better than chance). Posterior ~ prior x product of mu over the votes that were cast.
 *
 * @see Ratner and others, Training complex models with multi-task weak supervision, AAAI 2019
 */
export const snorkel: LabelModel<Options> = {
  name: 'snorkel',
  summary: 'generative model fitted to how often pairs of sources vote together',
  paper: 'autows-bench',
  gold: 'ignored',
  options,
  fit(votes, given) {
    const settings = options.parse(given ?? {})
    const notes: string[] = []
    const start = majority.fit(votes)
    const prior = classBalance(votes, start.posterior, settings.prior, notes)
    const mu = descend(votes, prior, conditional(votes, start.posterior), settings)
    const posterior = posteriorOf(votes, prior, mu)
    const sources = sourceReports(votes, posterior)
    const alike = sources.every((s) => s.coverage > 0.9) && spreadOf(sources.map((s) => s.accuracy ?? 0)) < 0.05
    if (alike) notes.push('sources cover nearly all items and are alike: the majority is as good and simpler')
    const before = decide(start)
    const changed = decide({ classes: votes.classes, posterior }).filter((c, i) => c !== before[i]).length
    if (changed > votes.items / 2) notes.push('most items left their majority class: check the class balance')
    return fittedFrom(votes, posterior, notes)
  },
}

function spreadOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values)
}

function classBalance(
  votes: VoteMatrix,
  posterior: Float64Array,
  given: readonly number[] | undefined,
  notes: string[],
): Float64Array {
  const classes = votes.classes.length
  const prior = new Float64Array(classes)
  if (given?.length === classes) prior.set(given)
  else {
    if (given) notes.push(`class balance has ${given.length} entries for ${classes} classes: taken from the majority`)
    // One pseudo-item a class: a class that never wins stays possible.
    prior.fill(1)
    posterior.forEach((p, cell) => {
      prior[cell % classes] = prior[cell % classes]! + p
    })
  }
  const total = prior.reduce((a, b) => a + b, 0)
  return prior.map((p) => p / total)
}

/** P(source votes l | class k), `[(source * K + vote) * K + class]`; a missing vote is part of the probability. */
function conditional(votes: VoteMatrix, posterior: Float64Array): Float64Array {
  const m = votes.sources.length
  const classes = votes.classes.length
  const mu = new Float64Array(m * classes * classes)
  const mass = new Float64Array(classes).fill(1e-9)
  for (let i = 0; i < votes.items; i++) {
    for (let k = 0; k < classes; k++) {
      const p = posterior[i * classes + k]!
      mass[k] = mass[k]! + p
      for (let s = 0; s < m; s++) {
        const vote = votes.votes[i * m + s]!
        if (vote >= 0) mu[(s * classes + vote) * classes + k] = mu[(s * classes + vote) * classes + k]! + p
      }
    }
  }
  return mu.map((n, cell) => n / mass[cell % classes]!)
}

/** E[psi psi^T] of the one-hot votes, (sources x K) squared. */
function secondMoments(votes: VoteMatrix): Float64Array {
  const m = votes.sources.length
  const classes = votes.classes.length
  const size = m * classes
  const out = new Float64Array(size * size)
  for (let i = 0; i < votes.items; i++) {
    for (let a = 0; a < m; a++) {
      const va = votes.votes[i * m + a]!
      if (va < 0) continue
      for (let b = 0; b < m; b++) {
        const vb = votes.votes[i * m + b]!
        if (vb < 0) continue
        const cell = (a * classes + va) * size + b * classes + vb
        out[cell] = out[cell]! + 1 / votes.items
      }
    }
  }
  return out
}

function descend(votes: VoteMatrix, prior: Float64Array, start: Float64Array, settings: Options): Float64Array {
  const classes = votes.classes.length
  const size = votes.sources.length * classes
  const moments = secondMoments(votes)
  const mu = start.slice()
  const first = new Float64Array(mu.length)
  const second = new Float64Array(mu.length)
  const gradient = new Float64Array(mu.length)
  for (let step = 1; step <= settings.steps; step++) {
    mu.forEach((value, cell) => {
      gradient[cell] = 2 * settings.l2 * (value - start[cell]!)
    })
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) {
        if (Math.floor(a / classes) === Math.floor(b / classes)) continue
        let model = 0
        for (let k = 0; k < classes; k++) model += mu[a * classes + k]! * prior[k]! * mu[b * classes + k]!
        const miss = model - moments[a * size + b]!
        for (let k = 0; k < classes; k++) {
          gradient[a * classes + k] = gradient[a * classes + k]! + 4 * miss * prior[k]! * mu[b * classes + k]!
        }
      }
    }
    for (let cell = 0; cell < mu.length; cell++) {
      first[cell] = 0.9 * first[cell]! + 0.1 * gradient[cell]!
      second[cell] = 0.999 * second[cell]! + 0.001 * gradient[cell]! ** 2
      const slope = first[cell]! / (1 - 0.9 ** step)
      const scale = Math.sqrt(second[cell]! / (1 - 0.999 ** step)) + 1e-8
      mu[cell] = Math.min(1, Math.max(0, mu[cell]! - (settings.rate * slope) / scale))
    }
  }
  return mu.map((p) => Math.min(CLIP.high, Math.max(CLIP.low, p)))
}

function posteriorOf(votes: VoteMatrix, prior: Float64Array, mu: Float64Array): Float64Array {
  const m = votes.sources.length
  const classes = votes.classes.length
  const out = new Float64Array(votes.items * classes)
  const score = new Float64Array(classes)
  for (let i = 0; i < votes.items; i++) {
    for (let k = 0; k < classes; k++) {
      score[k] = Math.log(prior[k]!)
      for (let s = 0; s < m; s++) {
        const vote = votes.votes[i * m + s]!
        if (vote >= 0) score[k] = score[k]! + Math.log(mu[(s * classes + vote) * classes + k]!)
      }
    }
    const top = Math.max(...score)
    const total = score.reduce((sum, x) => sum + Math.exp(x - top), 0)
    for (let k = 0; k < classes; k++) out[i * classes + k] = Math.exp(score[k]! - top) / total
  }
  return out
}
