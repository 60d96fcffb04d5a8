import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import type { Trace } from '../../core/words.ts'
import type { TestServer } from '../../engine/testing/openai-server.ts'
import { startToyServer } from '../../models/rewards/testing/prm-server.ts'
import { startSumJudge } from '../../models/rewards/testing/sum-judge.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import { callVerb } from './testing/run-gradus.ts'
import { label } from './verbs/label.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-judge-'))
afterAll(() => rmSync(folder, { recursive: true }))
let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const trace = (id: string, ...texts: string[]): Trace => ({
  id,
  problem: { id, prompt: `Problem ${id}` },
  steps: texts.map((text) => ({ text, kind: 'thought' })),
  source: { generator: 'test', dataset: 'test', licence: 'MIT' },
})
const RUNS = [
  trace('a', '2 + 3 = 5', '5 + 4 = 8', 'So 8.'),
  trace('b', '1 + 1 = 2', '2 + 2 = 4'),
  trace('c', '7 - 3 = 5', '5 + 1 = 6'),
  trace('d', `key sk-${'ab12'.repeat(6)}`, '3 + 3 = 6'),
]
const write = (name: string, traces: readonly Trace[]): string => {
  const path = join(folder, name)
  writeFileSync(path, traces.map((t) => `${JSON.stringify(t)}\n`).join(''))
  return path
}
const file = write('runs.jsonl', RUNS)
const read = (path: string): Trace[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const cache = (name: string) => ['--cache', join(folder, `${name}.sqlite`)]

describe('gradus label --with reward:judge', () => {
  it('says first what goes where, then labels each trace by the verdicts of the judge', async () => {
    server = await startSumJudge()
    const out = join(folder, 'judged.jsonl')
    const args = [file, '--with', 'reward:judge', '--judge', `${server.url}#test`, '-o', out, ...cache('first')]
    const ran = await callVerb(label, args)
    expect(ran.code).toBe(0)
    expect(ran.err).toContain(`judge     ${new URL(server.url).host}`)
    expect(ran.err).toMatch(/traces {4}4 of 4\n.*calls {5}at most 8/)
    expect(ran.err).toContain('1 are taken out before anything is sent')
    expect(read(out).map((t) => t.verdict?.firstError)).toEqual([1, -1, 0, -1])
    const [first] = read(out)
    expect(first?.evidence?.[1]).toMatchObject({
      kind: 'judgement',
      source: 'reward:judge',
      verdict: 'incorrect',
      reason: '5 + 4 = 8 does not hold',
    })

    const asked = server.requests
    expect((await callVerb(label, args)).code).toBe(0)
    // What was paid for is kept, the probe too.
    expect(server.requests).toBe(asked)
  })

  it('sends nothing at --dry-run, and says what it would cost', async () => {
    server = await startSumJudge()
    const ran = await callVerb(label, [file, '--judge', `${server.url}#test`, '--price', '1,10', '--dry-run', '--json'])
    const said = JSON.parse(ran.out) as { rewards: Record<string, unknown> }
    expect(said.rewards).toMatchObject({ traces: 4, calls: 8, secrets: 1, cost: expect.closeTo(0.1, 1) })
    expect(server.requests).toBe(0)
  })

  it('stops at a budget with what it has, and goes on from there', async () => {
    server = await startSumJudge()
    const url = `${server.url}#test`
    const out = join(folder, 'part.jsonl')
    const many = write(
      'many.jsonl',
      [1, 2, 3, 4, 5].flatMap((n) =>
        RUNS.map((t) => ({ ...t, id: `${n}${t.id}`, problem: { id: t.id, prompt: `${n}` } })),
      ),
    )
    const args = [many, '--judge', url, '-o', out, ...cache('part'), '-j', '1']
    const part = await callVerb(label, [...args, '--budget-calls', '17'])
    expect(part.code).toBe(3)
    const had = read(out).length
    expect(had).toBeGreaterThan(0)
    expect(had).toBeLessThan(20)
    const whole = await callVerb(label, args)
    expect(whole.code).toBe(0)
    expect(read(out)).toHaveLength(20)
    // No request was sent twice.
    const judged = [...server.seen].filter(([body]) => body.includes('step 1>>'))
    expect(judged.map(([, times]) => times)).toEqual(new Array(20).fill(1))
  })

  it('counts traces that the judge fails on, and labels the others', async () => {
    server = await startSumJudge({
      behave: (_, body) =>
        JSON.stringify(body).includes('Problem b') ? { kind: 'status', status: 400 } : { kind: 'answer' },
    })
    const out = join(folder, 'failed.jsonl')
    const ran = await callVerb(label, [file, '--judge', `${server.url}#test`, '-o', out, ...cache('failed'), '--json'])
    expect(ran.code).toBe(3)
    expect(JSON.parse(ran.out)).toMatchObject({ traces: 4, notScored: { 'GRD-CALL-010': 1 } })
    expect(read(out).map((t) => t.verdict?.firstError)).toEqual([1, null, 0, -1])
  })

  it('without a judge, or with one that cannot be, asks for it', async () => {
    expect(await callVerb(label, [file, '--with', 'reward:judge'])).toMatchObject({ code: 'GRD-LABEL-004' })
    expect(await callVerb(label, [file, '--judge', 'http://127.0.0.1:1/v1'])).toMatchObject({ code: 'GRD-CLI-002' })
    expect(await callVerb(label, [file, '--reward', 'prm:nobody@http://h/v1#m'])).toMatchObject({ code: 'GRD-CLI-002' })
  })

  it('takes a public process reward model in place of a judge', async () => {
    const toy = await startToyServer({
      tokens: { '<extra_0>': 151_651 },
      head: { kind: 'rows', width: 2, pooler: 'step' },
      speaksAt: 151_651,
    })
    const out = join(folder, 'prm.jsonl')
    const reward = `prm:qwen2.5-math-prm@${toy.url}#toy`
    const ran = await callVerb(label, [
      file,
      '--reward',
      reward,
      '--rule',
      'scores:threshold=.5',
      '-o',
      out,
      ...cache('prm'),
    ])
    await toy.close()
    expect(ran.code).toBe(0)
    expect(read(out).map((t) => t.verdict?.firstError)).toEqual([1, -1, 0, -1])
    expect(read(out)[0]?.evidence?.[0]).toMatchObject({
      kind: 'score',
      source: 'reward:qwen2.5-math-prm',
      value: expect.closeTo(0.9),
      meaning: 'correctness',
    })
  })

  it('beside rollouts, gives the consensus of both', async () => {
    server = await startSumJudge()
    const problems = task.generate('judge-cli', 3, 6)
    const chains = problems.map(
      (problem): Trace => ({
        ...trace(problem.id),
        problem,
        steps: task
          .complete(problem, [], random(problem.id), { slip: 0.3, recovery: 0 })
          .map((text) => ({ text, kind: 'thought' })),
      }),
    )
    const out = join(folder, 'consensus.jsonl')
    const names = ['--with', 'monte-carlo,reward:judge', '--rule', 'consensus', '--policy', 'task:slip=0,recovery=0']
    const ran = await callVerb(label, [
      write('chains.jsonl', chains),
      ...names,
      '--judge',
      `${server.url}#test`,
      '-o',
      out,
      ...cache('both'),
    ])
    expect(ran.code).toBe(0)
    const kinds = new Set(read(out).flatMap((t) => t.evidence?.map((e) => e.kind) ?? []))
    expect(kinds).toEqual(new Set(['rollouts', 'judgement']))
    expect(read(out).some((t) => t.labels?.some((l) => l.source === 'consensus' && l.meaning === 'correctness'))).toBe(
      true,
    )
  })
})
