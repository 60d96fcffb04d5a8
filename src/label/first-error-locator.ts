import { GradusError } from '../core/errors.ts'

/** Chance that a run from a wrong prefix ends right all the same: a Beta distribution over prefixes. */
export interface Recovery {
  alpha: number
  beta: number
}

export interface LocatorOptions {
  /** Steps of the trace, at least 1; the trace is known to end wrong. */
  steps: number
  recovery: Recovery
  /** Stop when one position has this probability; in (0.5, 1]. */
  confidence?: number
  /** Most rollouts from one prefix. */
  perStep?: number
  /** Weights of the positions 0 to steps - 1 and, last, of "no wrong step"; default: all steps alike, the last 0. */
  prior?: readonly number[]
}

/** A search for the first wrong step that asks for rollouts one prefix at a time. Prefix length 0 = the root. */
export interface Search {
  /** Length of the prefix to roll out from next, 1 to steps - 1; null = nothing more to learn. */
  next(): number | null
  observe(length: number, successes: number, trials: number): void
  /** Index of the most probable first wrong step from 0, -1 = no wrong step. */
  firstError(): number
}

export interface Locator extends Search {
  /** P(first wrong step = t), steps + 1 entries, the last = no wrong step. */
  posterior(): number[]
}

/** Values of the root's chance of success that are weighed against each other: midpoints of 24 equal parts of [0, 1]. */
const GRID = Array.from({ length: 24 }, (_, g) => (g + 0.5) / 24)

/** Wrong in five of a hundred traces at most, if the model of the policy is right. */
const CONFIDENCE = 0.95

/**
 * A rollout that is expected to tell less than this (nats) is not asked for: when the telling prefixes are used up, the
 * rest would go to prefixes that are clear already (chains of 16 operations: 25 rollouts instead of 36, as often right).
 */
const LEAST_GAIN = 0.005

/** As many rollouts a prefix as the published methods use (papers/omegaprm.md). */
const PER_STEP = 8

/**
 * Noisy bisection: where is the first wrong step, if a wrong prefix may still end right and a good one may fail?
 *
 * With first wrong step f, prefixes of length L <= f are good and longer ones bad. A run from a good prefix succeeds
 * with p(L) = p0 ^ ((steps - L) / steps): the steps to come are alike, and p0 is the chance at the root, unknown, with
 * a uniform prior that rollouts from the root (`observe(0, k, n)`) and from every good prefix narrow down. Runs from
 * one bad prefix share a chance drawn from Beta(alpha, beta) (beta-binomial). The next prefix is the one whose single
 * next rollout is expected to lower the entropy of the position most (Horstein's bisection with unknown noise).
 * @throws GradusError GRD-CLI-002 for options out of range
 */
