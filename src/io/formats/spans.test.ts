import { describe, expect, it } from 'vitest'
import { readTraces } from '../read.ts'
import type { Message } from './conversation.ts'
import { jaeger } from './jaeger.ts'
import { langfuse } from './langfuse.ts'
import { langsmith } from './langsmith.ts'
import { unwrapJson } from './loose.ts'
import { mastra } from './mastra.ts'
import { readMessages } from './messages.ts'
import { otlp } from './otlp.ts'
import {
  counts,
  findAll,
  type Loose,
  NO_SAMPLES,
  readSample,
  sampleFile,
  sampleFiles,
  sampleJson,
  sum,
  testAt,
} from './samples.testing.ts'
import { unindexed } from './span.ts'
import { aiSdkSpans, openinference, otelGenai } from './span-formats.ts'

const tempo = sampleFile('trace-formats/otlp-tempo/tempo_export_with_batches.json.gz')

describe.skipIf(NO_SAMPLES)('otlp on a real export (needs GRADUS_DATA)', () => {
  it('counts the usage of three nested spans once and pairs the tool by its id', async () => {
    const { trace, report } = await readSample(tempo, otlp)
    const spans = findAll(sampleJson(tempo), (o) => typeof o.spanId === 'string')
    const attribute = (span: Loose, key: string): Loose => span.attributes.find((a: Loose) => a.key === key)?.value
    const chats = spans.filter((s) => s.name === 'openai.chat')
    const outer = spans.filter((s) => s.name === 'call_llm')
    const tokens = (list: Loose[], key: string): number =>
      list.reduce((n, s) => n + Number(attribute(s, key).intValue), 0)
    expect(chats).toHaveLength(outer.length)
    expect(trace.usage).toMatchObject({
      calls: outer.length,
      promptTokens: tokens(outer, 'gen_ai.usage.input_tokens'),
      completionTokens: tokens(outer, 'gen_ai.usage.output_tokens'),
    })
    const runs = spans.filter((s) => s.name.startsWith('execute_tool'))
    expect(counts(trace)).toEqual({ thoughts: 1, actions: runs.length, observed: runs.length, others: 0 })
    expect(trace.steps[0]?.action).toMatchObject({
      tool: 'helm_list_releases',
      id: attribute(runs[0], 'gen_ai.tool.call.id').stringValue,
    })
    expect(trace.steps[0]?.observation).toMatch(/^NAME {7}\tNAMESPACE/)
    expect(trace.problem.prompt).toBe('list all helm releases\n')
    expect(report.oddities).toEqual({})
  })

  it('reads the same from the envelope of the specification, also over several lines', async () => {
    const { trace } = await readSample(tempo, otlp)
    const resourceSpans = sampleJson(tempo).batches.map(({ resource, instrumentationLibrarySpans }: Loose) => ({
      resource,
      scopeSpans: instrumentationLibrarySpans.map(({ instrumentationLibrary, spans }: Loose) => ({
        scope: instrumentationLibrary,
        spans,
      })),
    }))
    expect(otlp.read([{ resourceSpans }], testAt())).toEqual([trace])
    const lines = resourceSpans.map((one: Loose) => ({ resourceSpans: [one] }))
    expect(otlp.read(lines, testAt())).toEqual([trace])
  })
})

