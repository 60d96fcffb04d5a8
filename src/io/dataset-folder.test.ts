import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Trace } from '../core/words.ts'
import { datasetWriter } from './dataset-folder.ts'
import { mathShepherd } from './formats/math-shepherd.ts'
import { native } from './formats/native.ts'
import { openrlhf } from './formats/openrlhf.ts'
import { prm800k } from './formats/prm800k.ts'
import { trl } from './formats/trl.ts'
import { verl } from './formats/verl.ts'
import { readTraces } from './read.ts'
import { selfCheck } from './self-check.ts'
import { traceWriter } from './write.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-dataset-'))
afterAll(() => rmSync(folder, { recursive: true }))

const trace = (i: number, texts: readonly string[], licence = 'MIT'): Trace => ({
  id: `t${i}`,
  problem: { id: `p${i}`, prompt: `[${i}] + 1?`, answer: String(i + 1), domain: 'sums' },
  steps: texts.map((text) => ({ text, kind: 'thought' })),
  labels: texts.map((_, step) => ({ step, meaning: 'correctness', value: step === 1 ? 0 : 1, source: 'hard' })),
  source: { generator: 'model', dataset: 'sums', licence },
})
// Text that looks like JSON must come back as text.
const traces = [trace(0, ['[0]', '{"a": 1}', 'so 1']), trace(1, ['1 + 1', '= 2']), trace(2, ['[1, 2]'])]
const FORMATS = [native, trl, prm800k, mathShepherd, openrlhf, verl]

async function written(path: string, format: (typeof FORMATS)[number], items: readonly Trace[]): Promise<string> {
  const writer = await traceWriter(join(folder, path), format)
  await writer.write(items)
  await writer.close()
  return join(folder, path)
}

describe('a data set folder', () => {
  it.each(FORMATS.map((f) => [f.name, f] as const))('%s: reads back as written, with a card', async (name, format) => {
    const to = join(folder, name)
    const writer = await datasetWriter(to, format, '1.2.3')
    await writer.write(traces.slice(0, 2))
    await writer.write(traces.slice(2))
    await writer.close()
    const { traces: again, report } = await readTraces(join(to, 'data', 'train.parquet'))
    expect(report.format).toBe(name)
    // Math-Shepherd knows by "Step 1:" where a prompt ends.
    const numbered = (text: string, i: number): string => (format === mathShepherd ? `Step ${i + 1}: ${text}` : text)
    expect(again.map((t) => t.steps.map((s) => s.text))).toEqual(
      traces.map((t) => t.steps.map((s, i) => numbered(s.text, i))),
    )
    const card = readFileSync(join(to, 'README.md'), 'utf8')
    expect(card).toMatch(/^---\nlicense: mit\nsize_categories:\n- n<1K\n/)
    expect(card).toContain('path: data/train.parquet')
    expect(card).toContain('3 traces with 6 steps')
    expect(card).toMatch(/\| right \| 4 \|\n\| wrong \| 2 \|/)
    expect(card).toContain('Gradus 1.2.3; 3 traces were read again')
  })

  it('has real lists where training tools want them', async () => {
    const writer = await datasetWriter(join(folder, 'lists'), trl, '1')
    await writer.write(traces)
    await writer.close()
    expect(readFileSync(join(folder, 'lists', 'README.md'), 'utf8')).toContain(
      '| `completions` | list of string |\n| `labels` | list of bool |',
    )
  })

  it('names licences that differ, and lets no trace write into its head', async () => {
    for (const licence of ['Apache-2.0', 'MIT\nconfigs: evil']) {
      const writer = await datasetWriter(join(folder, 'mixed'), trl, '1')
      await writer.write([traces[0]!, trace(3, ['a', 'b'], licence)])
      await writer.close()
      const card = readFileSync(join(folder, 'mixed', 'README.md'), 'utf8')
      expect(card).toMatch(/^---\nlicense: other\n/)
      expect(card).toContain('| MIT | 1 |')
      expect(card).not.toMatch(/^configs: evil/m)
    }
    await expect(datasetWriter(join(folder, 'no'), { ...native, unit: 'document' }, '1')).rejects.toThrow('GRD-IO-011')
  })
})

describe('the self-check of an export', () => {
  it.each(FORMATS.map((f) => [f.name, f] as const))(
    '%s: accepts what it wrote, in every container',
    async (name, format) => {
      for (const ending of ['jsonl', 'jsonl.gz', 'parquet']) {
        const check = selfCheck(format)
        check?.wrote(traces)
        expect(await check?.verify(await written(`check-${name}.${ending}`, format, traces))).toBe(3)
      }
    },
  )

  it('finds a changed label, a missing trace and one too many', async () => {
    const file = await written('changed.jsonl', trl, traces)
    const rows = readFileSync(file, 'utf8').trimEnd().split('\n')
    for (const lines of [rows.slice(1), [...rows, rows[0]], [rows[0]?.replace('false', 'true'), ...rows.slice(1)]]) {
      const check = selfCheck(trl)
      check?.wrote(traces)
      writeFileSync(file, `${lines.join('\n')}\n`)
      await expect(check?.verify(file)).rejects.toThrow('GRD-IO-015')
    }
  })

  it('holds for any texts, also in Parquet', async () => {
    const text = fc.string({ minLength: 1, maxLength: 20 }).filter((t) => t.trim() !== '')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        async (all) => {
          const items = all.map((texts, i) => trace(i, texts))
          const check = selfCheck(trl)
          check?.wrote(items)
          expect(await check?.verify(await written('any.parquet', trl, items))).toBe(items.length)
        },
      ),
      { numRuns: 30 },
    )
  })
})
