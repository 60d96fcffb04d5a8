import { describe, expect, it } from 'vitest'
import { bedrock } from './bedrock.ts'
import { cohere } from './cohere.ts'
import type { Format } from './format.ts'
import { gemini } from './gemini.ts'
import { counts, findAll, NO_SAMPLES, readSample, sampleFiles, sampleJson, testAt } from './samples.testing.ts'

const files = sampleFiles('trace-formats/other-providers')
const formatOf = (path: string): Format => (/bedrock/.test(path) ? bedrock : /cohere/.test(path) ? cohere : gemini)

describe.skipIf(NO_SAMPLES)('native bodies of Gemini, Bedrock and Cohere (needs GRADUS_DATA)', () => {
  it('there are samples', () => expect(files).toHaveLength(6))

  it.each(files)('%s: every call once, with the tokens of the body', async (path) => {
    const { trace, report } = await readSample(path, formatOf(path))
    const body = sampleJson(path)
    const calls = findAll(body, (o) => o.functionCall || o.toolUse || (o.function?.arguments !== undefined && o.type))
    expect(counts(trace).actions).toBe(calls.length)
    const u = body.usageMetadata ?? body.usage.tokens ?? body.usage
    expect([trace.usage?.promptTokens, trace.usage?.completionTokens]).toEqual([
      u.promptTokenCount ?? u.input_tokens ?? u.inputTokens,
      u.totalTokenCount - u.promptTokenCount || (u.output_tokens ?? u.outputTokens),
    ])
    expect(report.oddities['unknown part']).toBeUndefined()
  })
})

describe('gemini', () => {
  it('pairs by name and order, as the calls have no id', () => {
    const called = (name: string, n: number): object => ({ functionCall: { name, args: { n } } })
    const told = (name: string, output: string): object => ({ functionResponse: { name, response: { output } } })
    const [trace] = gemini.read(
      {
        contents: [
          { role: 'user', parts: [{ text: 'q' }] },
          { role: 'model', parts: [called('f', 1), called('g', 2), called('f', 3)] },
          { role: 'user', parts: [told('f', 'one'), told('f', 'three'), told('g', 'two')] },
        ],
        candidates: [{ content: { role: 'model', parts: [{ text: 'do', thought: true }, { text: 'ne' }] } }],
      },
      testAt(),
    )
    expect(trace?.steps.map((s) => s.observation ?? s.text)).toEqual(['one', 'two', 'three', 'do', 'ne'])
  })

  it('joins the chunks of a stream and takes the last usage', () => {
    const chunk = (text: string, n: number): object => ({
      candidates: [{ content: { parts: [{ text }] } }],
      usageMetadata: { promptTokenCount: 9 - n, candidatesTokenCount: n },
    })
    const [trace] = gemini.read([chunk('a', 1), chunk('b', 2)], testAt())
    expect(trace).toMatchObject({ answer: 'ab', usage: { calls: 1, promptTokens: 7, completionTokens: 2 } })
  })
})
