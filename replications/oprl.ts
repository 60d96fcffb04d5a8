import { random } from '../src/core/seeds.ts'
import {
  bootstrap,
  differenceOf,
  estimateOf,
  groupsOf,
  mean,
  rankAssociation,
  resampled,
} from '../src/core/stats/index.ts'
import type { Step, Trace } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import { rollouts } from '../src/engine/rollout.ts'
import { heldOutProblems, lessonsOf } from '../src/models/policies/embedded/lessons.ts'
import { type LoadedModel, loadEmbedded } from '../src/models/policies/embedded/load.ts'
import { embeddedModel } from '../src/models/policies/embedded/model.ts'
import { policyOf } from '../src/models/policies/embedded/policy.ts'
import { RECIPES } from '../src/models/policies/embedded/recipes.ts'
import { implicitReward, marginText, type Reduce } from '../src/models/rewards/implicit.ts'
import type { Line } from '../src/models/rewards/reward.ts'
import { type PreferencePair, trainPreference } from '../src/models/training/transformer/preference.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { arithmeticChain as task } from '../src/worlds/tasks/arithmetic-chain.ts'

/** Samples a problem, as in the released runs. */
const GROUP = 8
/** Pairs of a right and a wrong run that a problem gives at most: more repeat the same runs. */
const PAIRS = 6
const BETA = 0.05
const LEVEL = 1
/** Slip of the completer whose exact values stand in for the policy's: about the policy's own share of wrong lines. */
const SLIP = 0.12
const EXACT = { slip: SLIP, recovery: 0 } as const

/** Implicit step rewards, learnt from which runs ended right alone. */
export const oprl: Replication = {
  paper: 'oprl',
  title: 'Implicit step rewards from preferences of whole runs',
  claim:
    'the log-ratio of a policy trained on preferences of runs against the policy itself rewards the steps that raise the chance of success, without a label of any step',
  failsIf:
    'on unseen problems the rank correlation of step rewards (sum) with exact step advantages is not above 0, or not above that of random rewards of the same spread, by the interval; "partly" when it is, but the log-probability of the untrained policy tells wrong steps as well',
  setting:
    'embedded policy `chains` on held-out arithmetic chains of 4 operations, 8 samples a problem; both models start from its weights, beta .05; exact advantages are those of a completer with slip .12; the reward model only: no policy is trained',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const chains = await loadEmbedded('chains')
    const own = `${seed}/oprl`
    progress('sampling')
    const training = await samplesOf(chains, `${own}/train`, quick ? 40 : 80)
    const unseen = await samplesOf(chains, `${own}/test`, quick ? 40 : 80)
    const lines = unseen.map(lineOf)
    const columns = new Map<string, number[][]>()
    const notes: string[] = []
    for (const reduce of ['sum', 'mean'] as const) {
      progress(`training, ${reduce}`)
      const pairs = pairsOf(chains, training, reduce, own)
      const { weights, losses } = await trainPreference({
        config: chains.config,
        weights: await chains.weights(),
        pairs,
        epochs: 2,
        batch: 8,
        rate: 1e-3,
        seed: `${own}/${reduce}`,
      })
      const model = await embeddedModel(chains.config, chains.tokenizer, weights)
      const settings = { reader: chains, model, reference: chains, beta: BETA, reduce, name: 'implicit', identity: own }
      const rewards = await implicitReward(settings).rewards(lines)
      model.dispose()
      columns.set(
        `implicit, ${reduce}`,
        rewards.map((one) => (one.ok ? one.rewards : [])),
      )
      notes.push(
        `${reduce}: ${pairs.length} pairs, loss ${losses[0]?.toFixed(3)} to ${mean(losses.slice(-10)).toFixed(3)}`,
      )
    }
    chains.dispose()
    const spread = Math.sqrt(
      mean(
        columns
          .get('implicit, sum')!
          .flat()
          .map((r) => r * r),
      ),
    )
    const draw = random(`${own}/random`)
    columns.set(
      'random',
      unseen.map(({ steps }) => steps.map(() => spread * draw.normal())),
    )
    columns.set(
      'log-probability of the policy',
      unseen.map(({ steps }) => steps.map(logprobOf)),
    )
    columns.set(
      'outcome at the last step',
      unseen.map(({ steps, outcome }) => steps.map((_, t) => (t === steps.length - 1 ? (outcome ?? 0) : 0))),
    )
    return judged(unseen, columns, notes, own)
  },
}

/** Whole runs of the policy on held-out problems, with outcomes. */
async function samplesOf(model: LoadedModel, seed: string, problems: number): Promise<Trace[]> {
  const engine = new Engine({})
  const recipe = RECIPES.find(({ name }) => name === model.name)!
  const policy = policyOf(model, lessonsOf(recipe), { engine, seed })
  const traces: Trace[] = []
  for (const problem of heldOutProblems(task, LEVEL, seed, problems)) {
    const done = await rollouts({ problem, policy, verifier: task }, { from: 0, count: GROUP })
    for (const one of done) if (one.ok && one.trace.steps.length > 0) traces.push(one.trace)
  }
  await engine.close()
  return traces.filter(({ problem, steps }) => textLength(problem.prompt, steps) < model.config.context)
}

function textLength(prompt: string, steps: readonly Step[]): number {
  return prompt.length + 2 + steps.reduce((sum, { text }) => sum + text.length + 1, 0)
}

