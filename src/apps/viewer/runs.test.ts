import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Tree } from '../../core/tree.ts'
import type { Label, Trace } from '../../core/words.ts'
import { buildIndex } from '../../io/trace-index/build.ts'
import { IndexReader } from '../../io/trace-index/index.ts'
import { treeWriter } from '../pipeline/tree-writer.ts'
import type { Source } from './data.ts'
import { computedFigures } from './figures.ts'
import { methodsAnswer } from './methods.ts'
import { runRow, writtenFigures } from './runs.ts'
import { MethodsAnswer, RunRow } from './schemas.ts'
import { jsonLines, plainTrace } from './testing/in-process.ts'
import { Trees } from './trees.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

let runs = 0
function runFolder(files: Record<string, string>): Source {
  const path = join(folder, `run${runs++}`)
  mkdirSync(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return { name: `run${runs}`, key: '.', path, folder: path, isRun: true }
}

describe('a run', () => {
  it('is shown as far as its state can be understood', () => {
    const usage = { calls: 3, promptTokens: 1, completionTokens: 2, cachedTokens: 0, seconds: 1.5 }
    const run = {
      version: 1,
      state: 'running',
      stages: [{ name: 'label', done: 2 }, 7],
      seed: 0,
      usage,
      config: { a: 1 },
    }
    const row = RunRow.parse(runRow(runFolder({ 'run.json': JSON.stringify(run), 'labelled.jsonl.index': 'x' }), 0))
    expect(row.run).toEqual({
      version: 1,
      state: 'running',
      stage: null,
      stages: [],
      usage,
      seed: '0',
      started: null,
      updated: null,
      config: '{\n  "a": 1\n}',
    })
    expect(row.files.map((f) => f.name)).toEqual(['run.json'])
    const whole = { ...run, stages: [{ name: 'label', done: 2, total: 9, seconds: 0.5, more: true }] }
    expect(runRow(runFolder({ 'run.json': JSON.stringify(whole) }), 0).run?.stages).toEqual([
      { name: 'label', done: 2, total: 9, seconds: 0.5 },
    ])
  })

  it('says why its state cannot be read, and shows its files all the same', () => {
    const row = runRow(runFolder({ 'run.json': '{"sta', 'traces.jsonl': '' }), 2)
    expect(row).toMatchObject({ n: 2, run: null, problem: expect.stringMatching(/JSON/) })
    expect(row.files.length).toBe(2)
  })

  it('shows the figures that can be drawn, and counts the others', () => {
    const figure = {
      id: 'a',
      title: 'A',
      kind: 'line',
      columns: ['n', 'share'],
      rows: [
        [1, 0.5],
        [2, null],
      ],
      x: 'n',
      y: 'share',
    }
    const source = runFolder({ 'figures.json': JSON.stringify([figure, { ...figure, kind: 'pie' }, 3]) })
    expect(writtenFigures(source)).toEqual({ figures: [figure], leftOut: 2 })
    expect(writtenFigures(runFolder({ 'figures.json': JSON.stringify({ figures: [figure] }) })).figures).toEqual([
      figure,
    ])
    expect(writtenFigures(runFolder({}))).toEqual({ figures: [], leftOut: 0 })
  })

  it('gives the trees that gradus label writes', async () => {
    const source = runFolder({})
    const tree = new Tree()
    const path = tree.path(tree.addPath(['a', 'b']))
    const writer = await treeWriter(source.path, false)
    writer.grown({
      id: 't',
      annotator: 'mcts',
      problem: { id: 'q', prompt: 'Why?' },
      tree: tree.toJSON(),
      path,
      runs: [path],
    })
    await writer.write('t')
    await writer.close()
    const trees = new Trees([source])
    expect(await trees.list()).toEqual([{ at: 0, id: 't', problem: 'Why?', nodes: 3 }])
    expect(await trees.tree(0)).toEqual({ at: 0, id: 't', problem: 'Why?', tree: tree.toJSON(), path })
  })

  it('gives its trees, but none that would never end', async () => {
    const tree = new Tree()
    tree.addPath(['a', 'b'])
    tree.addPath(['a', 'c'])
    const line = { id: 't', problem: 'q', tree: tree.toJSON(), path: [1, 2], best: [1, 3] }
    const circle = { ...line, tree: { ...line.tree, parent: [-1, 2, 1, 1] } }
    const source = runFolder({ 'trees.jsonl': `${jsonLines([line, circle])}no tree\n` })
    const trees = new Trees([source])
    expect(await trees.list()).toEqual([
      { at: 0, id: 't', problem: 'q', nodes: 4 },
      { at: 1, id: 't', problem: 'q', nodes: 4 },
    ])
    expect(await trees.tree(0)).toEqual({ at: 0, ...line })
    await expect(trees.tree(1)).rejects.toThrow('GRD-CORE-001')
    await expect(trees.tree(2)).rejects.toThrow('GRD-SERVE-005')
    const grown = jsonLines([line])
    appendFileSync(join(source.path, 'trees.jsonl'), grown.slice(0, 40))
    expect((await trees.list()).length).toBe(2)
    appendFileSync(join(source.path, 'trees.jsonl'), grown.slice(40))
    expect((await trees.list()).map((t) => t.at)).toEqual([0, 1, 2])
    expect(await trees.tree(2)).toEqual({ at: 2, ...line })
  })
})

describe('figures of a data set', () => {
  const judged = (id: string, gold: number | null, said: number | null, others: Record<string, number> = {}): Trace => {
    const labels: Label[] = [
      ...(gold === null ? [] : [{ meaning: 'first-error' as const, value: gold, source: 'imported:x' }]),
      ...Object.entries(others).map(([source, value]) => ({ meaning: 'first-error' as const, value, source })),
    ]
    const error = said === null ? 0.5 : said === -1 ? 0.1 : 0.9
    const verdict = { risk: [null, null], firstErrorProb: [error, 0, 1 - error], firstError: said }
    return plainTrace(id, ['a', 'b'], { labels, verdict })
  }

  async function figures(traces: readonly Trace[], usage = null as Parameters<typeof computedFigures>[1]) {
    const path = join(folder, `${runs++}.jsonl`)
    writeFileSync(path, jsonLines(traces))
    await buildIndex(path, `${path}.index`, null, () => {})
    const reader = new IndexReader(path, `${path}.index`)
    const made = computedFigures(reader, usage)
    reader.close()
    return new Map(made.map((figure) => [figure.id, figure]))
  }

  it('count verdicts against people: a worked example', async () => {
    const made = await figures(
      [
        judged('a', 1, 1),
        judged('b', 1, 0),
        judged('c', 0, 1),
        judged('d', 0, -1),
        judged('e', 0, null),
        judged('f', -1, -1),
        judged('g', -1, 1),
        judged('h', null, 1),
      ],
      { calls: 10, promptTokens: 0, completionTokens: 50, cachedTokens: 0, seconds: 2 },
    )
    expect(made.get('confusion')?.rows).toEqual([
      ['error', 'no error', 1],
      ['error', 'right step', 1],
      ['error', 'earlier step', 1],
      ['error', 'later step', 1],
      ['error', 'cannot say', 1],
      ['no error', 'no error', 1],
      ['no error', 'right step', 0],
      ['no error', 'earlier step', 0],
      ['no error', 'later step', 1],
      ['no error', 'cannot say', 0],
    ])
    const shares = made
      .get('first-error-position')!
      .rows.filter((row) => row[1] === 'people or data set' && row[2] !== 0)
    expect(shares).toEqual([
      ['0 to 10 %', 'people or data set', 0.6, 3],
      ['50 to 60 %', 'people or data set', 0.4, 2],
    ])
    expect(made.get('cost')?.rows).toContainEqual(['tokens written', 50, 50])
    expect(made.get('calibration')?.rows.reduce((n, row) => n + Number(row[2]), 0)).toBe(7)
  })

  it('compare sources where both have said something', async () => {
    const made = await figures([
      judged('a', null, -1, { one: 0, two: 0 }),
      judged('b', null, -1, { one: 1, two: 0 }),
      judged('c', null, -1, { one: 1, two: 1 }),
      judged('d', null, -1, { one: -1 }),
    ])
    const rows = made.get('annotators')!.rows
    // Chance agreement (1·2 + 2·1) / 9 = 4/9, seen 2/3: kappa 2/5.
    expect(rows).toContainEqual(['one', 'two', 2 / 3, expect.closeTo(0.4, 12), 3])
    expect(made.has('confusion')).toBe(false)
  })

  it('are none where there is nothing to draw', async () => {
    expect((await figures([plainTrace('a', ['x'])])).size).toBe(0)
  })
})

describe('the methods page', () => {
  it('has every method of the catalogue and the verdict of each full replication', () => {
    const { rooms, papers } = MethodsAnswer.parse(methodsAnswer())
    expect(rooms.find((r) => r.name === 'rules')?.methods.map((m) => m.name)).toContain('consensus')
    expect(papers.find((p) => p.paper === 'prm-lessons')?.outcome).toMatch(/holds|partly|fails/)
  })
})
