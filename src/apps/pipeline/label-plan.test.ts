import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import type { Trace } from '../../core/words.ts'
import { Engine } from '../../engine/engine.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import type { Terminal } from '../cli/verb.ts'
import { label as labelVerb } from '../cli/verbs/label.ts'
import { labelTraces, relabelTrace } from './label.ts'
import { boundRuleNamed, labelPlan } from './label-plan.ts'
import { openPolicy, readPolicySpec } from './open-policy.ts'
import { rolloutCheck } from './rollout-check.ts'
import { parseSpec, parseSpecs } from './spec.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-label-'))
afterAll(() => rmSync(folder, { recursive: true }))

const traces: Trace[] = task.generate('label-plan', 3, 12).map((problem) => ({
  id: problem.id,
  problem,
  steps: task
    .complete(problem, [], random(problem.id), { slip: 0.15, recovery: 0 })
    .map((text) => ({ text, kind: 'thought' })),
  source: { generator: 'test', dataset: 'test', licence: 'MIT' },
}))
const firstErrors = traces.map((t) =>
  task
    .oracle(
      t.problem,
      t.steps.map((s) => s.text),
    )
    .findIndex((truth) => !truth.correct),
)
const file = join(folder, 'traces.jsonl')
writeFileSync(file, traces.map((t) => `${JSON.stringify(t)}\n`).join(''))
const context = { allowCode: false, allowLocalExec: false, seed: '0', spend: () => {} }

describe('method specifications', () => {
  it('hold options after a colon, also where a list was cut at commas', () => {
    expect(parseSpecs(['omegaprm:k=16', 'searches=4', 'arithmetic', 'verifier:arithmetic'])).toEqual([
      { name: 'omegaprm', given: { k: '16', searches: '4' } },
      { name: 'arithmetic', given: {} },
      { name: 'verifier:arithmetic', given: {} },
    ])
    expect(parseSpec('task:slip=.06,recovery=0')).toEqual({ name: 'task', given: { slip: '.06', recovery: '0' } })
  })
})

