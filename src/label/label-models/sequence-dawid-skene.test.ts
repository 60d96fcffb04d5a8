import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { dawidSkene } from './dawid-skene.ts'
import { type ChainParameters, forwardBackward } from './forward-backward.ts'
import { decide } from './label-model.ts'
import { nearCopies } from './near-copies.ts'
import { matchConfidence } from './opinion-pool.ts'
import { sequenceDawidSkene } from './sequence-dawid-skene.ts'
import { draw, type PlantedSource, simulateVotes } from './simulate.ts'
import { type VoteMatrix, votesOfRows } from './votes.ts'

const share = (said: Int8Array, gold: Int8Array): number => said.filter((c, i) => c === gold[i]).length / gold.length

/** Traces whose classes follow a planted chain: right until a first error, which mostly stays. */
function plantedTraces(traces: number, steps: number): { votes: VoteMatrix; gold: Int8Array; transition: number[][] } {
  const transition = [
    [0.9, 0.1],
    [0.12, 0.88],
  ]
  const r = random('test/sequence/planted')
  const gold: number[] = []
  const rows: number[][] = []
  for (let t = 0; t < traces; t++) {
    let state = 1
    for (let s = 0; s < steps; s++) {
      state = draw(r, s === 0 ? [0.1, 0.9] : transition[state]!)
      gold.push(state)
      rows.push([0.75, 0.7, 0.65, 0.65].map((a) => (r.next() < 0.2 ? -1 : r.next() < a ? state : 1 - state)))
    }
  }
  const flat = votesOfRows(['wrong', 'right'], ['a', 'b', 'c', 'd'], rows)
  const votes = {
    ...flat,
    trace: flat.trace.map((i) => Math.floor(i / steps)),
    step: flat.trace.map((i) => i % steps),
  }
  return { votes, gold: Int8Array.from(gold), transition }
}

describe('forward-backward', () => {
  it('equals the sum over all paths', () => {
    const r = random('test/forward-backward')
    const row = (): number[] => {
      const raw = [r.next(), r.next(), r.next()]
      return raw.map((x) => x / raw.reduce((a, b) => a + b))
    }
    const rows = (): Float64Array => Float64Array.from([row(), row(), row()].flat())
    const chain: ChainParameters = { initial: Float64Array.from(row()), transition: rows(), outcome: rows() }
    const evidence = Float64Array.from({ length: 12 }, () => r.next())
    const end = Float64Array.from({ length: 3 }, () => r.next())
    const want = new Float64Array(12)
    const wantTransition = new Float64Array(9)
    const wantOutcome = new Float64Array(3)
    let total = 0
    for (let code = 0; code < 3 ** 5; code++) {
      const path = [...code.toString(3).padStart(5, '0')].map(Number)
      let p = chain.initial[path[0]!]! * end[path[4]!]! * chain.outcome[path[3]! * 3 + path[4]!]!
      for (let t = 0; t < 4; t++) p *= evidence[t * 3 + path[t]!]!
      for (let t = 1; t < 4; t++) p *= chain.transition[path[t - 1]! * 3 + path[t]!]!
      total += p
      for (let t = 0; t < 4; t++) want[t * 3 + path[t]!]! += p
      for (let t = 1; t < 4; t++) wantTransition[path[t - 1]! * 3 + path[t]!]! += p
      wantOutcome[path[4]!]! += p
    }
    const posterior = new Float64Array(12)
    const counts = { initial: new Float64Array(3), transition: new Float64Array(9), outcome: new Float64Array(9) }
    const outcome = forwardBackward({ from: 0, to: 4 }, evidence, end, chain, posterior, counts)
    for (const [i, p] of want.entries()) expect(posterior[i]).toBeCloseTo(p / total, 12)
    for (const [i, p] of wantTransition.entries()) expect(counts.transition[i]).toBeCloseTo(p / total, 12)
    for (const [i, p] of wantOutcome.entries()) expect(outcome[i]).toBeCloseTo(p / total, 12)
  })
})

