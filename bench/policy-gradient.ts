/**
 * Does credit by steps train a better policy? `node bench/policy-gradient.ts [--quick | --tune | --seeds N]`.
 *
 * The shipped `chains` weights learn on from their own runs on self-repairing chains of 4 operations: problems of the
 * training side, 8 runs each, advantages by a method of `improve/credit`, one clipped step of the optimiser, and again
 * until the arm's tokens are drawn. All arms draw as many tokens and share rate and group size. Measured on held-out
 * problems: pass@1 and pass@16 with intervals by problem (the mean over seeds), differences to `outcome` paired by
 * problem, the share that is right when the likeliest token is taken each time, entropy, and the distance to the start.
 *
 * `--tune` prints a grid of learning rates on a seed and problems of their own. Every draw has a named seed, so that
 * only the seconds differ from run to run. Two processes, one a core.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import {
  drawRuns,
  isRight,
  LEVEL,
  type Learner,
  learn,
  learnerOf,
  referenceOf,
} from '../replications/policy-training.ts'
import { random } from '../src/core/seeds.ts'
import { bootstrap, type Estimate, mean, passAtK } from '../src/core/stats/index.ts'
import type { Problem, Step } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import type { Attempt, Credit } from '../src/improve/credit/credit.ts'
import { dual } from '../src/improve/credit/dual.ts'
import { outcome } from '../src/improve/credit/outcome.ts'
import { progress } from '../src/improve/credit/progress.ts'
import { tree } from '../src/improve/credit/tree.ts'
import { heldOutProblems } from '../src/models/policies/embedded/lessons.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'
import { arithmetic } from '../src/worlds/verifiers/arithmetic.ts'

/** Runs of each held-out problem. */
const SAMPLES = 16

/** Where scores of steps come from; `values` stands for chances of success instead. */
type Scores = 'none' | 'oracle' | 'tool' | 'shuffled' | 'values'

interface Arm {
  name: string
  credit: Credit
  options: Record<string, unknown>
  scores: Scores
}

const ARMS: readonly Arm[] = [
  { name: 'outcome', credit: outcome, options: {}, scores: 'none' },
  { name: 'tree, local', credit: tree, options: { form: 'local' }, scores: 'none' },
  { name: 'dual, exact steps', credit: dual, options: {}, scores: 'oracle' },
  { name: 'dual, arithmetic tool', credit: dual, options: {}, scores: 'tool' },
  { name: "progress, completer's values", credit: progress, options: {}, scores: 'values' },
  { name: 'dual, shuffled steps (control)', credit: dual, options: {}, scores: 'shuffled' },
]

interface Job {
  /** null: no training. */
  arm: string | null
  seed: string
  rate: number
  /** Drawn tokens after which training ends. */
  tokens: number
  /** Name of the held-out problems and their number. */
  held: string
  problems: number
}

interface Result {
  job: Job
  /** Right runs of each held-out problem, of `SAMPLES`. */
  right: number[]
  /** Is the run that takes the likeliest token each time right? */
  greedy: number[]
  /** −log p and log p − log p of the start, a token, over held-out runs. */
  entropy: number
  distance: number
  /** Share of right steps in held-out runs, and of runs with a repair. */
  rightSteps: number
  repairs: number
  tokens: number
  updates: number
  /** Share of groups whose outcomes were all equal. */
  dead: number
  seconds: number
  /** Share of right runs in training, by quarters. */
  course: number[]
}

/** Runs of a job, in a process of its own. */
async function runJob(loaded: Pick<Learner, 'start' | 'run'>, job: Job): Promise<Result> {
  const began = performance.now()
  const arm = ARMS.find(({ name }) => name === job.arm)
  const learner = { ...loaded, engine: new Engine(), seed: 'policy-gradient' }
  const plan = { name: String(job.arm), seed: job.seed, rate: job.rate, tokens: arm ? job.tokens : 0 }
  const {
    weights,
    right: course,
    ...cost
  } = await learn(learner, plan, async (groups, name) =>
    groups.map(({ problem, runs }, i) => {
      const attempts = attemptsOf(problem, runs, arm?.scores ?? 'none', `${name}/${i}`)
      const credits = arm?.credit.credit(attempts, arm.options) ?? []
      return runs.map((steps, j) =>
        steps.map(({ tokens }, t) => (tokens?.ids ?? []).map(() => credits[j]?.advantages[t] ?? 0)),
      )
    }),
  )
  const held = heldOutProblems(task, LEVEL, job.held, job.problems)
  const last = { weights, name: `held/${job.arm}/${job.seed}` }
  const found = await drawRuns(learner, last, held, SAMPLES)
  const greedy = await drawRuns(learner, last, held, 1, 0)
  const measured = await measure(learner, held, found)
  await learner.engine.close()
  return {
    job,
    right: held.map((problem, i) => (found[i] ?? []).filter((steps) => isRight(problem, steps)).length),
    greedy: held.map((problem, i) => Number(isRight(problem, greedy[i]?.[0] ?? []))),
    ...measured,
    ...cost,
    seconds: (performance.now() - began) / 1_000,
    course,
  }
}

