import { describe, expect, it } from 'vitest'
import type { Label, Trace } from '../../core/words.ts'
import { readTraces } from '../read.ts'
import { otlp } from './otlp.ts'
import { findAll, NO_SAMPLES, sampleFile, sampleFiles, testAt } from './samples.testing.ts'

const written = (trace: Trace): Trace => {
  const [again] = otlp.read(otlp.write?.([trace]) ?? [], testAt())
  if (!again) throw new Error('no trace')
  return again
}

/** What an export holds; the ids of messages and traces of other formats become OTLP's. */
const held = ({ problem, steps, answer, usage, outcome, labels, extra }: Trace): unknown => ({
  problem: { prompt: problem.prompt, context: problem.context ?? [] },
  steps: steps.map(({ origin: _, ...s }) => s),
  answer,
  usage: usage && [usage.calls, usage.promptTokens, usage.completionTokens, usage.cachedTokens],
  outcome,
  labels,
  failed: extra?.failedCalls,
})

describe.skipIf(NO_SAMPLES)('an OTLP export of real traces (needs GRADUS_DATA)', () => {
  it('is the same when it is read, written and read', async () => {
    const { traces } = await readTraces(sampleFile('trace-formats/otlp-tempo/tempo_export_with_batches.json.gz'))
    const [trace] = traces
    if (!trace) throw new Error('no trace')
    expect(written(trace)).toEqual(trace)
  })

  it.each([
    ...sampleFiles('trace-formats/claude-code', /representative|sample_session|todowrite/),
    ...sampleFiles('trace-formats/codex-cli'),
    ...sampleFiles('trace-formats/gemini-cli', /^gemini/),
    ...sampleFiles('trace-formats/openhands', /^basic|wrong/),
    ...sampleFiles('trace-formats/anthropic-managed-agents'),
    sampleFile('trace-formats/atif/multi_tool_trajectory.json'),
    sampleFile('trace-formats/atif/multimodal_trajectory.json'),
  ])('%s: holds steps, pairing and usage', async (path) => {
    const { traces } = await readTraces(path)
    for (const trace of traces) expect(held(written(trace))).toEqual(held(trace))
  })
})

describe('an OTLP export', () => {
  const labels: Label[] = [
    { meaning: 'first-error', value: 1, source: 'judge' },
    { step: 0, meaning: 'correctness', value: 1, source: 'judge', confidence: 0.9 },
    { step: 1, meaning: 'correctness', value: null, reason: 'neutral', classes: { neutral: 1 }, source: 'judge' },
    { step: 3, meaning: 'correctness', value: 0.25, source: 'judge' },
  ]
  const trace: Trace = {
    id: 't',
    problem: { id: 'p', prompt: 'q' },
    steps: [
      { text: 'I look', kind: 'thought' },
      { text: 'f({"a":1})', kind: 'action', action: { tool: 'f', input: { a: 1 }, id: 'c' }, observation: 'r' },
      { text: 'go on', kind: 'observation', agent: 'user' },
      { text: 'done', kind: 'answer' },
    ],
    answer: 'done',
    outcome: 0,
    labels,
    source: { generator: 'm', dataset: 'd', licence: 'MIT' },
  }

  it('says each label as an EVALUATOR span below the span of its step', () => {
    const spans = findAll(otlp.write?.([trace]), (o) => o.spanId !== undefined)
    const named = new Map(spans.map((s) => [s.spanId, s.name]))
    const evaluators = spans.filter((s) => JSON.stringify(s.attributes).includes('EVALUATOR'))
    expect(evaluators.map((s) => [s.name, named.get(s.parentSpanId)])).toEqual([
      ['evaluate first-error', 'invoke_agent'],
      ['evaluate correctness', 'chat m'],
      ['evaluate correctness', 'chat m'],
      ['evaluate correctness', 'chat m'],
    ])
    const chats = spans.filter((s) => s.name === 'chat m').map((s) => s.spanId)
    expect(evaluators.slice(1).map((s) => chats.indexOf(s.parentSpanId))).toEqual([0, 0, 1])
    expect(new Set(spans.map((s) => s.spanId)).size).toBe(spans.length)
  })

  it('gives the labels back, each with its evidence', () => {
    const again = written(trace)
    expect(held(again)).toEqual(held(trace))
    expect(again.evidence?.map((e) => [e.kind, e.source, e.step])).toEqual([
      ['imported', 'judge', null],
      ['imported', 'judge', 0],
      ['imported', 'judge', 1],
      ['imported', 'judge', 3],
    ])
  })

  it('does not count the calls of a judge as calls of the run', () => {
    const [record] = otlp.write?.([trace]) ?? []
    const spans = findAll(record, (o) => o.spanId !== undefined)
    const judge = spans.find((s) => s.name === 'evaluate correctness')
    const scope = findAll(record, (o) => Array.isArray(o.spans))[0]
    scope.spans.push({
      traceId: judge.traceId,
      spanId: 'judge',
      parentSpanId: judge.spanId,
      startTimeUnixNano: '9000000000',
      attributes: [
        { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
        { key: 'gen_ai.usage.input_tokens', value: { intValue: '50' } },
        {
          key: 'gen_ai.output.messages',
          value: { stringValue: '[{"role":"assistant","parts":[{"type":"text","content":"wrong"}]}]' },
        },
      ],
    })
    const [again] = otlp.read([record], testAt())
    expect(again?.steps.map((s) => s.text)).toEqual(trace.steps.map((s) => s.text))
    expect(again?.usage).toBeUndefined()
  })
})
