import { type Chain, type ChainCounts, type ChainParameters, forwardBackward } from './forward-backward.ts'
import { voteFractions } from './majority.ts'
import { matchConfidence } from './opinion-pool.ts'
import { firstProfile, fitProfile, profileCell, type SourceProfile } from './source-profile.ts'
import type { VoteMatrix } from './votes.ts'

/** Options of `sequence-dawid-skene`, described there. */
export interface ChainSettings {
  iterations: number
  tolerance: number
  profileVotes: number
  evidence: number
  sharedErrors: number
}

/** Pseudo-transitions in each cell. */
const TRANSITION_PRIOR = 1

/** Pseudo-votes in each cell of a confusion matrix, so that nothing is impossible. */
const CELL_PRIOR = 0.01

/** Outcome votes are about a tenth of the step votes; so is the strength of their prior. */
const OUTCOME_PRIOR_SHARE = 0.1

/** Runs of items of one trace whose steps follow each other; a left-out step breaks a chain. */
export function chainsOf(votes: VoteMatrix): Chain[] {
  const chains: Chain[] = []
  let from = 0
  for (let i = 1; i <= votes.items; i++) {
    const follows =
      i < votes.items && votes.trace[i] === votes.trace[i - 1] && votes.step[i]! === votes.step[i - 1]! + 1
    if (follows) continue
    chains.push({ from, to: i })
    from = i
  }
  return votes.items === 0 ? [] : chains
}

interface State {
  /** Items x classes. */
  posterior: Float64Array
  /** Chains x classes. */
  outcome: Float64Array
  /** One a domain. */
  counts: ChainCounts[]
  profiles: SourceProfile[]
}

/**
 * Expectation-maximisation over chains, then confidence without gold labels (`opinion-pool.ts`).
 *
 * @param weights power of each source, 1 = its vote counts whole
 * @param notes added to
 * @returns posterior, items x classes
 */
export function fitChains(
  votes: VoteMatrix,
  chains: readonly Chain[],
  weights: Float64Array,
  settings: ChainSettings,
  gold: Int8Array | undefined,
  notes: string[],
): Float64Array {
  const classes = votes.classes.length
  const domains = 1 + (votes.domain?.reduce((max, d) => Math.max(max, d), 0) ?? 0)
  const ends = outcomesOf(votes, chains)
  const domainOfChain = Int32Array.from(chains, (c) => votes.domain?.[c.from] ?? 0)
  const state = start(votes, ends, chains, domainOfChain, domains, gold)
  const ordered = chains.some((c) => c.to - c.from > 1)
  const power = weights.map((w) => (ordered ? w * settings.evidence : w))
  for (let round = 0; round < settings.iterations; round++) {
    const before = state.posterior.slice()
    const parameters = maximise(votes, ends, state, domainOfChain, domains, settings)
    expectation(votes, ends, chains, domainOfChain, parameters, power, state, gold)
    if (largestMove(before, state.posterior) < settings.tolerance) break
  }
  if (settings.sharedErrors === 0) return state.posterior
  const parameters = maximise(votes, ends, state, domainOfChain, domains, settings)
  const alone = poolOfSources(votes, chains, domainOfChain, parameters, weights)
  const { posterior, powers } = matchConfidence(
    state.posterior,
    alone,
    settings.sharedErrors,
    votes.domain ?? new Int32Array(votes.items),
    classes,
    gold,
  )
  notes.push(
    `confidence lowered as if the sources spoke as one with weight ${settings.sharedErrors}: ` +
      `posterior to the power ${powers.map((p) => p.toFixed(3)).join(', ')}`,
  )
  return posterior
}

/** Votes on outcomes, chains x sources; only the chain that ends its trace has any. */
function outcomesOf(votes: VoteMatrix, chains: readonly Chain[]): Int8Array {
  const m = votes.sources.length
  const out = new Int8Array(chains.length * m).fill(-1)
  if (!votes.outcomes) return out
  chains.forEach((chain, c) => {
    const trace = votes.trace[chain.from]!
    const next = chains[c + 1]
    if (next && votes.trace[next.from] === trace) return
    out.set(votes.outcomes!.subarray(trace * m, trace * m + m), c * m)
  })
  return out
}

