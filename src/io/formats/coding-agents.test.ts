import { describe, expect, it } from 'vitest'
import { claudeCode } from './claude-code.ts'
import { codexCli } from './codex-cli.ts'
import { geminiCli } from './gemini-cli.ts'
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

const claude = sampleFiles('trace-formats/claude-code')
const codex = sampleFiles('trace-formats/codex-cli')
const geminiFiles = sampleFiles('trace-formats/gemini-cli')

const linesOf = (path: string): Loose[] => {
  if (path.endsWith('l')) return sampleLines(path)
  const document = sampleJson(path)
  return document.loglines ?? document
}

const sum = (values: Loose[], field: string): number => values.reduce((total, v) => total + (v[field] ?? 0), 0)

describe.skipIf(NO_SAMPLES)('claude-code on real transcripts (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(claude).toHaveLength(7))

  it.each(claude)('%s: every block once, every result with its call', async (path) => {
    const { traces, report } = await readSample(path, claudeCode)
    const lines = linesOf(path)
    const total = traces.map(counts)
    expect(sum(total, 'actions')).toBe(findAll(lines, (o) => o.type === 'tool_use').length)
    // one sample has a result under a misspelt member, which is rejected
    const broken = findAll(lines, (o) => o.contenst !== undefined).length
    expect(sum(total, 'observed')).toBe(findAll(lines, (o) => o.type === 'tool_result').length - broken)
    expect(report.oddities['result without call']).toBeUndefined()
  })

  it.each(claude)('%s: usage once for each message id', async (path) => {
    const { traces } = await readSample(path, claudeCode)
    const byId = new Map<string, Loose>()
    linesOf(path).forEach((line, i) => {
      if (line.message?.usage)
        byId.set(
          line.message.id ?? JSON.stringify([line.parent_tool_use_id, line.message.usage]) ?? i,
          line.message.usage,
        )
    })
    const usages = [...byId.values()]
    const read = traces.flatMap((t) => t.usage ?? [])
    expect(sum(read, 'calls')).toBe(usages.length)
    expect(sum(read, 'completionTokens')).toBe(sum(usages, 'output_tokens'))
    expect(sum(read, 'promptTokens')).toBe(
      sum(usages, 'input_tokens') + sum(usages, 'cache_read_input_tokens') + sum(usages, 'cache_creation_input_tokens'),
    )
  })

  it('rejects broken lines by number and reads the others', async () => {
    const { report, traces } = await readSample(sampleFile('trace-formats/claude-code/edge_cases.jsonl'), claudeCode)
    expect(report.rejected.map((e) => e.where?.line)).toEqual([10, 11, 13, 14, 15, 16])
    expect(report.rejectedByCode).toEqual({ 'GRD-IO-006': 6 })
    expect(traces.map((t) => t.id)).toEqual(['edge_cases', 'todowrite_session'])
  })

  it('says which subagent acted', async () => {
    const { trace } = await readSample(sampleFile('trace-formats/claude-code/subagent-step-stream.json'), claudeCode)
    expect(trace.steps.flatMap((s) => (s.action ? [[s.action.tool, s.agent, s.observation]] : []))).toEqual([
      ['Agent', undefined, 'Both commands ran successfully.'],
      ['Bash', 'general-purpose', expect.stringMatching(/harness-claude-code$/)],
      ['Bash', 'general-purpose', 'subagent-done'],
    ])
  })
})

describe('claude-code', () => {
  const line = (
    uuid: string,
    parentUuid: string | null,
    type: string,
    content: unknown,
    message: object = {},
  ): object => ({
    type,
    uuid,
    parentUuid,
    sessionId: 's',
    message: { role: type, content, ...message },
  })

  it('leaves out the branch of a prompt that was edited', () => {
    const [trace] = claudeCode.read(
      [
        line('1', null, 'user', 'q'),
        line('2', '1', 'assistant', [{ type: 'text', text: 'a' }]),
        line('3', '2', 'user', 'first wording'),
        line('4', '3', 'assistant', [{ type: 'text', text: 'old' }]),
        line('5', '2', 'user', 'second wording'),
        line('6', '5', 'assistant', [{ type: 'text', text: 'new' }]),
      ],
      testAt(),
    )
    expect(trace?.steps.map((s) => s.text)).toEqual(['a', 'second wording', 'new'])
  })

  it('keeps parallel results whose lines hang on different parents', () => {
    const use = (id: string): object[] => [{ type: 'tool_use', id, name: 'f', input: {} }]
    const told = (id: string): object[] => [{ type: 'tool_result', tool_use_id: id, content: id }]
    const usage = { id: 'm', usage: { input_tokens: 5, output_tokens: 2 } }
    const [trace] = claudeCode.read(
      [
        line('1', null, 'user', 'q'),
        line('2', '1', 'assistant', use('a'), usage),
        line('3', '2', 'assistant', use('b'), usage),
        line('4', '2', 'user', told('a')),
        line('5', '3', 'user', told('b')),
      ],
      testAt(),
    )
    expect(trace?.steps.map((s) => s.observation)).toEqual(['a', 'b'])
    expect(trace?.usage).toMatchObject({ calls: 1, promptTokens: 5, completionTokens: 2 })
  })
})

