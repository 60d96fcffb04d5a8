import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { readTraces } from '../../io/read.ts'
import { packageRoot } from '../package-root.ts'
import { givenTrace } from './given-trace.ts'

const EXAMPLES = join(packageRoot(), 'examples', 'traces')
const folder = mkdtempSync(join(tmpdir(), 'gradus-mcp-given-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FORMATS = join(process.env['GRADUS_DATA'] ?? '', 'trace-formats')

describe('the run that a call is about', () => {
  it('is the same from a file, from its text and from its value', async () => {
    const { traces } = await readTraces(join(EXAMPLES, 'agents.jsonl'))
    for (const whole of traces.slice(0, 5)) {
      const { id } = whole
      expect(await givenTrace({ path: 'agents.jsonl', id }, { root: EXAMPLES })).toEqual(whole)
      expect(await givenTrace({ trace: { ...whole } }, { root: folder })).toEqual(whole)
      expect(await givenTrace({ trace: JSON.stringify(whole) }, { root: folder })).toEqual(whole)
    }
    const text = readFileSync(join(EXAMPLES, 'agents.jsonl'), 'utf8')
    expect(await givenTrace({ trace: text, id: 'picnic-day' }, { root: folder })).toEqual(
      traces.find((trace) => trace.id === 'picnic-day'),
    )
    writeFileSync(join(folder, 'one.jsonl.gz'), gzipSync(`${JSON.stringify(traces[3])}\n`))
    expect(await givenTrace({ path: 'one.jsonl.gz' }, { root: folder })).toEqual(traces[3])
  })

  it('is read from a conversation as from a file of that format', async () => {
    const messages = [
      { role: 'user', content: 'How many are 3 boxes of 4?' },
      { role: 'assistant', content: '3 * 4 = 13' },
    ]
    const trace = await givenTrace({ trace: messages }, { root: folder })
    expect([trace.problem.prompt, trace.steps.map((s) => s.text)]).toEqual([
      'How many are 3 boxes of 4?',
      ['3 * 4 = 13'],
    ])
  })

  it('is made of a problem and steps, also as one value', async () => {
    const tools = [{ name: 'search', parameters: { type: 'object' } }]
    const plain = { problem: 'Find it.', steps: ['I search.', { text: '', tool: 'search', input: { q: 'it' } }], tools }
    const expected = {
      problem: { prompt: 'Find it.', context: [{ kind: 'tools', tools }] },
      steps: [
        { text: 'I search.', kind: 'thought' },
        { text: '', kind: 'action', action: { tool: 'search', input: { q: 'it' } } },
      ],
    }
    expect(await givenTrace(plain, { root: folder })).toMatchObject(expected)
    expect(await givenTrace({ trace: plain }, { root: folder })).toMatchObject(expected)
    expect(await givenTrace({ trace: JSON.stringify(plain) }, { root: folder })).toMatchObject(expected)
  })

  it('is refused where its values are nested without end', async () => {
    let deep: Record<string, unknown> = {}
    for (let i = 0; i < 200_000; i++) deep = { deep }
    await expect(givenTrace({ trace: deep }, { root: folder })).rejects.toBeInstanceOf(RangeError)
  })

  it('names the first ids where it has to be chosen, and reads no further', async () => {
    const line = readFileSync(join(EXAMPLES, 'agents.jsonl'), 'utf8').split('\n')[0] ?? ''
    const many = Array.from({ length: 50 }, (_, i) => JSON.stringify({ ...JSON.parse(line), id: `run-${i}` }))
    writeFileSync(join(folder, 'many.jsonl'), many.join('\n'))
    await expect(givenTrace({ path: 'many.jsonl' }, { root: folder })).rejects.toMatchObject({
      code: 'GRD-SERVE-001',
      expected: `the id of one, or its position from 0: ${Array.from({ length: 20 }, (_, i) => `run-${i}`).join(', ')}, and more`,
    })
    for (const id of ['run-49', 49]) {
      expect((await givenTrace({ path: 'many.jsonl', id }, { root: folder })).id).toBe('run-49')
    }
    await expect(givenTrace({ path: 'many.jsonl', id: 50 }, { root: folder })).rejects.toMatchObject({
      code: 'GRD-SERVE-005',
      found: 'no run 50',
    })
    const gone = AbortSignal.abort()
    await expect(givenTrace({ path: 'many.jsonl', id: 3 }, { root: folder }, gone)).rejects.toThrow(/abort/)
  })

  it.skipIf(!existsSync(FORMATS))('is read from real files of many tools (needs GRADUS_DATA)', async () => {
    const { readdirSync } = await import('node:fs')
    let read = 0
    for (const name of readdirSync(FORMATS, { recursive: true, encoding: 'utf8' })) {
      if (!/\.jsonl?$/.test(name) || read >= 10) continue
      const file = await readTraces(join(FORMATS, name)).catch(() => null)
      const [first] = file?.traces ?? []
      if (!first) continue
      expect((await givenTrace({ path: name, id: first.id }, { root: FORMATS })).steps).toEqual(first.steps)
      read++
    }
    expect(read).toBeGreaterThan(0)
  })
})
