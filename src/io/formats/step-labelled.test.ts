import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dataFile, noData } from '../../testing/data.ts'
import { formatNamed, readTraces } from '../read.ts'
import { traceWriter } from '../write.ts'

/** Traces without where their evidence stood, which a rewritten file changes. */
async function roundTrip(path: string): Promise<[unknown, unknown]> {
  const { traces, report } = await readTraces(path)
  const copy = join(await mkdtemp(join(tmpdir(), 'gradus-')), path.split('/').at(-1)!.replace(/\.gz$/, ''))
  const writer = await traceWriter(copy, formatNamed(report.format))
  await writer.write(traces)
  await writer.close()
  const again = await readTraces(copy)
  const plain = (list: typeof traces): unknown =>
    list.map(({ evidence, ...t }) => ({ ...t, evidence: evidence?.map((e) => ({ ...e, file: '' })) }))
  return [plain(again.traces), plain(traces)]
}

describe.skipIf(noData('processbench'))('ProcessBench (needs the public data)', () => {
  it.each([
    ['gsm8k', 244],
    ['math', 663],
    ['olympiadbench', 674],
    ['omnimath', 660],
  ])('%s: %i records, written back the same', async (part, records) => {
    const path = dataFile('processbench', `${part}.json.gz`)
    const { report } = await readTraces(path)
    expect(report).toMatchObject({ format: 'processbench', records, traces: records, rejectedByCode: {} })
    const [again, first] = await roundTrip(path)
    expect(again).toEqual(first)
  })

  it('keeps outcome and process apart: 352 right answers by a wrong process', async () => {
    let both = 0
    for (const part of ['gsm8k', 'math', 'olympiadbench', 'omnimath']) {
      const { traces, report } = await readTraces(dataFile('processbench', `${part}.json.gz`))
      const seen = traces.filter(
        (t) => t.outcome === 1 && t.labels?.[0]?.meaning === 'first-error' && (t.labels[0].value ?? -1) >= 0,
      ).length
      expect(report.oddities['right answer, wrong process']?.count).toBe(seen)
      both += seen
    }
    expect(both).toBe(352)
  })
})

describe.skipIf(noData('big-bench-mistake'))('BIG-Bench-Mistake (needs the public data)', () => {
  it.each([
    ['dyck_languages', 637],
    ['logical_deduction', 210],
    ['multistep_arithmetic', 200],
    ['tracking_shuffled_objects', 206],
    ['word_sorting', 208],
  ])('%s: %i records, written back the same', async (task, records) => {
    const path = dataFile('big-bench-mistake', `${task}.jsonl.gz`)
    const { report } = await readTraces(path)
    expect(report).toMatchObject({ format: 'big-bench-mistake', records, traces: records })
    const [again, first] = await roundTrip(path)
    expect(again).toEqual(first)
  })
})

describe.skipIf(noData('agentprocessbench'))('AgentProcessBench (needs the public data)', () => {
  it.each(['bfcl', 'gaia_dev', 'hotpotqa', 'tau2'])(
    '%s: ids and message numbers of people and judges join',
    async (subset) => {
      const people = await readTraces(dataFile('agentprocessbench', 'human_step_labels', `${subset}_final.jsonl`))
      const judge = await readTraces(
        dataFile('agentprocessbench', 'judge_step_labels', 'Kimi-K2.5', `${subset}.jsonl.gz`),
      )
      const key = (list: typeof people.traces): string[] =>
        list.map((t) => `${t.id} ${t.steps.map((s) => s.origin).join()}`).sort()
      expect(key(judge.traces)).toEqual(key(people.traces))
      expect(people.report.rejected).toEqual([])
    },
  )

  it('reads a label that is null as "could not be read", never as a class', async () => {
    const { traces, report } = await readTraces(
      dataFile('agentprocessbench', 'judge_step_labels', 'Llama-3.2-3B-Instruct', 'bfcl.jsonl.gz'),
    )
    const unread = traces.flatMap((t) => t.labels ?? []).filter((l) => l.reason === 'parse-failure')
    expect(unread.length).toBeGreaterThan(0)
    expect(unread.every((l) => l.value === null)).toBe(true)
    expect(report.oddities['step without a readable label']?.count).toBeGreaterThan(0)
  })

  it('trajectories: one step an assistant turn, each with the answer of its tool', async () => {
    const { traces } = await readTraces(dataFile('agentprocessbench', 'trajectories_hotpotqa.jsonl.gz'))
    const calls = traces.flatMap((t) => t.steps).filter((s) => s.action)
    expect(calls.length).toBeGreaterThan(300)
    expect(calls.filter((s) => s.observation === undefined)).toEqual([])
    const [again, first] = await roundTrip(dataFile('agentprocessbench', 'trajectories_hotpotqa.jsonl.gz'))
    expect(again).toEqual(first)
  })
})
