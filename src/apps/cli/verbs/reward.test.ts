import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../../core/seeds.ts'
import type { Trace } from '../../../core/words.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { callVerb } from '../testing/run-gradus.ts'
import { evaluation } from './eval.ts'
import { score } from './score.ts'
import { train } from './train.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-reward-verbs-'))
const path = (name: string): string => join(folder, name)
const call = (v: typeof train | typeof score | typeof evaluation, args: string) =>
  callVerb(v as typeof train, args.replaceAll('@', `${folder}/`).split(' '))
const read = (name: string): Trace[] =>
  readFileSync(path(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Trace)

beforeAll(() => {
  const draw = random('reward verbs')
  const traces = arithmeticChain.generate('verbs', 0, 120).map((problem): Trace => {
    const texts = arithmeticChain.complete(problem, [], draw, { slip: 0.3, recovery: 0 })
    const labels = arithmeticChain.oracle(problem, texts).map(({ correct }, step) => ({
      step,
      meaning: 'correctness' as const,
      value: Number(correct),
      source: 'exact',
    }))
    const evidence = labels.map(({ step, value }) => ({
      kind: 'judgement' as const,
      source: 'judge',
      step,
      verdict: (draw.next() < 0.85 ? value : 1 - value) ? ('correct' as const) : ('incorrect' as const),
      reason: '',
    }))
    return {
      id: problem.id,
      problem,
      steps: texts.map((text) => ({ text, kind: 'thought' })),
      outcome: Number(arithmeticChain.check(problem, arithmeticChain.answerOf(texts) ?? '')),
      labels,
      evidence,
      source: { generator: 'completer', dataset: 'chains', licence: 'MIT' },
    }
  })
  writeFileSync(path('labelled.jsonl'), traces.map((trace) => `${JSON.stringify(trace)}\n`).join(''))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('gradus train reward, gradus score', () => {
  it('learns from labelled traces, then scores traces: labels `reward:<name>` beside the old ones', async () => {
    const trained = await call(train, 'reward @labelled.jsonl --name mine -o @model.json')
    expect(trained).toMatchObject({ code: 0, err: '' })
    expect(trained.out).toMatch(/position and length alone/)
    const scored = await call(score, '@labelled.jsonl --reward @model.json -o @scored.jsonl --json')
    expect(scored).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(scored.out)).toMatchObject({ reward: 'mine', meaning: 'correctness', traces: 120, cannotSay: 0 })
    const again = await call(score, '@scored.jsonl --reward @model.json -o @again.jsonl')
    expect(again.code).toBe(0)
    expect(readFileSync(path('again.jsonl'), 'utf8')).toBe(readFileSync(path('scored.jsonl'), 'utf8'))
    for (const trace of read('scored.jsonl')) {
      const own = (trace.labels ?? []).filter((label) => label.source === 'reward:mine')
      expect(own.filter((label) => label.meaning === 'correctness')).toHaveLength(trace.steps.length)
      expect(trace.labels?.some((label) => label.source === 'exact')).toBe(true)
    }
  })

  it('eval --bon shows curves and audits of the scored file, as text, JSON and a page without scripts', async () => {
    const pool = read('scored.jsonl').flatMap((trace) => [
      trace,
      { ...trace, id: `${trace.id}'`, answer: 'none', outcome: 0 },
    ])
    writeFileSync(path('pool.jsonl'), pool.map((trace) => `${JSON.stringify(trace)}\n`).join(''))
    const shown = await call(evaluation, '@pool.jsonl --bon --truth exact -o @bon.html')
    expect(shown).toMatchObject({ code: 0, err: '' })
    expect(shown.out).toMatch(
      /best by mine, min[\s\S]*best by mine, min less majority[\s\S]*of position and length alone/,
    )
    const html = readFileSync(path('bon.html'), 'utf8')
    expect(html).toMatch(/<svg/)
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/)
    const json = JSON.parse((await call(evaluation, '@pool.jsonl --bon --json')).out)
    expect(json).toMatchObject({ bon: { questions: 120 }, scorers: [{ name: 'mine' }] })
    expect((await call(evaluation, '@scored.jsonl --bon')).code).toBe('GRD-EVAL-003')
  })

  it('takes learners with options, and the same command gives the same files', async () => {
    const command = (name: string) =>
      call(train, `reward @labelled.jsonl --kind value --learner mlp:units=8,loss=mse --seed a -o @${name}`)
    expect(await command('a')).toMatchObject({ code: 0 })
    expect(await command('b')).toMatchObject({ code: 0 })
    expect(readFileSync(path('a.json'))).toEqual(readFileSync(path('b.json')))
    expect(readFileSync(path('a.safetensors'))).toEqual(readFileSync(path('b.safetensors')))
  })

  it.each([
    ['reward @labelled.jsonl', 'GRD-CLI-001'],
    ['reward -o @x.json', 'GRD-CLI-001'],
    ['nothing', 'GRD-CLI-001'],
    ['reward @labelled.jsonl --labels nobody -o @x.json', 'GRD-TRAIN-001'],
    ['reward @labelled.jsonl --body stones -o @x.json', 'GRD-CLI-002'],
    ['reward @labelled.jsonl --fine-tune -o @x.json', 'GRD-CLI-002'],
    ['reward @labelled.jsonl --learner oracle -o @x.json', 'GRD-LABEL-001'],
    ['reward @labelled.jsonl --learner mlp:legs=4 -o @x.json', 'GRD-CLI-002'],
  ])('gradus train %s: %s', async (args, code) => {
    expect((await call(train, args)).code).toBe(code)
  })

  it('a trace that the model cannot read is kept without scores, counted and explained', async () => {
    const trained = await call(
      train,
      'reward @labelled.jsonl --body embedded:chains --learner logistic -o @hidden.json',
    )
    expect(trained.code).toBe(0)
    const [first, second] = read('labelled.jsonl') as [Trace, Trace]
    const odd = { ...first, id: 'odd', problem: { ...first.problem, domain: 'poetry' } }
    writeFileSync(path('two.jsonl'), `${JSON.stringify(odd)}\n${JSON.stringify(second)}\n`)
    const scored = await call(score, '@two.jsonl --reward @hidden.json -o @two-scored.jsonl')
    expect(scored.code).toBe(3)
    expect(scored.err).toMatch(/GRD-WORLD-001[\s\S]*1 traces could not be scored/)
    expect(read('two-scored.jsonl').map((t) => t.labels?.some((l) => l.source.startsWith('reward:')))).toEqual([
      false,
      true,
    ])
  })
})