describe('otlp', () => {
  const span = (spanId: string, parentSpanId: string, start: number, attributes: Record<string, unknown>): object => ({
    traceId: 't',
    spanId,
    parentSpanId,
    startTimeUnixNano: `177755505376${start}000000`,
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
    })),
  })
  const usage = { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 2 }
  const said = (role: string, ...parts: object[]): object => ({ role, parts })
  const call = { type: 'tool_call', id: 'c', name: 'f', arguments: { a: 1 } }
  const question = said('user', { type: 'text', content: 'q' })
  const envelope = (...spans: object[]): object[] => [{ resourceSpans: [{ scopeSpans: [{ spans }] }] }]

  it('tells a run of two calls and a tool once, by the current convention', () => {
    const [trace] = otlp.read(
      envelope(
        span('agent', '', 1, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper', ...usage }),
        span('second', 'agent', 4, {
          'gen_ai.operation.name': 'chat',
          'gen_ai.input.messages': JSON.stringify([
            question,
            said('assistant', call),
            said('tool', { type: 'tool_call_response', id: 'c', response: 'r' }),
          ]),
          'gen_ai.output.messages': JSON.stringify([said('assistant', { type: 'text', content: 'done' })]),
          ...usage,
        }),
        span('tool', 'agent', 3, {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'f',
          'gen_ai.tool.call.id': 'c',
          'gen_ai.tool.call.result': 'raw r',
        }),
        span('first', 'agent', 2, {
          'gen_ai.operation.name': 'chat',
          'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: 'be brief' }]),
          'gen_ai.input.messages': JSON.stringify([question]),
          'gen_ai.output.messages': JSON.stringify([said('assistant', call)]),
          ...usage,
        }),
      ),
      testAt(),
    )
    expect(trace?.problem).toMatchObject({ prompt: 'q', context: [{ documents: [{ text: 'be brief' }] }] })
    expect(trace?.steps.map((s) => [s.kind, s.agent, s.origin, s.observation])).toEqual([
      ['action', 'helper', 'first.0', 'r'],
      ['answer', 'helper', 'second.0', undefined],
    ])
    expect(trace?.usage).toMatchObject({ calls: 2, promptTokens: 20, completionTokens: 4 })
  })

  it('takes the output of the tool span where no model was told it, and keeps runs that no model asked for', () => {
    const [trace] = otlp.read(
      envelope(
        span('first', '', 1, {
          'gen_ai.operation.name': 'chat',
          'gen_ai.output.messages': JSON.stringify([said('assistant', call)]),
          ...usage,
        }),
        span('asked', '', 2, {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'f',
          'gen_ai.tool.call.id': 'c',
          output: 'r',
        }),
        span('alone', '', 3, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'g', output: 's' }),
      ),
      testAt(),
    )
    expect(trace?.steps.map((s) => [s.action?.tool, s.action?.id, s.observation])).toEqual([
      ['f', 'c', 'r'],
      ['g', undefined, 's'],
    ])
  })

  it('pairs an id that is used again with the call of its turn', () => {
    const told = (output: string): object => said('tool', { type: 'tool_call_response', id: 'c', response: output })
    const chat = (id: string, start: number, history: object[], ...out: object[]): object =>
      span(id, '', start, {
        'gen_ai.operation.name': 'chat',
        'gen_ai.input.messages': JSON.stringify(history),
        'gen_ai.output.messages': JSON.stringify([said('assistant', ...out)]),
        ...usage,
      })
    const asked = said('assistant', call)
    const [trace] = otlp.read(
      envelope(
        chat('1', 1, [question], call),
        chat('2', 2, [question, asked, told('one')], call),
        chat('3', 3, [question, asked, told('one'), asked, told('two')], { type: 'text', content: 'done' }),
      ),
      testAt(),
    )
    expect(trace?.steps.map((s) => [s.action?.id, s.observation ?? s.text])).toEqual([
      ['c', 'one'],
      ['c', 'two'],
      [undefined, 'done'],
    ])
  })

  it('reads spans whose parents go in a circle', () => {
    const chat = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.output.messages': JSON.stringify([said('assistant', call)]),
      ...usage,
    }
    const traces = otlp.read(envelope(span('a', 'b', 1, chat), span('b', 'c', 2, {}), span('c', 'a', 3, {})), testAt())
    expect(traces[0]?.usage?.calls).toBe(1)
  })

  it('refuses spans of nothing but HTTP', () => {
    const http = envelope(span('a', '', 1, { 'http.method': 'GET' }))
    expect(() => otlp.read(http, testAt())).toThrow(expect.objectContaining({ code: 'GRD-IO-012' }))
  })
})

