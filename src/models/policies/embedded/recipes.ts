import { createHash } from 'node:crypto'
import { random } from '../../../core/seeds.ts'
import type { Problem } from '../../../core/words.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { hopworld, search } from '../../../worlds/tasks/hopworld.ts'
import { imperative } from '../../../worlds/tasks/imperative.ts'
import { objectTracking } from '../../../worlds/tasks/object-tracking.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import { tableProgram } from '../../../worlds/tasks/table-program.ts'
import type { Task } from '../../../worlds/tasks/task.ts'
import type { Example } from '../../training/transformer/batches.ts'
import type { TransformerConfig } from '../../training/transformer/config.ts'
import { splitter } from '../../training/transformer/tokenizer.ts'
import { HOPWORLD_WORDS, IMPERATIVE_WORDS, TABLE_WORDS, TRACKING_WORDS } from './words.ts'

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

/** What the shipped policies have in common; found on chains with the tune seed. */
const USUAL = {
  config: { width: 64, layers: 2, heads: 4, hidden: 256 },
  rate: 1e-2,
  warmup: 100,
  weightDecay: 0.02,
  batchTokens: 2_048,
  promptWeight: 0.05,
} as const

const SEARCH = 'search: '

/** HopWorld's environment answers each search. */
function searchReply(problem: Problem, step: string): string | null {
  return step.startsWith(SEARCH) ? `found: ${search(problem, step.slice(SEARCH.length))}` : null
}

/** The policies that can be trained; those with a card in `weights` are shipped. */
export const RECIPES: readonly Recipe[] = [
  {
    ...USUAL,
    name: 'chains',
    summary: 'arithmetic chains, self-repairing chains and register programs',
    config: { ...USUAL.config, context: 112 },
    seed: 'chains/1',
    stages: [
      {
        steps: 1_600,
        lessons: [
          { task: arithmeticChain, levels: { 0: 1, 1: 3 }, named: [], share: 3, texts: 'solution' },
          {
            task: selfRepairingChain,
            levels: { 0: 1, 1: 2, 2: 2 },
            named: [],
            share: 3,
            texts: 'completer',
            mark: '~',
          },
          { task: registerProgram, levels: { 0: 1, 1: 3 }, named: [], share: 4, texts: 'solution' },
        ],
      },
      {
        // Shorter repairs and more of the registers, which were the weakest after the first stage.
        steps: 1_600,
        lessons: [
          { task: arithmeticChain, levels: { 0: 1, 1: 3 }, named: [1], share: 3, texts: 'solution' },
          { task: selfRepairingChain, levels: { 0: 1, 1: 2 }, named: [0], share: 2, texts: 'completer', mark: '~' },
          { task: registerProgram, levels: { 0: 2, 1: 1 }, named: [], share: 5, texts: 'solution' },
        ],
      },
    ],
  },
  {
    ...USUAL,
    name: 'registers',
    summary: 'register programs',
    config: { ...USUAL.config, layers: 3, context: 96 },
    batchTokens: 1_024,
    seed: 'registers/1',
    stages: [
      {
        steps: 1_000,
        lessons: [{ task: registerProgram, levels: { 0: 1 }, named: [], share: 1, texts: 'solution' }],
      },
      {
        steps: 800,
        lessons: [{ task: registerProgram, levels: { 0: 1 }, named: [], share: 1, texts: 'solution' }],
      },
      {
        steps: 300,
        lessons: [{ task: registerProgram, levels: { 0: 1 }, named: [0], share: 1, texts: 'solution' }],
      },
    ],
  },
  {
    ...USUAL,
    name: 'game24',
    summary: 'the Game of 24 with three and four numbers',
    config: { ...USUAL.config, context: 128 },
    seed: 'game24/1',
    stages: [
      {
        steps: 1_600,
        lessons: [{ task: game24, levels: { 0: 1, 1: 2, 2: 2 }, named: [1, 2], share: 1, texts: 'solution' }],
      },
    ],
  },
  {
    ...USUAL,
    name: 'tracking',
    summary: 'who holds what after swaps',
    config: { ...USUAL.config, context: 80 },
    words: TRACKING_WORDS,
    batchTokens: 1_024,
    seed: 'tracking/1',
    stages: [
      {
        steps: 1_200,
        lessons: [{ task: objectTracking, levels: { 0: 1, 1: 1 }, named: [], share: 1, texts: 'solution' }],
      },
      {
        // The swap is learnt from right texts first: with wrong ones among them it was not found in as many steps.
        steps: 200,
        lessons: [
          { task: objectTracking, levels: { 0: 1, 1: 1 }, named: [0, 1], share: 1, texts: 'completer', slip: 0.1 },
        ],
      },
    ],
  },
  {
    ...USUAL,
    name: 'hopworld',
    summary: 'questions of one to four hops, by search',
    config: { ...USUAL.config, context: 128 },
    words: HOPWORLD_WORDS,
    batchTokens: 1_024,
    seed: 'hopworld/1',
    stages: [
      {
        steps: 500,
        lessons: [
          {
            task: hopworld,
            levels: { 0: 1, 1: 2, 3: 2, 4: 1 },
            named: [1, 0, 3],
            share: 1,
            texts: 'completer',
            slip: 0.06,
            reply: searchReply,
          },
        ],
      },
    ],
  },
  {
    ...USUAL,
    name: 'imperative',
    summary: 'traces of small imperative programs',
    config: { ...USUAL.config, context: 96 },
    words: IMPERATIVE_WORDS,
    batchTokens: 1_024,
    seed: 'imperative/1',
    stages: [
      {
        steps: 800,
        lessons: [{ task: imperative, levels: { 0: 1 }, named: [0], share: 1, texts: 'completer', slip: 0.07 }],
      },
    ],
  },
  {
    ...USUAL,
    name: 'tables',
    summary: 'filter, select and aggregate over a small table',
    config: { ...USUAL.config, layers: 3, context: 48 },
    words: TABLE_WORDS,
    batchTokens: 1_024,
    // Cells are drawn at random: there is nothing to learn in them.
    promptWeight: 0,
    seed: 'tables/1',
    stages: [
      {
        steps: 1_000,
        lessons: [{ task: tableProgram, levels: { 0: 1 }, named: [], share: 1, texts: 'solution' }],
      },
      {
        steps: 800,
        lessons: [{ task: tableProgram, levels: { 0: 1 }, named: [], share: 1, texts: 'solution' }],
      },
      {
        // Only now are the rows of a shop found; rows by a number stay guessed.
        steps: 500,
        lessons: [{ task: tableProgram, levels: { 0: 1 }, named: [0], share: 1, texts: 'solution' }],
      },
    ],
  },
]

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
