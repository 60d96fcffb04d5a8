import { createHash } from 'node:crypto'
import { random } from '../../../core/seeds.ts'
import type { Problem } from '../../../core/words.ts'
import type { Task } from '../../../worlds/tasks/task.ts'
import type { Example } from '../../training/transformer/batches.ts'
import type { TransformerConfig } from '../../training/transformer/config.ts'
import { splitter } from '../../training/transformer/tokenizer.ts'

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
  /** Chance that a step of the completer's text is wrong; the task's own where not given. */
  slip?: number
  /** The environment's line after the last step, null where it is the policy's turn. */
  reply?: (problem: Problem, step: string) => string | null
  /** Stands before the prompt, where two tasks of one policy have prompts of the same form. */
  mark?: string
}

/** A part of the training: its own lessons and optimiser state, the weights of the stage before. */
export interface Stage {
  steps: number
  lessons: readonly Lesson[]
}

/** All that decides a policy's weights. */
export interface Recipe {
  name: string
  summary: string
  config: Omit<TransformerConfig, 'vocab'>
  /** Read and written as one token each; all else is characters. */
  words?: readonly string[]
  seed: string
  /** Highest learning rate of each stage. */
  rate: number
  warmup: number
  weightDecay: number
  /** Tokens of a batch, about. */
  batchTokens: number
  promptWeight: number
  stages: readonly Stage[]
}

/** What a policy has learnt in the end. */
export function lessonsOf(recipe: Recipe): readonly Lesson[] {
  return recipe.stages.at(-1)?.lessons ?? []
}

/** Share of all problems that no shipped policy was trained on, in 256ths. */
const HELD_OUT = 16

/**
 * Was this prompt kept from all training? Decided by the prompt alone, so that no seed can bring it back; the same
 * numbers in another order (Game of 24) are the same problem.
 */
export function isHeldOut(prompt: string): boolean {
  const key = /^[\d ]+$/.test(prompt) ? prompt.split(' ').sort().join(' ') : prompt
  return (createHash('sha256').update(`held out/${key}`).digest()[0] ?? 0) < HELD_OUT
}

/**
 * A problem as the policy reads it: the task's mark, the prompt, its table. The question stands first, so that each
 * cell is read by what is asked; each cell stands with the number of its row and the name of its column.
 */
export function renderPrompt(mark: string | undefined, problem: Pick<Problem, 'prompt' | 'context'>): string {
  const tables = (problem.context ?? []).flatMap((context) => (context.kind === 'table' ? [context] : []))
  const rows = tables.flatMap(({ header, rows }) =>
    rows.map((row, i) => `; ${row.map((cell, column) => `${i + 1} ${header[column] ?? ''} ${cell}`).join(', ')}`),
  )
  return `${mark ?? ''}${problem.prompt}${rows.join('')}`
}

/** A solution as a text to learn from; lines of the environment are given. */
export function toExample(lesson: Lesson, problem: Problem, steps: readonly string[]): Example {
  const given: [number, number][] = []
  let at = 0
  steps.forEach((step, i) => {
    const before = steps[i - 1]
    if (before !== undefined && lesson.reply && lesson.reply(problem, before) !== null) {
      given.push([at, at + step.length + 1])
    }
    at += step.length + 1
  })
  const example = { prompt: renderPrompt(lesson.mark, problem), completion: steps.join('\n') }
  return given.length > 0 ? { ...example, given } : example
}

/** Problems of a level that are held out: the same for the same seed, level and n; for another n only the first agree. */
export function heldOutProblems(task: Task, level: number, seed: string, n: number): Problem[] {
  const found: Problem[] = []
  for (let chunk = 0; found.length < n; chunk++) {
    found.push(...task.generate(`${seed}/${chunk}`, level, n).filter((problem) => isHeldOut(problem.prompt)))
  }
  return found.slice(0, n)
}

/** Endless training examples of a stage (from 0), the same for the same recipe. */
export function* examples(recipe: Recipe, stage: number): Generator<Example, void> {
  const seed = stage === 0 ? recipe.seed : `${recipe.seed}/stage ${stage}`
  const lessons = recipe.stages[stage]?.lessons ?? []
  const split = splitter(recipe.words ?? [])
  const draws = random(`${seed}/draws`)
  const texts = random(`${seed}/texts`)
  const streams = new Map<string, Generator<Problem, void>>()
  for (;;) {
    const lesson = weighted(lessons, (each) => each.share, draws.next())
    const level = Number(weighted(Object.entries(lesson.levels), ([, share]) => share, draws.next())[0])
    const key = `${lesson.task.name}/${level}`
    const stream = streams.get(key) ?? problems(lesson.task, level, `${seed}/train`)
    streams.set(key, stream)
    const problem = stream.next().value
    if (!problem) return
    const { task, slip } = lesson
    const steps =
      lesson.texts === 'solution'
        ? (problem.solution ?? [])
        : task.complete(problem, [], texts, slip === undefined ? undefined : { slip })
    const example = toExample(lesson, problem, steps)
    // A completer may repair without end; the rare texts that are longer than the context are left out.
    if (split(`${example.prompt}\n${example.completion}`).length + 1 <= recipe.config.context) yield example
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
