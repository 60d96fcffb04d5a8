import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Tree } from '../../../core/tree.ts'
import type { Trace } from '../../../core/words.ts'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { heldOutProblems } from '../../../models/policies/embedded/lessons.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { callVerb, runGradus, says, startGradus } from '../testing/run-gradus.ts'
import { label } from './label.ts'
import { sample } from './sample.ts'

// Whole processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-label-policy-'))
const path = (name: string): string => join(folder, name)
const read = (name: string): Trace[] =>
  readFileSync(path(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Trace)
const call = (args: string) => callVerb(label, args.replaceAll('@', `${folder}/`).split(' '))
const write = (name: string, traces: readonly Trace[]): void =>
  writeFileSync(path(name), traces.map((trace) => `${JSON.stringify(trace)}\n`).join(''))

/** Each asks for a + b and says it in two steps. */
const sums = Array.from({ length: 6 }, (_, i): Trace => {
  const answer = { answer: String(12 + i) }
  return {
    id: `s${i}`,
    problem: { id: `s${i}`, prompt: `What is ${i} + 12?`, ...(i < 5 && answer) },
    steps: [
      { text: `We add $${i} + 12$.`, kind: 'thought' },
      { text: i === 2 ? 'So the answer is 99.' : `So the answer is ${12 + i}.`, kind: 'thought' },
    ],
    source: { generator: 'test', dataset: 'sums', licence: 'MIT' },
  }
})

let server: TestServer
/** A chat model that can add, but says of problem 4 something that is no number. */
beforeAll(async () => {
  server = await startTestServer({
    latencyMs: 20,
    text: (body) => {
      const messages = (body['messages'] ?? []) as { content: string }[]
      const asked = messages.map((m) => /What is (\d+) \+ 12\?/.exec(m.content)?.[1]).find((a) => a !== undefined)
      if (asked === undefined) return 'one two three four five'
      return `It is easy.\n\nThe answer is ${asked === '4' ? 'more or less a lot' : `\\boxed{${12 + Number(asked)}}`}.`
    },
  })
  write('sums.jsonl', sums)
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

describe('gradus label with an endpoint', () => {
  const command = (more: string) =>
    call(`@sums.jsonl --with monte-carlo:k=2 --policy ${server.url}#test --cache @cache.sqlite ${more}`)

  it('says first what would go where for how much, and asks nothing in a dry run', async () => {
    const run = await call(
      '@sums.jsonl --with monte-carlo:k=2 --policy http://127.0.0.1:9/v1#m --price 1,10 --dry-run --json --cache @d.sqlite',
    )
    expect(JSON.parse(run.out)).toMatchObject({
      host: '127.0.0.1:9',
      traces: 6,
      covered: 5,
      refused: { 'GRD-LABEL-004': 1 },
      rollouts: 5 * 3 * 2,
      tokens: { prompt: expect.any(Number) },
      cost: expect.any(Number),
    })
    expect(existsSync(path('d.sqlite'))).toBe(false)
    expect((await command('--price 1,10 --dry-run')).out).toMatch(
      /host +127\.0\.0\.1:\d+\n.*\n +rollouts +at most 30\n/,
    )
  })

  it('checks continuations by the answer, leaves out what cannot be decided, and counts what has no answer', async () => {
    const run = await command('--json -o @sums.out.jsonl')
    expect(run.code).toBe(0)
    const summary = JSON.parse(run.out)
    expect(summary).toMatchObject({ traces: 6, refused: { 'GRD-LABEL-004': 1 }, failedCalls: {} })
    // The model always solves all but the two that it cannot: four problems teach nothing.
    expect(summary.deadGroups).toEqual({ allRight: 4, allWrong: 0 })
    const done = read('sums.out.jsonl')
    expect(done.map((t) => t.id)).toEqual(sums.map((t) => t.id))
    const counts = done.map((t) =>
      t.evidence?.map((e) => (e.kind === 'rollouts' ? [e.step, e.successes, e.trials] : e)),
    )
    const right = [
      [-1, 2, 2],
      [0, 2, 2],
      [1, 1, 1],
    ]
    expect(counts[0]).toEqual(right)
    expect(counts[2]).toEqual([...right.slice(0, 2), [1, 0, 1]])
    // The model's end of problem 4 is no answer that can be compared; the trace's own is.
    expect(counts[4]).toEqual([[1, 1, 1]])
    expect(counts[5]).toEqual([])
    expect(done.map((t) => t.verdict?.firstError ?? null)).toEqual([-1, -1, 1, -1, expect.anything(), null])
  })

  it('makes no request the second time, and the same bytes', async () => {
    const before = server.requests
    const run = await command('--json -o @again.jsonl')
    expect(JSON.parse(run.out)).toMatchObject({ requests: 0, traces: 6 })
    expect(server.requests).toBe(before)
    expect(readFileSync(path('again.jsonl'), 'utf8')).toBe(readFileSync(path('sums.out.jsonl'), 'utf8'))
  })

  it('ends at a budget with whole traces only, and goes on with a larger one', async () => {
    const fresh = `@sums.jsonl --with monte-carlo:k=2 --policy ${server.url}#test --cache @b.sqlite --json -o @b.jsonl -j 1`
    const short = await call(`${fresh} --budget-calls 22`)
    expect(short.code).toBe(3)
    const said = JSON.parse(short.out)
    expect(said.stopped.code).toBe('GRD-RUN-001')
    expect(said.traces + said.unfinished).toBeLessThanOrEqual(6)
    expect(read('b.jsonl')).toEqual(read('sums.out.jsonl').slice(0, said.traces))
    const rest = await call(fresh)
    expect(rest.code).toBe(0)
    expect(readFileSync(path('b.jsonl'), 'utf8')).toBe(readFileSync(path('sums.out.jsonl'), 'utf8'))
    expect(server.requests).toBeLessThan(200)
  })

  it('stops at Ctrl-C with 130, keeps what it paid for and goes on where it stopped', async () => {
    const slow = await startTestServer({ latencyMs: 400, text: () => 'The answer is 12.' })
    try {
      const args =
        `label sums.jsonl --with monte-carlo:k=2 --policy ${slow.url}#test --cache slow.sqlite -j 2 --json -o slow.jsonl`.split(
          ' ',
        )
      const child = startGradus(folder, args)
      await vi.waitFor(() => expect(slow.requests).toBeGreaterThan(20), { timeout: 40_000, interval: 20 })
      child.child.kill('SIGINT')
      const ended = await child.ended
      expect([ended.code, ended.out + ended.err]).toEqual([130, expect.stringContaining('GRD-RUN-002')])
      const before = slow.requests
      const rest = await runGradus(folder, args)
      expect(rest.code).toBe(0)
      const { traces, requests } = JSON.parse(rest.out)
      expect(traces).toBe(6)
      // Five problems at two prefixes, twice each: the probe and what the first run paid for are not asked again.
      expect(requests).toBe(slow.requests - before)
      expect(requests).toBeLessThan(20)
    } finally {
      await slow.close()
    }
  })

  it('says what failed, and has no evidence of it', async () => {
    let asked = 0
    const broken = await startTestServer({
      text: () => 'The answer is 12.',
      behave: () => (++asked > 20 ? { kind: 'status', status: 400, body: 'no' } : { kind: 'answer' }),
    })
    try {
      const run = await call(`@sums.jsonl --with monte-carlo:k=2 --policy ${broken.url}#test --no-cache --json`)
      expect(run.code).toBe(3)
      expect(Object.keys(JSON.parse(run.out).failedCalls)).toEqual(['GRD-CALL-010'])
    } finally {
      await broken.close()
    }
    const gone = `@sums.jsonl --with monte-carlo --policy http://127.0.0.1:9/v1#m --no-cache`
    expect((await call(gone)).code).toBe('GRD-CALL-001')
  })
})

describe('gradus label with policies of this process', () => {
  it('rolls out the embedded policy on its own traces, and a player by rules on them too', async () => {
    const seen = await callVerb(
      sample,
      `--task game24:1 --policy embedded:game24 --problems 3 --seed 1 --no-cache -o ${path('g.jsonl')}`.split(' '),
    )
    expect(seen.code).toBe(0)
    const own = '@g.jsonl --with omegaprm:k=2 --policy embedded:game24 --seed 1 --cache @g.sqlite --json -o @go.jsonl'
    const run = await call(own)
    expect(run.code).toBe(0)
    const summary = JSON.parse(run.out)
    expect(summary).toMatchObject({ traces: 3, recovery: { trials: expect.any(Number) } })
    expect(summary.recovery.trials).toBeGreaterThan(0)
    expect(JSON.parse((await call(own)).out)).toMatchObject({ requests: 0 })
    const random = await call('@g.jsonl --with monte-carlo:k=2 --policy game24-random --json')
    expect(JSON.parse(random.out).rollouts['monte-carlo'].trials).toBeGreaterThan(6)
  })

  it('refuses traces that the policy has not learnt, by code, and settings without a policy', async () => {
    const [problem] = game24.generate('label-policy', 0, 1)
    if (!problem) throw new Error('no problem')
    write('mixed.jsonl', [
      { ...sums[0]!, id: 'g', problem, steps: [{ text: '1+1=2 (left: 2 4 6)', kind: 'thought' }] },
      sums[1]!,
    ])
    const run = await call('@mixed.jsonl --with monte-carlo:k=1 --policy embedded:chains --no-cache --json')
    expect(JSON.parse(run.out)).toMatchObject({ traces: 2, refused: { 'GRD-WORLD-001': 2 }, modelCalls: 0 })
    const blank = { ...sums[0]!, steps: [{ text: ' ', kind: 'thought' as const }, ...sums[0]!.steps] }
    write('blank.jsonl', [blank])
    const empty = await call(`@blank.jsonl --with omegaprm --policy ${server.url}#test --no-cache --json`)
    expect(JSON.parse(empty.out)).toMatchObject({ traces: 1, refused: { 'GRD-LABEL-002': 1 } })
    expect(await call('@mixed.jsonl --key NAME')).toMatchObject({ code: 'GRD-CLI-002' })
    expect(await call('@mixed.jsonl --policy task --temperature 1')).toMatchObject({ code: 'GRD-CLI-002' })
  })
})

describe('gradus label by log-probabilities', () => {
  const TOKEN = { OWN_TOKEN: 'a-token-for-tests-only' }
  /** Short enough for prefix and reference together in the context of 96 characters. */
  const solved = (): Trace[] =>
    heldOutProblems(game24, 0, 'label-policy', 40)
      .filter((problem) => (problem.solution ?? []).join('\n').length < 50)
      .slice(0, 2)
      .map((problem) => ({
        id: problem.id,
        problem,
        steps: (problem.solution ?? []).map((text) => ({ text, kind: 'thought' as const })),
        source: { generator: 'test', dataset: 'game24', licence: 'MIT' },
      }))

  it('weighs the same over HTTP as in this process', async () => {
    write('solved.jsonl', [...solved(), { ...sums[0]!, problem: { ...sums[0]!.problem, domain: 'game24' } }])
    const served = startGradus(folder, ['serve', '--policy', 'game24', '--port', '0', '--token', 'OWN_TOKEN'], TOKEN)
    try {
      const [url] = await says(served, /http:\/\/\S+/)
      const own = await call(
        '@solved.jsonl --with path-faithfulness --policy embedded:game24 --no-cache --json -o @own.jsonl',
      )
      expect(JSON.parse(own.out)).toMatchObject({ stepsValued: 4, refused: { 'GRD-LABEL-004': 1 } })
      vi.stubEnv('OWN_TOKEN', TOKEN.OWN_TOKEN)
      const far = await call(
        `@solved.jsonl --with path-faithfulness --policy ${url}#game24 --prompt text --key OWN_TOKEN --no-cache --json -o @far.jsonl`,
      )
      expect(far.code).toBe(0)
      const ratios = (name: string) =>
        read(name).flatMap((t) => (t.evidence ?? []).flatMap((e) => (e.kind === 'likelihood' ? e.ratios : [])))
      const [a, b] = [ratios('own.jsonl'), ratios('far.jsonl')]
      expect(a).toHaveLength(2 * 2 * 3)
      for (const [i, ratio] of a.entries()) expect(b[i]).toBeCloseTo(ratio ?? Number.NaN, 3)
    } finally {
      vi.unstubAllEnvs()
      served.child.kill('SIGTERM')
      await served.ended
    }
  })

  it('refuses whoever has none, before anything else is spent', async () => {
    write('solved.jsonl', solved())
    const ask = '@solved.jsonl --with path-faithfulness --no-cache --policy'
    expect(await call(`${ask} task`)).toMatchObject({ code: 'GRD-LABEL-004' })
    expect(await call('@solved.jsonl --with path-faithfulness')).toMatchObject({ code: 'GRD-LABEL-004' })
    const mute = await startTestServer({ lacks: ['promptLogprobs', 'echo'] })
    try {
      expect(await call(`${ask} ${mute.url}#m`)).toMatchObject({ code: 'GRD-CALL-011' })
      const probed = mute.requests
      expect(probed).toBeLessThan(20)
    } finally {
      await mute.close()
    }
    expect(await call(`${ask} ${server.url}#test --prompt chat`)).toMatchObject({ code: 'GRD-CLI-002' })
  })
})

describe('gradus label --audit', () => {
  it('compares annotators with the oracle, on traces with injected errors', async () => {
    const args = `--task arithmetic-chain:2 --policy inject:share=.7 --problems 40 -o ${path('injected.jsonl')}`
    expect((await callVerb(sample, args.split(' '))).code).toBe(0)
    const wrong = read('injected.jsonl').filter((t) => t.outcome === 0).length
    expect(wrong).toBeGreaterThan(20)
    const run = await call(
      '@injected.jsonl --with monte-carlo:k=4,spare --policy task:slip=.05,recovery=0 --audit @audit.json -o @audited.jsonl --json',
    )
    expect(run.code).toBe(0)
    const { audit } = JSON.parse(run.out)
    expect(JSON.parse(readFileSync(path('audit.json'), 'utf8'))).toEqual(audit)
    expect(audit).toMatchObject({ traces: 40, erroneous: wrong })
    const f1 = (annotator: string, rule: string): number =>
      audit.arms
        .find((arm: { annotator: string; rule: string }) => arm.annotator === annotator && arm.rule === rule)
        .figures.find((f: { name: string }) => f.name === 'F1').estimate.value
    expect(f1('spare', 'alignment')).toBe(1)
    expect(f1('monte-carlo', 'hard')).toBeGreaterThan(0.8)
    expect(f1('random step', '')).toBeLessThan(0.5)
    const again = await call('@audited.jsonl --relabel soft --audit @audit.html')
    expect(again.out).toContain('monte-carlo / hard')
    expect(readFileSync(path('audit.html'), 'utf8')).toContain('AUC')
  })

  it('refuses traces without an oracle, a policy that continues nothing, and a wrong name before any work', async () => {
    expect(await call('@sums.jsonl --audit @none.html')).toMatchObject({ code: 'GRD-EVAL-001' })
    expect(existsSync(path('none.html'))).toBe(false)
    expect(await call('@injected.jsonl --with monte-carlo --policy inject')).toMatchObject({ code: 'GRD-CLI-002' })
    expect(await call('@injected.jsonl --audit nowhere/audit.html')).toMatchObject({ code: 'GRD-IO-013' })
  })
})

describe('gradus label --trees', () => {
  it('writes the trees in the order of the traces, as JSON that is read again and as Graphviz', async () => {
    const made = `--task arithmetic-chain:1 --policy inject:share=1 --problems 4 -o ${path('chains.jsonl')}`
    expect((await callVerb(sample, made.split(' '))).code).toBe(0)
    const run = await call(
      '@chains.jsonl --with omegaprm:k=2,mcts:simulations=4,alphamath:iterations=4 --policy task:slip=.1 --trees @trees --dot --json',
    )
    expect(run.code).toBe(0)
    const grown = readFileSync(path('trees/trees.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const names = ['omegaprm', 'mcts', 'alphamath']
    expect(grown.map((g) => [g.id, g.annotator])).toEqual(
      read('chains.jsonl').flatMap((t) => names.map((name) => [t.id, name])),
    )
    for (const { tree, path: nodes, best, problem, id } of grown) {
      const again = Tree.fromJSON(tree)
      expect(again.toJSON()).toEqual(tree)
      const trace = read('chains.jsonl').find((t) => t.id === id)
      expect(nodes.map((n: number) => again.text(n))).toEqual(trace?.steps.map((s) => s.text))
      expect(problem).toEqual(trace?.problem)
      for (const n of best ?? []) expect(again.text(n)).not.toBe('')
    }
    expect(readFileSync(path('trees/0002-mcts.dot'), 'utf8')).toMatch(/^digraph tree \{/)
    expect(existsSync(path('trees/0012-alphamath.dot'))).toBe(true)
    expect(await call('@chains.jsonl --with spare --trees @t2')).toMatchObject({ code: 'GRD-CLI-002' })
  })
})
