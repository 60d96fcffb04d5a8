import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { dawidSkene } from './dawid-skene.ts'
import { flyingSquid } from './flying-squid.ts'
import { goldLogistic } from './gold-logistic.ts'
import { LABEL_MODELS } from './index.ts'
import { decide } from './label-model.ts'
import { majority } from './majority.ts'
import { simulateVotes } from './simulate.ts'
import { snorkel } from './snorkel.ts'
import { dependenceOf } from './source-report.ts'
import { votesOfRows } from './votes.ts'

const share = (said: Int8Array, gold: Int8Array): number => said.filter((c, i) => c === gold[i]).length / gold.length
const planted = [0.9, 0.8, 0.7, 0.65, 0.6, 0.55]

describe('every label model', () => {
  const { votes, gold } = simulateVotes(
    random('test/all'),
    1_500,
    [0.5, 0.3, 0.2],
    planted.map((accuracy) => ({ accuracy, coverage: 0.8 })),
  )

  it.each(LABEL_MODELS)('$name: gives distributions, reports every source, and names follow classes', (model) => {
    const fitted = model.fit(votes, {}, gold)
    expect(fitted.posterior).toHaveLength(votes.items * 3)
    for (let i = 0; i < votes.items; i++) {
      const row = [...fitted.posterior.subarray(i * 3, i * 3 + 3)]
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
      expect(Math.min(...row)).toBeGreaterThanOrEqual(0)
    }
    expect(fitted.sources.map((s) => s.name)).toEqual(votes.sources)
    expect(fitted.dependence).toHaveLength(15)
    expect(fitted.statedAccuracy).toBeGreaterThan(0.5)
    expect(fitted.statedAccuracy).toBeLessThanOrEqual(1)
    const turn = (v: number): number => (v < 0 ? v : (v + 1) % 3)
    const rows = Array.from({ length: votes.items }, (_, i) => [...votes.votes.subarray(i * 6, i * 6 + 6)].map(turn))
    const turned = model.fit(
      votesOfRows(
        [2, 0, 1].map((k) => votes.classes[k]!),
        votes.sources,
        rows,
      ),
      {},
      gold.map(turn),
    )
    const said = decide(fitted)
    const again = decide(turned)
    expect(said.filter((c, i) => turn(c) !== again[i]).length).toBeLessThan(votes.items / 100)
  })

  it.each(LABEL_MODELS.filter((m) => m !== majority))('$name: beats the majority on planted sources', (model) => {
    const even = simulateVotes(
      random('test/even'),
      2_000,
      [0.5, 0.5],
      planted.map((accuracy) => ({ accuracy, coverage: 0.95 })),
    )
    const known = even.gold.map((g, i) => (i < 300 ? g : -1))
    const fitted = model.gold === 'required' ? model.fit(even.votes, {}, known) : model.fit(even.votes)
    expect(share(decide(fitted), even.gold)).toBeGreaterThan(share(decide(majority.fit(even.votes)), even.gold) + 0.04)
  })

  it.each(LABEL_MODELS)('$name: refuses gold labels that do not fit', (model) => {
    if (model.gold === 'ignored') return
    expect(() => model.fit(votes, {}, new Int8Array(3))).toThrow(/GRD-LABEL-003.*3 gold labels/)
    expect(() => model.fit(votes, {}, new Int8Array(votes.items).fill(3))).toThrow(/gold class 3/)
  })
})

describe('snorkel and flying-squid', () => {
  it.each([snorkel, flyingSquid])('$name: recovers planted accuracies', (model) => {
    const { votes } = simulateVotes(
      random('test/moments'),
      4_000,
      [0.5, 0.5],
      planted.map((accuracy) => ({ accuracy, coverage: 0.9 })),
    )
    for (const [s, source] of model.fit(votes).sources.entries()) {
      expect(Math.abs(source.accuracy! - planted[s]!)).toBeLessThan(0.03)
    }
  })

  it('flying-squid solves exact moments exactly', () => {
    // Votes of three independent sources in exact proportions: accuracies 3/4, 3/4, 3/4 over two even classes.
    const rows: number[][] = []
    for (const y of [0, 1]) {
      for (let code = 0; code < 64; code++) {
        rows.push([code & 3, (code >> 2) & 3, code >> 4].map((x) => (x > 0 ? y : 1 - y)))
      }
    }
    const fitted = flyingSquid.fit(votesOfRows(['x', 'y'], ['a', 'b', 'c'], rows))
    const agreed = rows.findIndex((r) => r.every((v) => v === 0))
    expect(fitted.posterior[agreed * 2]).toBeCloseTo(27 / 28, 10)
  })

  it('flying-squid falls back to one vote each without a triplet, and says so', () => {
    const fitted = flyingSquid.fit(
      votesOfRows(
        ['x', 'y'],
        ['a', 'b'],
        [
          [0, 0],
          [1, -1],
        ],
      ),
    )
    expect([...decide(fitted)]).toEqual([0, 1])
    expect(fitted.notes.join()).toMatch(/every source has one vote/)
  })
})

