/**
 * How well do step advantages agree with what a step really changes? `node bench/credit.ts [--problems N] [--seeds N]`.
 *
 * Self-repairing chains of 9 lines, written by the task's completer, whose chance of success is known exactly after
 * every line. Truth of a step: P(success) after it minus P(success) before it, Q - V. Each method gets groups of 8
 * attempts or a tree of about as many tokens, and is compared with the truth over all steps that the policy wrote.
 *
 * The tree draws 3 children at the start, 2 after line 2 and 2 after line 5: 12 ends, and 72 lines where nothing is
 * restated, as 8 chains have. A step that several attempts share was written once and counts once, with the mean of
 * its advantages. Here the right line is always the same text, so that chains share states by chance, as free text does
 * not; `texts apart` tells every written step from all others.
 */
import { parseArgs } from 'node:util'
import { random } from '../src/core/seeds.ts'
import { differenceOf, type Estimate, estimateOf, mean, resampled } from '../src/core/stats/index.ts'
import type { Problem, Step } from '../src/core/words.ts'
import type { StepWriter } from '../src/engine/rollout.ts'
import { type Attempt, type Credit, isDead } from '../src/improve/credit/credit.ts'
import { dual } from '../src/improve/credit/dual.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { progress } from '../src/improve/credit/progress.ts'
import { renorm } from '../src/improve/credit/renorm.ts'
import { sameState } from '../src/improve/credit/same-state.ts'
import { tree } from '../src/improve/credit/tree.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import type { CompleterOptions } from '../src/worlds/tasks/task.ts'

const { values: given } = parseArgs({
  options: { problems: { type: 'string', default: '60' }, seeds: { type: 'string', default: '3' } },
})
const PROBLEMS = Number(given.problems)
const SEEDS = Number(given.seeds)
/** Chains of 8 operations and an answer. */
const LEVEL = 2
const GROUP = 8
const FORKS = [
  { after: 0, children: 3 },
  { after: 2, children: 2 },
  { after: 5, children: 2 },
]
/** Rollouts from each step; the smaller number is the first of the larger. */
const FEW = 4
const MANY = 16
const FLIPPED = 0.2
/** Advantages and truths below are 0. */
const NOTHING = 1e-9

const SETTINGS: { name: string; options: CompleterOptions }[] = [
  { name: 'slip .1, recovery .5', options: { slip: 0.1, recovery: 0.5 } },
  { name: 'slip .3, recovery .5', options: { slip: 0.3, recovery: 0.5 } },
  { name: 'slip .3, recovery .9', options: { slip: 0.3, recovery: 0.9 } },
  { name: 'plain chain: slip .1, recovery 0', options: { slip: 0.1, recovery: 0 } },
]

/** A line that the policy wrote, with all that is known of it. */
interface Drawn {
  id: string
  text: string
  tokens: number
  state: string
  /** Q - V. */
  truth: number
  scores: { exact: number; flipped: number; random: number }
  values: { exact: number; few: number | null; many: number | null }
}

interface Run {
  outcome: number
  steps: Drawn[]
}

interface Group {
  runs: Run[]
  /** P(success) of the start. */
  start: Drawn['values']
  /** Tokens of the attempts, and of the rollouts for values. */
  tokens: { written: number; few: number; many: number }
}

type Drawing = 'chains' | 'tree' | 'as-few'

interface Arm {
  name: string
  credit: Credit
  options?: Record<string, unknown>
  /** Which attempts it reads: 8 chains, the tree, or as many chains as chains with few rollouts cost. */
  on?: Drawing
  apart?: true
  scores?: keyof Drawn['scores']
  values?: keyof Drawn['values']
}

const everyStepAlike: Credit = {
  ...outcome,
  credit: (group) => group.map(({ steps }) => ({ advantages: steps.map(() => 1), parts: {}, flags: [] })),
}

