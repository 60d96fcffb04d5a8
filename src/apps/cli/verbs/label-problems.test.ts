import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { Tree } from '../../../core/tree.ts'
import type { Problem, Trace } from '../../../core/words.ts'
import { startTestServer } from '../../../engine/testing/openai-server.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { callVerb, runGradus, startGradus } from '../testing/run-gradus.ts'
import { label } from './label.ts'

// Whole processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 90_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-label-problems-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = (name: string): string => join(folder, name)
const lines = <T>(name: string): T[] =>
  readFileSync(path(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
const write = (name: string, problems: readonly Problem[]): void =>
  writeFileSync(path(name), problems.map((problem) => `${JSON.stringify(problem)}\n`).join(''))
const call = (args: string) => callVerb(label, args.replaceAll('@', `${folder}/`).split(' '))

describe('gradus label with problems', () => {
  it.each([
    ['omegaprm', 'hard'],
    ['mcts:simulations=16', 'tool-veto'],
  ])('explores them with the embedded policy by %s, and the labels agree with the oracle', async (name, rule) => {
    const kind = name.split(':')[0] ?? ''
    const run = await call(
      `--task arithmetic-chain:1 --with ${name} --policy embedded --problems 10 --cache @e.sqlite --audit @${kind}.json --trees @${kind} --json -o @${kind}.jsonl`,
    )
    expect(run.code).toBe(0)
    const traces = lines<Trace>(`${kind}.jsonl`)
    const summary = JSON.parse(run.out)
    expect(summary).toMatchObject({ traces: traces.length, explored: { problems: 10 } })
    expect(traces.length).toBeGreaterThan(10)
    for (const trace of traces) {
      expect(trace.source).toMatchObject({ dataset: 'arithmetic-chain', licence: 'MIT' })
      expect(trace.labels?.length).toBeGreaterThan(1)
    }
    // Each rollout is counted once, however many traces share its prefix; the ends that were checked cost none.
    const paid = traces.flatMap((t) => (t.evidence ?? []).flatMap((e) => (e.kind === 'rollouts' && e.usage ? [e] : [])))
    expect(summary.rollouts[kind].trials).toBe(paid.reduce((n, e) => n + e.trials, 0))
    type Arm = { annotator: string; rule: string; figures: { name: string; estimate: { value: number } }[] }
    const figure = (annotator: string, of: string, name: string): number => {
      const arm = summary.audit.arms.find((one: Arm) => one.annotator === annotator && one.rule === of)
      return arm.figures.find((one: Arm['figures'][number]) => one.name === name).estimate.value
    }
    expect(figure(kind, rule, 'F1')).toBeGreaterThan(figure('random step', '', 'F1') + 0.15)
    expect(figure(kind, rule, 'step labels untrue')).toBeLessThan(0.25)
    expect(figure(kind, 'soft', 'AUC of values')).toBeGreaterThan(0.8)
    const trees = lines<{ id: string; runs: number[][]; tree: Parameters<typeof Tree.fromJSON>[0] }>(
      `${kind}/trees.jsonl`,
    )
    expect(trees.flatMap(({ id, runs }) => runs.map((_, i) => `${id}#${i}`))).toEqual(traces.map((t) => t.id))
    for (const { id, runs, tree } of trees) {
      const grown = Tree.fromJSON(tree)
      for (const [i, run] of runs.entries()) {
        const trace = traces.find((t) => t.id === `${id}#${i}`)
        expect(run.map((node) => grown.text(node))).toEqual(trace?.steps.map((step) => step.text))
      }
    }
  })

  it('reads a file of problems, says what exploring costs at most, and puts tools beside the tree', async () => {
    const [a, b, c] = arithmeticChain.generate('label-problems', 1, 3)
    const { answer: _, ...without } = { ...c!, domain: 'elsewhere' }
    write('problems.jsonl', [a!, b!])
    write('mixed.jsonl', [a!, { ...b!, domain: 'elsewhere' }, without])
    const dry = await call('@problems.jsonl --with omegaprm:k=4,searches=2 --policy task:slip=.1 --dry-run --json')
    expect(JSON.parse(dry.out)).toMatchObject({
      of: 'problems',
      traces: 2,
      covered: 2,
      rollouts: 2 * 4 * (1 + 2 * 8) + 8,
    })
    const text = await call('@problems.jsonl --with omegaprm --policy task:slip=.1 --dry-run')
    expect(text.out).toMatch(/ {2}problems +2, of which the policy is asked about 2/)
    const run = await call(
      '@problems.jsonl --with omegaprm,arithmetic --policy task:slip=.3 -n 4 -o @both.jsonl --json',
    )
    expect(run.code).toBe(0)
    const sources = lines<Trace>('both.jsonl').map((t) => [...new Set(t.evidence?.map((e) => e.source))])
    expect(sources.length).toBeLessThanOrEqual(8)
    for (const of of sources) expect(of).toEqual(['omegaprm', 'verifier:arithmetic'])
    const mixed = await call(`@mixed.jsonl --with alphamath --policy task:slip=.1 -o @none.jsonl --json`)
    expect(JSON.parse(mixed.out)).toMatchObject({ refused: { 'GRD-WORLD-001': 2 }, explored: { problems: 1 } })
  })

  it('refuses what does not explore and says what to do, and what would cost nobody knows how much', async () => {
    write('problems.jsonl', arithmeticChain.generate('label-problems', 1, 2))
    const monte = await callVerb(label, [path('problems.jsonl'), '--with', 'monte-carlo', '--policy', 'task'])
    expect(monte).toMatchObject({ code: 'GRD-LABEL-004' })
    expect(monte.err).toContain('gradus sample')
    expect(await call('@problems.jsonl')).toMatchObject({ code: 'GRD-LABEL-004' })
    expect(await call('@problems.jsonl --with omegaprm')).toMatchObject({ code: 'GRD-LABEL-004' })
    for (const names of ['omegaprm,mcts', 'omegaprm,monte-carlo']) {
      expect(await call(`@problems.jsonl --with ${names} --policy task`)).toMatchObject({ code: 'GRD-CLI-002' })
    }
    expect(await call('--task arithmetic-chain:99 --with omegaprm --policy task')).toMatchObject({
      code: 'GRD-WORLD-002',
    })
    expect(await call('--with omegaprm --policy task')).toMatchObject({ code: 'GRD-CLI-001' })
    expect(await call('@problems.jsonl --with omegaprm --policy task --engine pglite -o @many.jsonl')).toMatchObject({
      code: 'GRD-CLI-002',
    })
    expect(existsSync(path('many.jsonl'))).toBe(false)
    const [problem] = arithmeticChain.generate('label-problems', 1, 1)
    const steps = (problem?.solution ?? []).map((text) => ({ text, kind: 'thought' }))
    const source = { generator: '', dataset: '', licence: '' }
    writeFileSync(path('traces.jsonl'), `${JSON.stringify({ id: 't', problem, steps, source })}\n`)
    expect(await call('@traces.jsonl --with omegaprm --policy task -n 4')).toMatchObject({ code: 'GRD-CLI-002' })
    expect((await call('@traces.jsonl --with omegaprm --policy task --json')).code).toBe(0)
  })
})

describe('gradus label with problems over an endpoint', () => {
  const sums = Array.from(
    { length: 5 },
    (_, i): Problem => ({ id: `s${i}`, prompt: `What is ${i} + 12?`, answer: String(12 + i) }),
  )
  /** Errs in every third sample, at the first or the second of three steps. */
  const serve = (latencyMs: number) =>
    startTestServer({
      latencyMs,
      text: (body) => {
        const messages = (body['messages'] ?? []) as { content: string }[]
        const asked = Number(messages.map((m) => /What is (\d+) \+ 12\?/.exec(m.content)?.[1]).find((a) => a) ?? 0)
        const draw = Number(body['seed'] ?? 0) % 3
        const wrong = /mistake/.test(messages.at(-1)?.content ?? '') || draw === 1
        return `${draw === 1 ? 'We make a mistake' : 'We add'} number ${draw}.\n\nThis is easy.\n\nThe answer is \\boxed{${12 + asked + (wrong ? 1 : 0)}}.`
      },
    })
  write('sums.jsonl', [...sums, { id: 'open', prompt: 'What is 7 + 12?' }])
  const command = (url: string, more: string) =>
    `@sums.jsonl --with omegaprm:k=3 --policy ${url}#test --seed 4 --json ${more}`

  it('refuses problems without an answer, ends at a budget with whole trees, and pays nothing twice', async () => {
    const server = await serve(0)
    try {
      const whole = await call(command(server.url, '--cache @whole.sqlite -o @whole.jsonl'))
      expect(whole.code).toBe(0)
      const summary = JSON.parse(whole.out)
      expect(summary).toMatchObject({ refused: { 'GRD-LABEL-004': 1 }, explored: { problems: 5 } })
      expect(lines('whole.jsonl').length).toBeGreaterThan(5)
      const asked = server.requests
      const args = '--cache @parts.sqlite -o @parts.jsonl -j 2'
      const short = await call(command(server.url, `${args} --budget-calls ${Math.floor(summary.requests / 2)}`))
      expect(short.code).toBe(3)
      const said = JSON.parse(short.out)
      expect(said.stopped.code).toBe('GRD-RUN-001')
      expect(said.unfinished).toBeGreaterThan(0)
      const begun = lines<Trace>('parts.jsonl')
      expect(begun).toEqual(lines<Trace>('whole.jsonl').slice(0, begun.length))
      expect((await call(command(server.url, args))).code).toBe(0)
      expect(readFileSync(path('parts.jsonl'), 'utf8')).toBe(readFileSync(path('whole.jsonl'), 'utf8'))
      // The probe is asked once each.
      expect(server.requests - asked).toBe(asked)
    } finally {
      await server.close()
    }
  })

  it('stops at Ctrl-C with 130, goes on where it stopped, and writes the same bytes', async () => {
    const server = await serve(120)
    try {
      const args = `label ${command(server.url, '--cache slow.sqlite -j 2 -o slow.jsonl').replaceAll('@', '')}`.split(
        ' ',
      )
      const child = startGradus(folder, args)
      await vi.waitFor(() => expect(server.requests).toBeGreaterThan(20), { timeout: 60_000, interval: 20 })
      child.child.kill('SIGINT')
      expect((await child.ended).code).toBe(130)
      const before = server.requests
      const rest = await runGradus(folder, args)
      expect(rest.code).toBe(0)
      expect(JSON.parse(rest.out).requests).toBe(server.requests - before)
      const fresh = await serve(0)
      try {
        const other = args.map((word) => word.replace(server.url, fresh.url).replace('slow.', 'fresh.'))
        expect((await runGradus(folder, other)).code).toBe(0)
        expect(server.requests).toBe(fresh.requests)
      } finally {
        await fresh.close()
      }
      const traces = (name: string) => lines<Trace>(name).map(({ source: _, ...trace }) => trace)
      expect(traces('slow.jsonl')).toEqual(traces('fresh.jsonl'))
    } finally {
      await server.close()
    }
  })
})
