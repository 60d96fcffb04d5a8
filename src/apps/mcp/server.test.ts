import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../core/limits.ts'
import { readTraces } from '../../io/read.ts'
import { OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { packageRoot } from '../package-root.ts'
import { labelTraces } from '../pipeline/label.ts'
import { bareWire, connect } from './testing/client.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const MATHEMATICS = join(packageRoot(), 'examples', 'traces', 'mathematics.jsonl')
const folder = mkdtempSync(join(tmpdir(), 'gradus-mcp-'))
writeFileSync(join(folder, 'mathematics.jsonl'), readFileSync(MATHEMATICS))
writeFileSync(join(folder, 'broken.jsonl'), '{"id": "a", "problem"\n')
symlinkSync('/etc/passwd', join(folder, 'link.jsonl'))

let client: Client
let log: () => string
beforeAll(async () => {
  const connected = await connect(['--no-code'], folder)
  client = connected.client
  log = connected.log
})
afterAll(async () => {
  await client.close()
  rmSync(folder, { recursive: true })
})

const call = async (name: string, args: Record<string, unknown>) => await client.callTool({ name, arguments: args })

describe('gradus mcp, asked by the official client', () => {
  it('offers few tools, all of which only read and none of which sends anything', async () => {
    const { tools } = await client.listTools()
    expect(tools.map((t) => t.name)).toEqual(['find_first_error', 'equal_answers', 'inspect_traces', 'list_methods'])
    for (const { annotations, inputSchema, outputSchema, description } of tools) {
      expect(annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false, openWorldHint: false })
      expect([inputSchema.type, outputSchema?.type]).toEqual(['object', 'object'])
      for (const schema of [inputSchema, outputSchema]) new Ajv2020({ strict: false }).compile(schema as object)
      // Both stand in the context of a model, at every turn.
      expect(description?.length).toBeLessThan(700)
      expect(JSON.stringify(inputSchema).length).toBeLessThan(3_000)
    }
    expect(client.getServerVersion()).toMatchObject({ name: 'gradus' })
    expect(log()).toMatch(/^gradus mcp: find_first_error, .*; files below /)
  })

  it('says of every shipped run of a file what the tools say, ten calls at a time', async () => {
    const { traces } = await readTraces(MATHEMATICS)
    const context = { allowCode: false, allowLocalExec: false, seed: '0', spend: () => {} }
    const labelled = await labelTraces(traces, OFFLINE_ANNOTATORS, context)
    const said: unknown[] = []
    for (let from = 0; from < traces.length; from += 10) {
      const asked = traces.slice(from, from + 10).map(async ({ id }) => {
        const { structuredContent } = await call('find_first_error', { path: 'mathematics.jsonl', id })
        const { firstError, steps } = structuredContent as {
          firstError: number | null
          steps: { risk: number | null }[]
        }
        return { id, firstError, risk: steps.map((s) => s.risk) }
      })
      said.push(...(await Promise.all(asked)))
    }
    expect(said).toEqual(
      labelled.map(({ id, verdict }) => ({
        id,
        firstError: verdict?.firstError,
        risk: verdict?.risk.map((r) => (r === null ? null : Number(r.toFixed(4)))),
      })),
    )
  })

  it('knows whether answers are equal, what a file holds, and what methods there are', async () => {
    const equal = await call('equal_answers', { a: '\\frac{1}{2}', b: '0.5' })
    expect(equal.structuredContent).toMatchObject({ verdict: 'equal' })
    const file = await call('inspect_traces', { path: 'mathematics.jsonl' })
    expect(file.structuredContent).toMatchObject({ format: 'gradus', runs: 23, leftOut: 0 })
    const methods = await call('list_methods', { name: 'arithmetic' })
    expect(methods.structuredContent).toMatchObject({ rooms: [{ methods: [{ name: 'verifier:arithmetic' }] }] })
  })

  it.each([
    ['a path that is not there', { path: 'nothing.jsonl' }, 'GRD-IO-001'],
    ['a path outside the folder', { path: '../../etc/passwd' }, 'GRD-IO-017'],
    ['a link that leads outside', { path: 'link.jsonl' }, 'GRD-IO-017'],
    ['a file that is no JSON', { path: 'broken.jsonl' }, 'GRD-IO-012'],
    ['a trace in no known format', { trace: { colour: 'red' } }, 'GRD-IO-012'],
    ['a trace that is half a JSON document', { trace: '{"id": "a", ' }, 'GRD-IO-002'],
    ['an unknown annotator', { problem: 'p', steps: ['s'], with: ['nobody'] }, 'GRD-LABEL-001'],
    ['a method that rolls out', { problem: 'p', steps: ['s'], with: ['omegaprm'] }, 'GRD-LABEL-004'],
    ['a judge that is not there', { problem: 'p', steps: ['s'], with: ['reward:judge'] }, 'GRD-LABEL-004'],
    ['no run', {}, 'GRD-SERVE-001'],
    ['two runs', { path: 'mathematics.jsonl', problem: 'p', steps: ['s'] }, 'GRD-SERVE-001'],
    ['steps without a problem', { steps: ['s'] }, 'GRD-SERVE-001'],
    ['several runs and no id', { path: 'mathematics.jsonl' }, 'GRD-SERVE-001'],
    ['an id that is not there', { path: 'mathematics.jsonl', id: 'nobody' }, 'GRD-SERVE-005'],
  ])('answers %s with an error that has a code and says what helps', async (_, args, code) => {
    const { isError, structuredContent, content } = await call('find_first_error', args)
    expect([isError, structuredContent]).toMatchObject([true, { error: { code } }])
    expect(content).toEqual([{ type: 'text', text: expect.stringContaining(`error ${code}`) }])
  })

  it.each([
    [{ file: 'mathematics.jsonl' }, undefined, /"file"/],
    [{ path: 7 }, 'path', /string/],
    [{ problem: 'p', steps: ['s'], maxSteps: 0 }, 'maxSteps', />=1/],
    [{ problem: 'p', steps: [] }, 'steps', />=1/],
    [{ problem: 'p', steps: ['a', { tool: 'x', with: 1 }] }, 'steps.1', /./],
  ])('names the argument that is wrong: %j', async (args, field, found) => {
    const { isError, structuredContent } = await call('find_first_error', args)
    const { error } = structuredContent as { error: { code: string; where?: { field: string }; found: string } }
    expect([isError, error.code, error.where?.field]).toEqual([true, 'GRD-SERVE-001', field])
    expect(error.found).toMatch(found)
  })
})

