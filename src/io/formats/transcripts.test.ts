import { describe, expect, it } from 'vitest'
import { readTraces } from '../read.ts'
import { atif } from './atif.ts'
import { inspect } from './inspect.ts'
import { openhands } from './openhands.ts'
import {
  counts,
  findAll,
  type Loose,
  NO_SAMPLES,
  readSample,
  sampleFile,
  sampleFiles,
  sampleJson,
  sampleLines,
  sum,
  testAt,
} from './samples.testing.ts'
import { sweAgent } from './swe-agent.ts'

const atifFiles = sampleFiles('trace-formats/atif')

describe.skipIf(NO_SAMPLES)('atif on real trajectories (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(atifFiles).toHaveLength(15))

  it.each(atifFiles)('%s: calls, results and metrics of every trajectory', async (path) => {
    const { traces, report } = await readSample(path, atif)
    const documents = findAll(sampleJson(path), (o) => /^ATIF/.test(o.schema_version))
    expect(traces).toHaveLength(documents.length)
    documents.forEach((document, i) => {
      const trace = traces[i]
      if (!trace) throw new Error('no trace')
      const steps: Loose[] = document.steps
      const calls = steps.flatMap((s) => s.tool_calls ?? [])
      const ids = new Set(calls.map((c) => c.tool_call_id))
      const results = steps.flatMap((s) => s.observation?.results ?? [])
      expect(counts(trace).actions).toBe(calls.length)
      // a result without an id answers the calls of its own step, if it has any
      const alone = (step: Loose): Loose[] =>
        step.tool_calls ? [] : (step.observation?.results ?? []).filter((r: Loose) => r.source_call_id === undefined)
      const answers = steps.flatMap((s) => (s.tool_calls ? (s.observation?.results ?? []) : []))
      expect(counts(trace).observed).toBe(answers.length)
      expect(results.every((r) => r.source_call_id === undefined || ids.has(r.source_call_id))).toBe(true)
      expect(trace.steps.filter((s) => s.agent === 'environment').map((s) => s.text)).toEqual(
        steps.flatMap(alone).flatMap((r) => r.content ?? []),
      )
      const metrics = steps.flatMap((s) => s.metrics ?? [])
      expect(trace.usage?.promptTokens).toBe(sum(metrics, 'prompt_tokens'))
      expect(trace.usage?.completionTokens).toBe(sum(metrics, 'completion_tokens'))
    })
    expect(report.oddities['result without call']).toBeUndefined()
  })

  it.each(atifFiles)('%s: written and read again it is the same', async (path) => {
    const { traces } = await readSample(path, atif)
    const again = (atif.write?.(traces) ?? []).flatMap((r) => atif.read(r, testAt()))
    // step ids are numbered anew
    const held = (trace: Loose): Loose => ({
      ...trace,
      steps: trace.steps.map((s: Loose) => ({ ...s, origin: s.origin.replace(/^\d+/, '') })),
    })
    expect(again.map(held)).toEqual(traces.map(held))
    const twice = (atif.write?.(again) ?? []).flatMap((r) => atif.read(r, testAt()))
    expect(twice).toEqual(again)
  })

  it('does not add a total that goes over the files of a continued run', async () => {
    const { trace } = await readSample(sampleFile('trace-formats/atif/harbor_terminus2_continuation_cont1.json'), atif)
    expect(trace.usage).toMatchObject({ calls: 4, promptTokens: 1700 + 3 * 850, completionTokens: 420 + 40 + 40 + 30 })
  })
})

const openhandsFiles = sampleFiles('trace-formats/openhands')

describe.skipIf(NO_SAMPLES)('openhands on real trajectories (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(openhandsFiles).toHaveLength(5))

  it.each(openhandsFiles.filter((f) => f.endsWith('.json')))('%s: each response once, pairs by cause', async (path) => {
    const { trace, report } = await readSample(path, openhands)
    const events: Loose[] = sampleJson(path)
    const acts = events.filter((e) => e.tool_call_metadata && e.action)
    const seen = events.filter((e) => e.tool_call_metadata && e.observation)
    expect(trace.steps.flatMap((s) => s.action?.id ?? [])).toEqual(acts.map((e) => e.tool_call_metadata.tool_call_id))
    expect(trace.steps.flatMap((s) => s.observation ?? [])).toEqual(seen.map((e) => e.content))
    expect(report.oddities['call without result']?.count ?? 0).toBe(acts.length - seen.length)
    const responses = new Map(
      acts.map((e) => [e.tool_call_metadata.model_response.id, e.tool_call_metadata.model_response.usage]),
    )
    const usages = [...responses.values()]
    expect(trace.usage).toMatchObject({
      calls: usages.length,
      promptTokens: sum(usages, 'prompt_tokens'),
      completionTokens: sum(usages, 'completion_tokens'),
    })
  })

  it('reads resolver output, whose events have no ids', async () => {
    const path = sampleFile('trace-formats/openhands/resolver-output.jsonl.gz')
    const { traces, report } = await readSample(path, openhands)
    sampleLines(path).forEach((line, i) => {
      const observations = line.history.filter((e: Loose) => e.observation !== undefined)
      expect(traces[i]?.steps.flatMap((s) => s.observation ?? [])).toEqual(observations.map((e: Loose) => e.content))
      expect(traces[i]?.usage).toMatchObject({ calls: line.metrics.costs.length, cost: line.metrics.accumulated_cost })
      expect(traces[i]?.outcome).toBe(1)
    })
    expect(report.oddities).toEqual({ 'call without result': { count: 2, example: '7.1' } })
    expect(traces.map((t) => t.id)).toEqual(['neubig/pr-viewer#5', 'neubig/pr-viewer#1'])
  })
})