describe('flattened keys', () => {
  it('are ordered as numbers', () => {
    const keys = Object.fromEntries([2, 10, 0, 1].map((i) => [`p.${i}.message.content`, `${i}`]))
    expect(unindexed(keys, 'p.')).toEqual(['0', '1', '2', '10'].map((content) => ({ content })))
  })
})

describe.skipIf(NO_SAMPLES)('jaeger on real traces (needs GRADUS_DATA)', () => {
  it.each(sampleFiles('trace-formats/jaeger'))('%s: usage of the model calls once', async (path) => {
    const { trace } = await readSample(path, jaeger)
    const spans = findAll(sampleJson(path), (o) => typeof o.operationName === 'string')
    const outer = spans.filter((s) => s.operationName === 'call_llm')
    const tag = (key: string): number =>
      outer.reduce((n, s) => n + Number(s.tags.find((t: Loose) => t.key === key).value), 0)
    expect(trace.usage).toMatchObject({
      calls: outer.length,
      promptTokens: tag('gen_ai.usage.input_tokens'),
      completionTokens: tag('gen_ai.usage.output_tokens'),
    })
    expect(counts(trace).actions).toBe(spans.filter((s) => s.operationName.startsWith('execute_tool')).length)
    expect(trace.answer).toBe(
      spans.flatMap((s) => s.tags).find((t: Loose) => t.key === 'gen_ai.completion.0.content').value,
    )
  })
})

