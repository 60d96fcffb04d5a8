import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../../io/read.ts'
import { casesOf } from '../../prove/cases.ts'
import { LOCK_MS } from './labels.ts'
import { Queue, QueueAgreement } from './schemas.ts'
import { jsonLines, plainTrace, type TestOptions, type TestViewer, testViewer } from './testing/in-process.ts'

type State = z.output<typeof Queue>

/** Traces of two steps whose verdicts are ever surer: `t0` is the most doubtful. */
const doubtful = (n: number, gold: (i: number) => number | null = () => null): Trace[] =>
  Array.from({ length: n }, (_, i) => {
    const sure = 0.34 + (0.6 * (n - i)) / n
    const known = gold(n - 1 - i)
    return plainTrace(`t${n - 1 - i}`, ['one', 'two'], {
      verdict: { risk: [1 - sure, 0], firstErrorProb: [(1 - sure) / 2, (1 - sure) / 2, sure], firstError: -1 },
      ...(known !== null && { labels: [{ meaning: 'first-error', value: known, source: 'imported:test' }] }),
    })
  })

const viewers: TestViewer[] = []
afterAll(async () => {
  for (const viewer of viewers) await viewer.close()
})

async function queueOf(traces: readonly Trace[], options: TestOptions = {}) {
  const viewer = await testViewer({ 'q.jsonl': jsonLines(traces) }, options)
  viewers.push(viewer)
  const read = async (answer: Promise<{ status: number; body: unknown }>): Promise<State> =>
    Queue.parse((await answer).body)
  return {
    viewer,
    take: (person: string, at?: number) =>
      read(viewer.post('/api/queue/take', { person, ...(at !== undefined && { at }) })),
    state: (person: string) => read(viewer.get(`/api/queue?person=${person}`)),
    undo: (person: string) => read(viewer.post('/api/queue/undo', { person })),
    give: (person: string, item: State['item'], firstError: number | null, more: object = {}) =>
      read(viewer.post('/api/queue/labels', { ...said(item!.at, person, firstError), ...more })),
  }
}

const said = (at: number, person: string, firstError: number | null) => ({
  person,
  at,
  labels: [null, null],
  firstError,
  note: '',
  state: 'done',
})