function attemptsOf(problem: Problem, group: readonly (readonly Step[])[], scores: Scores, name: string): Attempt[] {
  const known = group.map((steps) => scoresOf(problem, steps, scores))
  const mixed = scores === 'shuffled' ? random(`policy-gradient/shuffled/${name}`).shuffle(known.flat()).values() : null
  return group.map((steps, j) => ({
    id: `${problem.id}#${j}`,
    outcome: Number(isRight(problem, steps)),
    startValue: scores === 'values' ? startValue(problem) : null,
    steps: steps.map(({ text, tokens }, t) => {
      const found = (mixed ? mixed.next().value : known[j]?.[t]) ?? null
      return {
        text,
        tokens: tokens?.ids.length ?? 0,
        score: scores === 'values' ? null : found,
        value: scores === 'values' ? found : null,
      }
    }),
  }))
}

/** The chance of the task's completer at the start: that after a right first line, times what that line costs. */
function startValue(problem: Problem): number {
  const { slip, recovery } = task.options.parse({})
  const after = task.oracle(problem, (problem.solution ?? []).slice(0, 1))[0]?.value ?? 0
  return (after * (1 - slip)) / (1 - slip * recovery)
}

function scoresOf(problem: Problem, steps: readonly Step[], scores: Scores): (number | null)[] {
  if (scores === 'none') return steps.map(() => null)
  if (scores !== 'tool') {
    return task
      .oracle(
        problem,
        steps.map(({ text }) => text),
      )
      .map(({ correct, value }) => (scores === 'values' ? value : Number(correct)))
  }
  const source = { generator: 'embedded:chains', dataset: task.name, licence: 'MIT' }
  const findings = arithmetic.verify({ id: problem.id, problem, steps: [...steps], source }, NO_CODE)
  if (findings instanceof Promise) throw new TypeError('the arithmetic tool answers at once')
  return findings.map(({ verdict }) => (verdict === 'unknown' ? null : Number(verdict === 'correct')))
}

const NO_CODE = { allowCode: false, allowLocalExec: false }

async function measure(
  learner: Learner,
  held: readonly Problem[],
  found: readonly (readonly Step[][])[],
): Promise<Pick<Result, 'entropy' | 'distance' | 'rightSteps' | 'repairs'>> {
  const all = held.flatMap((problem, i) => (found[i] ?? []).map((steps) => ({ problem, steps })))
  const logprobs = all.map(({ steps }) => steps.flatMap(({ tokens }) => tokens?.logprobs ?? []))
  const truths = all.flatMap(({ problem, steps }) =>
    task.oracle(
      problem,
      steps.map(({ text }) => text),
    ),
  )
  // A quarter of the runs will do for a mean over tokens.
  const some = all.filter((_, i) => i % 4 === 0)
  const before = await referenceOf(learner, some)
  const distances = some.flatMap(({ steps }, i) => {
    const own = steps.flatMap(({ tokens }) => tokens?.logprobs ?? [])
    return before[i]!.flat().flatMap((logprob, t) => (logprob === null ? [] : [own[t]! - logprob]))
  })
  return {
    entropy: -mean(logprobs.flat()),
    distance: mean(distances),
    rightSteps: mean(truths.map(({ correct }) => Number(correct))),
    repairs: mean(all.map(({ steps }) => Number(steps.some(({ text }) => text.startsWith('fix '))))),
  }
}

async function serveJobs(): Promise<void> {
  const { start, run } = await learnerOf('policy-gradient')
  process.on('message', (job: Job) => {
    void runJob({ start, run }, job).then((result) => process.send?.(result))
  })
  process.send?.('ready')
}