const ARMS: Arm[] = [
  { name: 'every step 1 (control)', credit: everyStepAlike },
  { name: 'outcome (GRPO)', credit: outcome },
  { name: 'outcome, leave-one-out', credit: outcome, options: { baseline: 'leave-one-out', scale: 'none' } },
  { name: 'outcome on the tree (control)', credit: outcome, on: 'tree' },
  { name: 'tree local', credit: tree, on: 'tree' },
  { name: 'tree local, recursive', credit: tree, options: { value: 'recursive' }, on: 'tree' },
  { name: 'tree treerl', credit: tree, options: { form: 'treerl' }, on: 'tree' },
  { name: 'tree sibling', credit: tree, options: { form: 'sibling' }, on: 'tree' },
  { name: 'tree local, texts apart', credit: tree, on: 'tree', apart: true },
  { name: 'tree treerl, texts apart', credit: tree, options: { form: 'treerl' }, on: 'tree', apart: true },
  { name: 'tree local on chains', credit: tree },
  { name: 'tree local on chains, texts apart', credit: tree, apart: true },
  { name: 'same-state', credit: sameState },
  { name: 'same-state, gamma 1, no scale', credit: sameState, options: { gamma: 1, scale: 'none' } },
  { name: `progress, ${FEW} rollouts a step`, credit: progress, options: { outcome: 0 }, values: 'few' },
  { name: `progress, ${MANY} rollouts a step`, credit: progress, options: { outcome: 0 }, values: 'many' },
  { name: `outcome, chains for ${FEW} rollouts a step`, credit: outcome, on: 'as-few' },
  { name: `tree local, chains for ${FEW} rollouts a step`, credit: tree, on: 'as-few' },
  { name: 'progress, exact values (check)', credit: progress, options: { outcome: 0 }, values: 'exact' },
  { name: 'dual, right scores', credit: dual, scores: 'exact' },
  { name: 'dual, 20 % flipped', credit: dual, scores: 'flipped' },
  { name: 'dual, random scores (control)', credit: dual, scores: 'random' },
  { name: 'renorm, right scores', credit: renorm, scores: 'exact' },
  { name: 'renorm, 20 % flipped', credit: renorm, scores: 'flipped' },
  { name: 'renorm, random scores (control)', credit: renorm, scores: 'random' },
  { name: 'renorm additive, right scores', credit: renorm, options: { form: 'additive' }, scores: 'exact' },
  { name: 'renorm additive, 20 % flipped', credit: renorm, options: { form: 'additive' }, scores: 'flipped' },
  { name: 'renorm additive, random scores', credit: renorm, options: { form: 'additive' }, scores: 'random' },
  { name: 'renorm gated, right scores', credit: renorm, options: { form: 'gated' }, scores: 'exact' },
]

const PAIRS = [
  ['tree local', 'outcome on the tree (control)'],
  ['tree local, texts apart', 'outcome on the tree (control)'],
  ['tree local, texts apart', 'tree treerl, texts apart'],
  ['same-state', 'outcome (GRPO)'],
  [`progress, ${FEW} rollouts a step`, `outcome, chains for ${FEW} rollouts a step`],
  ['dual, 20 % flipped', 'dual, random scores (control)'],
  ['renorm, 20 % flipped', 'outcome (GRPO)'],
  ['renorm, right scores', 'renorm additive, right scores'],
  ['renorm, 20 % flipped', 'renorm additive, 20 % flipped'],
] as const

/** What an arm adds up to on one problem and seed; `a` = advantage, `t` = truth of the n steps. */
const ZERO = {
  ...{ n: 0, a: 0, t: 0, aa: 0, tt: 0, at: 0 },
  /** Steps whose truth is above 0, and those of them with a positive advantage; the same below 0. */
  ...{ up: 0, upSeen: 0, down: 0, downSeen: 0 },
  /** Steps of failed attempts, and those of them with a positive advantage. */
  ...{ failed: 0, praised: 0 },
  dead: 0,
  tokens: 0,
}
type Sums = typeof ZERO

function measured({ runs, start, tokens }: Group, arm: Arm): Sums {
  const { scores, values, apart, credit } = arm
  const group = runs.map(
    ({ outcome: end, steps }, i): Attempt => ({
      id: String(i),
      outcome: end,
      startValue: values ? start[values] : null,
      steps: steps.map((drawn) => ({
        text: apart ? drawn.id : drawn.text,
        tokens: drawn.tokens,
        score: scores ? drawn.scores[scores] : null,
        value: values ? drawn.values[values] : null,
        state: drawn.state,
      })),
    }),
  )
  const sums: Sums = { ...ZERO }
  const own = new Map<Drawn, number[]>()
  for (const [i, { advantages }] of credit.credit(group, arm.options).entries()) {
    const run = runs[i]!
    for (const [t, drawn] of run.steps.entries()) {
      own.set(drawn, [...(own.get(drawn) ?? []), advantages[t]!])
      if (run.outcome === 1) continue
      sums.failed++
      sums.praised += Number(advantages[t]! > NOTHING)
    }
  }
  for (const [{ truth }, advantages] of own) {
    const a = mean(advantages)
    if (values === 'exact' && Math.abs(a - truth) > NOTHING)
      throw new Error(`exact progress ${a} is not Q - V ${truth}`)
    sums.n++
    sums.a += a
    sums.t += truth
    sums.aa += a * a
    sums.tt += truth * truth
    sums.at += a * truth
    sums.up += Number(truth > NOTHING)
    sums.upSeen += Number(truth > NOTHING && a > NOTHING)
    sums.down += Number(truth < -NOTHING)
    sums.downSeen += Number(truth < -NOTHING && a < -NOTHING)
  }
  sums.dead = Number(isDead(group))
  sums.tokens = tokens.written + (values === 'few' || values === 'many' ? tokens[values] : 0)
  return sums
}

