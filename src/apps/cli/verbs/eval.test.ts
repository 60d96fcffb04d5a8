import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { dataFile, noData } from '../../../testing/data.ts'
import { labelledTrace, verdictOf } from '../../../testing/eval.ts'
import { parseOptions } from '../flags.ts'
import { evaluation } from './eval.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-eval-'))

async function run(
  files: readonly string[],
  given: Record<string, unknown> = {},
): Promise<{ out: string; err: string }> {
  const seen = { out: '', err: '' }
  await evaluation.run(files, parseOptions(evaluation, given), {
    out: (text) => void (seen.out += text),
    err: (text) => void (seen.err += text),
    colour: false,
    interactive: false,
    columns: 100,
  })
  return seen
}

function file(name: string, traces: readonly unknown[]): string {
  const path = join(folder, name)
  writeFileSync(path, `${traces.map((t) => JSON.stringify(t)).join('\n')}\n`)
  return path
}

const gold = Array.from({ length: 12 }, (_, i) => labelledTrace(`t${i}`, 'any', i % 2 === 0 ? [1, 1] : [1, -1]))
const good = file(
  'good.jsonl',
  gold.map((t, i) => ({ ...t, verdict: verdictOf([0.1, i % 2 === 0 ? 0.1 : 0.9]) })),
)
const poor = file(
  'poor.jsonl',
  gold.map((t) => ({ ...t, verdict: verdictOf([0.1, 0.1]) })),
)

describe('gradus eval', () => {
  it('shows differences and agreement of several predictors, and always the trivial rows', async () => {
    const { out } = await run([good, poor])
    expect(out).toMatch(/always clean[\s\S]*step 0[\s\S]*last step[\s\S]*random/)
    expect(out).toMatch(/first-error: .*good\.jsonl less each other/)
    expect(out).toMatch(/poor\.jsonl +\.500 \[.*\] \*/)
    expect(out).toMatch(/agreement on 24 steps/)
    expect(out).toMatch(/Krippendorff's alpha/)
  })

  it('JSON, Markdown and HTML say the same figures', async () => {
    const json = JSON.parse((await run([good, poor], { json: true })).out) as {
      tables: { differences: { estimate: { value: number } }[] }[]
      agreement: { on: string; pairs: unknown[] }[]
      calibration: { predictor: string; bins: unknown[]; riskCoverage: unknown[] }[]
    }
    expect(json.tables[0]!.differences[0]!.estimate.value).toBe(0.5)
    expect(json.agreement.map((a) => [a.on, a.pairs.length])).toEqual([
      ['steps', 3],
      ['traces', 3],
    ])
    expect(json.calibration.map((c) => [c.predictor, c.bins.length])).toEqual([
      [good, 10],
      [poor, 10],
    ])
    const page = join(folder, 'report.html')
    const { out } = await run([good, poor], { markdown: true, output: page })
    expect(out).toMatch(/\| .*poor\.jsonl \| \.500 \[/)
    expect(out).toMatch(/\| exact first error \(n = 12\) \|.*\| \.500 \| \.000 \| \.500 \|/)
    expect(readFileSync(page, 'utf8')).toMatch(/agreement on 24 steps[\s\S]*agreement on 12 traces/)
  })

  it('equal inputs give byte-equal outputs', async () => {
    expect(await run([good, poor], { json: true })).toEqual(await run([good, poor], { json: true }))
  })

  it('labels without verdicts are still refused where no outcome differs', async () => {
    await expect(run([file('labels.jsonl', gold)])).rejects.toMatchObject({ code: 'GRD-EVAL-002' })
  })

  it.skipIf(noData('tau-bench'))('outcomes alone give their table (needs the public tau-bench data)', async () => {
    const { out, err } = await run([dataFile('tau-bench', 'gpt-4o-airline.json.gz')])
    expect(out).toMatch(/84 of 200 runs of 50 problems succeed/)
    expect(out).toMatch(/k = 4 +50 +\.720 .* \.200 /)
    expect(err).toMatch(/no verdicts .* gradus label/)
  })

  it('keeps what stands before the damage of a cut file, and says what it lost', async () => {
    const lines = Array.from({ length: 400 }, (_, i) => labelledTrace(`c${i}`, 'any', [1, i % 2 === 0 ? 1 : -1]))
    const text = lines.map((t) => JSON.stringify({ ...t, verdict: verdictOf([0.1, 0.9]) })).join('\n')
    const whole = gzipSync(text, { level: 1 })
    const cut = join(folder, 'cut.jsonl.gz')
    writeFileSync(cut, whole.subarray(0, whole.length - 200))
    const { out, err } = await run([cut])
    expect(out).toMatch(/exact first error/)
    expect(err).toMatch(/left out {2}.*GRD-IO-007/)
  })
})