/** Results in the order of the jobs; whichever process is free takes the next. */
async function inProcesses(jobs: readonly Job[]): Promise<Result[]> {
  const results: Result[] = []
  const queue = jobs.entries()
  const work = async (): Promise<void> => {
    const child = fork(import.meta.filename, ['serve'])
    await once(child, 'message')
    for (const [i, job] of queue) {
      child.send(job)
      const [result] = (await once(child, 'message')) as [Result]
      results[i] = result
      const { arm, seed, rate } = job
      console.error(`${arm ?? 'no training'}, ${seed}, ${rate}: ${passAt1(result)}, ${Math.round(result.seconds)} s`)
    }
    child.disconnect()
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
  return results
}

function passAt1({ right }: Result): string {
  return mean(right.map((r) => r / SAMPLES)).toFixed(3)
}

/** Mean over the seeds of an arm, problem by problem. */
function byProblem(results: readonly Result[], of: (result: Result) => readonly number[]): number[] {
  const each = results.map(of)
  return each[0]?.map((_, i) => mean(each.map((values) => values[i] ?? Number.NaN))) ?? []
}

function overProblems(values: readonly number[]): Estimate {
  return bootstrap(
    values.map((_, i) => i),
    (drawn) => mean(drawn.map((i) => values[i] ?? Number.NaN)),
    { seed: 'policy-gradient' },
  )
}

const said = ({ value, low, high }: Estimate): string => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
const single = ({ right }: Result): number[] => right.map((r) => r / SAMPLES)
const any = ({ right }: Result): number[] => right.map((r) => passAtK(SAMPLES, r, SAMPLES))
const likeliest = ({ greedy }: Result): number[] => greedy

function report(results: readonly Result[]): void {
  const resultsOf = (arm: string | null): Result[] => results.filter(({ job }) => job.arm === arm)
  console.log(
    '| arm | pass@1 [95 %] | minus `outcome` | pass@16 [95 %] | minus `outcome` | greedy | minus no training | by seed | right steps | runs with a repair | entropy | KL to the start | dead groups | tokens | s |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |')
  for (const arm of new Set(results.map(({ job }) => job.arm))) {
    const own = resultsOf(arm)
    const minus = (other: string | null, of: (result: Result) => readonly number[]): string => {
      if (arm === other) return '-'
      const base = byProblem(resultsOf(other), of)
      return said(overProblems(byProblem(own, of).map((x, i) => x - (base[i] ?? Number.NaN))))
    }
    const average = (of: (result: Result) => number, digits: number): string => mean(own.map(of)).toFixed(digits)
    console.log(
      `| ${[
        arm ?? 'no training',
        said(overProblems(byProblem(own, single))),
        minus('outcome', single),
        said(overProblems(byProblem(own, any))),
        minus('outcome', any),
        mean(byProblem(own, likeliest)).toFixed(3),
        minus(null, likeliest),
        own.map(passAt1).join(', '),
        average((r) => r.rightSteps, 3),
        average((r) => r.repairs, 3),
        average((r) => r.entropy, 3),
        average((r) => r.distance, 3),
        arm === null ? '-' : average((r) => r.dead, 2),
        Math.round(mean(own.map(({ tokens }) => tokens))).toLocaleString('en-US'),
        average((r) => r.seconds, 0),
      ].join(' | ')} |`,
    )
  }
  console.log(`\n${JSON.stringify({ node: process.version, results })}`)
}

/** Chosen by `--tune` on the arm `outcome`, which all others are compared with. */
const RATE = 5e-4
const RATES = [2e-4, 5e-4, 1.5e-3]
const FULL = { seeds: namesTo(2), tokens: 200_000, held: 'policy-gradient/report', problems: 200 }
const QUICK = { ...FULL, seeds: ['1'], tokens: 30_000, problems: 40 }
const TUNE = { ...FULL, seeds: ['tune'], held: 'policy-gradient/tune', problems: 100 }

/** Seeds by number, from 1. */
function namesTo(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i + 1))
}

function jobsOf({ seeds, ...plan }: typeof FULL, arms: readonly (string | null)[], rates: readonly number[]): Job[] {
  return arms.flatMap((arm) =>
    rates.flatMap((rate) => (arm === null ? ['start'] : seeds).map((seed) => ({ arm, seed, rate, ...plan }))),
  )
}

const [, , mode, count] = process.argv
if (mode === 'serve') await serveJobs()
else if (mode === '--tune') {
  const results = await inProcesses(jobsOf(TUNE, ['outcome', 'dual, exact steps'], RATES))
  for (const { job, ...found } of results) console.log(`| ${job.arm} | ${job.rate} | ${passAt1({ job, ...found })} |`)
  console.log(JSON.stringify({ node: process.version, results }))
} else {
  const quick = mode === '--quick'
  const plan = quick ? QUICK : mode === '--seeds' ? { ...FULL, seeds: namesTo(Number(count)) } : FULL
  const arms = quick ? ['outcome', 'dual, exact steps'] : ARMS.map(({ name }) => name)
  report(await inProcesses(jobsOf(plan, [null, ...arms], [RATE])))
}
