import { describe, expect, it } from 'vitest'
import { anthropicManagedAgents } from './anthropic-managed-agents.ts'
import { anthropicMessages } from './anthropic-messages.ts'
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
  testAt,
} from './samples.testing.ts'

const messages = sampleFiles('trace-formats/anthropic-messages')
const sessions = sampleFiles('trace-formats/anthropic-managed-agents')

/** Blocks and usage of a body, by a count of its own: events of a stream are counted by their starts. */
function truth(path: string): { uses: number; results: number; input: number; output: number } {
  const file = sampleJson(path)
  const events: Loose[] = []
  const body: string | undefined = file.body
  if (body?.startsWith('event:')) {
    for (const line of body.split('\n')) if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)))
  }
  const whole = body === undefined ? file : events.length > 0 ? events : JSON.parse(body)
  const usage = events.length > 0 ? events.findLast((e) => e.usage).usage : whole.usage
  const rounds: Loose[] = usage.iterations ?? [events.length > 0 ? { ...events[0].message.usage, ...usage } : usage]
  return {
    uses: findAll(whole, (o) => /tool_use$/.test(o.type)).filter((o) => o.id !== undefined).length,
    results: findAll(whole, (o) => /tool_result$/.test(o.type)).length,
    input: rounds.reduce(
      (sum, u) => sum + u.input_tokens + (u.cache_read_input_tokens ?? 0) + (u.cache_creation_input_tokens ?? 0),
      0,
    ),
    output: rounds.reduce((sum, u) => sum + u.output_tokens, 0),
  }
}

describe.skipIf(NO_SAMPLES)('anthropic-messages on real bodies, recordings and streams (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(messages).toHaveLength(23))

  it.each(messages)('%s: every block paired, usage once', async (path) => {
    const { trace, report } = await readSample(path, anthropicMessages)
    const { uses, results, input, output } = truth(path)
    expect(counts(trace).actions).toBe(uses)
    expect(counts(trace).observed).toBe(results)
    expect(report.oddities['result without call']).toBeUndefined()
    expect(report.oddities['unknown part']).toBeUndefined()
    expect([trace.usage?.promptTokens, trace.usage?.completionTokens]).toEqual([input, output])
  })

  it.each(messages)('%s: written and read again it is the same', async (path) => {
    const { trace } = await readSample(path, anthropicMessages)
    const again = (anthropicMessages.write?.([trace]) ?? []).flatMap((r) => anthropicMessages.read(r, testAt()))
    expect(again.map(withoutOrigin)).toEqual([trace].map(withoutOrigin))
    if (!trace.steps.some((s) => s.observation !== undefined) && trace.steps[0]?.origin === '0.0') {
      expect(again).toEqual([trace])
    }
  })

  it('joins a stream to what the same request gave without one', async () => {
    const [streamed, whole] = await Promise.all(
      ['streaming', 'non-streaming'].map((kind) =>
        readSample(sampleFile(`trace-formats/anthropic-messages/reasoning-tool-use-${kind}.json`), anthropicMessages),
      ),
    )
    expect(streamed?.trace.steps.map((s) => [s.kind, s.action?.tool, s.action?.input])).toEqual(
      whole?.trace.steps.map((s) => [s.kind, s.action?.tool, s.action?.input]),
    )
    expect(streamed?.trace.usage).toEqual(whole?.trace.usage)
  })

  it('reads a refusal as a trace without steps', async () => {
    const { trace, report } = await readSample(
      sampleFile('trace-formats/anthropic-messages/anthropic-refusal.json'),
      anthropicMessages,
    )
    expect(trace.steps).toEqual([])
    expect(trace.extra?.stop_reason).toBe('refusal')
    expect(report.oddities['no steps']?.count).toBe(1)
  })
})

const withoutOrigin = (trace: Loose): unknown => ({
  ...trace,
  steps: trace.steps.map((s: Loose) => ({ ...s, origin: s.origin.replace(/\d+\.\d+/, '') })),
})

describe('anthropic-messages', () => {
  it('reads a request with its history, tool results in user messages', () => {
    const [trace] = anthropicMessages.read(
      {
        system: 'be brief',
        messages: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }] },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't', content: 'bad', is_error: true },
              { type: 'text', text: 'go on' },
            ],
          },
          { role: 'assistant', content: 'done' },
        ],
      },
      testAt(),
    )
    expect(trace?.steps.map((s) => [s.kind, s.observation ?? s.text])).toEqual([
      ['action', 'bad'],
      ['observation', 'go on'],
      ['answer', 'done'],
    ])
    expect(trace?.extra).toEqual({ failedCalls: [0] })
  })
})

describe.skipIf(NO_SAMPLES)('anthropic-managed-agents on real sessions (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(sessions).toHaveLength(4))

  it.each(sessions)('%s: events that were sent and streamed count once', async (path) => {
    const { trace, report } = await readSample(path, anthropicManagedAgents)
    const streamed = sampleLines(path)
      .filter(([method]) => method.endsWith('.stream'))
      .map(([, event]) => event)
    const ofType = (type: RegExp): Loose[] => streamed.filter((e) => type.test(e.type))
    expect(counts(trace)).toEqual({
      thoughts: ofType(/^agent.message$/).length,
      actions: ofType(/tool_use$/).length,
      observed: ofType(/tool_result$/).length,
      others: ofType(/^user.message$/).length - 1,
    })
    expect(counts(trace).observed).toBe(counts(trace).actions)
    const calls = ofType(/^span.model_request_end$/).map((e) => e.model_usage)
    const sum = (field: string): number => calls.reduce((total, u) => total + u[field], 0)
    expect(trace.usage).toMatchObject({
      calls: calls.length,
      promptTokens: sum('input_tokens') + sum('cache_read_input_tokens') + sum('cache_creation_input_tokens'),
      completionTokens: sum('output_tokens'),
    })
    expect(report.oddities['call without result']).toBeUndefined()
  })
})
