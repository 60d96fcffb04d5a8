import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { detectFormat, readTraces, sampleOf } from '../read.ts'
import { traceWriter } from '../write.ts'
import { type Conversation, type Message, type Part, traceFromConversation } from './conversation.ts'
import { FORMATS } from './index.ts'
import { NO_SAMPLES, sampleFiles, testAt } from './samples.testing.ts'

/** What a format has no place for; everything else must come back. */
type Lost =
  | 'agent'
  | 'answer'
  | 'cached'
  | 'calls'
  | 'context'
  | 'cost'
  | 'failed'
  | 'labels'
  | 'outcome'
  | 'seconds'
  | 'tools'
  | 'usage'
  | 'reference'

interface Row {
  format: string
  folders: string[]
  lost: Lost[]
  /** Generated conversations do not fit: the format holds no tool calls, no turns of users. */
  generated?: 'none' | 'no turns'
}

/** Bodies of providers: one call, nothing about the run. */
const BODY: Lost[] = ['agent', 'calls', 'cost', 'seconds', 'labels', 'outcome', 'reference']

const ROWS: Row[] = [
  {
    format: 'omegaprm',
    folders: ['prm-format-samples'],
    lost: ['agent', 'context', 'outcome', 'usage'],
    generated: 'none',
  },
  {
    format: 'openai-responses',
    folders: ['trace-formats/openai-responses'],
    lost: ['agent', 'calls', 'cost', 'seconds', 'labels', 'outcome'],
  },
  {
    format: 'ai-sdk-messages',
    folders: [],
    lost: ['agent', 'calls', 'cost', 'seconds', 'labels', 'outcome', 'tools'],
  },
  { format: 'otlp', folders: ['trace-formats/otlp-tempo'], lost: ['cost', 'seconds', 'reference'] },
  { format: 'otel-genai', folders: ['trace-formats/otel-genai'], lost: ['cost', 'seconds', 'reference'] },
  {
    format: 'openinference',
    folders: ['trace-formats/openinference'],
    lost: ['cost', 'seconds', 'reference', 'tools'],
  },
  { format: 'inspect', folders: ['inspect-logs'], lost: ['agent', 'calls', 'cost', 'seconds', 'labels', 'tools'] },
  { format: 'bedrock', folders: ['trace-formats/other-providers'], lost: BODY },
  { format: 'cohere', folders: ['trace-formats/other-providers'], lost: [...BODY, 'failed'] },
  { format: 'gemini', folders: ['trace-formats/other-providers'], lost: BODY },
  {
    format: 'claude-code',
    folders: ['trace-formats/claude-code'],
    lost: ['calls', 'cost', 'seconds', 'labels', 'outcome', 'reference', 'context'],
  },
  { format: 'codex-cli', folders: ['trace-formats/codex-cli'], lost: [...BODY, 'tools'] },
  { format: 'gemini-cli', folders: ['trace-formats/gemini-cli'], lost: [...BODY, 'context'] },
  {
    format: 'swe-agent',
    folders: ['trace-formats/swe-agent', 'swe-agent-trajectories'],
    lost: ['agent', 'cached', 'seconds', 'labels', 'outcome', 'reference', 'tools', 'failed'],
    generated: 'no turns',
  },
  {
    format: 'openhands',
    folders: ['trace-formats/openhands'],
    lost: ['agent', 'calls', 'seconds', 'labels', 'reference', 'tools'],
  },
]

