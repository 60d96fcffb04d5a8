import { random } from '../src/core/seeds.ts'
import { auroc, bootstrap, mean } from '../src/core/stats/index.ts'
import {
  addUsage,
  type Evidence,
  NO_USAGE,
  type Problem,
  type Step,
  type Trace,
  type Usage,
} from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import type { AnnotateContext } from '../src/label/annotators/annotator.ts'
import { pathFaithfulness } from '../src/label/annotators/path-faithfulness.ts'
import { logRatios } from '../src/label/rules/faithfulness.ts'
import { embeddedPolicy } from '../src/models/policies/embedded/index.ts'
import { heldOutProblems } from '../src/models/policies/embedded/lessons.ts'
import type { Policy } from '../src/models/policies/policy.ts'
import type { Figure } from '../src/prove/benchmarks/benchmark.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'
import { selfRepairingChain } from '../src/worlds/tasks/self-repairing-chain.ts'
import type { Task } from '../src/worlds/tasks/task.ts'
import { pairedDifference } from './chains.ts'

/** Levels that the embedded policy has learnt and errs at. */
const SETTINGS: readonly { name: string; task: Task; level: number }[] = [
  { name: 'arithmetic chains of 4 operations', task: arithmeticChain, level: 1 },
  { name: 'self-repairing chains of 3 operations', task: selfRepairingChain, level: 0 },
]

/** A problem's own solution beside the same with an error put in at a step. */
interface Pair {
  at: number
  right: Looked
  wrong: Looked
}

/** Scores of the steps of a trace by arm; null where the arm says nothing. */
type Looked = Record<string, (number | null)[]>

const PUBLISHED = 'best rest of the reference, by token'
const SHUFFLED = 'the same for shuffled steps'
const OWN = 'log-probability of the step itself'
const POSITION = 'position alone'

const WAYS: Record<string, Parameters<typeof logRatios>[2]> = {
  [PUBLISHED]: {},
  'best rest, whole': { normalise: 'none' },
  'rest after as many steps': { reduce: 'aligned' },
  'rests that never go back': { reduce: 'monotone' },
  'mean over rests': { reduce: 'mean' },
  'best rest, minus that for shuffled steps': { centre: true },
}
const CONTROLS: readonly string[] = [SHUFFLED, OWN, POSITION]

/** Does the reference become less probable by a wrong step, and does it take the steps' content to see that? */
export const p2s: Replication = {
  paper: 'p2s',
  title: 'Path faithfulness as a step label',
  claim: 'how much the steps so far raise the probability of the rest of a reference tells right steps from wrong ones',
  failsIf:
    'on arithmetic chains the published reward does not put right steps above wrong ones at the same place more often than the same reward for shuffled steps does, by the interval of the paired difference; "partly" when it does, and not more often than the log-probability of the step itself, which needs no reference',
  setting:
    'held-out chains, the shipped policy as the model that weighs, the problem’s own solution as reference; each solution beside the same with one error put in at a random step; label part only, nothing is trained',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const seeds = quick ? 1 : 2
    const problems = quick ? 50 : 100
    const settings: ReplicationResult['settings'] = []
    const notes: string[] = []
    const found: { overShuffled: number; overOwn: number }[] = []
    for (const { name, task, level } of SETTINGS) {
      progress(name)
      const pairs: Pair[] = []
      let usage: Usage = NO_USAGE
      const aligned: number[] = []
      for (let s = 0; s < seeds; s++) {
        const engine = new Engine()
        const policy = await embeddedPolicy('chains', { engine, seed: `${seed}/${s}` })
        const spend = (one: Usage): void => {
          usage = addUsage(usage, one)
        }
        for (const problem of heldOutProblems(task, level, `${seed}/p2s/${s}`, problems)) {
          const own = await pairOf(task, problem, policy, `${seed}/${s}`, spend)
          if (!own) continue
          pairs.push(own.pair)
          aligned.push(...own.aligned)
        }
        await engine.close()
      }
      const draw = `${seed}/${name}`
      settings.push({ name, arms: armsOf(pairs, usage, draw) })
      const against = (control: string) => pairedDifference(wins(pairs, PUBLISHED), wins(pairs, control), draw)
      const [shuffled, own] = [against(SHUFFLED), against(OWN)]
      found.push({ overShuffled: shuffled.low, overOwn: own.low })
      notes.push(
        `${name}: published minus shuffled ${said(shuffled)}; minus the log-probability of the step ${said(own)}; ${pairs.length} pairs`,
        `${name}: after the first i steps of the reference itself the best rest begins with step i + 1 in ${(100 * mean(aligned)).toFixed(1)} %`,
      )
    }
    const [chains] = found
    const holds = (chains?.overShuffled ?? 0) > 0
    const more = (chains?.overOwn ?? 0) > 0
    return {
      settings,
      outcome: !holds ? 'fails' : more ? 'holds' : 'partly',
      because: !holds
        ? 'the reward says no more of steps than of their shuffled characters'
        : more
          ? 'it is above the same for shuffled steps and above the log-probability of the step itself'
          : 'it is above the same for shuffled steps, and not above the log-probability of the step itself, which needs no reference',
      notes: [
        ...notes,
        'the reference is the problem’s own solution; the published system writes it itself, anew every round',
        'the answer’s own step is not scored: no rest of the reference comes after it',
        'training with the reward is not replicated here',
      ],
    }
  },
}

