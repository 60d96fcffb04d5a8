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
import {
  type CreditArm,
  correlation,
  Drawer,
  FEW,
  type Group,
  MANY,
  measured,
  type Plan,
  type Sums,
  total,
} from '../replications/credit-groups.ts'
import { differenceOf, type Estimate, estimateOf, mean, resampled } from '../src/core/stats/index.ts'
import type { Problem } from '../src/core/words.ts'
import type { Credit } from '../src/improve/credit/credit.ts'
import { dual } from '../src/improve/credit/dual.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { progress } from '../src/improve/credit/progress.ts'
import { renorm } from '../src/improve/credit/renorm.ts'
import { sameState } from '../src/improve/credit/same-state.ts'
import { tree } from '../src/improve/credit/tree.ts'
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
const SETTINGS: { name: string; options: CompleterOptions }[] = [
  { name: 'slip .1, recovery .5', options: { slip: 0.1, recovery: 0.5 } },
  { name: 'slip .3, recovery .5', options: { slip: 0.3, recovery: 0.5 } },
  { name: 'slip .3, recovery .9', options: { slip: 0.3, recovery: 0.9 } },
  { name: 'plain chain: slip .1, recovery 0', options: { slip: 0.1, recovery: 0 } },
]

type Drawing = 'chains' | 'tree' | 'as-few'

interface Arm extends CreditArm {
  name: string
  /** Which attempts it reads: 8 chains, the tree, or as many chains as chains with few rollouts cost. */
  on?: Drawing
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

/** Share of the steps with a truth that is not 0 whose advantage has its sign. */
function sameSign(items: readonly Sums[]): number {
  return (total(items, 'upSeen') + total(items, 'downSeen')) / (total(items, 'up') + total(items, 'down'))
}

/** All attempts at a problem with one seed, and what is known of their lines. */
async function groupsOf(problem: Problem, options: CompleterOptions, name: string): Promise<Record<Drawing, Group>> {
  const plan: Plan = { task, options, group: GROUP, forks: FORKS, stateAfter }
  const drawer = new Drawer(plan, problem, name)
  const chains = await drawer.chains()
  await drawer.value(chains)
  const worth = (chains.tokens.written + chains.tokens.few) / chains.tokens.written
  return { chains, tree: await drawer.tree(), 'as-few': await drawer.chains(Math.round(GROUP * worth)) }
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