describe.skipIf(NO_SAMPLES)('attribute maps (needs GRADUS_DATA)', () => {
  const steps = [
    ['thought', undefined, 'Absolutely! Let me check the weather for you.'],
    ['action', 'rainy, 57°F', 'get_weather({"location":"Paris"})'],
    ['answer', undefined, 'The weather in Paris is currently rainy with a temperature of 57°F.'],
  ]
  it.each([
    ['otel-genai/otel_genai_client_span_tool_calls.json', otelGenai],
    ['otel-genai/otel_genai_deprecated_client_span_tool_calls.json', otelGenai],
    ['openinference/openinference_client_span_tool_calls.json', openinference],
    ['openinference/openinference_client_span_input_output_only.json', openinference],
  ])('%s: the same run in another convention', async (file, format) => {
    const { trace } = await readSample(sampleFile('trace-formats', file), format)
    expect(trace.steps.map((s) => [s.kind, s.observation, s.text])).toEqual(steps)
    expect(trace.problem.prompt).toBe('Weather in Paris?')
    expect(trace.usage).toMatchObject({ calls: 1, promptTokens: 97, completionTokens: 52 })
  })

  it('reads a tool span alone', async () => {
    const { trace } = await readSample(
      sampleFile('trace-formats/otel-genai/otel_genai_tool_execution_span.json'),
      otelGenai,
    )
    expect(trace.steps).toMatchObject([
      { kind: 'action', action: { tool: 'get_weather', id: '1234', input: { city: 'New York' } } },
    ])
    expect(trace.steps[0]?.observation).toMatch(/^{"status": "success"/)
  })
})

describe('spans one by one', () => {
  it('tells a run of the AI SDK with a tool', () => {
    const span = (spanId: string, parentId: string | undefined, at: number, attributes: object): object => ({
      name: spanId,
      parentId,
      spanContext: { traceId: 't', spanId },
      startTime: [at, 0],
      endTime: [at, 5],
      attributes,
    })
    const question = { role: 'user', content: [{ type: 'text', text: 'q' }] }
    const asked = { type: 'tool-call', toolCallId: 'c', toolName: 'f', input: { a: 1 } }
    const told = { type: 'tool-result', toolCallId: 'c', toolName: 'f', output: { type: 'text', value: 'r' } }
    const usage = { 'ai.usage.inputTokens': 5, 'ai.usage.outputTokens': 2 }
    const inner = { 'ai.operationId': 'ai.generateText.doGenerate', ...usage }
    const records = [
      span('outer', undefined, 1, {
        'ai.operationId': 'ai.generateText',
        'ai.response.text': 'done',
        'ai.usage.inputTokens': 10,
        'ai.usage.outputTokens': 4,
      }),
      span('first', 'outer', 2, {
        ...inner,
        'ai.prompt.messages': JSON.stringify([question]),
        'ai.response.toolCalls': JSON.stringify([asked]),
      }),
      span('tool', 'outer', 3, {
        'ai.operationId': 'ai.toolCall',
        'ai.toolCall.name': 'f',
        'ai.toolCall.id': 'c',
        'ai.toolCall.args': '{"a":1}',
        'ai.toolCall.result': '"r"',
      }),
      span('second', 'outer', 4, {
        ...inner,
        'ai.prompt.messages': JSON.stringify([
          question,
          { role: 'assistant', content: [asked] },
          { role: 'tool', content: [told] },
        ]),
        'ai.response.text': 'done',
      }),
    ]
    const [trace] = aiSdkSpans.read(records, testAt())
    expect(trace?.steps.map((s) => [s.action?.id, s.action?.input, s.observation ?? s.text])).toEqual([
      ['c', { a: 1 }, 'r'],
      [undefined, undefined, 'done'],
    ])
    expect(trace?.usage).toMatchObject({ calls: 2, promptTokens: 10, completionTokens: 4 })
  })

  it('reads OpenInference attributes that are a tree instead of dotted keys', () => {
    const attributes = {
      openinference: { span: { kind: 'LLM' } },
      llm: {
        token_count: { prompt: 3, completion: 2 },
        input_messages: [{ message: { role: 'user', content: 'q' } }],
        output_messages: [
          {
            message: {
              role: 'assistant',
              tool_calls: [{ tool_call: { id: 'c', function: { name: 'f', arguments: '{}' } } }],
            },
          },
        ],
      },
    }
    const record = {
      name: 'llm',
      context: { trace_id: 't', span_id: 's' },
      parent_id: null,
      start_time: '2025-01-01T00:00:00Z',
      attributes,
    }
    const sample = { path: 'x', container: 'jsonl' as const, records: [record], head: '' }
    expect(openinference.detect(sample)).toBe(1)
    const [trace] = openinference.read([record], testAt())
    expect(trace).toMatchObject({ id: 't', problem: { prompt: 'q' }, steps: [{ action: { tool: 'f', id: 'c' } }] })
    expect(trace?.usage).toMatchObject({ calls: 1, promptTokens: 3, completionTokens: 2 })
  })
})

describe.skipIf(NO_SAMPLES)('ai-sdk-spans (needs GRADUS_DATA)', () => {
  it.each(sampleFiles('trace-formats/ai-sdk-otel-spans'))('%s: inner and outer span are one call', async (path) => {
    const { traces } = await readSample(path, aiSdkSpans)
    const spans: Loose[] = sampleJson(path).filter((s: Loose) => !/embed/.test(s.name))
    const inner = spans.filter((s) => /\.do[A-Z]/.test(s.name))
    const calls = (inner.length > 0 ? inner : spans).map((s) => s.attributes)
    expect(traces.map((t) => t.answer)).toEqual(calls.map((a) => a['ai.response.text'] ?? a['ai.response.object']))
    const usages = traces.map((t) => t.usage)
    expect(sum(usages, 'calls')).toBe(calls.length)
    expect(sum(usages, 'promptTokens')).toBe(sum(calls, 'ai.usage.promptTokens') + sum(calls, 'ai.usage.inputTokens'))
    expect(sum(usages, 'completionTokens')).toBe(
      sum(calls, 'ai.usage.completionTokens') + sum(calls, 'ai.usage.outputTokens'),
    )
  })
})

describe.skipIf(NO_SAMPLES)('langsmith on real batches (needs GRADUS_DATA)', () => {
  const files = sampleFiles('trace-formats/langsmith')
  it('there are samples', () => expect(files).toHaveLength(8))

  it.each(files)('%s: post and patch are one run', async (path) => {
    const { traces, trace } = await readSample(path, langsmith)
    const { post, patch } = sampleJson(path)
    expect(traces.map((t) => t.id)).toEqual([post[0].id])
    expect(trace.problem.prompt).toBe(post[0].inputs.messages[0].content)
    expect(trace.answer).toBe(patch[0].outputs.choices[0].message.content)
    const usage = patch[0].outputs.usage_metadata
    expect(trace.usage?.promptTokens).toBe(usage?.input_tokens)
    expect(trace.usage?.completionTokens).toBe(usage?.output_tokens)
  })

  it('tells a tree of runs in the order of dotted_order', () => {
    const run = (id: string, run_type: string, dotted_order: string, inputs: object, outputs: object): object => ({
      id,
      trace_id: 'root',
      name: id,
      run_type,
      dotted_order,
      inputs,
      outputs,
    })
    const calls = [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }]
    const asked = { role: 'user', content: 'q' }
    const told = [
      asked,
      { role: 'assistant', content: '', tool_calls: calls },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ]
    const choice = (message: object): object => ({
      choices: [{ message: { role: 'assistant', ...message } }],
      usage_metadata: { input_tokens: 1, output_tokens: 1 },
    })
    const runs = [
      run('llm2', 'llm', '1Zroot.4Zllm2', { messages: told }, choice({ content: 'done' })),
      run('root', 'chain', '1Zroot', {}, {}),
      run('look', 'tool', '1Zroot.3Zlook', { input: '{}' }, { output: 'r' }),
      run('llm1', 'llm', '1Zroot.2Zllm1', { messages: [asked] }, choice({ content: '', tool_calls: calls })),
    ]
    const [trace] = langsmith.read([{ post: runs, patch: [] }], testAt())
    expect(trace?.steps.map((s) => s.observation ?? s.text)).toEqual(['r', 'done'])
    expect(trace?.usage?.calls).toBe(2)
  })
})