describe('sequence-dawid-skene', () => {
  it('uses the order of steps: recovers a planted chain better than votes step by step', () => {
    const { votes, gold } = plantedTraces(200, 12)
    const byStep = share(decide(dawidSkene.fit(votes)), gold)
    const fitted = sequenceDawidSkene.fit(votes, { sharedErrors: 0, evidence: 1 })
    expect(share(decide(fitted), gold)).toBeGreaterThan(byStep + 0.05)
    for (const [s, a] of [0.75, 0.7, 0.65, 0.65].entries()) expect(fitted.sources[s]!.accuracy).toBeCloseTo(a, 1)
    // Independent sources and a true model: the posterior means what it says.
    const stated = fitted.posterior.filter((_, c) => decide(fitted)[c >> 1] === c % 2).reduce((a, b) => a + b, 0)
    expect(stated / gold.length).toBeCloseTo(share(decide(fitted), gold), 1)
  })

  it('learns from votes about whole traces', () => {
    const { votes, gold } = plantedTraces(200, 12)
    const last = Int8Array.from({ length: 200 }, (_, t) => gold[t * 12 + 11]!)
    const outcomes = Int8Array.from({ length: 800 }, (_, cell) => last[cell >> 2]!)
    const ends = (said: Int8Array): number =>
      share(
        said.filter((_, i) => i % 12 === 11),
        last,
      )
    const without = ends(decide(sequenceDawidSkene.fit(votes)))
    expect(ends(decide(sequenceDawidSkene.fit({ ...votes, outcomes })))).toBeGreaterThan(without + 0.05)
  })

  const worse: PlantedSource[] = [0.9, 0.8, 0.7, 0.65, 0.6, 0.55].map((accuracy) => ({ accuracy, coverage: 0.95 }))
  const copy: PlantedSource = { accuracy: 0.55, coverage: 0.95, copies: 5, repeats: 0.9 }

  it.each([2, 4])('%i near-copies of the worst source do not outvote the rest, and the notes say so', (copies) => {
    const { votes, gold } = simulateVotes(
      random(`test/copies/${copies}`),
      2_000,
      [0.5, 0.5],
      [...worse, ...Array<PlantedSource>(copies).fill(copy)],
    )
    const clean = simulateVotes(random(`test/copies/${copies}/none`), 2_000, [0.5, 0.5], worse)
    const before = share(decide(dawidSkene.fit(clean.votes)), clean.gold)
    const fooled = share(decide(dawidSkene.fit(votes)), gold)
    const fitted = sequenceDawidSkene.fit(votes)
    expect(fooled).toBeLessThan(0.7)
    expect((share(decide(fitted), gold) - fooled) / (before - fooled)).toBeGreaterThan(0.8)
    expect(fitted.notes.join('\n')).toMatch(/source 5, source 6, source 7.* vote alike/)
  })

  it('takes accurate independent sources for what they are', () => {
    const accurate = [0.95, 0.95, 0.93, 0.93, 0.9].map((accuracy) => ({ accuracy, coverage: 1 }))
    expect(nearCopies(simulateVotes(random('test/accurate'), 2_000, [0.5, 0.5], accurate).votes)).toEqual([])
  })

  it('gives each of two sources one vote, and says why', () => {
    const fitted = sequenceDawidSkene.fit(
      votesOfRows(
        ['x', 'y'],
        ['a', 'b'],
        [
          [0, 0],
          [1, 1],
          [0, -1],
        ],
      ),
    )
    expect([...decide(fitted)]).toEqual([0, 1, 0])
    expect(fitted.notes.join()).toMatch(
      /2 sources vote, whose accuracies cannot be told apart: every source has one vote/,
    )
  })

  it('does not weigh sources that name one class only, and says why', () => {
    const rows = [
      [0, -1, -1, 0],
      [-1, 1, -1, -1],
      [-1, 1, 1, 0],
    ]
    const fitted = sequenceDawidSkene.fit(votesOfRows(['ham', 'spam'], ['a', 'b', 'c', 'd'], rows))
    expect([...decide(fitted)]).toEqual([0, 1, 1])
    expect(fitted.notes.join()).toMatch(/a, b, c, d vote for one class only.*every source has one vote/)
  })

  it('keeps known items and domains apart', () => {
    const { votes, gold } = plantedTraces(40, 5)
    const known = gold.map((g, i) => (i % 7 === 0 ? 1 - g : -1))
    const fitted = sequenceDawidSkene.fit({ ...votes, domain: votes.trace.map((t) => t % 2) }, {}, known)
    known.forEach((g, i) => {
      if (g >= 0) expect(fitted.posterior[i * 2 + g]).toBe(1)
    })
  })

  it('gives equal bytes for equal votes, and survives no items', () => {
    const { votes } = plantedTraces(20, 5)
    expect(sequenceDawidSkene.fit(votes)).toEqual(sequenceDawidSkene.fit(votes))
    expect(sequenceDawidSkene.fit(votesOfRows(['x', 'y'], ['a', 'b', 'c'], [])).posterior).toHaveLength(0)
  })
})

describe('confidence without gold labels', () => {
  it('meets the mean of the mixture and keeps the most probable class', () => {
    const posterior = Float64Array.of(0.99, 0.01, 0.2, 0.8, 0.999, 0.001)
    const pool = Float64Array.of(0.6, 0.4, 0.5, 0.5, 0.7, 0.3)
    const domain = new Int32Array(3)
    const { posterior: out, powers } = matchConfidence(posterior, pool, 0.8, domain, 2)
    const target = (0.8 * 0.6 + 0.2 * 0.99 + 0.8 * 0.5 + 0.2 * 0.8 + 0.8 * 0.7 + 0.2 * 0.999) / 3
    expect((out[0]! + out[3]! + out[4]!) / 3).toBeCloseTo(target, 9)
    expect(powers[0]).toBeLessThan(1)
    const held = matchConfidence(posterior, pool, 0.8, domain, 2, Int8Array.of(0, -1, -1)).posterior
    expect(held.slice(0, 2)).toEqual(posterior.slice(0, 2))
  })

  it('never adds confidence', () => {
    const posterior = Float64Array.of(0.6, 0.4)
    expect(matchConfidence(posterior, Float64Array.of(1, 0), 1, new Int32Array(1), 2).posterior).toEqual(posterior)
  })
})
