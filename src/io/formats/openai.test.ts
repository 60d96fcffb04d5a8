import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../read.ts'
import { FORMATS } from './index.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { counts, NO_SAMPLES, readSample, sampleFile, sampleFiles, sampleJson, testAt } from './samples.testing.ts'

const chat = sampleFiles('trace-formats/openai-chat')
const responses = sampleFiles('trace-formats/openai-responses', /^(?!openai-error).*json$/)

/** What a chat file can hold of a trace. */
const held = ({ problem, steps, answer, usage }: Trace): unknown => ({ problem, steps, answer, usage })

describe.skipIf(NO_SAMPLES)('openai-chat on real bodies (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(chat).toHaveLength(12))

  it.each(chat)('%s: every call, text and token once', async (path) => {
    const { trace } = await readSample(path, openaiChat)
    const body = sampleJson(path)
    const message = body.choices[0].message
    expect(counts(trace).actions).toBe(message.tool_calls?.length ?? 0)
    expect(trace.steps.filter((s) => s.action).map((s) => s.action?.id)).toEqual(
      (message.tool_calls ?? []).map((c: { id: string }) => c.id),
    )
    expect(trace.usage).toMatchObject({ calls: 1, promptTokens: body.usage.prompt_tokens })
    expect((trace.usage?.promptTokens ?? 0) + (trace.usage?.completionTokens ?? 0)).toBe(body.usage.total_tokens)
    expect(trace.source.generator).toBe(body.model)
  })

  it.each(chat)('%s: written and read again it is the same', async (path) => {
    const { traces } = await readTraces(path)
    const again = openaiChat.write?.(traces).flatMap((r) => openaiChat.read(r, testAt()))
    expect(again).toEqual(traces)
  })

  it('keeps reasoning apart from text, wherever a provider puts it', async () => {
    const beside = await readSample(sampleFile('trace-formats/openai-chat/deepseek-reasoning.json'), openaiChat)
    expect(beside.trace.steps.map((s) => [s.kind, s.origin])).toEqual([
      ['thought', '0.0 reasoning'],
      ['answer', '0.1'],
    ])
    const inside = await readSample(sampleFile('trace-formats/openai-chat/mistral-reasoning.json'), openaiChat)
    expect(inside.trace.steps.map((s) => s.text)).toEqual([
      'The user is asking for 2+2. This is basic arithmetic. 2+2=4.',
      '2 + 2 = 4',
    ])
  })
})

describe('openai-chat', () => {
  const record = {
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it?' },
          { type: 'image_url', image_url: { url: 'a.png' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'g', arguments: '{"x":' } },
        ],
      },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'assistant', content: 'done' },
    ],
    tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } }],
  }

  it('reads {messages, tools} and pairs by tool_call_id', () => {
    const odd: string[] = []
    const [trace] = openaiChat.read(record, { ...testAt(), odd: (name) => odd.push(name) })
    expect(trace?.steps.map((s) => [s.action?.tool ?? s.kind, s.action?.input, s.observation])).toEqual([
      ['f', { x: 1 }, 'one'],
      ['g', '{"x":', 'two'],
      ['answer', undefined, undefined],
    ])
    expect(trace?.problem.context?.map((c) => c.kind)).toEqual(['documents', 'images', 'tools'])
    expect(odd).toEqual(['arguments are not JSON'])
  })

  it('writes what it read', () => {
    const traces = openaiChat.read(record, testAt())
    const again = (openaiChat.write?.(traces) ?? []).flatMap((r) => openaiChat.read(r, testAt()))
    expect(again.map((t) => ({ ...(held(t) as object), steps: t.steps.map((s) => ({ ...s, origin: '' })) }))).toEqual(
      traces.map((t) => ({ ...(held(t) as object), steps: t.steps.map((s) => ({ ...s, origin: '' })) })),
    )
    const [written] = openaiChat.write?.(traces) ?? []
    expect(written).toMatchObject({
      tools: record.tools,
      messages: [record.messages[0], record.messages[1], {}, {}, {}, {}],
    })
  })

  it('joins the chunks of an event stream, tool calls by index', () => {
    const chunk = (delta: object, usage?: object): string =>
      `data: ${JSON.stringify({ id: 'r', model: 'm', choices: [{ index: 0, delta }], ...(usage && { usage }) })}\n\n`
    const piece = (index: number, args: string, more: object = {}): object => ({
      tool_calls: [
        { index, ...more, function: { ...(Object.keys(more).length > 0 && { name: `f${index}` }), arguments: args } },
      ],
    })
    const text = [
      chunk({ role: 'assistant', content: 'I ' }),
      chunk({ content: 'look' }),
      chunk(piece(0, '{"a"', { id: 'a' })),
      chunk(piece(1, '', { id: 'b' })),
      chunk(piece(0, ':1}')),
      chunk({}, { prompt_tokens: 4, completion_tokens: 6, total_tokens: 10 }),
      'data: [DONE]\n\n',
    ].join('')
    for (const record of [text, { status: 200, headers: {}, body: text }]) {
      const sample = { path: 'x', container: 'text' as const, records: [record], head: text }
      expect(FORMATS.filter((f) => f.detect(sample) > 0.5).map((f) => f.name)).toEqual(['openai-chat'])
      const [trace] = openaiChat.read(record, testAt())
      expect(trace?.steps.map((s) => [s.text, s.action?.id, s.action?.input])).toEqual([
        ['I look', undefined, undefined],
        ['f0({"a":1})', 'a', { a: 1 }],
        ['f1({})', 'b', {}],
      ])
      expect(trace?.usage).toMatchObject({ calls: 1, promptTokens: 4, completionTokens: 6 })
    }
  })

  it('gives a trace for each choice and counts the usage once', () => {
    const traces = openaiChat.read(
      {
        id: 'r',
        choices: [{ message: { role: 'assistant', content: 'a' } }, { message: { role: 'assistant', content: 'b' } }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      },
      testAt(),
    )
    expect(traces.map((t) => [t.id, t.answer, t.usage?.promptTokens])).toEqual([
      ['r', 'a', 3],
      ['r-1', 'b', undefined],
    ])
  })
})

