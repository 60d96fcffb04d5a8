import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { toolSchema } from './tool-schema.ts'

const weather = {
  name: 'weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 }, unit: { enum: ['C', 'F'] } },
    required: ['city'],
  },
}

async function check(tool: string, input: unknown, tools: { name: string; parameters?: unknown }[] = [weather]) {
  const trace: Trace = {
    id: 't',
    problem: { id: 'p', prompt: '', context: [{ kind: 'tools', tools }] },
    steps: [{ text: '', kind: 'action', action: { tool, input } }],
    source: { generator: '', dataset: '', licence: '' },
  }
  const findings = await toolSchema.verify(trace, { allowCode: false, allowLocalExec: false })
  return [findings[0]?.verdict, findings[0]?.reason]
}

describe('tool-schema', () => {
  it.each([
    ['weather', { city: 'Rome', days: 2 }, 'correct', 'the call fits the schema of weather'],
    ['weather', '{"city": "Rome"}', 'correct', 'the call fits the schema of weather'],
    ['wether', { city: 'Rome' }, 'incorrect', 'there is no tool wether'],
    ['weather', '{"city": "Rome"', 'incorrect', 'the arguments of weather are not JSON'],
    ['weather', '"Rome"', 'incorrect', 'the arguments of weather are not a JSON object'],
    ['weather', {}, 'incorrect', 'the call of weather does not fit its schema: the arguments lack city'],
    [
      'weather',
      { city: 'Rome', days: 'two' },
      'incorrect',
      'the call of weather does not fit its schema: days must be integer',
    ],
    [
      'weather',
      { city: 'Rome', days: 0 },
      'incorrect',
      'the call of weather does not fit its schema: days must be >= 1',
    ],
    [
      'weather',
      { city: 'Rome', unit: 'K' },
      'incorrect',
      'the call of weather does not fit its schema: unit must be one of ["C","F"]',
    ],
    [
      'weather',
      { city: 'Rome', when: 1 },
      'incorrect',
      'the call of weather does not fit its schema: when is not declared',
    ],
  ])('%s %j is %s', async (tool, input, verdict, reason) => {
    expect(await check(tool, input)).toEqual([verdict, reason])
  })

  it('abstains without a schema, without tools, and on a schema that cannot be read', async () => {
    expect(await check('free', { x: 1 }, [{ name: 'free' }])).toEqual(['unknown', 'free has no schema'])
    expect(await check('weather', {}, [])).toEqual(['unknown', 'the problem does not list its tools'])
    const far = { name: 'far', parameters: { type: 'object', properties: { x: { $ref: 'http://nowhere/x' } } } }
    expect((await check('far', { x: 1 }, [far]))[0]).toBe('unknown')
  })

  it('reads the type names of BFCL and Gemini, and leaves parameters that are called like keywords alone', async () => {
    const types = (type: string) => ({
      name: 'f',
      parameters: { type, properties: { type: { type: 'FLOAT' }, pattern: { type: 'any' } } },
    })
    for (const type of ['dict', 'OBJECT', 'object']) {
      expect((await check('f', { type: 1.5, pattern: [1] }, [types(type)]))[0]).toBe('correct')
      expect((await check('f', { type: 'x' }, [types(type)]))[0]).toBe('incorrect')
    }
  })

  it('is not stopped by a hostile pattern', async () => {
    const slow = {
      name: 'f',
      parameters: { type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } },
    }
    expect((await check('f', { x: `${'a'.repeat(40)}b` }, [slow]))[0]).toBe('correct')
  })

  it('does not close a schema that allows more', async () => {
    const open = { name: 'f', parameters: { type: 'object', properties: {}, additionalProperties: true } }
    expect((await check('f', { x: 1 }, [open]))[0]).toBe('correct')
  })
})