describe.skipIf(NO_SAMPLES)('codex-cli on real rollouts (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(codex).toHaveLength(3))

  it.each(codex)('%s: response items are the steps, the last total is the usage', async (path) => {
    const { trace, report } = await readSample(path, codexCli)
    const lines = sampleLines(path)
    const items = lines.filter((l) => l.type === 'response_item').map((l) => l.payload)
    const of = (type: string): Loose[] => items.filter((p) => p.type === type)
    const calls = of('function_call').map((c) => c.call_id)
    const outputs = of('function_call_output').map((c) => c.call_id)
    expect(counts(trace).actions).toBe(calls.length)
    expect(trace.steps.flatMap((s) => (s.observation === undefined ? [] : [s.action?.id]))).toEqual(outputs)
    expect(report.oddities['call without result']?.count ?? 0).toBe(calls.length - outputs.length)
    expect(counts(trace).thoughts).toBe(
      of('reasoning').length + of('message').filter((m) => m.role === 'assistant').length,
    )
    const total = lines.findLast((l) => l.payload.type === 'token_count').payload.info.total_token_usage
    expect(trace.usage).toMatchObject({
      promptTokens: total.input_tokens,
      completionTokens: total.output_tokens,
      cachedTokens: total.cached_input_tokens,
    })
  })

  it('does not take the environment block for the prompt', async () => {
    const { trace } = await readSample(sampleFile('trace-formats/codex-cli/codex_real_session-01.jsonl'), codexCli)
    expect(trace.problem.prompt).toBe('[REDACTED_PROMPT]')
    expect(trace.steps.map((s) => [s.kind, s.text])).toEqual([['answer', '[REDACTED_ASSISTANT_TEXT]']])
  })
})

describe.skipIf(NO_SAMPLES)('gemini-cli on real sessions and recordings (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(geminiFiles).toHaveLength(14))

  it.each(geminiFiles.filter((f) => /gemini_/.test(f)))('%s: calls hold their results', async (path) => {
    const { trace, report } = await readSample(path, geminiCli)
    const messages = path.endsWith('l') ? sampleLines(path) : sampleJson(path).messages
    const own = messages.filter((m: Loose) => m.type === 'gemini')
    expect(counts(trace).actions).toBe(findAll(own, (o) => o.functionResponse !== undefined).length)
    expect(counts(trace).observed).toBe(counts(trace).actions)
    expect(counts(trace).thoughts).toBe(
      own.length +
        sum(
          own.map((m: Loose) => m.thoughts ?? []),
          'length',
        ),
    )
    const tokens = own.map((m: Loose) => m.tokens)
    expect(trace.usage).toMatchObject({
      calls: own.length,
      promptTokens: sum(tokens, 'input') + sum(tokens, 'tool'),
      completionTokens: sum(tokens, 'output') + sum(tokens, 'thoughts'),
    })
    expect(report.oddities).toEqual({})
  })

  it.each(geminiFiles.filter((f) => /responses/.test(f)))('%s: last usage of each stream', async (path) => {
    const { trace } = await readSample(path, geminiCli)
    const streams = sampleLines(path).map((l) => [l.response].flat())
    expect(counts(trace).actions).toBe(findAll(streams, (o) => o.functionCall !== undefined).length)
    const said = findAll(streams, (o) => typeof o.text === 'string').map((o) => o.text)
    expect(
      trace.steps
        .filter((s) => !s.action)
        .map((s) => s.text)
        .join(''),
    ).toBe(said.join(''))
    const usages = streams.flatMap((chunks) => chunks.findLast((c: Loose) => c.usageMetadata)?.usageMetadata ?? [])
    expect(trace.usage?.promptTokens ?? 0).toBe(sum(usages, 'promptTokenCount'))
    expect(trace.usage?.completionTokens ?? 0).toBe(
      sum(usages, 'candidatesTokenCount') + sum(usages, 'thoughtsTokenCount'),
    )
  })
})