describe('gold-logistic', () => {
  it('finds the minimum of the penalised loss', () => {
    // One source, always x where gold is x in three of four cases: by symmetry the weights are w and -w, bias 0, and
    // setting the gradient to 0 gives 8 (sigmoid(2w) - 3/4) + 2 l2 w = 0 for four votes of each class... solved below.
    const votes = votesOfRows(['x', 'y'], ['s'], [[0], [0], [0], [0], [1], [1], [1], [1]])
    const gold = Int8Array.of(0, 0, 0, 1, 1, 1, 1, 0)
    const l2 = 2
    let low = 0
    let high = 5
    for (let i = 0; i < 60; i++) {
      const w = (low + high) / 2
      // d/dw_xx: sum over the four votes for x of (p_x - [gold = x]) + l2 w.
      if (4 / (1 + Math.exp(-2 * w)) - 3 + l2 * w > 0) high = w
      else low = w
    }
    const fitted = goldLogistic.fit(votes, { l2, steps: 2_000 }, gold)
    expect(fitted.posterior[0]).toBeCloseTo(1 / (1 + Math.exp(-2 * low)), 6)
  })

  it('refuses to work without gold labels of two classes', () => {
    const votes = votesOfRows(['x', 'y'], ['s'], [[0], [1]])
    expect(() => goldLogistic.fit(votes)).toThrow(/gold labels of 0 classes/)
    expect(() => goldLogistic.fit(votes, {}, Int8Array.of(1, -1))).toThrow(/gold labels of 1 classes/)
  })
})

describe('dependence', () => {
  it('is 1 for copies and about 0 for independent sources, given the class', () => {
    const { votes, gold } = simulateVotes(
      random('test/dependence'),
      4_000,
      [0.5, 0.5],
      [
        { accuracy: 0.8, coverage: 1 },
        { accuracy: 0.7, coverage: 1 },
        { accuracy: 0.7, coverage: 1, copies: 1 },
      ],
    )
    const truth = Float64Array.from({ length: 8_000 }, (_, c) => (gold[c >> 1] === c % 2 ? 1 : 0))
    const [copies, ...others] = dependenceOf(votes, truth)
    expect(copies).toMatchObject({ a: 'source 1', b: 'source 2' })
    expect(copies!.correlation).toBeCloseTo(1, 9)
    for (const { correlation } of others) expect(Math.abs(correlation)).toBeLessThan(0.05)
  })
})

const data = process.env.GRADUS_DATA

describe('real votes', () => {
  it.skipIf(!data)(
    'YouTube spam: one-polarity functions are named, and those that can merge them do (needs GRADUS_DATA)',
    () => {
      const bytes = gunzipSync(readFileSync(join(data ?? '', 'youtube-spam-weak', 'train.json.gz')))
      const rows = Object.values(
        JSON.parse(bytes.toString('utf8')) as Record<string, { label: number; weak_labels: number[] }>,
      )
      expect(rows).toHaveLength(1_586)
      const votes = votesOfRows(
        ['ham', 'spam'],
        rows[0]!.weak_labels.map((_, j) => `function ${j}`),
        rows.map((r) => r.weak_labels),
      )
      const gold = Int8Array.from(rows, (r) => r.label)
      const right = Object.fromEntries(
        LABEL_MODELS.filter((m) => m.gold !== 'required').map((m) => [m.name, share(decide(m.fit(votes)), gold)]),
      )
      expect(right.majority).toBeGreaterThan(0.75)
      expect(right.snorkel).toBeGreaterThan(right.majority!)
      expect(right['sequence-dawid-skene']).toBe(right.majority)
      expect(dawidSkene.fit(votes).notes.join()).toMatch(/vote for one class only/)
    },
  )
})
