import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { GradusError } from '../core/errors.ts'
import type { Trace } from '../core/words.ts'
import { openTraces, readTraces } from './read.ts'
import { traceWriter } from './write.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-io-'))
})

const row = (id: string, label: unknown, steps = ['a', 'b']): Record<string, unknown> => ({
  id,
  generator: 'g',
  problem: `problem ${id}`,
  steps,
  final_answer_correct: false,
  label,
})

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => null,
    (e: unknown) => e,
  )
  if (!(error instanceof GradusError)) throw new Error(`expected a GradusError, got ${String(error)}`)
  return error.code
}

describe('bad input', () => {
  it('keeps the good rows and names each bad one by line, field and code', async () => {
    const path = await file(
      'mixed.jsonl',
      [row('1', 0), '{"broken": ', row('2', 7), row('3', '0'), row('3', 1), row('1', 1), row('4', -1)]
        .map((r) => (typeof r === 'string' ? r : JSON.stringify(r)))
        .join('\n'),
    )
    const { traces, report } = await readTraces(path)
    expect(traces.map((t) => t.id)).toEqual(['1', '3', '4'])
    expect(report.records).toBe(7)
    expect(report.rejected.map((e) => [e.code, e.where?.line, e.where?.field])).toEqual([
      ['GRD-IO-005', 2, undefined],
      ['GRD-IO-003', 3, 'label'],
      ['GRD-IO-006', 4, 'label'],
      ['GRD-IO-008', 6, 'id'],
    ])
  })

  it('stops at the first bad row when strict', async () => {
    const path = await file('strict.jsonl', `${JSON.stringify(row('1', 9))}\n${JSON.stringify(row('2', 0))}`)
    expect(await codeOf(readTraces(path, { strict: true }))).toBe('GRD-IO-003')
  })

  it('says what is wrong with a file that cannot be read at all', async () => {
    expect(await codeOf(readTraces(join(folder, 'absent.jsonl')))).toBe('GRD-IO-001')
    expect(await codeOf(readTraces(folder))).toBe('GRD-IO-001')
    expect(await codeOf(readTraces(await file('empty.jsonl', '')))).toBe('GRD-IO-009')
    expect(await codeOf(readTraces(await file('blank.jsonl', '\n\n')))).toBe('GRD-IO-009')
    expect(await codeOf(readTraces(await file('other.jsonl', '{"a":1}\n{"a":2}\n')))).toBe('GRD-IO-012')
    expect(await codeOf(readTraces(await file('cut.json', `[${JSON.stringify(row('1', 0))},`)))).toBe('GRD-IO-002')
    expect(await codeOf(readTraces(await file('cut.parquet', Buffer.from('PAR1garbage'))))).toBe('GRD-IO-002')
    expect(await codeOf(openTraces(await file('x.jsonl', '{}'), { format: 'nonsense' }))).toBe('GRD-IO-004')
  })

  it('reads what stands before the cut of a truncated gzip and then says so', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) =>
      JSON.stringify(row(String(i), 0, [`${Math.sin(i)}`, `${Math.cos(i)}`])),
    )
    const zipped = gzipSync(rows.join('\n'))
    const path = await file('cut.jsonl.gz', zipped.subarray(0, Math.floor(zipped.length * 0.9)))
    const { report, batches } = await openTraces(path)
    const reading = (async () => {
      for await (const _ of batches);
    })()
    expect(await codeOf(reading)).toBe('GRD-IO-007')
    expect(report.traces).toBeGreaterThan(10_000)
  })

  it('refuses NaN and takes a step of 10 MB', async () => {
    const nan = await file(
      'nan.jsonl',
      `{"id":"1","generator":"","problem":"p","steps":["a"],"final_answer_correct":true,"label":NaN}\n${JSON.stringify(row('2', 0))}\n`,
    )
    const { traces, report } = await readTraces(nan)
    expect(traces).toHaveLength(1)
    expect(report.rejectedByCode).toEqual({ 'GRD-IO-005': 1 })
    const long = await readTraces(await file('long.jsonl', JSON.stringify(row('1', 0, ['x'.repeat(10_000_000), 'b']))))
    expect(long.traces[0]?.steps[0]?.text).toHaveLength(10_000_000)
  })
})

describe('containers', () => {
  const trace: Trace = {
    id: 't1',
    problem: { id: 'p', prompt: 'What is 1 + 1?', answer: '2' },
    steps: [
      { text: '1 + 1 = 3', kind: 'thought' },
      {
        text: 'line\nbreak "quoted" ÿ',
        kind: 'action',
        action: { tool: 'calc', input: { a: [1, 2] } },
        observation: '2',
      },
    ],
    outcome: 0,
    evidence: [{ kind: 'tool', source: 'verifier:arithmetic', step: 0, verdict: 'incorrect', reason: '1 + 1 is 2' }],
    labels: [{ meaning: 'first-error', value: 0, source: 'x' }],
    source: { generator: 'g', dataset: 'd', licence: 'MIT' },
    extra: { anything: null },
  }

  it.each(['t.jsonl', 't.jsonl.gz', 't.parquet'])('%s gives the same trace back', async (name) => {
    const path = join(folder, name)
    const writer = await traceWriter(path)
    await writer.write([trace, { ...trace, id: 't2' }])
    await writer.close()
    const { traces } = await readTraces(path)
    expect(traces).toEqual([trace, { ...trace, id: 't2' }])
  })

  it('gzip is recognised by its bytes, not by its name', async () => {
    const path = await file('named-wrong.jsonl', gzipSync(JSON.stringify(trace)))
    expect((await readTraces(path)).traces).toEqual([trace])
  })

  it('leaves nothing under the final name until the end', async () => {
    const path = join(folder, 'abandoned.jsonl')
    const writer = await traceWriter(path)
    await writer.write([trace])
    await writer.abandon()
    expect(await codeOf(readTraces(path))).toBe('GRD-IO-001')
    expect(await codeOf(traceWriter(join(folder, 'no', 'such', 'folder.jsonl')))).toBe('GRD-IO-013')
  })

  it('a JSON array and JSON Lines of the same rows read the same', async () => {
    const rows = [row('1', 0), row('2', -1)]
    const array = await readTraces(await file('same.json', JSON.stringify(rows)))
    const lines = await readTraces(await file('same.jsonl', rows.map((r) => JSON.stringify(r)).join('\n')))
    const steps = (traces: Trace[]): unknown => traces.map((t) => [t.id, t.steps, t.labels])
    expect(steps(array.traces)).toEqual(steps(lines.traces))
    expect(await readFile(join(folder, 'same.json'), 'utf8')).toContain('problem 1')
  })
})
