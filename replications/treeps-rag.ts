import { random } from '../src/core/seeds.ts'
import { differenceOf, estimateOf, mean, type Resampled, resampled } from '../src/core/stats/index.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { tree } from '../src/improve/credit/tree.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { hopworld } from '../src/worlds/tasks/hopworld.ts'
import {
  type CreditArm,
  correlation,
  Drawer,
  type Group,
  measured,
  type Plan,
  type Sums,
  total,
} from './credit-groups.ts'

/** A line is wrong in 15 of 100, half of the wrong ones are restated at once. */
const COMPLETER = { slip: 0.15, recovery: 0.5 }
const SIZE = { quick: { problems: 30, seeds: 1 }, full: { problems: 150, seeds: 5 } } as const

interface Setting {
  name: string
  level: number
  forks: Plan['forks']
  /** Does every line count as a text of its own, as in free text? */
  apart: boolean
  /** Does the claim stand or fall here? */
  long: boolean
}

const TWO = [
  { after: 0, children: 5 },
  { after: 2, children: 2 },
]
const THREE = [
  { after: 0, children: 3 },
  { after: 2, children: 2 },
  { after: 4, children: 2 },
]
const FOUR = [
  { after: 0, children: 3 },
  { after: 2, children: 2 },
  { after: 5, children: 2 },
]
/** A search and what it found are two lines, the answer is one; a tree has about as many lines as 8 attempts. */
const SETTINGS: readonly Setting[] = [
  { name: '2 hops, equal lines are one state', level: 1, forks: TWO, apart: false, long: false },
  { name: '3 hops, equal lines are one state', level: 3, forks: THREE, apart: false, long: true },
  { name: '4 hops, equal lines are one state', level: 4, forks: FOUR, apart: false, long: true },
  { name: '3 hops, every line a text of its own', level: 3, forks: THREE, apart: true, long: true },
  { name: '4 hops, every line a text of its own', level: 4, forks: FOUR, apart: true, long: true },
]

const ON_CHAINS = 'outcome, 8 attempts apart'
const ON_TREE = 'outcome, same tree'
const LOCAL = 'local'

type On = 'chains' | 'tree' | 'shuffled'
const ARMS: readonly (CreditArm & { name: string; control: boolean; on: On })[] = [
  { name: ON_CHAINS, control: true, on: 'chains', credit: outcome },
  { name: ON_TREE, control: true, on: 'tree', credit: outcome },
  { name: 'local, outcomes shuffled over the ends', control: true, on: 'shuffled', credit: tree },
  { name: LOCAL, control: false, on: 'tree', credit: tree },
  {
    name: 'local, equal siblings count once',
    control: false,
    on: 'tree',
    credit: tree,
    options: { value: 'recursive' },
  },
  {
    name: 'local and global over the root of ends',
    control: false,
    on: 'tree',
    credit: tree,
    options: { form: 'treerl' },
  },
]

