import type { Problem } from '../../../core/words.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { hopworld, search } from '../../../worlds/tasks/hopworld.ts'
import { imperative } from '../../../worlds/tasks/imperative.ts'
import { objectTracking } from '../../../worlds/tasks/object-tracking.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import { tableProgram } from '../../../worlds/tasks/table-program.ts'
import type { Recipe } from './lessons.ts'
import { HOPWORLD_WORDS, IMPERATIVE_WORDS, TABLE_WORDS, TRACKING_WORDS } from './words.ts'

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