describe('the label queue', () => {
  it('gives the most doubtful trace first, and to each person another', async () => {
    const { take, give } = await queueOf(doubtful(5))
    const ada = await take('Ada')
    const bob = await take('Bob')
    expect([ada.item?.trace.id, bob.item?.trace.id]).toEqual(['t0', 't1'])
    const next = await give('Ada', ada.item, -1)
    expect([next.item?.trace.id, next.done, next.left]).toEqual(['t2', 1, 4])
    expect(next.locks.map((l) => l.person).sort()).toEqual(['Ada', 'Bob'])
    // Bob need not do what Ada has done.
    expect((await give('Bob', bob.item, 0)).left).toBe(3)
  })

  it('shows nothing that anybody or anything said of the trace', async () => {
    const trace: Trace = {
      ...doubtful(1, () => 1)[0]!,
      outcome: 0,
      evidence: [{ kind: 'tool', source: 'x', step: 0, verdict: 'incorrect', reason: 'secret' }],
      extra: { label: 'secret' },
    }
    const { take } = await queueOf([trace])
    const { item } = await take('Ada')
    expect(Object.keys(item!.trace).sort()).toEqual(['id', 'problem', 'source', 'steps'])
    expect(JSON.stringify(item)).not.toMatch(/secret|gold|imported/)
  })

  it('keeps what is half done, and gives it back after a reload or a restart', async () => {
    const { viewer, take, give, state } = await queueOf(doubtful(3))
    const { item } = await take('Ada')
    const labels = ['correct', 'unsure']
    await give('Ada', item, null, { labels, note: 'hm', state: 'draft' })
    expect((await state('Ada')).item?.mine).toMatchObject({ labels, note: 'hm', state: 'draft', firstError: null })
    const again = await testViewer({ 'q.jsonl': jsonLines(doubtful(3)) }, {}, viewer.folder)
    const held = Queue.parse((await again.post('/api/queue/take', { person: 'Ada' })).body)
    expect(held.item).toMatchObject({ at: item!.at, mine: { labels, note: 'hm' } })
    await again.data.close()
    again.store.close()
  })

  it('takes back the last trace, and the one before', async () => {
    const { take, give, undo, state } = await queueOf(doubtful(4))
    const first = (await take('Ada')).item
    const second = (await give('Ada', first, 1)).item
    await give('Ada', second, -1, { state: 'skipped' })
    expect((await undo('Ada')).item).toMatchObject({ trace: { id: 't1' }, mine: { state: 'draft', firstError: -1 } })
    const back = await undo('Ada')
    expect(back).toMatchObject({ done: 0, canUndo: false, item: { trace: { id: 't0' }, mine: { firstError: 1 } } })
    expect((await undo('Ada')).item?.trace.id).toBe('t0')
    expect((await state('Bob')).canUndo).toBe(false)
  })

  it('gives each trace to as many people as asked, never twice to one', async () => {
    const { take, give } = await queueOf(doubtful(2), { each: 2 })
    const seen: string[] = []
    for (const person of ['Ada', 'Bob', 'Cy']) {
      let state = await take(person)
      while (state.item !== null) {
        seen.push(`${person} ${state.item.trace.id}`)
        state = await give(person, state.item, -1)
      }
      expect(state.left).toBe(0)
    }
    expect(seen).toEqual(['Ada t0', 'Ada t1', 'Bob t0', 'Bob t1'])
  })

  it('lets go of a trace when somebody is gone for long, but not of what they typed', async () => {
    let clock = 1_000_000
    const { take, give, state } = await queueOf(doubtful(1), { now: () => clock })
    const { item } = await take('Ada')
    await give('Ada', item, null, { note: 'mine', state: 'draft' })
    expect((await take('Bob')).item).toBe(null)
    clock += LOCK_MS + 1
    expect((await take('Bob')).item?.trace.id).toBe('t0')
    expect((await state('Ada')).item).toBe(null)
    expect((await give('Ada', item, 1)).done).toBe(1)
  })

  it('says who is at work when a certain trace is asked for', async () => {
    const { viewer, take } = await queueOf(doubtful(2))
    const { item } = await take('Ada')
    const { status, body } = await viewer.post('/api/queue/take', { person: 'Bob', at: item!.at })
    expect([status, body]).toMatchObject([409, { error: { code: 'GRD-SERVE-006' } }])
    expect((await take('Bob', 1 - item!.at)).item?.trace.id).toBe('t1')
  })

  it('mixes in traces whose first error is known, and counts how often it is found', async () => {
    const { viewer, take, give } = await queueOf(doubtful(30, (i) => (i >= 20 ? 1 : null)))
    let state = await take('Ada')
    const ids: string[] = []
    for (let i = 0; i < 20; i++) {
      ids.push(state.item!.trace.id)
      state = await give('Ada', state.item, 1)
    }
    const known = ids.filter((id) => Number(id.slice(1)) >= 20)
    expect(known).toEqual([ids[9], ids[19]])
    const { people } = QueueAgreement.parse((await viewer.get('/api/queue/agreement')).body)
    expect(people).toEqual([{ person: 'Ada', done: 20, skipped: 0, gold: { n: 2, right: 2 } }])
  })

  it('refuses labels that do not fit the steps, and names that are none', async () => {
    const { viewer } = await queueOf(doubtful(1))
    const status = async (more: object) =>
      (await viewer.post('/api/queue/labels', { ...said(0, 'Ada', null), ...more })).status
    expect(await status({ labels: [null] })).toBe(400)
    expect(await status({ firstError: 2 })).toBe(400)
    expect(await status({ firstError: -2 })).toBe(400)
    expect(await status({ labels: ['correct', 'right'] })).toBe(400)
    expect(await status({ person: '<b>' })).toBe(400)
    expect(await status({ at: 1 })).toBe(404)
    expect(viewer.store.all()).toEqual([])
  })
})

