import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { syntheticTraces } from '../../../bench/synthetic-traces.ts'
import type { Trace } from '../../core/words.ts'
import { mathShepherd } from '../formats/math-shepherd.ts'
import { readTraces } from '../read.ts'
import { traceWriter } from '../write.ts'
import { buildIndex } from './build.ts'
import { type Condition, NUMBER_FIELDS, OPERATORS } from './conditions.ts'
import { FollowedIndex } from './follow.ts'
import { IndexReader } from './reader.ts'
import { rowOf } from './row.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-index-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const fresh = (end = '.jsonl'): string => join(folder, `${files++}${end}`)
const jsonl = (traces: Iterable<Trace>): string => [...traces].map((t) => `${JSON.stringify(t)}\n`).join('')

/** Indexed in this thread. */
async function indexed(path: string): Promise<IndexReader> {
  const file = `${path}.index`
  await buildIndex(path, file, null, () => {})
  return new IndexReader(path, file)
}

/** Indexed as the viewer does it, in a thread of its own. */
async function open(path: string): Promise<FollowedIndex> {
  const index = await FollowedIndex.open(path, folder)
  await index.settled()
  return index
}

const traces = [...syntheticTraces(300, 6)]
const path = fresh()
writeFileSync(path, jsonl(traces))

describe('the index of a file of traces', () => {
  it('gives every trace back as the file has it, whatever the container', async () => {
    const packed = fresh('.jsonl.gz')
    writeFileSync(packed, gzipSync(jsonl(traces)))
    const parquet = fresh('.parquet')
    const writer = await traceWriter(parquet)
    await writer.write(traces)
    await writer.close()
    const document = fresh('.json')
    writeFileSync(document, JSON.stringify(traces))
    for (const file of [path, packed, parquet, document]) {
      const index = await indexed(file)
      expect(index.facts()).toMatchObject({ traces: 300, finished: true, leftOut: 0 })
      for (const at of [0, 123, 299]) expect(index.trace(at)).toEqual(traces[at])
      expect(index.trace(300)).toBe(null)
      index.close()
    }
  })

  it('reads again lines of other formats that hold more than one trace', async () => {
    const file = fresh()
    const record = {
      input: 'q? Step 1: 1+1=2 ки\nStep 2: 2+2=5 ки',
      label: 'q? Step 1: 1+1=2 +\nStep 2: 2+2=5 -',
      task: 'x',
    }
    writeFileSync(file, `${JSON.stringify(record)}\n`.repeat(3))
    const { traces: read, report } = await readTraces(file)
    const index = await indexed(file)
    expect(report.format).toBe(mathShepherd.name)
    expect(read.length).toBeGreaterThan(0)
    const again = read.map((_, at) => index.trace(at))
    expect(again.map((t) => [t?.id, t?.steps])).toEqual(read.map((t) => [t.id, t.steps]))
    index.close()
  })

  it('answers filters as the traces themselves do', async () => {
    const index = await indexed(path)
    const rows = traces.map(rowOf)
    const holds = (value: number | null, op: Condition['op'], to: readonly number[]): boolean => {
      if (op === 'ne') return value === null || !to.includes(value)
      if (value === null) return false
      if (op === 'eq') return to.includes(value)
      const [limit = 0] = to
      return op === 'lt' ? value < limit : op === 'le' ? value <= limit : op === 'gt' ? value > limit : value >= limit
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...NUMBER_FIELDS),
        fc.constantFrom(...OPERATORS.filter((op) => op !== 'is')),
        fc.integer({ min: 0, max: 299 }),
        (field, op, example) => {
          const value = rows[example]![field] ?? 0
          const found = index.find({ conditions: [{ field, op, values: [String(value)] }] })
          expect([...found]).toEqual(rows.flatMap((row, at) => (holds(row[field], op, [value]) ? [at] : [])))
        },
      ),
    )
    const none = index.find({ conditions: [{ field: 'gold', op: 'is', values: ['none'] }] })
    expect(none.length).toBe(rows.filter((row) => row.gold === null).length)
    const tagged = index.find({ conditions: [{ field: 'tags', op: 'ne', values: ['gold', 'tool'] }] })
    expect(tagged.length).toBe(rows.filter(({ tags }) => !tags.includes('gold') && !tags.includes('tool')).length)
    index.close()
  })

  it('never takes a value for a part of the question', async () => {
    const index = await indexed(path)
    const values = ["' OR 1 --", '"; DROP TABLE traces', '%']
    expect(index.find({ conditions: [{ field: 'generator', op: 'eq', values }] }).length).toBe(0)
    for (const words of ['"', "' OR", 'a" OR "b', 'NEAR(a b)', '-x', '*', 'text:a']) {
      expect(index.find({ words }).length).toBeLessThan(300)
    }
    expect(index.find({ words: 'a b c '.repeat(2_000) }).length).toBe(0)
    expect(index.find({}).length).toBe(300)
    index.close()
  })

  it('sorts with what is not known last, in both directions', async () => {
    const index = await indexed(path)
    const rows = traces.map(rowOf)
    for (const descending of [false, true]) {
      const order = index.find({ sort: { field: 'gold', descending } })
      const golds = [...order].map((at) => rows[at]!.gold)
      const known = golds.filter((g) => g !== null)
      expect(known).toEqual([...known].sort((a, b) => (descending ? b - a : a - b)))
      expect(golds.slice(known.length).every((g) => g === null)).toBe(true)
      expect(index.findKeyed({ sort: { field: 'gold', descending } }).map(({ at }) => at)).toEqual([...order])
    }
    index.close()
  })

  it('finds words of the problem, the steps and the tool calls, in any language, also by their beginning', async () => {
    const file = fresh()
    const step = { text: 'Die Größe ist \\frac{3}{4}', kind: 'thought' as const }
    const call = {
      text: '',
      kind: 'action' as const,
      action: { tool: 'grep', input: { pattern: 'needle' } },
      observation: 'Fundstück',
    }
    const source = { generator: '', dataset: '', licence: 'unknown' }
    const trace: Trace = { id: 'one', problem: { id: 'q', prompt: 'Сколько яблок?' }, steps: [step, call], source }
    const other: Trace = {
      ...trace,
      id: 'two',
      problem: { id: 'p', prompt: 'nothing' },
      steps: [{ ...step, text: 'none' }],
    }
    writeFileSync(file, jsonl([trace, other]))
    const index = await indexed(file)
    const found = (words: string): string[] => [...index.find({ words })].map((at) => index.row(at)!.id)
    for (const words of ['größe frac', 'яблок', 'need', 'fundst', 'one', 'grep needle '])
      expect(found(words)).toEqual(['one'])
    expect(found('need ')).toEqual([])
    expect(found('größe nothing')).toEqual([])
    index.close()
  })

  it('counts values of fields, and says what lies between the least and the greatest', async () => {
    const index = await indexed(path)
    const facets = index.facets(50)
    expect(facets.map((f) => f.field)).toEqual([...new Set(facets.map((f) => f.field))])
    expect(facets.map((f) => f.field)).toEqual(expect.arrayContaining([...NUMBER_FIELDS, 'tags']))
    const generators = facets.find((f) => f.field === 'generator')!
    expect(index.facets(3)[0]!.values.length).toBe(3)
    expect(generators.distinct).toBe(new Set(traces.map((t) => t.source.generator)).size)
    const steps = facets.find((f) => f.field === 'steps')!
    expect([steps.min, steps.max]).toEqual([
      Math.min(...traces.map((t) => t.steps.length)),
      Math.max(...traces.map((t) => t.steps.length)),
    ])
    expect(facets.find((f) => f.field === 'tags')!.values).toContainEqual({
      value: 'gold',
      count: traces.filter((t) => rowOf(t).tags.includes('gold')).length,
    })
    index.close()
  })
})

