import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { plainServices, textOf } from './testing/ask.ts'
import { answerSchema, callTool, shortened, type Tool, tool } from './tool.ts'

const KEY = `sk-${'Ab3'.repeat(12)}`

async function answers(run: Tool['run']) {
  const t = tool({
    name: 't',
    title: '',
    description: '',
    input: z.object({}),
    output: z.looseObject({}),
    asksModels: false,
    run,
  })
  const unforeseen: unknown[] = []
  const call = { services: plainServices('/'), signal: new AbortController().signal }
  return { result: await callTool(t, {}, call, (error) => unforeseen.push(error)), unforeseen }
}

describe('a call of a tool', () => {
  it('that fails says code, place, found, expected and what to do, in words and as data', async () => {
    const error = new GradusError('GRD-IO-006', {
      where: { file: 'a.jsonl', line: 3, field: 'steps' },
      found: 'nothing',
      expected: 'a list',
      try: ['another file'],
    })
    const { result, unforeseen } = await answers(() => Promise.reject(error))
    expect(result.isError).toBe(true)
    expect(result.structuredContent).toEqual({ error: error.toJSON() })
    expect(answerSchema(z.object({ a: z.number() })).parse(result.structuredContent)).toEqual(result.structuredContent)
    for (const part of ['GRD-IO-006', 'a.jsonl, line 3, field steps', 'nothing', 'a list', 'another file']) {
      expect(textOf(result)).toContain(part)
    }
    expect(unforeseen).toEqual([])
  })

  it.each([
    [new TypeError('x is not a function'), 'GRD-CORE-002'],
    [new RangeError('Maximum call stack size exceeded'), 'GRD-IO-010'],
    ['a text', 'GRD-CORE-002'],
  ])('that nobody foresaw is a failure with a code too, and told to the log: %s', async (thrown, code) => {
    const { result, unforeseen } = await answers(() => {
      throw thrown
    })
    expect(result).toMatchObject({ isError: true, structuredContent: { error: { code } } })
    expect(unforeseen).toEqual([thrown])
  })

  it('never gives secrets of a run to the client, whether it fails or not', async () => {
    const data = { deep: [{ text: `key ${KEY}`, n: 1, none: null }] }
    const { result } = await answers(() => ({ data, text: `mail me@example.com, ${KEY}` }))
    expect(result.structuredContent).toEqual({ deep: [{ text: 'key [redacted:provider-key]', n: 1, none: null }] })
    expect(textOf(result)).toBe('mail [redacted:email], [redacted:provider-key]')
    const failed = await answers(() => Promise.reject(new GradusError('GRD-IO-006', { found: KEY })))
    expect(JSON.stringify(failed.result)).not.toContain(KEY)
  })
})

describe('a text of a run', () => {
  it('is cut to its limit on one line, without half of a secret at the end', () => {
    expect(shortened('a\n  b\tc', 10)).toBe('a b c')
    expect(shortened('abcdef', 6)).toBe('abcdef')
    expect(shortened('abcdefg', 6)).toBe('abcde…')
    expect(shortened('😀😀😀😀', 3)).toBe('😀😀…')
    expect(shortened(`${'word '.repeat(10)}${KEY} more`, 60)).not.toContain('Ab3')
    expect([...shortened('x'.repeat(5_000_000), 600)]).toHaveLength(600)
  })
})
