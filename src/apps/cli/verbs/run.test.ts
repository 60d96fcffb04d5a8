import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTraces } from '../../../io/read.ts'
import { startSumJudge } from '../../../models/rewards/testing/sum-judge.ts'
import { callVerb, runGradus, startGradus } from '../testing/run-gradus.ts'
import { run } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-run-'))

/** A whole run in about a second: the completer of the task writes, so that no model is loaded. */
const SMALL = `
policy: task:slip=.15
task: arithmetic-chain:1
annotators: [monte-carlo:k=3, arithmetic]
numbers: { train: 60, trainSamples: 3, tune: 20, report: 20, reportSamples: 4, seeds: 2 }
beam: { k: 4, beam: 2 }
`
const config = join(folder, 'gradus.yaml')
writeFileSync(config, SMALL)

const figuresOf = (path: string) => readFileSync(join(path, 'figures.json'), 'utf8')

describe('gradus run', () => {
  it('goes from problems to proof, and finds first errors better than its outcome twin and than nothing', async () => {
    const path = join(folder, 'whole')
    const { code, out } = await callVerb(run, [config, '--folder', path])
    expect(code).toBe(0)
    expect(out).toMatch(/The first wrong step on unseen problems/)
    expect(out).toMatch(/npx gradus view/)
    const figures = JSON.parse(figuresOf(path)) as { id: string; rows: (string | number)[][] }[]
    expect(figures.map((f) => f.id)).toEqual([
      'first-errors',
      'best-of-n',
      'best-of-n-differences',
      'aggregators',
      'accuracy-by-tokens',
    ])
    const f1 = new Map(figures[0]!.rows.map((row) => [row[0], Number.parseFloat(String(row[1]))]))
    expect(f1.get('process model')).toBeGreaterThan(Math.max(f1.get('always clean')!, f1.get('random')!))
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('From problems to proof')
    const { traces } = await readTraces(join(path, 'labelled.jsonl'))
    expect(traces).toHaveLength(180)
    const sources = new Set(traces.flatMap((t) => (t.evidence ?? []).map((e) => e.source)))
    expect([...sources].sort()).toEqual(['monte-carlo', 'verifier:arithmetic'])
    const state = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'))
    expect(state).toMatchObject({ state: 'done', stage: null, config: { policy: 'task:slip=.15' } })
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('killed at any moment it goes on where it stopped, and ends with the same figures', async () => {
    const path = join(folder, 'killed')
    for (const wait of [700, 1_100, 1_600]) {
      const { child, ended } = startGradus(folder, ['run', config, '--folder', path])
      await Promise.race([ended, new Promise((go) => setTimeout(go, wait))])
      child.kill('SIGKILL')
      await ended
    }
    const { code } = await runGradus(folder, ['run', config, '--folder', path])
    expect(code).toBe(0)
    expect(figuresOf(path)).toBe(figuresOf(join(folder, 'whole')))
  })

  it('a judge beside the annotators has its verdicts among the evidence; what goes where is said first', async () => {
    const judge = await startSumJudge()
    const path = join(folder, 'judged')
    const ran = await callVerb(run, [config, '--folder', path, '--judge', `${judge.url}#test`])
    await judge.close()
    expect(ran.code).toBe(0)
    expect(ran.err).toMatch(/judge 127\.0\.0\.1:\d+: 180 traces are sent there, at most 360 calls/)
    const { traces } = await readTraces(join(path, 'labelled.jsonl'))
    expect(traces.every((t) => t.evidence?.some((e) => e.kind === 'judgement' && e.source === 'reward:judge'))).toBe(
      true,
    )
  })

  it('a finished folder is only shown again; settings of another run are refused', async () => {
    const path = join(folder, 'whole')
    const before = readFileSync(join(path, 'labelled.jsonl'))
    expect(await callVerb(run, [config, '--folder', path])).toMatchObject({ code: 0 })
    expect(readFileSync(join(path, 'labelled.jsonl')).equals(before)).toBe(true)
    expect(await callVerb(run, [config, '--folder', path, '--seed', '1'])).toMatchObject({ code: 'GRD-RUN-004' })
  })

  it('names the field of a wrong setting, and shows the settings without doing anything', async () => {
    const wrong = join(folder, 'wrong.yaml')
    writeFileSync(wrong, 'polcy: embedded\n')
    const refused = await callVerb(run, [wrong])
    expect(refused).toMatchObject({ code: 'GRD-CLI-002', err: expect.stringContaining('polcy') })
    const both = await callVerb(run, ['--task', 'game24', '--problems', 'x.jsonl'])
    expect(both).toMatchObject({ code: 'GRD-CLI-002' })
    const shown = await callVerb(run, ['--policy', 'http://127.0.0.1:9/v1#m', '--dry-run'])
    expect(JSON.parse(shown.out)).toMatchObject({ policy: 'http://127.0.0.1:9/v1#m', size: 'quick' })
  })

  it('ends cleanly when the budget is used up, and goes on with a larger one', async () => {
    const path = join(folder, 'poor')
    const embedded = join(folder, 'embedded.yaml')
    writeFileSync(embedded, SMALL.replace('task:slip=.15', 'embedded:chains'))
    const poor = await callVerb(run, [embedded, '--folder', path, '--budget-calls', '5'])
    expect(poor).toMatchObject({ code: 3, err: expect.stringContaining('goes on from there') })
    const state = () => JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'))
    expect(state()).toMatchObject({ state: 'stopped', usage: { calls: 5 } })
    expect(await callVerb(run, [embedded, '--folder', path, '--budget-calls', '9'])).toMatchObject({ code: 3 })
    expect(state()).toMatchObject({ state: 'stopped', usage: { calls: 9 } })
  })
})
