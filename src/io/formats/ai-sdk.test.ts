import { describe, expect, it } from 'vitest'
import { aiSdkMessages, aiSdkStream } from './ai-sdk.ts'
import type { Sample } from './format.ts'
import {
  counts,
  type Loose,
  NO_SAMPLES,
  readSample,
  sampleFile,
  sampleFiles,
  sampleJson,
  testAt,
} from './samples.testing.ts'

const streams = sampleFiles('trace-formats/ai-sdk-ui-stream')

describe.skipIf(NO_SAMPLES)('ai-sdk-stream on real streams (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(streams).toHaveLength(3))

  it.each(streams)('%s: deltas joined by id, each call once', async (path) => {
    const { trace, report } = await readSample(path, aiSdkStream)
    const parts: Loose[] = sampleJson(path)
    const of = (type: RegExp): Loose[] => parts.filter((p) => type.test(p.type))
    const ids = [...new Set(of(/^tool-input-start$/).map((p) => p.toolCallId))]
    expect(trace.steps.flatMap((s) => s.action?.id ?? [])).toEqual(ids)
    expect(counts(trace).observed).toBe(of(/^tool-output-available$/).length)
    for (const kind of ['text', 'reasoning']) {
      const deltas = of(new RegExp(`^${kind}-delta$`)).map((p) => p.delta)
      const said = trace.steps.filter(
        (s) => !s.action && / reasoning$/.test(String(s.origin)) === (kind === 'reasoning'),
      )
      expect(said.map((s) => s.text).join('')).toBe(deltas.join(''))
    }
    expect(report.oddities['call without result']?.count ?? 0).toBe(of(/^tool-approval-request$/).length)
  })

  it('takes the joined deltas for the input where no part has it whole', async () => {
    const { trace } = await readSample(
      sampleFile('trace-formats/ai-sdk-ui-stream/react-agent-tool-calling.json'),
      aiSdkStream,
    )
    expect(trace.steps.flatMap((s) => (s.action ? [[s.action.tool, s.action.input]] : []))).toEqual([
      ['get_weather', { city: 'Tokyo', units: 'celsius' }],
      ['get_datetime', { timezone: 'Asia/Tokyo', format: 'full' }],
    ])
  })
})

describe('ai-sdk-stream', () => {
  const parts = [
    { type: 'start', messageId: 'm' },
    { type: 'start-step' },
    { type: 'tool-input-start', toolCallId: 'c', toolName: 'f' },
    { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: '{"a"' },
    { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: ':1}' },
    { type: 'tool-output-error', toolCallId: 'c', errorText: 'bad' },
    { type: 'finish-step' },
    { type: 'finish' },
  ]

  it('reads server-sent events', () => {
    const text = `${parts.map((p) => `data: ${JSON.stringify(p)}\n\n`).join('')}data: [DONE]\n\n`
    const sample: Sample = { path: 'x', container: 'text', records: [text], head: text }
    expect(aiSdkStream.detect(sample)).toBe(1)
    const [trace] = aiSdkStream.read(text, testAt())
    expect(trace).toMatchObject({
      id: 'm',
      steps: [{ action: { tool: 'f', input: { a: 1 }, id: 'c' }, observation: 'bad' }],
      extra: { failedCalls: [0] },
    })
  })
})

describe('ai-sdk-messages', () => {
  it('reads UI messages, whose tool parts hold call and output', () => {
    const messages = [
      { id: '1', role: 'user', parts: [{ type: 'text', text: 'q' }] },
      {
        id: '2',
        role: 'assistant',
        parts: [
          { type: 'step-start' },
          { type: 'reasoning', text: 'hm' },
          { type: 'tool-weather', toolCallId: 'c', state: 'output-available', input: { city: 'P' }, output: { t: 3 } },
          { type: 'dynamic-tool', toolName: 'g', toolCallId: 'd', state: 'output-error', input: {}, errorText: 'bad' },
          { type: 'step-start' },
          { type: 'text', text: 'done' },
        ],
      },
    ]
    expect(aiSdkMessages.oneRecord?.(messages)).toBe(true)
    const [trace] = aiSdkMessages.read(messages, testAt())
    expect(trace?.steps.map((s) => [s.kind, s.action?.tool, s.observation])).toEqual([
      ['thought', undefined, undefined],
      ['action', 'weather', '{"t":3}'],
      ['action', 'g', 'bad'],
      ['answer', undefined, undefined],
    ])
  })

  it('reads model messages', () => {
    const [trace] = aiSdkMessages.read(
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'q' },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'I look' },
              { type: 'tool-call', toolCallId: 'c', toolName: 'f', input: { a: 1 } },
            ],
          },
          {
            role: 'tool',
            content: [
              { type: 'tool-result', toolCallId: 'c', toolName: 'f', output: { type: 'json', value: { b: 2 } } },
            ],
          },
          { role: 'assistant', content: 'done' },
        ],
        usage: { inputTokens: 5, outputTokens: 3, cachedInputTokens: 2 },
      },
      testAt(),
    )
    expect(trace?.steps.map((s) => s.observation ?? s.text)).toEqual(['I look', '{"b":2}', 'done'])
    expect(trace?.usage).toMatchObject({ promptTokens: 5, completionTokens: 3, cachedTokens: 2 })
  })
})