export function locator(options: LocatorOptions): Locator {
  const { steps, recovery, confidence = CONFIDENCE, perStep = PER_STEP } = options
  const prior = options.prior ?? [...new Array<number>(steps).fill(1), 0]
  checkOptions(steps, recovery, confidence, prior)
  const successes = new Float64Array(steps)
  const trials = new Float64Array(steps)
  /** p(L) for each grid point. */
  const chance = Array.from({ length: steps }, (_, L) => GRID.map((p0) => p0 ** ((steps - L) / steps)))
  /** P(position, grid point | what was seen); rows = positions. */
  let joint = weigh()

  function weigh(): Float64Array[] {
    const logs: Float64Array[] = []
    const good = new Float64Array(GRID.length)
    const bad = new Float64Array(steps + 1)
    for (let L = steps - 1; L > 0; L--)
      bad[L] = (bad[L + 1] ?? 0) + logBetaBinomial(successes[L]!, trials[L]!, recovery)
    let top = Number.NEGATIVE_INFINITY
    for (let f = 0; f <= steps; f++) {
      if (f < steps && trials[f]! > 0) {
        for (let g = 0; g < GRID.length; g++) {
          const p = chance[f]![g]!
          good[g]! += successes[f]! * Math.log(p) + (trials[f]! - successes[f]!) * Math.log(1 - p)
        }
      }
      const base = Math.log(prior[f]!) + (bad[f + 1] ?? 0)
      const row = good.map((l) => l + base)
      for (const l of row) if (l > top) top = l
      logs.push(row)
    }
    let sum = 0
    for (const row of logs) for (let g = 0; g < row.length; g++) sum += row[g] = Math.exp(row[g]! - top)
    for (const row of logs) for (let g = 0; g < row.length; g++) row[g]! /= sum
    return logs
  }

  const posterior = (): number[] => joint.map((row) => row.reduce((a, b) => a + b, 0))

  /** Expected entropy of the position after one more rollout from a prefix. */
  function expectedEntropy(L: number, now: readonly number[]): number {
    const bad = (recovery.alpha + successes[L]!) / (recovery.alpha + recovery.beta + trials[L]!)
    const p = chance[L]!
    let right = 0
    let rightLogs = 0
    let wrong = 0
    let wrongLogs = 0
    for (let f = 0; f <= steps; f++) {
      const w = now[f]!
      if (w === 0) continue
      let r = w * bad
      if (f >= L) {
        r = 0
        const row = joint[f]!
        for (let g = 0; g < p.length; g++) r += row[g]! * p[g]!
      }
      right += r
      rightLogs += xlogx(r)
      wrong += w - r
      wrongLogs += xlogx(w - r)
    }
    // H(m / P) P = P log P - sum m log m
    return xlogx(right) - rightLogs + xlogx(wrong) - wrongLogs
  }

  return {
    posterior,
    observe(length, k, n) {
      if (!(Number.isInteger(length) && length >= 0 && length < steps && k >= 0 && k <= n)) {
        throw new GradusError('GRD-CORE-001', { found: `${k} of ${n} rollouts from ${length} of ${steps} steps` })
      }
      successes[length]! += k
      trials[length]! += n
      joint = weigh()
    },
    next() {
      const now = posterior()
      if (Math.max(...now) >= confidence) return null
      let best: number | null = null
      let least = -now.reduce((sum, p) => sum + xlogx(p), 0) - LEAST_GAIN
      for (let L = 1; L < steps; L++) {
        if (trials[L]! >= perStep) continue
        const entropy = expectedEntropy(L, now)
        if (entropy < least) {
          least = entropy
          best = L
        }
      }
      return best
    },
    firstError() {
      const now = posterior()
      const at = now.indexOf(Math.max(...now))
      return at === steps ? -1 : at
    },
  }
}

/**
 * Bisection as published: a prefix is good when any rollout from it succeeds, and that is never doubted.
 *
 * The trace is known to end wrong and the root to be good; ceil(log2 steps) prefixes are asked for.
 * @see papers/omegaprm.md
 */
export function plainBisection(steps: number): Search {
  checkOptions(steps, { alpha: 1, beta: 1 }, 1, new Array<number>(steps + 1).fill(1))
  let good = 0
  let bad = steps
  return {
    next: () => (bad - good <= 1 ? null : Math.floor((good + bad) / 2)),
    observe(length, successes) {
      if (successes > 0) good = Math.max(good, length)
      else if (length > good) bad = Math.min(bad, length)
    },
    firstError: () => bad - 1,
  }
}

function checkOptions(steps: number, { alpha, beta }: Recovery, confidence: number, prior: readonly number[]): void {
  const problems = [
    ...(Number.isInteger(steps) && steps >= 1 ? [] : [`${steps} steps`]),
    ...(alpha > 0 && beta > 0 ? [] : [`recovery Beta(${alpha}, ${beta})`]),
    ...(confidence > 0.5 && confidence <= 1 ? [] : [`confidence ${confidence}`]),
    ...(prior.length === steps + 1 && prior.every((w) => w >= 0) && prior.some((w) => w > 0)
      ? []
      : [`a prior of ${prior.length} weights`]),
  ]
  if (problems.length === 0) return
  throw new GradusError('GRD-CLI-002', {
    found: problems.join(', '),
    expected:
      'at least one step, alpha and beta above 0, confidence in (0.5, 1], steps + 1 weights of which one is above 0',
  })
}

const xlogx = (x: number): number => (x > 0 ? x * Math.log(x) : 0)

/** log P(this very sequence of k successes in n trials) under a chance drawn from Beta(alpha, beta). */
function logBetaBinomial(k: number, n: number, { alpha, beta }: Recovery): number {
  let log = 0
  for (let i = 0; i < k; i++) log += Math.log((alpha + i) / (alpha + beta + i))
  for (let i = 0; i < n - k; i++) log += Math.log((beta + i) / (alpha + beta + k + i))
  return log
}