describe('what people said', () => {
  it('is compared by pairs and by all: a worked example', async () => {
    const { viewer, take, give } = await queueOf(doubtful(4), { each: 2 })
    // First errors of the same four traces: Ada 0 0 1 -1, Bob 0 1 1 -1: three of four agree.
    for (const [person, firsts] of [
      ['Ada', [0, 0, 1, -1]],
      ['Bob', [0, 1, 1, -1]],
    ] as const) {
      let state = await take(person)
      for (const first of firsts) {
        const labels = person === 'Ada' ? ['correct', 'incorrect'] : ['correct', 'unsure']
        state = await give(person, state.item, first, { labels })
      }
    }
    const { traces, steps, items } = QueueAgreement.parse((await viewer.get('/api/queue/agreement')).body)
    // Chance agreement: (2·1 + 1·2 + 1·1) / 16 = 5/16; kappa = (3/4 - 5/16) / (11/16) = 7/11.
    expect(traces.pairs).toEqual([{ a: 'Ada', b: 'Bob', n: 4, same: 0.75, kappa: expect.closeTo(7 / 11, 12) }])
    // Coincidences: 2 disagreeing of 8; expected 64 - (9 + 9 + 4) = 42 over 7: alpha = 1 - 7·2 / 42.
    expect(traces.alpha).toBeCloseTo(2 / 3, 12)
    expect(steps.pairs).toEqual([{ a: 'Ada', b: 'Bob', n: 4, same: 1, kappa: null }])
    expect(items.map((item) => [item.id, item.differs])).toEqual([
      ['t1', true],
      ['t3', false],
      ['t2', false],
      ['t0', false],
    ])
  })

  it('leaves as evidence of people, which gradus reads as gold labels', async () => {
    const { viewer, take, give } = await queueOf(doubtful(3), { each: 2 })
    for (const person of ['Ada', 'Bob']) {
      let state = await take(person)
      state = await give(person, state.item, 1, { note: `${person} saw it` })
      state = await give(person, state.item, person === 'Ada' ? 0 : -1)
      if (person === 'Ada') await give(person, state.item, null, { state: 'skipped' })
    }
    const cookie = (await viewer.raw(`/?token=${viewer.door.invite()}`)).headers.get('set-cookie')!.split(';')[0]!
    const text = async () => await (await viewer.raw('/api/queue/export', { headers: { cookie } })).text()
    const folder = mkdtempSync(join(tmpdir(), 'gradus-export-'))
    const file = join(folder, 'people.jsonl')
    writeFileSync(file, await text())
    const { traces, report } = await readTraces(file)
    expect([report.format, report.rejected, traces.map((t) => t.id)]).toEqual(['gradus', [], ['t0', 't1']])
    const [agreed, differing] = traces
    expect(agreed!.evidence).toEqual([
      { kind: 'human', source: 'human:Ada', step: 0, verdict: 'correct' },
      { kind: 'human', source: 'human:Ada', step: 1, verdict: 'incorrect', note: 'Ada saw it' },
      { kind: 'human', source: 'human:Bob', step: 0, verdict: 'correct' },
      { kind: 'human', source: 'human:Bob', step: 1, verdict: 'incorrect', note: 'Bob saw it' },
    ])
    expect(casesOf(traces, file).map((c) => c.gold)).toEqual([
      { firstError: 1, classes: ['right', 'wrong'], ratings: [] },
      { firstError: null, classes: [undefined, 'right'], ratings: [] },
    ])
    expect(differing!.labels).toContainEqual({
      meaning: 'first-error',
      value: null,
      reason: 'sources-disagree',
      source: 'human:Ada+Bob',
    })

    const at = viewer.data.numberOf('t1')!
    const decided = QueueAgreement.parse((await viewer.post('/api/queue/adjudicate', said(at, 'Cy', 0))).body)
    expect(decided.items.find((item) => item.id === 't1')?.adjudicated).toMatchObject({ person: 'Cy', firstError: 0 })
    writeFileSync(file, await text())
    const after = await readTraces(file)
    expect(casesOf(after.traces, file).map((c) => c.gold.firstError)).toEqual([1, 0])

    // The trace is another one under the same id: what was said of it is not said of the new one.
    writeFileSync(
      join(viewer.folder, 'q.jsonl'),
      jsonLines([...doubtful(3).filter((t) => t.id !== 't0'), plainTrace('t0', ['new'])]),
    )
    await new Promise((go) => setTimeout(go, 450))
    expect(
      (await text())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as Trace).id),
    ).toEqual(['t1'])
    rmSync(folder, { recursive: true })
  })
})
