import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { boostingHead, fitBoosting } from './boosting.ts'
import { fitLogistic } from './logistic.ts'
import type { FittedHead, Rows } from './rows.ts'

function noise(seed: string, n: number, width: number): Rows {
  const draw = random(seed)
  return {
    width,
    features: Float32Array.from({ length: n * width }, () => draw.below(20)),
    targets: Float32Array.from({ length: n }, () => draw.below(2)),
  }
}

describe('histogram boosting', () => {
  it('splits where trying every column and value by hand says', () => {
    for (let seed = 0; seed < 20; seed++) {
      const rows = noise(String(seed), 30, 3)
      const { head } = fitBoosting(rows, { trees: 1, leaves: 2, minRows: 3, rate: 1, l2: 1 })
      const base = head.tensors['boosting.base']!.data[0]!
      const p = 1 / (1 + Math.exp(-base))
      let best = { gain: 0, side: [] as boolean[] }
      for (let column = 0; column < 3; column++) {
        for (let value = 0; value < 20; value++) {
          const side = Array.from(rows.targets, (_, row) => rows.features[row * 3 + column]! <= value)
          const [left, right] = [true, false].map((s) => rows.targets.filter((_, row) => side[row] === s))
          if (!left || !right || left.length < 3 || right.length < 3) continue
          const term = (part: Float32Array): number =>
            part.reduce((sum, y) => sum + p - y, 0) ** 2 / (part.length * p * (1 - p) + 1)
          const gain = term(left) + term(right) - term(rows.targets)
          if (gain > best.gain + 1e-9) best = { gain, side }
        }
      }
      const leafOf = (s: boolean): number => {
        const part = rows.targets.filter((_, row) => best.side[row] === s)
        return base - part.reduce((sum, y) => sum + p - y, 0) / (part.length * p * (1 - p) + 1)
      }
      head.logits(rows.features).forEach((logit, row) => {
        expect(logit).toBeCloseTo(leafOf(best.side[row] ?? false), 5)
      })
    }
  })

  it('learns what depends on two columns together', () => {
    const draw = random('xor')
    const features = Float32Array.from({ length: 2 * 2_000 }, () => draw.next())
    const targets = Float32Array.from({ length: 2_000 }, (_, row) =>
      Number(features[2 * row]! > 0.5 !== features[2 * row + 1]! > 0.5),
    )
    const { head } = fitBoosting({ width: 2, features, targets }, { trees: 40 })
    const right = head.logits(features).reduce((sum, logit, row) => sum + Number(logit > 0 === (targets[row] === 1)), 0)
    expect(right / 2_000).toBeGreaterThan(0.97)
  })

  it('stops on held-out rows where there is nothing to learn, and comes back from its tensors', () => {
    const { head, rounds, heldLosses } = fitBoosting(noise('a', 200, 5), {}, noise('b', 200, 5))
    expect(rounds).toBeLessThan(10)
    expect(heldLosses.length).toBe(rounds + 10)
    const at = noise('c', 50, 5).features
    expect(boostingHead(head.tensors).logits(at)).toEqual(head.logits(at))
  })

  it('with rows of one class says that class and grows no tree', () => {
    const rows = { width: 1, features: Float32Array.of(1, 2, 3), targets: Float32Array.of(1, 1, 1) }
    expect(fitBoosting(rows).head.logits(Float32Array.of(9))[0]).toBeCloseTo(Math.log(4), 5)
  })
})

const SET = 'youtube-spam-weak'

describe.skipIf(noData(SET))('on real comments (YouTube spam, 1,586 to learn from, 250 to test)', () => {
  // TubeSpam (Alberto, Lochter and Almeida 2015): words alone give trees and regressions some 90 to 95 %.
  it.each([
    ['logistic regression', (rows: Rows) => fitLogistic(rows)],
    ['boosting', (rows: Rows) => fitBoosting(rows, { leaves: 8, minRows: 5, trees: 40 })],
  ] as [string, (rows: Rows) => FittedHead][])('%s is right on at least 90 % by words alone', (_, fit) => {
    const [train = [], test = []] = ['train', 'test'].map((name) => commentsOf(dataFile(SET, `${name}.json.gz`)))
    const words = vocabulary(train)
    const rows = bagOfWords(test, words)
    const logits = fit(bagOfWords(train, words)).head.logits(rows.features)
    const right = logits.reduce((sum, logit, row) => sum + Number(logit > 0 === (rows.targets[row] === 1)), 0)
    expect(right / test.length).toBeGreaterThan(0.9)
  })
})

interface Comment {
  words: string[]
  spam: boolean
}

function commentsOf(file: string): Comment[] {
  const rows = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<
    string,
    { label: number; data: { text: string } }
  >
  return Object.values(rows).map(({ label, data }) => ({
    words: data.text.toLowerCase().match(/[a-z]+|[^\sa-z]/g) ?? [],
    spam: label === 1,
  }))
}

/** Words of at least 20 comments. */
function vocabulary(comments: readonly Comment[]): Map<string, number> {
  const seen = new Map<string, number>()
  for (const { words } of comments) for (const word of new Set(words)) seen.set(word, (seen.get(word) ?? 0) + 1)
  return new Map([...seen].filter(([, n]) => n >= 20).map(([word], i) => [word, i]))
}

function bagOfWords(comments: readonly Comment[], vocabulary: ReadonlyMap<string, number>): Rows {
  const width = vocabulary.size + 1
  const features = new Float32Array(comments.length * width)
  comments.forEach(({ words }, row) => {
    for (const word of words) {
      const column = vocabulary.get(word)
      if (column !== undefined) features[row * width + column] = 1
    }
    features[row * width + width - 1] = Math.log1p(words.length)
  })
  return { width, features, targets: Float32Array.from(comments, ({ spam }) => Number(spam)) }
}