describe.skipIf(NO_SAMPLES)('mastra on a real trace (needs GRADUS_DATA)', () => {
  it('adds the usage of the steps, not of the generation over them', async () => {
    const path = sampleFile('trace-formats/mastra/tool-metadata-trace.json')
    const { trace } = await readSample(path, mastra)
    const steps = findAll(sampleJson(path), (o) => o.type === 'model_step').map((s) => s.attributes.usage)
    expect(trace.usage).toMatchObject({
      calls: steps.length,
      promptTokens: sum(steps, 'inputTokens'),
      completionTokens: sum(steps, 'outputTokens'),
    })
    expect(trace.steps.map((s) => [s.action?.id, s.observation ?? s.text])).toEqual([
      ['call-metadata-1', '{"output":"Processed: some data"}'],
      [undefined, 'Mock V2 stream response'],
    ])
    expect(trace.problem.prompt).toBe('Use metadata tool to process some data')
  })
})

const exported = sampleFiles('trace-formats/langfuse', /trace\.json(\.gz)?$/)

describe.skipIf(NO_SAMPLES)('langfuse on real exports (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(exported).toHaveLength(17))

  it.each(exported)('%s: tokens of the innermost generations, every tool paired', async (path) => {
    const { trace, report } = await readSample(path, langfuse)
    const { observations } = sampleJson(path)
    const generations = observations.filter((o: Loose) => o.type === 'GENERATION' && o.usageDetails?.total > 0)
    const inner = generations.filter((o: Loose) => !generations.some((g: Loose) => g.parentObservationId === o.id))
    expect((trace.usage?.promptTokens ?? 0) + (trace.usage?.completionTokens ?? 0)).toBe(
      inner.reduce((n: number, o: Loose) => n + o.usageDetails.total, 0),
    )
    expect(trace.usage?.calls).toBe(inner.length)
    expect(report.oddities['result without call']).toBeUndefined()
    const tools = observations.filter((o: Loose) => o.type === 'TOOL').length
    expect(counts(trace).observed).toBeGreaterThanOrEqual(tools)
  })

  it("gives each generation the messages that the exporter's own normaliser gives", () => {
    let compared = 0
    for (const path of exported) {
      const { observations } = sampleJson(path)
      const oracle = sampleJson(path.replace(/trace\.json(\.gz)?$/, 'chatml.json'))
      for (const o of observations.filter((o: Loose) => o.type === 'GENERATION')) {
        for (const side of ['input', 'output'] as const) {
          const expected = oracle[o.id]?.[side]
          if (expected?.success !== true || !expected.data.every(isTold)) continue
          const read = readMessages(unwrapJson(o[side]), side === 'input' ? 'user' : 'assistant', testAt())
          expect(read.flatMap(flatten)).toEqual(expected.data.flatMap(flattenOracle))
          compared++
        }
      }
    }
    // of 50 that it could read; the others are what `isTold` leaves out
    expect(compared).toBe(43)
  })

  it.each(exported)('%s: says nothing twice', async (path) => {
    const { trace } = await readSample(path, langfuse)
    const texts = trace.steps.filter((s) => !s.action).map((s) => s.text.trim())
    expect(new Set([trace.problem.prompt, ...texts]).size).toBe(texts.length + 1)
  })

  it('finds the calls that Koog writes into texts', async () => {
    const { trace } = await readSample(sampleFile('trace-formats/langfuse/koog-2025-08-26.trace.json'), langfuse)
    expect(trace.steps.flatMap((s) => (s.action ? [[s.action.tool, s.action.input, s.observation]] : []))).toEqual([
      ['HelloTool', { name: 'Bob' }, 'Hello my darling Bob!'],
      ['ByeTool', { name: 'Bob' }, 'Bye my dear Bob!'],
    ])
  })

  it('does not take the reference files for traces', async () => {
    for (const path of sampleFiles('trace-formats/langfuse', /chatml\.json$/)) {
      await expect(readTraces(path)).rejects.toMatchObject({ code: 'GRD-IO-012' })
    }
  })
})