/** Right against wrong runs of the same problem; problems that all end alike give none. */
function pairsOf(reader: LoadedModel, traces: readonly Trace[], reduce: Reduce, seed: string): PreferencePair[] {
  const draw = random(`${seed}/pairs`)
  return [...Map.groupBy(traces, ({ problem }) => problem.id).values()].flatMap((runs) => {
    const [right, wrong] = [1, 0].map((outcome) => runs.filter((run) => run.outcome === outcome))
    const all = (right ?? []).flatMap((better) => (wrong ?? []).map((worse) => ({ better, worse })))
    return draw
      .shuffle(all)
      .slice(0, PAIRS)
      .map(({ better, worse }) => ({
        better: marginText(reader, lineOf(better), BETA, reduce),
        worse: marginText(reader, lineOf(worse), BETA, reduce),
      }))
  })
}

function lineOf({ problem, steps }: Trace): Line {
  return { problem, steps }
}

function logprobOf({ tokens }: Step): number {
  return (tokens?.logprobs ?? []).reduce((a, b) => a + b, 0)
}

/** Change of the exact value that each step makes. */
function advantagesOf({ problem, steps }: Trace): number[] {
  const texts = steps.map(({ text }) => text)
  const values = task.oracle(problem, texts, EXACT).map(({ value }) => value ?? 0)
  // From the start: one slip away from having done the first step right.
  const start = (1 - SLIP) * (task.oracle(problem, problem.solution ?? [], EXACT)[0]?.value ?? 0)
  return values.map((value, t) => value - (t === 0 ? start : values[t - 1]!))
}

function judged(
  unseen: readonly Trace[],
  columns: ReadonlyMap<string, number[][]>,
  notes: string[],
  seed: string,
): ReplicationResult {
  const steps = unseen.flatMap((trace, i) => {
    const truths = task.oracle(
      trace.problem,
      trace.steps.map(({ text }) => text),
    )
    return advantagesOf(trace).map((advantage, t) => ({
      i,
      t,
      advantage,
      correct: truths[t]!.correct,
      id: trace.problem.id,
    }))
  })
  const groups = groupsOf(steps.map(({ id }) => id))
  const names = [...columns.keys()]
  const ranked = names.map((name) => {
    const own = steps.map(({ i, t }) => columns.get(name)![i]![t] ?? 0)
    return {
      correlation: counted(
        rankAssociation(
          steps.map(({ advantage }) => advantage),
          own,
        ),
        (a) => a.spearman,
        steps.length,
      ),
      area: counted(
        rankAssociation(
          steps.map(({ correct }) => Number(correct)),
          own,
        ),
        (a) => (a.somersD + 1) / 2,
        steps.length,
      ),
    }
  })
  const options = { seed, resamples: RESAMPLES }
  const correlations = resampled(
    groups,
    ranked.map(({ correlation }) => correlation),
    options,
  )
  const areas = resampled(
    groups,
    ranked.map(({ area }) => area),
    options,
  )
  const at = (name: string): number => names.indexOf(name)
  const [sum, chance, own] = [at('implicit, sum'), at('random'), at('log-probability of the policy')]
  const estimate = estimateOf(correlations[sum]!)
  const less = differenceOf(correlations[sum]!, correlations[chance]!)
  const area = differenceOf(areas[sum]!, areas[own]!)
  const lengths = bootstrap(
    groups,
    counted(
      rankAssociation(
        steps.map(({ t }) => t),
        steps.map(({ i, t }) => columns.get('implicit, sum')![i]![t] ?? 0),
      ),
      (a) => a.spearman,
      steps.length,
    ),
    options,
  )
  const works = estimate.low > 0 && less.low > 0
  return {
    settings: [
      {
        name: `${unseen.length} unseen runs, ${steps.length} steps`,
        arms: names.map(
          (name, k): Arm => ({
            name,
            control: !name.startsWith('implicit'),
            figures: [
              { name: 'correlation with exact advantage', estimate: estimateOf(correlations[k]!), n: steps.length },
              { name: 'AUROC, right against wrong steps', estimate: estimateOf(areas[k]!), n: steps.length },
            ],
          }),
        ),
      },
    ],
    outcome: !works ? 'fails' : area.low > 0 ? 'holds' : 'partly',
    because: `the correlation is ${estimate.low > 0 ? '' : 'not '}above 0 and ${less.low > 0 ? '' : 'not '}above that of random rewards; against the log-probability of the untrained policy the AUROC differs by ${area.value.toFixed(3)} [${area.low.toFixed(3)}, ${area.high.toFixed(3)}]`,
    notes: [
      ...notes,
      `rewards and number of the step: rank correlation ${lengths.value.toFixed(3)} [${lengths.low.toFixed(3)}, ${lengths.high.toFixed(3)}]`,
      'the exact mechanism (changes of the soft value, to 1e-6 for the sum, not for the mean) is a test of the reward model itself',
    ],
  }
}

/** Rank statistics are slow on thousands of steps. */
const RESAMPLES = 300

function counted(
  ranked: ReturnType<typeof rankAssociation>,
  pick: (a: ReturnType<ReturnType<typeof rankAssociation>>) => number,
  n: number,
): (items: readonly number[]) => number {
  return (items) => {
    const counts = new Uint32Array(n)
    for (const i of items) counts[i]!++
    return pick(ranked(counts))
  }
}