/** Step advantages from a tree of attempts beside one outcome for every step, against the exact worth of each step. */
export const treepsRag: Replication = {
  paper: 'treeps-rag',
  title: 'Step advantages from the ends of a tree',
  claim:
    'the mean outcome of the attempts below a step tells what the step is worth better than the outcome of the attempt does, at the same cost',
  failsIf:
    'on 3 and 4 hops, where equal lines are one state, the correlation of local advantages with exact Q - V is not above both that of outcomes on as many tokens of separate attempts and that of outcomes on the same tree, by the interval of the difference; "partly" when it is so there and not where every line is a text of its own',
  setting:
    'HopWorld, questions of 2, 3 and 4 hops; a simulated policy whose chance of success is known exactly after every line (slip .15, half of the wrong lines restated), trees of about the tokens of 8 attempts; the training of a policy is not run',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const size = SIZE[quick ? 'quick' : 'full']
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const won: { apart: boolean; above: boolean }[] = []
    for (const setting of SETTINGS) {
      progress(setting.name)
      const sums = await sumsOf(setting, size, seed)
      const found = correlations(sums, size, `${seed}/${setting.name}`)
      settings.push({ name: setting.name, arms: armsOf(sums, found) })
      const differences = [ON_CHAINS, ON_TREE].map((control) => {
        const { value, low, high } = differenceOf(of(found, LOCAL), of(found, control))
        notes.push(
          `${setting.name}: ${LOCAL} minus ${control} ${[value, low, high].map((x) => x.toFixed(3)).join(', ')}`,
        )
        return low
      })
      if (setting.long) won.push({ apart: setting.apart, above: differences.every((low) => low > 0) })
    }
    const holds = (apart: boolean): boolean => won.filter((one) => one.apart === apart).every(({ above }) => above)
    notes.push('an answer that is right by luck is no part of this: the policy never is')
    const verdict = !holds(false) ? 'fails' : holds(true) ? 'holds' : 'partly'
    return {
      settings,
      outcome: verdict,
      because: {
        holds: 'local advantages are above both controls on 3 and 4 hops, equal lines or not',
        partly: 'local advantages are above both controls on 3 and 4 hops only where equal lines are one state',
        fails: 'local advantages are not above both controls on 3 and 4 hops, though equal lines are one state',
      }[verdict],
      notes,
    }
  },
}

/** By arm, problem and seed. */
async function sumsOf(
  { level, forks, apart, name }: Setting,
  { problems, seeds }: { problems: number; seeds: number },
  seed: string,
): Promise<Sums[][][]> {
  const plan: Plan = { task: hopworld, options: COMPLETER, group: 8, forks }
  const sums: Sums[][][] = ARMS.map(() => [])
  for (const problem of hopworld.generate(`treeps-rag/${seed}`, level, problems)) {
    const own: Sums[][] = ARMS.map(() => [])
    for (let draw = 0; draw < seeds; draw++) {
      const drawer = new Drawer(plan, problem, `${seed}/${draw}/${problem.id}`)
      const grown = await drawer.tree()
      const groups: Record<On, Group> = {
        chains: await drawer.chains(),
        tree: grown,
        shuffled: shuffled(grown, `${seed}/${name}/${draw}/${problem.id}`),
      }
      for (const [a, arm] of ARMS.entries()) own[a]?.push(measured(groups[arm.on], { ...arm, apart }))
    }
    for (const [a, one] of own.entries()) sums[a]?.push(one)
  }
  return sums
}

/** The same tree with its outcomes in another order. */
function shuffled(group: Group, seed: string): Group {
  const outcomes = random(`${seed}/shuffled`).shuffle(group.runs.map((run) => run.outcome))
  return { ...group, runs: group.runs.map((run, i) => ({ ...run, outcome: outcomes[i] ?? 0 })) }
}

function correlations(
  sums: readonly Sums[][][],
  { problems, seeds }: { problems: number; seeds: number },
  seed: string,
): Resampled[] {
  return resampled(
    Array.from({ length: problems }, (_, p) => p),
    sums.map(
      (arm) => (picked) =>
        mean(Array.from({ length: seeds }, (_, draw) => correlation(picked.flatMap((p) => arm[p]?.[draw] ?? [])))),
    ),
    { seed },
  )
}

function of(found: readonly Resampled[], name: string): Resampled {
  const one = found[ARMS.findIndex((arm) => arm.name === name)]
  if (!one) throw new RangeError(name)
  return one
}

function armsOf(sums: readonly Sums[][][], found: readonly Resampled[]): Arm[] {
  return ARMS.map(({ name, control }, a): Arm => {
    const all = sums[a]?.flat() ?? []
    const share = (value: number) => ({ value, low: value, high: value })
    return {
      name,
      control,
      figures: [
        { name: 'correlation with Q - V', estimate: estimateOf(of(found, name)), n: total(all, 'n') },
        { name: 'tokens a group', estimate: share(total(all, 'tokens') / all.length), n: all.length },
        { name: 'dead groups', estimate: share(total(all, 'dead') / all.length), n: all.length },
      ],
    }
  })
}
