/**
 * Self-correction with a model that knows repairs: `node bench/self-correction.ts [problems] [draws]`.
 *
 * The embedded policy on self-repairing chains of 4 operations that it has not learnt. It was trained on runs in which
 * a wrong line is restated behind the word `fix`, so that it can be told of an error in its own words: behind the
 * doubted line it reads `fix ` and writes on. Who doubts: the arithmetic verifier, or a process model that was trained
 * on other problems (exact labels; log-probabilities, position and length as features, no tool).
 *
 * Complaint against the same search that cuts before the doubted line and draws again without a word, at the same
 * budget of tokens a problem (prompt and completion); a search that doubts nothing more ends before. Beside both, best
 * of N by the same scores at that budget and at half of it, and majority. Differences are paired, intervals 95 % by bootstrap over problems.
 */
import { bootstrap, type Estimate, mean } from '../src/core/stats/index.ts'
import type { Problem, Step, Trace } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import type { StepWriter } from '../src/engine/rollout.ts'
import { bestOfN } from '../src/improve/search/best-of-n.ts'
import { type SolveOptions, searchContext } from '../src/improve/search/context.ts'
import { majority } from '../src/improve/search/majority.ts'
import { tokensOf } from '../src/improve/search/purse.ts'
import { type Search, type Solution, solveWith } from '../src/improve/search/search.ts'
import { selfCorrection } from '../src/improve/search/self-correction.ts'
import { heldOutProblems, lessonsOf } from '../src/models/policies/embedded/lessons.ts'
import { loadEmbedded } from '../src/models/policies/embedded/load.ts'
import { policyOf } from '../src/models/policies/embedded/policy.ts'
import { RECIPES } from '../src/models/policies/embedded/recipes.ts'
import { stepFeatures } from '../src/models/rewards/bodies/step-features.ts'
import { selfLogprob } from '../src/models/rewards/self-logprob.ts'
import { trainReward } from '../src/models/rewards/train-reward.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { arithmetic } from '../src/worlds/verifiers/arithmetic.ts'

const PROBLEMS = Number(process.argv[2] ?? 300)
const DRAWS = Number(process.argv[3] ?? 2)
const LEVEL = 1
/** Problems that the process model learns from, four runs each. */
const TUNING = 300
/** Tokens a problem: some four whole runs with their prompts. */
const BUDGET = 260
/** More than the budget pays for. */
const MOST = 16
/** Problems that are searched at a time, so that their draws share batches. */
const TOGETHER = 50

interface Arm {
  name: string
  search: Search
  options: Record<string, unknown>
  given: Pick<SolveOptions, 'reward' | 'veto'>
  budget?: number
}

/** What a problem came to in an arm, over all draws. */
interface Row {
  right: number[]
  tokens: number[]
  /** Attempts that followed a doubt, those of them whose line is then right, and those that end right. */
  further: number
  restated: number
  mended: number
}

const engine = new Engine()
const model = await loadEmbedded('chains')
const recipe = RECIPES.find(({ name }) => name === 'chains')
const lessons = recipe ? lessonsOf(recipe) : []

/** The word behind which its texts restate a line; it is not followed by a line break when the model goes on. */
const FIX = 'fix '
const DOUBT = /^Step (\d+) is doubtful/

/** The embedded policy, which takes a complaint as its own beginning of a repair. */
function toldPolicy(seed: string): StepWriter {
  const inner = policyOf(
    {
      ...model,
      generate: (call) =>
        model.generate({ ...call, prompts: call.prompts.map((text) => text.replace(/fix \n$/, FIX)) }),
    },
    lessons,
    { engine, seed },
  )
  return {
    ...inner,
    complete(problem, steps, sample, signal) {
      const doubted = DOUBT.exec(steps.at(-1)?.text ?? '')
      if (!doubted) return inner.complete(problem, steps, sample, signal)
      const fix: Step = { text: FIX, kind: 'thought' }
      return inner.complete(problem, [...steps.slice(0, Number(doubted[1])), fix], sample, signal)
    },
  }
}

/** A process model on other problems of the same policy, from exact labels. */
async function trainedReward() {
  const policy = toldPolicy('self-correction/tune')
  const problems = heldOutProblems(task, LEVEL, 'self-correction/tune', TUNING)
  const traces = await Promise.all(
    problems.flatMap((problem) =>
      [0, 1, 2, 3].map(async (sample): Promise<Trace | null> => {
        const written = await policy.complete(problem, [], sample)
        if (!written.ok || written.steps.length === 0) return null
        const texts = written.steps.map((step) => step.text)
        const labels = task.oracle(problem, texts).map(({ correct }, step) => ({
          step,
          meaning: 'correctness' as const,
          value: Number(correct),
          source: 'exact',
        }))
        const outcome = Number(task.check(problem, task.answerOf(texts) ?? ''))
        const source = { generator: policy.name, dataset: task.name, licence: 'MIT' }
        return { id: `${problem.id}#${sample}`, problem, steps: written.steps, labels, outcome, source }
      }),
    ),
  )
  const known = traces.filter((trace) => trace !== null)
  const { model: reward, card } = await trainReward({ traces: known, kind: 'process', body: stepFeatures([]) })
  const auroc = card.metrics?.model.auroc
  console.log(
    `process model: ${known.length} runs of ${TUNING} problems, step AUROC on unseen ones ${auroc?.toFixed(3)}, threshold ${card.threshold?.toFixed(2)}`,
  )
  return { reward, tuned: new Set(problems.map(({ prompt }) => prompt)) }
}