function correlation(items: readonly Sums[]): number {
  const [n, a, t, aa, tt, at] = (['n', 'a', 't', 'aa', 'tt', 'at'] as const).map((key) => total(items, key))
  const spread = (n! * aa! - a! * a!) * (n! * tt! - t! * t!)
  return spread > NOTHING ? (n! * at! - a! * t!) / Math.sqrt(spread) : Number.NaN
}

/** Share of the steps with a truth that is not 0 whose advantage has its sign. */
function sameSign(items: readonly Sums[]): number {
  return (total(items, 'upSeen') + total(items, 'downSeen')) / (total(items, 'up') + total(items, 'down'))
}

function total(items: readonly Sums[], key: keyof Sums): number {
  return items.reduce((sum, item) => sum + item[key], 0)
}

/** All attempts at a problem with one seed, and what is known of their lines. */
async function groupsOf(problem: Problem, options: CompleterOptions, name: string): Promise<Record<Drawing, Group>> {
  const policy = (what: string): StepWriter => taskCompleter({ task, ...options, seed: `${name}/${what}` })
  const [chains, branches, rollouts] = [policy('chains'), policy('tree'), policy('rollouts')]
  const draw = random(`${name}/scores`)
  // A line that cannot be read changes nothing, so that the value after it is that of the start.
  const start = task.oracle(problem, [''], options)[0]!.value!
  let number = 0

  /** Lines that a policy adds to a prefix, up to `upTo` lines in all. */
  async function write(by: StepWriter, prefix: readonly Drawn[], sample: number, upTo = Number.POSITIVE_INFINITY) {
    const before = prefix.map(({ text }) => text)
    const texts = [...before, ...(await completed(by, problem, before, sample))].slice(0, upTo)
    const truths = task.oracle(problem, texts, options)
    return texts.slice(prefix.length).map((text, i): Drawn => {
      const t = prefix.length + i
      const [exact, value] = [Number(truths[t]!.correct), truths[t]!.value!]
      return {
        id: String(number++),
        text,
        tokens: text.length + 1,
        state: stateAfter(texts.slice(0, t + 1)),
        truth: value - (t === 0 ? start : truths[t - 1]!.value!),
        scores: { exact, flipped: draw.next() < FLIPPED ? 1 - exact : exact, random: draw.next() },
        values: { exact: value, few: null, many: null },
      }
    })
  }

  const groupOf = (all: Drawn[][]): Group => ({
    runs: all.map((steps) => ({
      outcome: rightness(
        problem,
        steps.map(({ text }) => text),
      ),
      steps,
    })),
    start: { exact: start, few: null, many: null },
    tokens: { written: new Set(all.flat()).values().reduce((sum, { tokens }) => sum + tokens, 0), few: 0, many: 0 },
  })

  const drawChains = async (n: number) => groupOf(await inTurn(n, (i) => write(chains, [], i)))

  async function grow(): Promise<Group> {
    let paths: Drawn[][] = [[]]
    let sample = 0
    for (const [i, { children }] of FORKS.entries()) {
      const next: Drawn[][] = []
      for (const path of paths) {
        for (let child = 0; child < children; child++) {
          next.push([...path, ...(await write(branches, path, sample++, FORKS[i + 1]?.after))])
        }
      }
      paths = next
    }
    return groupOf(paths)
  }

  /** Values of the start and after every line but the last of each attempt, by rollouts of their own. */
  async function value(group: Group): Promise<void> {
    const tried = async (prefix: readonly string[], from: number) => {
      const rests = await inTurn(MANY, (i) => completed(rollouts, problem, prefix, from + i))
      const right = rests.map((rest) => rightness(problem, [...prefix, ...rest]))
      const lengths = rests.map((rest) => rest.reduce((sum, text) => sum + text.length + 1, 0))
      for (const [i, length] of lengths.entries()) {
        group.tokens.many += length
        group.tokens.few += i < FEW ? length : 0
      }
      return { few: mean(right.slice(0, FEW)), many: mean(right) }
    }
    Object.assign(group.start, await tried([], 0))
    for (const [i, { steps }] of group.runs.entries()) {
      const texts = steps.map(({ text }) => text)
      for (const [t, { values }] of steps.slice(0, -1).entries()) {
        Object.assign(values, await tried(texts.slice(0, t + 1), i * MANY))
      }
    }
  }

  const own = await drawChains(GROUP)
  await value(own)
  const worth = (own.tokens.written + own.tokens.few) / own.tokens.written
  return { chains: own, tree: await grow(), 'as-few': await drawChains(Math.round(GROUP * worth)) }
}