/** The normaliser leaves what it does not understand under `json`, Koog's written calls as text, and the function
 * response of Gemini as text of the user; there the oracle says nothing. */
const isTold = (m: Loose): boolean =>
  m.role !== undefined &&
  (m.content !== undefined || m.tool_calls !== undefined) &&
  !(typeof m.content === 'string' && (m.content.startsWith('[{"function"') || m.content.startsWith('{"greeting"')))

function flatten(message: Message): string[] {
  return message.parts.map((p) => {
    if (p.type === 'call') return `call ${p.id ?? ''} ${p.name}`
    if (p.type === 'result') return `result ${p.id ?? ''} ${p.output}`
    return 'text' in p ? `${message.role} ${p.text}` : p.type
  })
}

function flattenOracle(m: Loose): string[] {
  const role = m.role === 'model' ? 'assistant' : m.role
  const texts: Loose[] = typeof m.content === 'string' ? [{ text: m.content }] : (m.content ?? [])
  if (role === 'tool') return [`result ${m.tool_call_id ?? ''} ${m.content}`]
  return [
    ...texts
      .filter((t) => t.text !== '')
      .map((t) => (t.type === 'tool_use' ? `call ${t.id} ${t.name}` : `${role} ${t.text}`)),
    ...(m.tool_calls ?? []).map((c: Loose) => `call ${c.id} ${c.name}`),
  ]
}
