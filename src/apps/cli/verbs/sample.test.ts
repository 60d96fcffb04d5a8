import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Trace } from '../../../core/words.ts'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { readTraces } from '../../../io/read.ts'
import { callVerb, runGradus, says, startGradus } from '../testing/run-gradus.ts'
import { sample } from './sample.ts'
import { train } from './train.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-sample-'))
const path = (name: string): string => join(folder, name)
const lines = (name: string): Trace[] =>
  readFileSync(path(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Trace)
/** In this process; files in the folder of the test. */
const call = (args: string) => callVerb(sample, args.replaceAll('@', `${folder}/`).split(' '))

const TOKEN = { OWN_TOKEN: 'a-token-for-tests-only', WRONG_TOKEN: 'another-token' }
let server: ReturnType<typeof startGradus>
let url = ''
beforeAll(async () => {
  server = startGradus(folder, ['serve', '--policy', 'embedded', '--port', '0', '--token', 'OWN_TOKEN'], TOKEN)
  url = (await says(server, /http:\/\/\S+/))[0]
})
afterAll(async () => {
  server.child.kill('SIGTERM')
  await server.ended
  rmSync(folder, { recursive: true })
})

describe('gradus sample from a served policy', () => {
  const command = (out: string) =>
    runGradus(
      folder,
      `sample --task game24:1 --policy ${url}#game24 --key OWN_TOKEN -n 2 --problems 4 --seed 3 --json -o ${out}`.split(
        ' ',
      ),
      TOKEN,
    )

  it('writes traces in order, and the same bytes again without a request', async () => {
    const first = await command('a.jsonl')
    expect(first).toMatchObject({ code: 0, err: '' })
    const summary = JSON.parse(first.out)
    expect(summary).toMatchObject({ asked: 8, traces: 8, noOutcome: 0, requests: 8, fromCache: 0 })
    expect(summary.probe.can).toMatchObject({
      completions: { state: 'yes' },
      n: { state: 'yes' },
    })
    const traces = lines('a.jsonl')
    expect(traces.map((t) => t.id)).toEqual(traces.map((t, i) => `${t.problem.id}#${i % 2}`))
    for (const trace of traces) {
      expect(trace.source).toEqual({ generator: 'game24', dataset: 'game24', licence: 'MIT' })
      expect(trace.usage).toMatchObject({ calls: 1, seconds: 0 })
      expect(trace.extra).toMatchObject({
        policy: { renderer: { template: '{prompt}\n' }, sampling: { seed: 3, maxTokens: 96 } },
      })
    }
    const second = await command('b.jsonl')
    expect(JSON.parse(second.out)).toMatchObject({ traces: 8, requests: 0, fromCache: 8, spent: summary.spent })
    expect(readFileSync(path('b.jsonl'), 'utf8')).toBe(readFileSync(path('a.jsonl'), 'utf8'))
    expect(
      readFileSync(path('a.jsonl'), 'utf8') + first.out + readFileSync(path('.gradus/cache.sqlite'), 'latin1'),
    ).not.toContain(TOKEN.OWN_TOKEN)
  })

  it('the model `embedded` answers by the weights for the task of the prompt', async () => {
    for (const model of ['game24', 'embedded']) {
      const args = `sample --task game24:1 --policy ${url}#${model} --key OWN_TOKEN --problems 2 --seed 3 --no-cache`
      const run = await runGradus(folder, [...args.split(' '), '-o', `by-${model}.jsonl`], TOKEN)
      expect(run).toMatchObject({ code: 0, err: expect.any(String) })
    }
    expect(lines('by-embedded.jsonl').map((t) => t.steps)).toEqual(lines('by-game24.jsonl').map((t) => t.steps))
  })

  it('a dry run says what would be sent where, and asks nothing', async () => {
    const closed = 'http://127.0.0.1:9/v1#model'
    const run = await call(`--task game24 --policy ${closed} -n 3 --problems 5 --dry-run --json --cache @dry.sqlite`)
    expect(run.code).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({ host: '127.0.0.1:9', problems: 5, samples: 15, calls: 15 })
    expect(existsSync(path('dry.sqlite'))).toBe(false)
  })

  it('a wrong key, a missing one and a server that is not there end with one clear error', async () => {
    const args = `sample --task game24 --policy ${url}#game24 --key WRONG_TOKEN --no-cache -o x.jsonl`
    const wrong = await runGradus(folder, args.split(' '), TOKEN)
    expect(wrong.code).toBe(1)
    expect(wrong.err).toMatch(/^error GRD-CALL-002 .*\n {2}found +status 401/)
    expect(wrong.err + wrong.out).not.toContain(TOKEN.WRONG_TOKEN)
    const missing = await call(`--task game24 --policy ${url}#game24 --key NOT_SET --no-cache`)
    expect(missing).toMatchObject({ code: 'GRD-CALL-002', err: expect.stringContaining('NOT_SET is empty') })
    const itself = await call(`--task game24 --policy ${url}#game24 --key sk-123 --no-cache`)
    expect(itself).toMatchObject({ code: 'GRD-CLI-002', err: expect.not.stringContaining('sk-123') })
    expect(await call('--task game24 --policy http://127.0.0.1:9/v1#m --no-cache')).toMatchObject({
      code: 'GRD-CALL-001',
    })
    expect(existsSync(path('x.jsonl'))).toBe(false)
  })
})

describe('gradus sample in this process', () => {
  it('samples the embedded policy, with token log-probabilities, into Parquet', async () => {
    const run = await call('--task game24:1 --policy embedded:game24 -n 2 --problems 3 --no-cache -o @e.parquet --json')
    expect(JSON.parse(run.out)).toMatchObject({ policy: 'embedded:game24', traces: 6, requests: 3 })
    const { traces } = await readTraces(path('e.parquet'))
    expect(traces.flatMap((t) => t.steps).every((s) => (s.tokens?.ids.length ?? 0) > s.text.length)).toBe(true)
  })

  it('finds the weights for the task where none are named', async () => {
    const chosen = await call('--task game24:1 --policy embedded --problems 3 --seed 2 --no-cache -o @chosen.jsonl')
    const named = await call(
      '--task game24:1 --policy embedded:game24 --problems 3 --seed 2 --no-cache -o @named.jsonl',
    )
    expect([chosen.code, named.code]).toEqual([0, 0])
    expect(lines('chosen.jsonl').map((t) => t.steps)).toEqual(lines('named.jsonl').map((t) => t.steps))
  })

  it('says what a GGUF file needs', async () => {
    writeFileSync(path('model.gguf'), 'GGUF')
    const missing = await call('--task game24 --policy gguf:@model.gguf --no-cache')
    expect(missing).toMatchObject({ code: 'GRD-CLI-003', err: expect.stringContaining('npm install node-llama-cpp') })
    expect(await call('--task game24 --policy gguf:@none.gguf --no-cache')).toMatchObject({ code: 'GRD-IO-001' })
    expect(await call('--task game24 --policy gguf:@model.gguf --key KEY')).toMatchObject({ code: 'GRD-CLI-002' })
  })

  it('ends at a budget with what it has, says so, and goes on with a larger one', async () => {
    const command =
      '--task game24:1 --policy embedded:game24 --problems 4 --seed 5 --json -o @g.jsonl -j 1 --cache @g.sqlite'
    const short = await call(`${command} --budget-calls 2`)
    expect(short.code).toBe(3)
    expect(JSON.parse(short.out)).toMatchObject({ traces: 2, requests: 2, stopped: { code: 'GRD-RUN-001' } })
    expect(lines('g.jsonl')).toHaveLength(2)
    const rest = await call(`${command} --budget-calls 4`)
    expect(rest.code).toBe(0)
    expect(JSON.parse(rest.out)).toMatchObject({ traces: 4, requests: 2, fromCache: 2, spent: { calls: 4 } })
  })

  it('plays by rules, checks by the task, and reads problems of a file in their order', async () => {
    writeFileSync(
      path('p.jsonl'),
      ['1 1 4 6', '13 13 1 1'].map((p, i) => JSON.stringify({ id: `p${i}`, prompt: p, domain: 'game24' })).join('\n'),
    )
    const run = await call('@p.jsonl --policy task:slip=0 -o @r.jsonl')
    expect(run.code).toBe(0)
    expect(lines('r.jsonl').map((t) => [t.id, t.outcome, t.usage?.calls])).toEqual([
      ['p0#0', 1, 1],
      ['p1#0', 1, 1],
    ])
    const random = await call('@p.jsonl --policy game24-random -n 3 -o @s.jsonl')
    expect(lines('s.jsonl')).toHaveLength(6)
    expect(random.out).toContain('6 of 6 traces')
  })

  it('refuses what cannot be meant', async () => {
    for (const [args, code] of [
      ['--seed 1', 'GRD-CLI-001'],
      ['p.jsonl --task game24', 'GRD-CLI-001'],
      ['--task game24 --policy poetry', 'GRD-CLI-002'],
      ['--task game24 --policy task:slip=2', 'GRD-CLI-002'],
      ['--task chess', 'GRD-CLI-002'],
      ['--task game24:9', 'GRD-WORLD-002'],
      ['--task game24 --policy task --key NAME', 'GRD-CLI-002'],
      ['--task game24 --budget-cost 1', 'GRD-CLI-002'],
      ['--task game24 --policy embedded:game24 --budget-calls 0', 'GRD-CLI-002'],
    ] as const) {
      expect([args, (await call(args)).code]).toEqual([args, code])
    }
    expect(await callVerb(train, ['nothing'])).toMatchObject({ code: 'GRD-CLI-001' })
    expect(await callVerb(train, ['policy', 'poetry'])).toMatchObject({ code: 'GRD-MODEL-004' })
  })
})

describe('gradus sample from a slow endpoint', () => {
  let slow: TestServer
  afterAll(() => slow.close())

  it('is checked by equality with the answer, stops at Ctrl-C, keeps what it paid for and goes on', async () => {
    slow = await startTestServer({
      latencyMs: 150,
      text: (body) => {
        const question = (body['messages'] as { content: string }[] | undefined)?.at(-1)?.content ?? ''
        return `Let us see.\n\nThe answer is ${/(\d+) half/.test(question) ? 'one half' : '\\boxed{4}'}.`
      },
    })
    const problems = Array.from({ length: 40 }, (_, i) => ({
      id: `q${i}`,
      prompt: `What is 2 + 2, number ${i}?`,
      answer: i % 2 === 0 ? '4.0' : '5',
    }))
    writeFileSync(path('q.jsonl'), problems.map((p) => JSON.stringify(p)).join('\n'))
    const args = ['sample', 'q.jsonl', '--policy', `${slow.url}#test`, '-j', '2', '-o', 'q-out.jsonl', '--json']
    const running = startGradus(folder, args)
    while (slow.requests < 20) await new Promise((go) => setTimeout(go, 10))
    running.child.kill('SIGINT')
    const stopped = await running.ended
    expect(stopped.code).toBe(130)
    const half = JSON.parse(stopped.out)
    expect(half).toMatchObject({ stopped: { code: 'GRD-RUN-002' } })
    expect(half.traces).toBeLessThan(40)
    expect(lines('q-out.jsonl')).toHaveLength(half.traces)
    const before = slow.requests
    const rest = await runGradus(folder, args)
    expect(rest.code).toBe(0)
    expect(JSON.parse(rest.out)).toMatchObject({ traces: 40, right: 20, wrong: 20, requests: slow.requests - before })
    expect(JSON.parse(rest.out).fromCache).toBeGreaterThan(0)
    expect(lines('q-out.jsonl').map((t) => t.outcome)).toEqual(problems.map((_, i) => (i % 2 === 0 ? 1 : 0)))
  })
})