/** Vote shares, and the chain counts that they imply step by step. */
function start(
  votes: VoteMatrix,
  ends: Int8Array,
  chains: readonly Chain[],
  domainOfChain: Int32Array,
  domains: number,
  gold: Int8Array | undefined,
): State {
  const classes = votes.classes.length
  const equal = new Float64Array(votes.sources.length).fill(1)
  const posterior = voteFractions(votes, equal)
  holdGold(posterior, gold, classes)
  const outcome = voteFractions({ ...votes, items: chains.length, votes: ends }, equal)
  const counts = Array.from({ length: domains }, () => noCounts(classes))
  chains.forEach((chain, c) => {
    const into = counts[domainOfChain[c]!]!
    for (let k = 0; k < classes; k++) {
      into.initial[k] = into.initial[k]! + posterior[chain.from * classes + k]!
      for (let l = 0; l < classes; l++) {
        const cell = k * classes + l
        for (let i = chain.from + 1; i < chain.to; i++) {
          const both = posterior[(i - 1) * classes + k]! * posterior[i * classes + l]!
          into.transition[cell] = into.transition[cell]! + both
        }
        const end = posterior[(chain.to - 1) * classes + k]! * outcome[c * classes + l]!
        into.outcome[cell] = into.outcome[cell]! + end
      }
    }
  })
  return { posterior, outcome, counts, profiles: [] }
}

function noCounts(classes: number): ChainCounts {
  return {
    initial: new Float64Array(classes),
    transition: new Float64Array(classes * classes),
    outcome: new Float64Array(classes * classes),
  }
}

interface DomainParameters {
  chain: ChainParameters
  /** log P(vote | class) of each source, `[(source * K + vote) * K + class]`. */
  step: Float64Array
  outcome: Float64Array
}

function maximise(
  votes: VoteMatrix,
  ends: Int8Array,
  state: State,
  domainOfChain: Int32Array,
  domains: number,
  settings: ChainSettings,
): DomainParameters[] {
  const m = votes.sources.length
  const classes = votes.classes.length
  const cells = classes * classes
  const steps = expectedVotes(votes.votes, state.posterior, votes.domain, domains, m, classes)
  const outcomes = expectedVotes(ends, state.outcome, domainOfChain, domains, m, classes)
  state.profiles = votes.sources.map((_, s) => {
    const total = new Float64Array(cells)
    for (const counts of steps) for (let c = 0; c < cells; c++) total[c] = total[c]! + counts[s * cells + c]!
    return fitProfile(total, classes, state.profiles[s] ?? firstProfile(total, classes))
  })
  return state.counts.map((counts, d) => ({
    chain: {
      initial: normalised(counts.initial, classes),
      transition: normalised(counts.transition, classes),
      outcome: normalised(counts.outcome, classes),
    },
    step: logConfusion(steps[d]!, state.profiles, settings.profileVotes, classes),
    outcome: logConfusion(outcomes[d]!, state.profiles, settings.profileVotes * OUTCOME_PRIOR_SHARE, classes),
  }))
}

/** For each domain, expected votes `[(source * K + class) * K + vote]`. */
function expectedVotes(
  votes: Int8Array,
  posterior: Float64Array,
  domain: Int32Array | undefined,
  domains: number,
  m: number,
  classes: number,
): Float64Array[] {
  const out = Array.from({ length: domains }, () => new Float64Array(m * classes * classes))
  for (let i = 0; i * m < votes.length; i++) {
    const into = out[domain?.[i] ?? 0]!
    for (let s = 0; s < m; s++) {
      const vote = votes[i * m + s]!
      if (vote < 0) continue
      for (let k = 0; k < classes; k++) {
        const cell = (s * classes + k) * classes + vote
        into[cell] = into[cell]! + posterior[i * classes + k]!
      }
    }
  }
  return out
}

function logConfusion(
  counts: Float64Array,
  profiles: readonly SourceProfile[],
  prior: number,
  classes: number,
): Float64Array {
  const out = new Float64Array(counts.length)
  profiles.forEach((profile, s) => {
    for (let k = 0; k < classes; k++) {
      const row = Float64Array.from(
        { length: classes },
        (_, l) => counts[(s * classes + k) * classes + l]! + prior * profileCell(profile, k, l) + CELL_PRIOR,
      )
      const total = row.reduce((a, b) => a + b, 0)
      for (let l = 0; l < classes; l++) out[(s * classes + l) * classes + k] = Math.log(row[l]! / total)
    }
  })
  return out
}