describe('an index and its data', () => {
  it('leaves out what cannot be read, and says so', async () => {
    const file = fresh()
    const [first, second] = traces
    writeFileSync(file, `${jsonl([first!])}{"broken\n${jsonl([first!, { ...second!, steps: [] }, second!])}`)
    const index = await open(file)
    const { leftOut, examples, traces: kept } = index.reader.facts()
    expect({ leftOut, kept }).toEqual({ leftOut: 3, kept: 2 })
    expect(examples.join('\n')).toMatch(/GRD-IO-005[\s\S]*same id/)
    await index.close()
  })

  it('reads only what was added to a file that grows, and waits for a line that is not whole', async () => {
    const file = fresh()
    const [a, b, c] = traces.slice(0, 3).map((t) => `${JSON.stringify(t)}\n`)
    writeFileSync(file, a!)
    const index = await open(file)
    const version = index.version
    appendFileSync(file, b! + c!.slice(0, 50))
    await index.refresh()
    await index.settled()
    expect(index.version).toBeGreaterThan(version)
    expect(index.reader.facts()).toMatchObject({ traces: 2, leftOut: 0 })
    appendFileSync(file, c!.slice(50))
    await index.refresh()
    await index.settled()
    expect(index.reader.facts()).toMatchObject({ traces: 3, leftOut: 0 })
    expect(index.reader.trace(2)).toEqual(traces[2])
    await index.close()
  })

  it('is made anew when the file was replaced, and says so of a trace that is gone', async () => {
    const file = fresh()
    writeFileSync(file, jsonl(traces.slice(0, 5)))
    const index = await open(file)
    writeFileSync(file, jsonl(traces.slice(10, 12)))
    expect(() => index.reader.trace(4)).toThrow('GRD-IO-016')
    await index.refresh()
    await index.settled()
    expect(index.reader.facts().traces).toBe(2)
    expect(index.reader.trace(0)).toEqual(traces[10])
    await index.close()
  })

  it('notices a change of equal length by its time', async () => {
    const file = fresh()
    writeFileSync(file, jsonl([{ ...traces[0]!, id: 'aaaa' }]))
    await (await open(file)).close()
    writeFileSync(file, jsonl([{ ...traces[0]!, id: 'bbbb' }]))
    utimesSync(file, new Date(), new Date(Date.now() + 5_000))
    const index = await open(file)
    expect(index.reader.row(0)?.id).toBe('bbbb')
    await index.close()
  })

  it('goes on where an interrupted indexing ended', async () => {
    const file = fresh()
    writeFileSync(file, jsonl(traces))
    const db = `${file}.index`
    const half = fresh()
    writeFileSync(half, jsonl(traces.slice(0, 250)))
    await buildIndex(half, db, null, () => {})
    const facts = new IndexReader(half, db).facts()
    await buildIndex(file, db, { ...facts, finished: false }, () => {})
    const reader = new IndexReader(file, db)
    expect(reader.facts()).toMatchObject({ traces: 300, finished: true })
    expect(reader.trace(299)).toEqual(traces[299])
    reader.close()
  })

  it('is thrown away when it is damaged', async () => {
    const file = fresh()
    writeFileSync(file, jsonl(traces.slice(0, 3)))
    writeFileSync(`${file}.index`, 'this is no index')
    const index = await open(file)
    expect(index.reader.facts().traces).toBe(3)
    await index.close()
  })

  it('says why a file cannot be opened at all', async () => {
    const file = fresh()
    writeFileSync(file, '{"some":"thing"}\n{"an":"other"}\n')
    await expect(open(file)).rejects.toThrow('GRD-IO-012')
    await expect(open(join(folder, 'nowhere.jsonl'))).rejects.toThrow('GRD-IO-001')
  })

  it('stands beside a large file as soon as that is written, and is used as it is', async () => {
    const file = fresh()
    const many = [...syntheticTraces(2_500, 2)]
    const writer = await traceWriter(file, undefined, { index: true })
    for (let i = 0; i < many.length; i += 600) await writer.write(many.slice(i, i + 600))
    await writer.close()
    expect(existsSync(`${file}.index`)).toBe(true)
    const before = readFileSync(`${file}.index`)
    const index = await FollowedIndex.open(file, folder)
    expect(index.finished).toBe(true)
    expect(index.reader.trace(2_499)).toEqual(many[2_499])
    await index.close()
    expect(readFileSync(`${file}.index`).equals(before)).toBe(true)
    // Moved together, the two stay a pair.
    const moved = fresh()
    for (const end of ['', '.index']) cpSync(`${file}${end}`, `${moved}${end}`, { preserveTimestamps: true })
    const there = await FollowedIndex.open(moved, folder)
    expect(there.finished).toBe(true)
    await there.close()
  })

  it('shows its first rows while the rest is still read', async () => {
    const file = fresh()
    writeFileSync(file, jsonl(syntheticTraces(6_000, 4)))
    const index = await FollowedIndex.open(file, folder)
    const { traces: first } = index.reader.facts()
    expect(first).toBeGreaterThanOrEqual(200)
    expect(index.reader.find({}).length).toBeGreaterThanOrEqual(first)
    await index.settled()
    expect(index.reader.facts()).toMatchObject({ traces: 6_000, finished: true })
    expect([index.share, index.failure]).toEqual([1, null])
    await index.close()
  })

  it('is not begun for a file that a thread cannot read either', async () => {
    const file = fresh('.json')
    writeFileSync(file, `[${'0,'.repeat(200_000)}0]`)
    await expect(open(file)).rejects.toThrow('GRD-IO-012')
  })

  it('leaves nothing beside a small file, or one that was given up', async () => {
    const small = fresh()
    const writer = await traceWriter(small, undefined, { index: true })
    await writer.write(traces)
    await writer.close()
    const given = fresh()
    const up = await traceWriter(given, undefined, { index: true })
    await up.write(traces)
    await up.abandon()
    expect([`${small}.index`, given, `${given}.index`].filter((f) => existsSync(f))).toEqual([])
  })
})