async function rowOf(arm: Arm, problem: Problem): Promise<Row> {
  const row: Row = { right: [], tokens: [], further: 0, restated: 0, mended: 0 }
  for (let draw = 0; draw < DRAWS; draw++) {
    const policy = toldPolicy(`self-correction/${draw}`)
    const budget = { tokens: arm.budget ?? BUDGET }
    const context = searchContext({ problem, policy, ...arm.given, budget, seed: String(draw) })
    const found = await solveWith(arm.search, context, arm.options)
    row.right.push(Number(task.check(problem, found.answer ?? '')))
    row.tokens.push(tokensOf(found.usage))
    for (const { line, end } of furtherOf(found, problem)) {
      row.further++
      row.restated += Number(line)
      row.mended += Number(end)
    }
  }
  return row
}

/** Of each attempt that followed a doubt: is the doubted line right now, and the answer? */
function furtherOf({ candidates }: Solution, problem: Problem): { line: boolean; end: boolean }[] {
  return candidates.flatMap(({ trace }) => {
    const doubted = trace.extra?.['doubted']
    if (typeof doubted !== 'number') return []
    const texts = trace.steps.map((step) => step.text)
    const line = task.oracle(problem, texts)[doubted]?.correct === true
    return [{ line, end: task.check(problem, trace.answer ?? '') }]
  })
}

/** Mean over problems, with its interval. */
function overProblems(values: readonly number[], seed: string): Estimate {
  const numbers = values.map((_, i) => i)
  return bootstrap(numbers, (drawn) => mean(drawn.map((i) => values[i] ?? Number.NaN)), { seed })
}

function said({ value, low, high }: Estimate): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

const { reward, tuned } = await trainedReward()
const problems = heldOutProblems(task, LEVEL, 'self-correction/report', 2 * PROBLEMS)
  .filter(({ prompt }) => !tuned.has(prompt))
  .slice(0, PROBLEMS)
const tool = { reward: { ...selfLogprob, threshold: 0 }, veto: arithmetic }
const armsOf = (who: string, given: Arm['given'], control: string): Arm[] => [
  { name: `${who}: complaint`, search: selfCorrection, options: { rounds: MOST, how: 'complain' }, given },
  { name: `${who}: cut and resample`, search: selfCorrection, options: { rounds: MOST }, given },
  { name: control, search: bestOfN, options: { n: MOST }, given },
  { name: `${control}, half the budget`, search: bestOfN, options: { n: MOST }, given, budget: BUDGET / 2 },
]
const arms: Arm[] = [
  ...armsOf('verifier', tool, 'best of N, log-probability and veto'),
  ...armsOf('process model', { reward }, 'best of N, process model'),
  { name: 'majority', search: majority, options: { n: MOST }, given: {} },
]
const rows = new Map<string, Row[]>(arms.map(({ name }) => [name, []]))
for (let from = 0; from < problems.length; from += TOGETHER) {
  const block = problems.slice(from, from + TOGETHER)
  for (const arm of arms) rows.get(arm.name)?.push(...(await Promise.all(block.map((problem) => rowOf(arm, problem)))))
}
console.log(`${problems.length} problems, ${DRAWS} draws, ${BUDGET} tokens a problem\n`)
console.log(
  '| arm | right [95 %] | tokens spent | attempts after a doubt: line right | end right |\n| --- | --- | --: | --: | --: |',
)
const accuracy = (name: string): number[] => (rows.get(name) ?? []).map(({ right }) => mean(right))
for (const { name } of arms) {
  const own = rows.get(name) ?? []
  const further = own.reduce((n, row) => n + row.further, 0)
  const share = (of: 'restated' | 'mended'): string => {
    const count = own.reduce((n, row) => n + row[of], 0)
    return further === 0 ? '-' : `${count} of ${further}, ${((100 * count) / further).toFixed(1)} %`
  }
  const tokens = mean(own.flatMap((row) => row.tokens)).toFixed(0)
  console.log(
    `| ${name} | ${said(overProblems(accuracy(name), name))} | ${tokens} | ${share('restated')} | ${share('mended')} |`,
  )
}
console.log('')
for (const [a, b] of [
  ['verifier: complaint', 'verifier: cut and resample'],
  ['process model: complaint', 'process model: cut and resample'],
  ['verifier: cut and resample', 'best of N, log-probability and veto'],
  ['verifier: cut and resample', 'best of N, log-probability and veto, half the budget'],
  ['process model: cut and resample', 'best of N, process model'],
  ['process model: cut and resample', 'best of N, process model, half the budget'],
  ['process model: cut and resample', 'majority'],
] as const) {
  const of = accuracy(b)
  const differences = accuracy(a).map((x, i) => x - (of[i] ?? 0))
  console.log(`${a} minus ${b}: ${said(overProblems(differences, `${a}/${b}`))}`)
}
await engine.close()
model.dispose()