/** null where no harmful error can be put in. */
async function pairOf(
  task: Task,
  problem: Problem,
  policy: Policy,
  seed: string,
  spend: (usage: Usage) => void,
): Promise<{ pair: Pair; aligned: number[] } | null> {
  const solution = problem.solution ?? []
  const draw = random(`${seed}/p2s/${problem.id}`)
  const at = draw.below(solution.length - 1)
  const injected = task.inject(problem, draw.pick(task.errorKinds), at, seed)
  if (!injected) return null
  const context: AnnotateContext = { policy, seed, allowCode: false, allowLocalExec: false, spend }
  const look = async (texts: readonly string[], name: string): Promise<{ looked: Looked; evidence: Evidence[] }> => {
    const steps = texts.map((text): Step => ({ text, kind: 'thought' }))
    const source = { generator: name, dataset: task.name, licence: 'MIT' }
    const trace: Trace = { id: `${problem.id}/${name}`, problem, steps, source }
    const evidence = await pathFaithfulness.annotate(trace, context, { control: true })
    const looked: Looked = {}
    for (const [way, options] of Object.entries(WAYS)) looked[way] = logRatios(steps.length, evidence, options)
    looked[SHUFFLED] = logRatios(steps.length, evidence.map(controlOnly))
    looked[OWN] = await Promise.all(
      steps.map(async (step, i) => {
        const weighed = await policy.logprobs?.(problem, steps.slice(0, i), [step.text])
        return weighed?.ok ? mean(weighed.logprobs) : null
      }),
    )
    looked[POSITION] = steps.map((_, i) => i)
    return { looked, evidence }
  }
  const right = await look(solution, 'right')
  const wrong = await look(injected.steps, 'wrong')
  const aligned = right.evidence.flatMap((e) => {
    if (e.kind !== 'likelihood') return []
    const byToken = e.ratios.map((ratio, t) => (ratio === null ? Number.NEGATIVE_INFINITY : ratio / (e.tokens[t] ?? 1)))
    return [Number(byToken.indexOf(Math.max(...byToken)) === e.step + 1)]
  })
  return { pair: { at, right: right.looked, wrong: wrong.looked }, aligned }
}

function controlOnly(e: Evidence): Evidence {
  return e.kind === 'likelihood' && e.control ? { ...e, ratios: e.control } : e
}

function armsOf(pairs: readonly Pair[], usage: Usage, seed: string): Arm[] {
  const groups = pairs.map((_, i) => i)
  const figure = (name: string, of: (items: readonly number[]) => number): Figure => ({
    name,
    estimate: bootstrap(groups, of, { seed, resamples: 300 }),
    n: pairs.length,
  })
  return [...Object.keys(WAYS), ...CONTROLS].map((name) => {
    const won = wins(pairs, name)
    const steps = pairs.map((pair) => judgedSteps(pair, name))
    return {
      name,
      control: CONTROLS.includes(name),
      figures: [
        figure('right above wrong, same place', (items) => mean(items.map((i) => won[i] ?? 0.5))),
        figure('AUC, all steps', (items) => {
          const all = items.flatMap((i) => steps[i] ?? [])
          return auroc(
            all.map((one) => one.score),
            all.map((one) => one.right),
          )
        }),
      ],
      usage: name === POSITION ? NO_USAGE : usage,
    }
  })
}

/** 1 where the right step scores higher than the wrong one at the same place, .5 where they are equal or unknown. */
function wins(pairs: readonly Pair[], arm: string): number[] {
  return pairs.map(({ at, right, wrong }) => {
    const [a, b] = [right[arm]?.[at] ?? null, wrong[arm]?.[at] ?? null]
    return a === null || b === null || a === b ? 0.5 : Number(a > b)
  })
}

/** Steps of both traces, of the wrong one up to the error; the last states the answer. */
function judgedSteps({ at, right, wrong }: Pair, arm: string): { score: number; right: boolean }[] {
  const of = (scores: readonly (number | null)[] = [], error: number) =>
    scores.slice(0, -1).flatMap((score, step) => {
      return score === null || step > error ? [] : [{ score, right: step !== error }]
    })
  return [...of(right[arm], Number.POSITIVE_INFINITY), ...of(wrong[arm], at)]
}

const said = (d: { value: number; low: number; high: number }): string =>
  `${d.value.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`