describe('the connection', () => {
  it('outlives what is no message, and messages that are too long', async () => {
    const wire = await bareWire()
    wire.send('not JSON\n\n{"half": \n[]\n{"jsonrpc":"2.0"}\n"text"\n\u0000\n')
    wire.send(`${'['.repeat(200_000)}\n`)
    const trace = 'x'.repeat(LIMITS.messageBytes)
    wire.request(1, 'tools/call', { name: 'find_first_error', arguments: { trace } })
    expect((await wire.answer(1)).error).toMatchObject({
      code: -32_600,
      message: expect.stringContaining('path of a file'),
    })
    wire.request(2, 'no/such/method', {})
    expect((await wire.answer(2)).error?.code).toBe(-32_601)
    wire.request(3, 'tools/call', { name: 'no_such_tool', arguments: {} })
    expect((await wire.answer(3)).error?.code).toBe(-32_602)
    wire.request(4, 'tools/call', { name: 'equal_answers', arguments: { a: '1/2', b: '0.5' } })
    expect((await wire.answer(4)).result).toMatchObject({ structuredContent: { verdict: 'equal' } })
    // Whatever else was written would have been no JSON.
    expect(wire.lines).toHaveLength(5)
    wire.child.stdin?.end()
    expect(await wire.ended).toEqual({ code: 0, signal: null })
  })

  it('goes on after a call was given up', async () => {
    const wire = await bareWire(['--no-code'])
    const steps = Array.from({ length: 20_000 }, (_, i) => `${i} + 1 = ${i + 1}`)
    wire.request(1, 'tools/call', { name: 'find_first_error', arguments: { problem: 'Count.', steps } })
    wire.send(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })}\n`)
    wire.request(2, 'ping', {})
    expect(await wire.answer(2)).toMatchObject({ result: {} })
    wire.child.stdin?.end()
    expect((await wire.ended).code).toBe(0)
  })

  it.runIf(process.platform === 'linux').each(['end', 'SIGTERM', 'SIGINT'] as const)(
    'ends with 0 at %s, and no program of a run outlives it',
    async (how) => {
      const temporary = mkdtempSync(join(folder, 'temporary-'))
      const wire = await bareWire(['--allow-local-exec'], { TMPDIR: temporary })
      const steps = ['Run this:\n```python\nimport time\ntime.sleep(60)\nprint(1)\n```\nIt prints 1.']
      const programs = new Set<number>()
      wire.request(1, 'tools/call', { name: 'find_first_error', arguments: { problem: 'Sleep.', steps } })
      await vi.waitFor(() => expect(pythonsBelow(wire.child.pid ?? 0, programs)).toBeGreaterThan(0), 20_000)
      if (how === 'end') wire.child.stdin?.end()
      else wire.child.kill(how)
      expect(await wire.ended).toEqual({ code: 0, signal: null })
      await vi.waitFor(() => expect([...programs].filter(isAlive)).toEqual([]), 5_000)
      expect(readdirSync(temporary)).toEqual([])
      expect(wire.lines.filter((line) => line.includes('"id":1'))).toEqual([])
    },
  )
})

/** Collects processes that a process has started. @returns how many of them run Python */
function pythonsBelow(pid: number, into: Set<number>): number {
  let pythons = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number)) {
      into.add(child)
      if (readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('python')) pythons++
      pythons += pythonsBelow(child, into)
    }
  }
  return pythons
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}
