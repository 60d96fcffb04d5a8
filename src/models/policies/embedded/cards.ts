import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { hopworld } from '../../../worlds/tasks/hopworld.ts'
import { imperative } from '../../../worlds/tasks/imperative.ts'
import { objectTracking } from '../../../worlds/tasks/object-tracking.ts'
import { registerProgram } from '../../../worlds/tasks/register-program.ts'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import { tableProgram } from '../../../worlds/tasks/table-program.ts'
import { RECIPES } from './recipes.ts'

// What is known of shipped weights without the numerical backend, which takes long to load.

const passRatesSchema = z.object({
  task: z.string(),
  level: z.number(),
  problems: z.number(),
  samples: z.number(),
  passAt1: z.number(),
  standardError: z.number(),
  passAtN: z.number(),
  noAnswer: z.number(),
})

/** What is known of shipped weights; stands beside them as `<name>.json`. */
export const cardSchema = z.object({
  name: z.string(),
  summary: z.string(),
  licence: z.string(),
  /** Version of Gradus and of jax-js that trained it. */
  versions: z.record(z.string(), z.string()),
  config: z.object({
    vocab: z.number(),
    width: z.number(),
    layers: z.number(),
    heads: z.number(),
    hidden: z.number(),
    context: z.number(),
  }),
  /** Characters and words in the order of their ids, from 3. */
  alphabet: z.array(z.string()),
  training: z.object({
    seed: z.string(),
    steps: z.number(),
    tokens: z.number(),
    seconds: z.number(),
    loss: z.number(),
  }),
  tasks: z.array(
    z.object({
      task: z.string(),
      /** Stands before prompts of the task. */
      mark: z.string(),
      trainedOn: z.array(z.number()),
      /** Levels at which the policy errs as a real model does; the first is the usual. */
      levels: z.array(z.number()),
      texts: z.enum(['solution', 'completer']),
    }),
  ),
  /** On held-out problems, with a seed that nothing was chosen on. */
  measured: z.object({ seed: z.string(), temperature: z.number(), rates: z.array(passRatesSchema) }),
  /** SHA-256 of the weights' file. */
  sha256: z.string(),
})

export type Card = z.infer<typeof cardSchema>

/** Parses a card. @throws GradusError GRD-MODEL-003 */
export function readCard(text: string, file: string): Card {
  try {
    return cardSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new GradusError('GRD-MODEL-003', { where: { file }, found: 'a card that cannot be read', cause })
  }
}

/** The package's `weights` folder: beside the nearest package.json above this file. */
export function weightsFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return join(folder, 'weights')
  }
}

/**
 * Weights by name, with their card.
 * @throws GradusError GRD-MODEL-004 where there is no such model, GRD-MODEL-003 where it is damaged
 */
export function findWeights(
  name: string,
  root = weightsFolder(),
): { card: Card; file: string; bytes: Uint8Array<ArrayBuffer> } {
  const file = join(root, `${name}.safetensors`)
  const cardFile = join(root, `${name}.json`)
  if (!/^[\w-]+$/.test(name) || !existsSync(file) || !existsSync(cardFile)) {
    throw new GradusError('GRD-MODEL-004', {
      found: name,
      expected: `${name}.safetensors and ${name}.json in ${root}`,
      try: ['npm run build:policy   (in a checkout: trains the shipped ones anew)'],
    })
  }
  const card = readCard(readFileSync(cardFile, 'utf8'), cardFile)
  const bytes = new Uint8Array(readFileSync(file))
  const sum = hash('sha256', bytes)
  if (sum !== card.sha256) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file },
      found: `SHA-256 ${sum}`,
      expected: `${card.sha256}, as ${cardFile} says`,
    })
  }
  return { card, file, bytes }
}

/** How prompts of each task begin, as a policy reads them (with the task's mark). */
const BEGINNINGS: readonly (readonly [string, RegExp])[] = [
  [selfRepairingChain.name, /^~/],
  [arithmeticChain.name, /^[(]*\d+[-+*)]/],
  [registerProgram.name, /^[a-z]=-?\d+[,;]/],
  [game24.name, /^\d+ \d+ \d+/],
  [objectTracking.name, /^[A-Z][a-z]+ [a-z]+, .* swap[,.]/],
  [hopworld.name, /^Name the /],
  [imperative.name, /^(?:state (?:kept|reset)\n)?1 /],
  [tableProgram.name, /^from \w+ \| /],
]

/** The weights where nothing tells a task. */
export const USUAL_WEIGHTS = 'chains'

/** The task that a rendered prompt is of, by its first characters; null where none is known. */
export function taskOfText(text: string): string | null {
  return BEGINNINGS.find(([, beginning]) => beginning.test(text))?.[0] ?? null
}

/** Cards of the shipped weights, in the order of their recipes. */
export function shippedCards(root = weightsFolder()): Card[] {
  const cards: Card[] = []
  for (const { name } of RECIPES) {
    const file = join(root, `${name}.json`)
    if (existsSync(file)) cards.push(readCard(readFileSync(file, 'utf8'), file))
  }
  return cards
}

/** The weights for each task: the first that name a level for it, else the first that have learnt it. */
export function weightsByTask(cards: readonly Card[]): Map<string, string> {
  const chosen = new Map<string, string>()
  const choose = (wanted: (levels: readonly number[]) => boolean): void => {
    for (const { name, tasks } of cards) {
      for (const { task, levels } of tasks) if (wanted(levels) && !chosen.has(task)) chosen.set(task, name)
    }
  }
  choose((levels) => levels.length > 0)
  choose(() => true)
  return chosen
}
