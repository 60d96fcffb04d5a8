import { tree as arrays } from '@jax-js/jax'
import { mean } from '../src/core/stats/index.ts'
import type { Problem, Step } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import { decoder } from '../src/models/policies/embedded/decode.ts'
import { isHeldOut, lessonsOf, renderPrompt } from '../src/models/policies/embedded/lessons.ts'
import { type LoadedModel, loadEmbedded } from '../src/models/policies/embedded/load.ts'
import { policyOf } from '../src/models/policies/embedded/policy.ts'
import { RECIPES } from '../src/models/policies/embedded/recipes.ts'
import { generate } from '../src/models/policies/embedded/sample.ts'
import { toParams, type Weights } from '../src/models/training/transformer/params.ts'
import { type PolicyRow, policyTrainer } from '../src/models/training/transformer/policy-gradient.ts'
import { selfRepairingChain as task } from '../src/worlds/tasks/self-repairing-chain.ts'

/** Chains of 4 operations, which the shipped weights solve in a third of their runs. */
export const LEVEL = 1
/** Problems of an update, and runs of each. */
const PROBLEMS = 32
const GROUP = 8

const recipe = RECIPES.find(({ name }) => name === 'chains')
const lessons = recipe ? lessonsOf(recipe) : []
const mark = lessons.find((lesson) => lesson.task === task)?.mark

/** The shipped `chains` weights, ready to be drawn from with weights of one's own. */
export interface Learner {
  start: LoadedModel
  run: ReturnType<typeof decoder>
  engine: Engine
  /** Stands before every random choice. */
  seed: string
}

export async function learnerOf(seed: string): Promise<Learner> {
  const start = await loadEmbedded('chains')
  return { start, run: decoder(start.config), engine: new Engine(), seed }
}

/** Runs at one problem. */
export interface Group {
  problem: Problem
  runs: readonly (readonly Step[])[]
}

/** One number a token of every step of a run. */
export type TokenAdvantages = readonly (readonly number[])[]

/** What a run of training has cost and how it went. */
export interface Course {
  weights: Weights
  tokens: number
  updates: number
  /** Share of groups whose outcomes were all equal. */
  dead: number
  /** Share of right runs, by quarters of the training. */
  right: number[]
}

/**
 * Trains on own runs until so many tokens are drawn: 32 problems of the training side an update, 8 runs of each, one
 * clipped step of the optimiser.
 * @param name of the arm, which tells its runs from those of others
 * @param advantagesOf the groups of an update, a group being runs at one problem
 */
export async function learn(
  learner: Learner,
  { name, seed, rate, tokens }: { name: string; seed: string; rate: number; tokens: number },
  advantagesOf: (groups: readonly Group[], name: string) => Promise<TokenAdvantages[][]>,
): Promise<Course> {
  const { start } = learner
  let weights = await start.weights()
  const trainer = await policyTrainer({ config: start.config, weights })
  const problems = trainingProblems(`${learner.seed}/${seed}`)
  const shares: number[] = []
  let [drawn, updates, dead] = [0, 0, 0]
  while (drawn < tokens) {
    const batch = Array.from({ length: PROBLEMS }, () => problems.next().value)
    const of = `${seed}/${updates}`
    const runs = await drawRuns(learner, { weights, name: `${name}/${of}` }, batch, GROUP)
    const groups = batch.map((problem, i): Group => ({ problem, runs: runs[i] ?? [] }))
    const advantages = await advantagesOf(groups, of)
    const rows = groups.flatMap(({ problem, runs: own }, i) =>
      own.map((steps, j) => rowOf(start, problem, steps, advantages[i]?.[j] ?? [])),
    )
    for (const { problem, runs: own } of groups) {
      const share = mean(own.map((steps) => Number(isRight(problem, steps))))
      shares.push(share)
      dead += Number(share === 0 || share === 1)
    }
    drawn += rows.reduce((sum, { completion }) => sum + completion.length, 0)
    await trainer.update(rows, rate)
    weights = await trainer.weights()
    updates++
  }
  trainer.dispose()
  const quarter = Math.ceil(shares.length / 4)
  return {
    weights,
    tokens: drawn,
    updates,
    dead: dead / Math.max(1, shares.length),
    right: [0, 1, 2, 3].map((q) => mean(shares.slice(q * quarter, (q + 1) * quarter))),
  }
}

/** Endless problems that are not held out. */
function* trainingProblems(seed: string): Generator<Problem, never> {
  for (let chunk = 0; ; chunk++) {
    for (const problem of task.generate(`${seed}/${chunk}`, LEVEL, 64)) {
      if (!isHeldOut(problem.prompt)) yield problem
    }
  }
}

/** `count` runs of each problem by the policy of some weights; `name` tells the weights from all others. */
export async function drawRuns(
  { start, run, engine, seed }: Learner,
  { weights, name }: { weights: Weights; name: string },
  problems: readonly Problem[],
  count: number,
  temperature = 1,
): Promise<Step[][][]> {
  const params = toParams(weights)
  const model = { ...start, params, prepared: run.prepare(params) }
  const policy = policyOf(
    { ...start, card: { sha256: name }, generate: (options) => generate(model, run, options) },
    lessons,
    { engine, temperature, seed },
  )
  const written = await Promise.all(problems.map((problem) => policy.completeMany!(problem, [], { from: 0, count })))
  arrays.dispose(model.prepared)
  arrays.dispose(params)
  return written.map((own) =>
    own.map((one) => {
      if (!one.ok) throw one.error
      return one.steps
    }),
  )
}

export function isRight(problem: Problem, steps: readonly Step[]): boolean {
  const answer = task.answerOf(steps.map(({ text }) => text))
  return answer !== null && task.check(problem, answer)
}

function promptText(problem: Problem): string {
  return `${renderPrompt(mark, problem)}\n`
}

function rowOf(
  { tokenizer }: LoadedModel,
  problem: Problem,
  steps: readonly Step[],
  advantages: TokenAdvantages,
): PolicyRow {
  return {
    prompt: tokenizer.encode(promptText(problem)),
    completion: steps.flatMap(({ tokens }) => tokens?.ids ?? []),
    logprobs: steps.flatMap(({ tokens }) => tokens?.logprobs ?? []),
    advantages: steps.flatMap(({ tokens }, t) => (tokens?.ids ?? []).map((_, i) => advantages[t]?.[i] ?? 0)),
  }
}

/** log p of the tokens of runs, by steps, by the weights of the start; null for the end token, which no text holds. */
export async function referenceOf(
  { start }: Learner,
  runs: readonly { problem: Problem; steps: readonly Step[] }[],
): Promise<(number | null)[][][]> {
  const texts = runs.map(({ problem, steps }) => promptText(problem) + steps.map(({ text }) => text).join('\n'))
  const scored = await start.score(texts)
  return runs.map(({ problem, steps }, i) => {
    const from = start.tokenizer.encode(promptText(problem)).length
    const known = scored[i]!.logprobs.slice(from).values()
    return steps.map(({ tokens }) => (tokens?.ids ?? []).map(() => known.next().value ?? null))
  })
}