describe('a labelling plan', () => {
  const spec = readPolicySpec('task:slip=.05,recovery=0')
  const check = rolloutCheck(spec, '0')
  const ruleOf = (names: string[], rule?: string) => labelPlan({ with: names, rule, check }).rule.rule.name
  const open = async (text: string) => {
    const settings = { prompt: 'text', samples: 1, by: 'the test' } as const
    return (await openPolicy(readPolicySpec(text), new Engine(), settings, new AbortController().signal)).policy
  }

  it('takes the rule that fits the annotators, unless one is named', () => {
    expect(ruleOf(['arithmetic'])).toBe('tool-reliability')
    expect(ruleOf(['monte-carlo'])).toBe('hard')
    expect(ruleOf(['first-error-locator'])).toBe('first-error-posterior')
    expect(ruleOf(['monte-carlo', 'arithmetic'])).toBe('tool-veto')
    expect(ruleOf(['mcts:tool=arithmetic'])).toBe('tool-veto')
    expect(ruleOf(['spare'])).toBe('alignment')
    expect(ruleOf(['subtask:size=1', 'spare'])).toBe('alignment')
    expect(ruleOf(['omegaprm', 'first-error-locator'])).toBe('hard')
    expect(ruleOf(['rpe:eps=.5'])).toBe('relative-progress')
    expect(ruleOf(['monte-carlo'], 'soft')).toBe('soft')
    const judged = (...names: string[]) => labelPlan({ with: names, check, rewards: ['judge'] }).rule.rule.name
    expect(judged('reward:judge')).toBe('scores')
    expect(judged('arithmetic', 'reward:judge')).toBe('scores')
    expect(judged('monte-carlo', 'reward:judge')).toBe('consensus')
    expect(labelPlan({ with: ['consensus:agree=first-error'], check }).rule).toMatchObject({
      rule: { name: 'consensus' },
      options: { agree: 'first-error' },
    })
  })

  it('refuses what it cannot do before anything is spent', () => {
    const codes = [
      () => labelPlan({ with: ['monte-carlo'] }),
      () => labelPlan({ with: ['nobody'], check }),
      () => labelPlan({ with: ['monte-carlo:depth=3'], check }),
      () => labelPlan({ with: ['monte-carlo:k=0'], check }),
      () => labelPlan({ with: ['consensus:x=1'], check }),
      () => boundRuleNamed('nobody'),
      () => readPolicySpec('http://localhost'),
      () => readPolicySpec('task:0.2,0.5'),
      () => rolloutCheck(spec, '0', 'nobody'),
    ].map((act) => {
      try {
        act()
        return 'accepted'
      } catch (error) {
        return (error as { code: string }).code
      }
    })
    expect(codes).toEqual([
      'GRD-LABEL-004',
      'GRD-LABEL-001',
      ...['GRD-CLI-002', 'GRD-CLI-002', 'GRD-CLI-002'],
      'GRD-LABEL-001',
      ...['GRD-CLI-002', 'GRD-CLI-002', 'GRD-CLI-002'],
    ])
  })

  it('labels with rollouts by the task of each problem, and leaves others alone', async () => {
    const foreign: Trace = { ...traces[0]!, id: 'foreign', problem: { id: 'f', prompt: 'Why?' } }
    const plan = labelPlan({ with: ['monte-carlo'], check })
    const policy = await open('task:slip=.05,recovery=0')
    expect((await plan.prepare(traces, policy, () => {}))?.successes).toBe(0)
    const done = await labelTraces([...traces, foreign], plan.annotators, { ...context, policy }, plan.rule)
    expect(done.map((t) => t.verdict?.firstError ?? null)).toEqual([...firstErrors, null])
    expect(done.at(-1)?.evidence).toEqual([])
  })

  it('gives the measured recovery rate to locator and rule, and says when a method is not made for it', async () => {
    const plan = labelPlan({ with: ['first-error-locator'], check })
    const rate = await plan.prepare(traces, await open('task:slip=.05,recovery=0,rescue=.3'), () => {})
    if (!rate) throw new Error('nothing measured')
    expect(plan.rule.options).toMatchObject({ recovery: rate.rate.value, trials: rate.trials })
    expect(plan.warning(rate)).toBeNull()
    expect(labelPlan({ with: ['omegaprm'], check }).warning(rate)).toContain('too often for omegaprm and hard')
  })

  it('makes other labels from stored evidence without looking again', async () => {
    const plan = labelPlan({ with: ['monte-carlo'], check })
    const policy = await open('task:slip=.05,recovery=0')
    const [done] = await labelTraces(traces.slice(0, 1), plan.annotators, { ...context, policy }, plan.rule)
    if (!done) throw new Error('no trace')
    const soft = relabelTrace(done, boundRuleNamed('soft'))
    expect(soft.evidence).toBe(done.evidence)
    expect(soft.labels?.every((l) => l.source === 'soft')).toBe(true)
    expect(soft.labels).toHaveLength(done.steps.length)
    expect(relabelTrace(soft, plan.rule)).toEqual(done)
  })
})

describe('gradus label with rollouts', () => {
  async function run(args: Record<string, unknown>) {
    let out = ''
    const terminal: Terminal = {
      out: (text) => void (out += text),
      err: (text) => void (out += text),
      colour: false,
      interactive: false,
      columns: 100,
    }
    const code = await labelVerb.run([file], labelVerb.options.parse(args), terminal)
    return { code, out }
  }

  it('announces, spends, and relabels for nothing', async () => {
    const output = join(folder, 'rolled.jsonl')
    const ask = { with: ['monte-carlo:k=4'], policy: 'task:slip=.05,recovery=0', output }
    const announced = JSON.parse((await run({ ...ask, dryRun: true, json: true })).out)
    expect(announced).toMatchObject({ traces: 12, covered: 12 })
    const spent = JSON.parse((await run({ ...ask, json: true })).out)
    expect(spent.rollouts['monte-carlo'].trials).toBeLessThanOrEqual(announced.rollouts)
    expect(spent.recovery).toMatchObject({ successes: 0 })
    const first = readFileSync(output, 'utf8')
    await run(ask)
    expect(readFileSync(output, 'utf8')).toBe(first)
    const foreign = await run({ ...ask, output: undefined, task: 'game24', json: true })
    expect(JSON.parse(foreign.out)).toMatchObject({ refused: { 'GRD-WORLD-001': 12 }, modelCalls: 0 })
    const again = await run({ relabel: 'hard:threshold=.5', json: true })
    expect(JSON.parse(again.out)).toMatchObject({ modelCalls: 0 })
  })
})
