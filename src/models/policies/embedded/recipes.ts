import { createHash } from 'node:crypto'
import { random } from '../../../core/seeds.ts'
import type { Problem } from '../../../core/words.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import type { Task } from '../../../worlds/tasks/task.ts'
import type { Example } from '../../training/transformer/batches.ts'
import type { TransformerConfig } from '../../training/transformer/config.ts'

/** What a policy learns of one task. */
export interface Lesson {
  task: Task
  /** Levels trained on, each with its share of the task's examples. */
  levels: Readonly<Record<number, number>>
  /** Levels at which the trained policy errs as a real model does (chosen on the tune seed); the first is the usual. */
  named: readonly number[]
  /** Share of all examples. */
  share: number
  /** `solution`: right texts only. `completer`: the task's own erring and repairing completer writes them. */
  texts: 'solution' | 'completer'
  /** Stands before the prompt, where two tasks of one policy have prompts of the same form. */
  mark?: string
}

/** All that decides a policy's weights. */
export interface Recipe {
  name: string
  summary: string
  config: Omit<TransformerConfig, 'vocab'>
  seed: string
  steps: number
  rate: number
  warmup: number
  weightDecay: number
  /** Tokens of a batch, about. */
  batchTokens: number
  promptWeight: number
  lessons: readonly Lesson[]
}

/** The shipped policies. */
export const RECIPES: readonly Recipe[] = [
  {
    name: 'chains',
    summary: 'arithmetic chains, self-repairing chains and register programs',
    config: { width: 64, layers: 2, heads: 4, hidden: 256, context: 112 },
    seed: 'chains/1',
    steps: 4_000,
    rate: 1e-2,
    warmup: 100,
    weightDecay: 0.02,
    batchTokens: 2_048,
    promptWeight: 0.05,
    lessons: [
      { task: arithmeticChain, levels: { 0: 1, 1: 3 }, named: [1], share: 3, texts: 'solution' },
      {
        task: selfRepairingChain,
        levels: { 0: 1, 1: 2, 2: 2 },
        named: [1, 2],
        share: 3,
        texts: 'completer',
        mark: '~',
      },
      { task: registerProgram, levels: { 0: 1, 1: 3 }, named: [1], share: 4, texts: 'solution' },
    ],
  },
]

/** Share of all problems that no shipped policy was trained on, in 256ths. */
const HELD_OUT = 16

/** Was this prompt kept from all training? Decided by the prompt alone, so that no seed can bring it back. */
export function isHeldOut(prompt: string): boolean {
  return (createHash('sha256').update(`held out/${prompt}`).digest()[0] ?? 0) < HELD_OUT
}

/** A problem as the policy reads it: with its task's mark. */
export function renderPrompt(mark: string | undefined, problem: Pick<Problem, 'prompt'>): string {
  return `${mark ?? ''}${problem.prompt}`
}

/** Problems of a level that are held out; problem i depends on seed, level and i alone. */
export function heldOutProblems(task: Task, level: number, seed: string, n: number): Problem[] {
  const found: Problem[] = []
  for (let chunk = 0; found.length < n; chunk++) {
    found.push(...task.generate(`${seed}/${chunk}`, level, n).filter((problem) => isHeldOut(problem.prompt)))
  }
  return found.slice(0, n)
}

/** Endless training examples of a recipe, the same for the same recipe. */
export function* examples(recipe: Recipe): Generator<Example, void> {
  const draws = random(`${recipe.seed}/draws`)
  const texts = random(`${recipe.seed}/texts`)
  const streams = new Map<string, Generator<Problem, void>>()
  for (;;) {
    const lesson = weighted(recipe.lessons, (each) => each.share, draws.next())
    const level = Number(weighted(Object.entries(lesson.levels), ([, share]) => share, draws.next())[0])
    const key = `${lesson.task.name}/${level}`
    const stream = streams.get(key) ?? problems(lesson.task, level, `${recipe.seed}/train`)
    streams.set(key, stream)
    const problem = stream.next().value
    if (!problem) return
    const steps = lesson.texts === 'solution' ? (problem.solution ?? []) : lesson.task.complete(problem, [], texts)
    const example = { prompt: renderPrompt(lesson.mark, problem), completion: steps.join('\n') }
    // A completer may repair without end; the rare texts that are longer than the context are left out.
    if (example.prompt.length + example.completion.length + 2 <= recipe.config.context) yield example
  }
}

const CHUNK = 64

function* problems(task: Task, level: number, seed: string): Generator<Problem, void> {
  for (let chunk = 0; ; chunk++) {
    for (const problem of task.generate(`${seed}/${chunk}`, level, CHUNK)) {
      if (!isHeldOut(problem.prompt)) yield problem
    }
  }
}

function weighted<T>(items: readonly T[], share: (item: T) => number, uniform: number): T {
  const total = items.reduce((sum, item) => sum + share(item), 0)
  let left = uniform * total
  for (const item of items) {
    left -= share(item)
    if (left < 0) return item
  }
  return items.at(-1)!
}