describe.skipIf(NO_SAMPLES)('openai-responses on real bodies (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(responses).toHaveLength(19))

  it.each(responses)('%s: every call and token once', async (path) => {
    const { trace, report } = await readSample(path, openaiResponses)
    const body = sampleJson(path)
    const types: string[] = body.output.map((item: { type: string }) => item.type)
    const calls = types.filter((type) => /_call$|^mcp_approval_request$|^program$/.test(type)).length
    expect(counts(trace).actions).toBe(calls)
    expect(counts(trace).observed + (report.oddities['call without result']?.count ?? 0)).toBe(calls)
    expect(report.oddities['result without call']).toBeUndefined()
    expect(report.oddities['unknown part']).toBeUndefined()
    expect(trace.usage).toMatchObject({
      calls: 1,
      promptTokens: body.usage.input_tokens,
      completionTokens: body.usage.output_tokens,
      cachedTokens: body.usage.input_tokens_details.cached_tokens,
    })
    expect(trace.answer !== undefined).toBe(types.at(-1) === 'message')
  })

  it('pairs by call_id, and hosted tools with their own output', async () => {
    const hosted = await readSample(
      sampleFile('trace-formats/openai-responses/openai-mcp-tool-approval.4.json'),
      openaiResponses,
    )
    expect(counts(hosted.trace)).toEqual({ thoughts: 1, actions: 1, observed: 1, others: 0 })
    expect(hosted.trace.steps[0]?.observation).toMatch(/^✅ Short URL created/)
    const search = await readSample(
      sampleFile('trace-formats/openai-responses/openai-tool-search.1.json'),
      openaiResponses,
    )
    expect(search.trace.steps.map((s) => [s.action?.tool, s.observation !== undefined])).toEqual([
      ['tool_search', true],
      ['get_weather', false],
    ])
  })

  it('says that an error object is no trace', async () => {
    await expect(readTraces(sampleFile('trace-formats/openai-responses/openai-error.1.json'))).rejects.toMatchObject({
      code: 'GRD-IO-012',
    })
  })
})

describe('openai-responses', () => {
  it('takes the whole response from the last event of a stream', () => {
    const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: '["done"]' }] }]
    const response = { id: 'resp_1', object: 'response', input: '["a text"]', output }
    const text = ['response.created', 'response.completed']
      .map((type) => `event: ${type}\ndata: ${JSON.stringify({ type, response })}\n\n`)
      .join('')
    const sample = { path: 'x', container: 'text' as const, records: [text], head: text }
    expect(FORMATS.filter((f) => f.detect(sample) > 0.5).map((f) => f.name)).toEqual(['openai-responses'])
    const [trace] = openaiResponses.read(text, testAt())
    expect(trace).toMatchObject({ answer: '["done"]', problem: { prompt: '["a text"]' } })
  })

  it('pairs function calls with outputs in the input of the next request', () => {
    const [trace] = openaiResponses.read(
      {
        object: 'response',
        instructions: 'be brief',
        input: [
          { role: 'user', content: 'q' },
          { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
          { type: 'function_call_output', call_id: 'call_1', output: 'r' },
        ],
        output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] }],
      },
      testAt(),
    )
    expect(trace?.problem.prompt).toBe('q')
    expect(trace?.steps.map((s) => [s.kind, s.observation])).toEqual([
      ['action', 'r'],
      ['answer', undefined],
    ])
  })
})