const sweFiles = [...sampleFiles('trace-formats/swe-agent'), ...sampleFiles('swe-agent-trajectories')]

describe.skipIf(NO_SAMPLES)('swe-agent on real trajectories (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(sweFiles).toHaveLength(24))

  it.each(sweFiles)('%s: every step with its observation', async (path) => {
    const { trace, report } = await readSample(path, sweAgent)
    const run = sampleJson(path)
    if (!run.trajectory) return
    const actions = trace.steps.filter((s) => s.action)
    expect(actions.map((s) => s.observation)).toEqual(run.trajectory.map((s: Loose) => s.observation ?? ''))
    expect(actions.flatMap((s) => (s.action?.tool === 'shell' ? [s.action.input] : []))).toEqual(
      run.trajectory.filter((_: Loose, i: number) => actions[i]?.action?.tool === 'shell').map((s: Loose) => s.action),
    )
    expect(counts(trace).thoughts).toBe(run.trajectory.filter((s: Loose) => s.thought.trim() !== '').length)
    expect(trace.answer).toBe(run.info.submission)
    expect(report.oddities).toEqual({})
    const stats = run.info.model_stats
    expect(trace.usage?.promptTokens ?? 0).toBe(stats.tokens_sent)
    expect(trace.usage?.completionTokens ?? 0).toBe(stats.tokens_received)
  })

  it('keeps demonstrations out of the prompt and the steps', async () => {
    const { trace } = await readSample(
      sampleFile('trace-formats/swe-agent/pydicom-1458-thought-action.traj.json.gz'),
      sweAgent,
    )
    expect(trace.problem.prompt).toMatch(/^We're currently solving the following issue/)
    expect(trace.problem.context).toMatchObject([
      { documents: [{ id: 'system' }, { text: expect.stringMatching(/^Here is a demonstration/) }] },
    ])
    expect(counts(trace)).toEqual({ thoughts: 12, actions: 12, observed: 12, others: 0 })
  })

  it('takes the call with its id from the history of a function-calling run', async () => {
    const path = sampleFile('trace-formats/swe-agent/marshmallow-1867-function-calling.traj.json.gz')
    const { trace } = await readSample(path, sweAgent)
    expect(trace.steps.filter((s) => s.action).map((s) => s.action)).toEqual(
      sampleJson(path)
        .history.flatMap((h: Loose) => h.tool_calls ?? [])
        .map((c: Loose) => ({ tool: c.function.name, input: JSON.parse(c.function.arguments), id: c.id })),
    )
  })

  it('reads a history alone', async () => {
    const { trace } = await readSample(sampleFile('swe-agent-trajectories/function_calling_simple.traj.json'), sweAgent)
    expect(counts(trace)).toEqual({ thoughts: 5, actions: 5, observed: 5, others: 0 })
  })
})

const logs = sampleFiles('inspect-logs')

describe.skipIf(NO_SAMPLES)('inspect on real logs (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(logs).toHaveLength(8))

  it.each(logs.filter((f) => !f.includes('no-samples')))('%s: samples, tools, scores and usage', async (path) => {
    const { traces } = await readSample(path, inspect)
    const log = sampleJson(path)
    expect(traces).toHaveLength(log.samples.length)
    log.samples.forEach((sample: Loose, i: number) => {
      const trace = traces[i]
      if (!trace) throw new Error('no trace')
      const calls = sample.messages.flatMap((m: Loose) => m.tool_calls ?? []).map((c: Loose) => c.id)
      const told = sample.messages.filter((m: Loose) => calls.includes(m.tool_call_id))
      expect(trace.steps.flatMap((s) => s.action?.id ?? [])).toEqual(calls)
      expect(trace.steps.flatMap((s) => s.observation ?? [])).toEqual(told.map((m: Loose) => m.content))
      const [score] = Object.values<Loose>(sample.scores ?? {})
      expect(trace.outcome).toBe(score && { C: 1, I: 0 }[score.value as string])
      const usage = Object.values<Loose>(sample.model_usage ?? {})
      expect(trace.usage?.promptTokens ?? 0).toBe(sum(usage, 'input_tokens'))
      expect(trace.usage?.completionTokens ?? 0).toBe(sum(usage, 'output_tokens'))
      expect(trace.source.generator).toBe(log.eval.model)
    })
  })

  it('says that a cancelled log has no samples, and counts results without calls', async () => {
    const cancelled = sampleFile('inspect-logs/2025-05-12T20-28-13-04-00_no-samples.json')
    const { traces, report } = await readTraces(cancelled)
    expect([traces.length, report.oddities]).toEqual([0, { 'no samples': { count: 1, example: 'cancelled' } }])
    const { report: errors } = await readSample(sampleFile('inspect-logs/log_tool_call_error.json'), inspect)
    expect(errors.oddities['result without call']?.count).toBe(11)
  })
})