/** Rows of counts as probabilities, after {@link TRANSITION_PRIOR}. */
function normalised(counts: Float64Array, classes: number): Float64Array {
  const out = counts.map((n) => n + TRANSITION_PRIOR)
  for (let row = 0; row < out.length; row += classes) {
    let total = 0
    for (let k = 0; k < classes; k++) total += out[row + k]!
    for (let k = 0; k < classes; k++) out[row + k] = out[row + k]! / total
  }
  return out
}

/** Posterior of steps and outcomes and new chain counts, in place. */
function expectation(
  votes: VoteMatrix,
  ends: Int8Array,
  chains: readonly Chain[],
  domainOfChain: Int32Array,
  parameters: readonly DomainParameters[],
  power: Float64Array,
  state: State,
  gold: Int8Array | undefined,
): void {
  const m = votes.sources.length
  const classes = votes.classes.length
  const evidence = new Float64Array(votes.items * classes)
  const end = new Float64Array(classes)
  state.counts = parameters.map(() => noCounts(classes))
  chains.forEach((chain, c) => {
    const domain = parameters[domainOfChain[c]!]!
    for (let i = chain.from; i < chain.to; i++) {
      rowEvidence(votes.votes, i * m, m, domain.step, power, evidence.subarray(i * classes, (i + 1) * classes))
    }
    holdGold(evidence, gold, classes, chain)
    rowEvidence(ends, c * m, m, domain.outcome, power, end)
    const outcome = forwardBackward(
      chain,
      evidence,
      end,
      domain.chain,
      state.posterior,
      state.counts[domainOfChain[c]!]!,
    )
    state.outcome.set(outcome, c * classes)
  })
}

/** exp(sum_s power_s log P(vote_s | class)), the largest class at 1. */
function rowEvidence(
  votes: Int8Array,
  base: number,
  m: number,
  logConfusion: Float64Array,
  power: Float64Array,
  out: Float64Array,
): void {
  const classes = out.length
  out.fill(0)
  for (let s = 0; s < m; s++) {
    const vote = votes[base + s]!
    if (vote < 0) continue
    for (let k = 0; k < classes; k++) out[k] = out[k]! + power[s]! * logConfusion[(s * classes + vote) * classes + k]!
  }
  const largest = out.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  for (let k = 0; k < classes; k++) out[k] = Math.exp(out[k]! - largest)
}

/** What each source alone would make one believe, averaged by the weights of the sources; items x classes. */
function poolOfSources(
  votes: VoteMatrix,
  chains: readonly Chain[],
  domainOfChain: Int32Array,
  parameters: readonly DomainParameters[],
  weights: Float64Array,
): Float64Array {
  const classes = votes.classes.length
  const pool = new Float64Array(votes.items * classes)
  const nobody = new Int8Array(chains.length * votes.sources.length).fill(-1)
  const total = weights.reduce((a, b) => a + b, 0)
  const state: State = {
    posterior: new Float64Array(pool.length),
    outcome: new Float64Array(chains.length * classes),
    counts: [],
    profiles: [],
  }
  weights.forEach((weight, s) => {
    const only = new Float64Array(weights.length)
    only[s] = 1
    expectation(votes, nobody, chains, domainOfChain, parameters, only, state, undefined)
    for (let c = 0; c < pool.length; c++) pool[c] = pool[c]! + (weight / total) * state.posterior[c]!
  })
  return pool
}

/** Rows of known items become one-hot. */
function holdGold(rows: Float64Array, gold: Int8Array | undefined, classes: number, within?: Chain): void {
  if (!gold) return
  for (let i = within?.from ?? 0; i < (within?.to ?? gold.length); i++) {
    const g = gold[i]!
    if (g < 0) continue
    rows.fill(0, i * classes, (i + 1) * classes)
    rows[i * classes + g] = 1
  }
}

function largestMove(a: Float64Array, b: Float64Array): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}