async function completed(by: StepWriter, problem: Problem, prefix: readonly string[], sample: number) {
  const steps = prefix.map((text): Step => ({ text, kind: 'thought' }))
  const written = await by.complete(problem, steps, sample)
  if (!written.ok) throw written.error
  return written.steps.map(({ text }) => text)
}

async function inTurn<T>(n: number, one: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let i = 0; i < n; i++) all.push(await one(i))
  return all
}

function rightness(problem: Problem, texts: readonly string[]): number {
  return Number(task.check(problem, task.answerOf(texts) ?? ''))
}

/** How many operations are done and what the total is, as the lines say; not whether the last line is wrong. */
function stateAfter(texts: readonly string[]): string {
  const done = texts.filter((text) => !text.startsWith('fix ')).length
  return `${done}: ${texts.at(-1)?.split('=')[1]}`
}

/** By arm, problem and seed. */
async function measure({ name, options }: (typeof SETTINGS)[number]): Promise<Sums[][][]> {
  const sums: Sums[][][] = ARMS.map(() => [])
  for (const [p, problem] of task.generate('bench/credit', LEVEL, PROBLEMS).entries()) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const groups = await groupsOf(problem, options, `bench/credit/${name}/${seed}/${problem.id}`)
      for (const [a, arm] of ARMS.entries()) {
        const own = sums[a]!
        own[p] ??= []
        own[p].push(measured(groups[arm.on ?? 'chains'], arm))
      }
    }
  }
  return sums
}

const shown = (x: number): string => (Number.isNaN(x) ? '-' : x.toFixed(3))
const said = ({ value, low, high }: Estimate): string =>
  Number.isNaN(value) ? '-' : `${shown(value)} [${shown(low)}, ${shown(high)}]`

async function report(setting: (typeof SETTINGS)[number]) {
  const sums = await measure(setting)
  const overSeeds = (a: number, of: (items: readonly Sums[]) => number) => (problems: readonly number[]) =>
    mean(Array.from({ length: SEEDS }, (_, seed) => of(problems.map((p) => sums[a]![p]![seed]!))))
  const problems = Array.from({ length: PROBLEMS }, (_, p) => p)
  const taken = (of: (items: readonly Sums[]) => number) =>
    resampled(
      problems,
      ARMS.map((_, a) => overSeeds(a, of)),
      { seed: `credit/${setting.name}` },
    )
  const correlations = taken(correlation)
  const signs = taken(sameSign).map(estimateOf)
  const arms = ARMS.map(({ name }, a) => {
    const all = sums[a]!.flat()
    return {
      name,
      tokens: Math.round(total(all, 'tokens') / all.length),
      correlation: estimateOf(correlations[a]!),
      signs: signs[a]!,
      balanced: mean([total(all, 'upSeen') / total(all, 'up'), total(all, 'downSeen') / total(all, 'down')]),
      dead: total(all, 'dead') / all.length,
      praised: total(all, 'praised') / total(all, 'failed'),
    }
  })
  const at = (name: string) => correlations[ARMS.findIndex((arm) => arm.name === name)]!
  const differences = PAIRS.map(([a, b]) => ({ name: `${a} minus ${b}`, difference: differenceOf(at(a), at(b)) }))
  return { setting: setting.name, arms, differences }
}

const results = []
for (const setting of SETTINGS) results.push(await report(setting))
for (const { setting, arms, differences } of results) {
  console.log(`\n${setting}; ${PROBLEMS} problems, ${SEEDS} seeds, groups of ${GROUP}\n`)
  console.log(
    '| method | tokens a group | correlation with Q - V [95 %] | same sign [95 %] | mean of the signs | dead groups | steps of failed attempts above 0 |',
  )
  console.log('| --- | --: | --- | --- | --: | --: | --: |')
  for (const arm of arms) {
    const cells = [arm.name, arm.tokens.toLocaleString('en-US'), said(arm.correlation), said(arm.signs)]
    console.log(`| ${[...cells, shown(arm.balanced), shown(arm.dead), shown(arm.praised)].join(' | ')} |`)
  }
  console.log('')
  for (const { name, difference } of differences) console.log(`${name}: ${said(difference)}`)
}
console.log(JSON.stringify({ problems: PROBLEMS, seeds: SEEDS, results }))
