import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { half } from '../../core/split.ts'
import { equal } from './equal.ts'
import { extractAnswer } from './extract.ts'

const data = process.env.GRADUS_DATA ?? ''
const here = existsSync(join(data, 'math500', 'math500_test.jsonl.gz'))

const lines = (file: string): Record<string, unknown>[] =>
  gunzipSync(readFileSync(join(data, file)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

interface Tally {
  equal: number
  different: number
  unknown: number
  none: number
}
const tally = (): Tally => ({ equal: 0, different: 0, unknown: 0, none: 0 })

describe.skipIf(!here)('answers of real data sets (GRADUS_DATA)', () => {
  it('finds the answer of every MATH-500 solution equal to the published one', () => {
    const counts = { tune: tally(), report: tally() }
    const wrong: string[] = []
    for (const row of lines('math500/math500_test.jsonl.gz')) {
      const side = half(String(row.problem))
      const found = extractAnswer(String(row.solution))
      const verdict = found === null ? 'none' : equal(String(row.answer), found).verdict
      counts[side][verdict]++
      if (side === 'tune' && verdict !== 'equal') wrong.push(`${row.answer} | ${found}`)
    }
    console.log('math500', JSON.stringify(counts), wrong)
    expect(counts.tune).toEqual({ equal: 247, different: 0, unknown: 0, none: 0 })
    expect(counts.report.different).toBe(0)
  })

  it('reads every MATH-500 answer without falling back on its text', () => {
    const unread: string[] = []
    for (const row of lines('math500/math500_test.jsonl.gz')) {
      if (half(String(row.problem)) !== 'tune') continue
      const answer = String(row.answer)
      // Another number beside the answer: only an answer that was read can differ from it.
      if (equal(answer, '987654.25').verdict !== 'different') unread.push(answer)
    }
    console.log('not comparable with a number', unread)
    expect(unread.length).toBeLessThan(30)
  })

  it('agrees with the published correctness of GSM8K model solutions', () => {
    const agreement = { tune: { same: 0, other: 0 }, report: { same: 0, other: 0 } }
    const odd: string[] = []
    for (const row of lines('gsm8k/example_model_solutions.jsonl.gz')) {
      const side = half(String(row.question))
      const gold = extractAnswer(String(row.ground_truth))
      for (const key of ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']) {
        const made = row[key] as { is_correct: boolean; solution: string }
        const found = extractAnswer(made.solution)
        const right = gold !== null && found !== null && equal(gold, found).verdict === 'equal'
        agreement[side][right === made.is_correct ? 'same' : 'other']++
        if (side === 'tune' && right !== made.is_correct) odd.push(`${made.is_correct} ${gold} | ${found}`)
      }
    }
    console.log('gsm8k', JSON.stringify(agreement), odd.slice(0, 20))
    for (const { same, other } of Object.values(agreement)) expect(same / (same + other)).toBeGreaterThan(0.99)
  })

  it('decides nearly all answers of eighteen models to MATH problems', () => {
    const counts = { tune: tally(), report: tally() }
    const open = new Map<string, number>()
    const folder = 'zeroeval-model-outputs/math-l5'
    for (const file of readdirSync(join(data, folder))) {
      for (const row of JSON.parse(gunzipSync(readFileSync(join(data, folder, file))).toString()) as Record<
        string,
        unknown
      >[]) {
        const side = half(String(row.problem))
        const found = extractAnswer(String(Array.isArray(row.output) ? row.output[0] : row.output))
        const verdict = found === null ? 'none' : equal(String(row.answer), found).verdict
        counts[side][verdict]++
        if (side === 'tune' && verdict === 'unknown') {
          const key = `${row.answer} | ${found?.slice(0, 60)}`
          open.set(key, (open.get(key) ?? 0) + 1)
        }
      }
    }
    console.log('zeroeval math-l5', JSON.stringify(counts), [...open].slice(0, 5))
    const { equal: right, different, unknown } = counts.tune
    expect(unknown / (right + different + unknown)).toBeLessThan(0.1)
  })
})

describe.runIf(!here)('answers of real data sets', () => {
  it('are not checked: GRADUS_DATA does not name a folder with them', () => expect(here).toBe(false))
})
