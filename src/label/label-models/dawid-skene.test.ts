import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { dawidSkene } from './dawid-skene.ts'
import { decide } from './label-model.ts'
import { majority } from './majority.ts'
import { simulateVotes } from './simulate.ts'
import { type VoteMatrix, votesOfRows } from './votes.ts'
import { weightedMajority } from './weighted-majority.ts'

/** Expectation-maximisation as a textbook writes it: probabilities, no grouping, no logarithms. */
function textbook(votes: VoteMatrix, rounds: number, smoothing: number): { posterior: number[][]; logLik: number[] } {
  const m = votes.sources.length
  const K = votes.classes.map((_, k) => k)
  const row = (i: number): number[] => [...votes.votes.subarray(i * m, i * m + m)]
  const all = Array.from({ length: votes.items }, (_, i) => row(i))
  const share = K.map((k) => all.flat().filter((v) => v === k).length / all.flat().filter((v) => v >= 0).length)
  let posterior = all.map((r) => {
    const cast = r.filter((v) => v >= 0)
    return K.map((k) => (cast.filter((v) => v === k).length + 1e-6 * share[k]!) / (cast.length + 1e-6))
  })
  const logLik: number[] = []
  for (let round = 0; round < rounds; round++) {
    const pi = K.map((k) => posterior.reduce((sum, p) => sum + p[k]!, 0) / all.length)
    const theta = votes.sources.map((_, s) =>
      K.map((k) => {
        const counts = K.map((l) => all.reduce((sum, r, i) => sum + (r[s] === l ? posterior[i]![k]! : 0), smoothing))
        const total = counts.reduce((a, b) => a + b, 0)
        return counts.map((c) => c / total)
      }),
    )
    let lik = 0
    posterior = all.map((r) => {
      const joint = K.map((k) => r.reduce((p, l, s) => (l < 0 ? p : p * theta[s]![k]![l]!), pi[k]!))
      const total = joint.reduce((a, b) => a + b, 0)
      lik += Math.log(total)
      return joint.map((p) => p / total)
    })
    logLik.push(lik)
  }
  return { posterior, logLik }
}

const accuracy = (said: Int8Array, gold: Int8Array): number => said.filter((c, i) => c === gold[i]).length / gold.length

describe('dawid-skene', () => {
  it('does what the textbook does, and the likelihood never falls', () => {
    const { votes } = simulateVotes(
      random('test/ds/small'),
      60,
      [0.5, 0.3, 0.2],
      [
        { accuracy: 0.8, coverage: 0.9 },
        { accuracy: 0.6, coverage: 0.7 },
        { accuracy: 0.7, coverage: 1 },
      ],
    )
    const want = textbook(votes, 12, 0.01)
    const got = dawidSkene.fit(votes, { iterations: 12, tolerance: 0, smoothing: 0.01 })
    for (const [i, p] of want.posterior.flat().entries()) expect(got.posterior[i]).toBeCloseTo(p, 10)
    const plain = textbook(votes, 30, 0).logLik
    for (const [i, l] of plain.slice(1).entries()) expect(l).toBeGreaterThanOrEqual(plain[i]! - 1e-9)
  })

  it('recovers planted accuracies and coverage', () => {
    const planted = [0.9, 0.8, 0.7, 0.65, 0.6, 0.55].map((a) => ({ accuracy: a, coverage: 0.8 }))
    const { votes, gold } = simulateVotes(random('test/ds/planted'), 5_000, [0.5, 0.5], planted)
    const fitted = dawidSkene.fit(votes)
    fitted.sources.forEach((source, s) => {
      expect(source.accuracy).toBeCloseTo(planted[s]!.accuracy, 1)
      expect(source.coverage).toBeCloseTo(0.8, 1)
      for (const row of source.confusion) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10)
    })
    expect(fitted.dependence.every((d) => Math.abs(d.correlation) < 0.1)).toBe(true)
    const ds = accuracy(decide(fitted), gold)
    expect(ds).toBeGreaterThan(accuracy(decide(majority.fit(votes)), gold) + 0.04)
    expect(accuracy(decide(weightedMajority.fit(votes)), gold)).toBeGreaterThan(ds - 0.02)
  })

  it('holds gold labels fixed and learns from them', () => {
    const votes = votesOfRows(['x', 'y'], ['liar'], [[0], [0], [0], [1], [1], [1]])
    const gold = Int8Array.of(1, 1, -1, 0, 0, -1)
    const fitted = dawidSkene.fit(votes, {}, gold)
    expect([...decide(fitted)]).toEqual([1, 1, 1, 0, 0, 0])
    expect(fitted.sources[0]!.accuracy).toBeLessThan(0.1)
  })

  it.each([majority, weightedMajority, dawidSkene])('$name: relabelling classes permutes the posterior', (model) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 4, maxLength: 4 }), {
          minLength: 1,
          maxLength: 20,
        }),
        (rows) => {
          const sources = ['a', 'b', 'c', 'd']
          const turn = (v: number): number => (v < 0 ? v : (v + 1) % 3)
          // A few rounds: near a tie, rounding decides where many rounds end.
          const rounds = { iterations: 3 }
          const before = model.fit(votesOfRows(['x', 'y', 'z'], sources, rows), rounds).posterior
          const after = model.fit(
            votesOfRows(
              ['z', 'x', 'y'],
              sources,
              rows.map((r) => r.map(turn)),
            ),
            rounds,
          ).posterior
          rows.forEach((_, i) => {
            for (let k = 0; k < 3; k++) expect(after[i * 3 + turn(k)]).toBeCloseTo(before[i * 3 + k]!, 6)
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each([majority, weightedMajority, dawidSkene])('$name: a source that never votes changes nothing', (model) => {
    const { votes } = simulateVotes(
      random('test/ds/silent'),
      200,
      [0.6, 0.4],
      Array(4).fill({ accuracy: 0.7, coverage: 0.8 }),
    )
    const rows = Array.from({ length: 200 }, (_, i) => [...votes.votes.subarray(i * 4, i * 4 + 4), -1])
    const more = model.fit(votesOfRows(votes.classes, [...votes.sources, 'silent'], rows))
    const less = model.fit(votes)
    for (const [i, p] of less.posterior.entries()) expect(more.posterior[i]).toBeCloseTo(p, 12)
    expect(more.sources.at(-1)).toMatchObject({ accuracy: null, coverage: 0 })
  })
})

describe('majority', () => {
  it('shares votes; ties and silence follow the whole matrix', () => {
    const votes = votesOfRows(
      ['x', 'y'],
      ['a', 'b', 'c'],
      [
        [0, 0, 1],
        [0, 1, -1],
        [-1, -1, -1],
        [1, 1, 1],
      ],
    )
    const fitted = majority.fit(votes)
    expect(fitted.posterior[0]).toBeCloseTo(2 / 3, 5)
    expect([...decide(fitted)]).toEqual([0, 1, 1, 1])
  })
})

describe('weighted-majority', () => {
  it('counts accuracies on gold labels where there are any', () => {
    const { votes, gold } = simulateVotes(
      random('test/wmv'),
      400,
      [0.5, 0.5],
      [
        { accuracy: 0.95, coverage: 1 },
        { accuracy: 0.55, coverage: 1 },
        { accuracy: 0.55, coverage: 1 },
      ],
    )
    const fitted = weightedMajority.fit(votes, {}, gold)
    const first = Int8Array.from(gold, (_, i) => votes.votes[i * 3]!)
    expect([...decide(fitted)]).toEqual([...first])
  })
})