const folder = mkdtempSync(join(tmpdir(), 'gradus-writers-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What came back must be equal; a call without an id may have got one. */
function held(trace: Trace, lost: readonly Lost[], ids = trace.steps): unknown {
  const without = (what: Lost): boolean => lost.includes(what)
  const { problem, usage } = trace
  const context = (problem.context ?? []).filter((c) => !(without('tools') && c.kind === 'tools'))
  return {
    prompt: problem.prompt,
    reference: without('reference') ? undefined : problem.answer,
    context: without('context') ? undefined : context,
    steps: trace.steps.map(({ origin: _, agent, action, ...step }, i) => ({
      ...step,
      ...(!without('agent') && { agent }),
      action: action && {
        tool: action.tool,
        input: action.input,
        ...(ids[i]?.action?.id !== undefined && { id: action.id }),
      },
    })),
    answer: trace.answer,
    outcome: without('outcome') ? undefined : trace.outcome,
    usage:
      without('usage') || !usage
        ? undefined
        : {
            promptTokens: usage.promptTokens,
            completionTokens: usage.completionTokens,
            calls: without('calls') ? undefined : usage.calls,
            cachedTokens: without('cached') ? undefined : usage.cachedTokens,
            seconds: without('seconds') ? undefined : usage.seconds,
            cost: without('cost') ? undefined : usage.cost,
          },
    labels: without('labels') ? undefined : trace.labels,
    failed: without('failed') ? undefined : trace.extra?.failedCalls,
  }
}

/** Writes the traces to a file as a person would, and reads what stands there by its content alone. */
async function thereAndBack(traces: readonly Trace[], name: string): Promise<Trace[]> {
  const format = FORMATS.find((f) => f.name === name)
  if (!format) throw new Error(name)
  const path = join(folder, `${name}.${format.container === 'text' ? 'txt' : format.container}`)
  const writer = await traceWriter(path, format)
  await writer.write(traces)
  await writer.close()
  expect(detectFormat(await sampleOf(path), path).name).toBe(name)
  const { traces: again, report } = await readTraces(path)
  expect(report.rejected.map((e) => e.message)).toEqual([])
  return again
}

async function expectSame(traces: readonly Trace[], { format, lost }: Row): Promise<void> {
  const single = FORMATS.find((f) => f.name === format)?.single === true
  for (const part of single ? traces.map((t) => [t]) : [traces]) {
    const again = await thereAndBack(part, format)
    expect(again.map((t, i) => held(t, lost, part[i]?.steps))).toEqual(part.map((t) => held(t, lost)))
  }
}

/** Samples that are recognised as the format, with their traces. */
async function tracesIn(path: string, format: string): Promise<Trace[]> {
  const recognised = FORMATS.find((f) => f.name === format)?.detect(await sampleOf(path)) ?? 0
  return recognised > 0.5 ? (await readTraces(path, { format })).traces : []
}

describe.skipIf(NO_SAMPLES)('real samples, written in their own format and read again (needs GRADUS_DATA)', () => {
  it.each(ROWS.filter((row) => row.folders.length > 0))('$format', async (row) => {
    let held = 0
    for (const path of row.folders.flatMap((name) => sampleFiles(name))) {
      const traces = await tracesIn(path, row.format)
      if (traces.length === 0) continue
      await expectSame(traces, row)
      held += traces.length
    }
    expect(held).toBeGreaterThan(0)
  })
})

const said = fc.string({ minLength: 1, maxLength: 12 }).map((s) => `said ${s}.`)
const turn = fc.record({
  before: fc.option(said, { nil: undefined }),
  calls: fc.array(fc.record({ name: fc.constantFrom('f', 'g'), value: said, output: said }), { maxLength: 3 }),
  after: fc.option(said, { nil: undefined }),
})

const text = (t: string): Part => ({ type: 'text', text: t })

/** Text, parallel calls whose results come in any order, and turns of the user; told apart by their numbers. */
const conversations = fc
  .record({
    prompt: said,
    turns: fc.array(turn, { minLength: 1, maxLength: 4 }),
    end: fc.option(said),
    backwards: fc.boolean(),
  })
  .map(({ prompt, turns, end, backwards }) => (users: boolean): Conversation => {
    const messages: Message[] = [{ role: 'user', parts: [text(prompt)] }]
    turns.forEach((t, i) => {
      const parts: Part[] = t.before === undefined ? [] : [text(`${i} ${t.before}`)]
      const calls = t.calls.map(
        (c, j): Part => ({ type: 'call', name: c.name, input: { value: c.value, i, j }, id: `call_${i}_${j}` }),
      )
      if (parts.length + calls.length > 0) messages.push({ role: 'assistant', parts: [...parts, ...calls] })
      const results = t.calls.map(
        (c, j): Message => ({
          role: 'tool',
          parts: [{ type: 'result', id: `call_${i}_${j}`, name: c.name, output: c.output }],
        }),
      )
      messages.push(...(backwards ? results.reverse() : results))
      if (users && t.after !== undefined) messages.push({ role: 'user', parts: [text(`${i} ${t.after}?`)] })
    })
    if (end !== null) messages.push({ role: 'assistant', parts: [text(`the end: ${end}`)] })
    return { messages }
  })

describe.each(ROWS.filter((row) => row.generated !== 'none'))('a conversation written as $format', (row) => {
  it('is recognised and read back with every text and every pairing', async () => {
    await fc.assert(
      fc.asyncProperty(conversations, async (conversation) => {
        const head = { id: 't', generator: 'm', dataset: 'test' }
        const told = conversation(row.generated !== 'no turns')
        await expectSame([traceFromConversation(told, head, testAt())], { ...row, lost: [...row.lost, 'usage'] })
      }),
      { numRuns: 40 },
    )
  })
})
