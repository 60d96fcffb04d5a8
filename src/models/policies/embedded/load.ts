import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { readSafetensors } from '../../training/transformer/safetensors.ts'
import { tokenizerOf } from '../../training/transformer/tokenizer.ts'
import { type EmbeddedModel, embeddedModel } from './model.ts'

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

export interface LoadedModel extends EmbeddedModel {
  readonly name: string
  readonly card: Card
}

/**
 * Loads shipped weights by name.
 *
 * `root` is the folder that holds `<name>.safetensors` and `<name>.json`; by default the package's own `weights`.
 * @throws GradusError GRD-MODEL-004 where there is no such model, GRD-MODEL-003 where it is damaged
 */
export async function loadEmbedded(name: string, options: { root?: string } = {}): Promise<LoadedModel> {
  const root = options.root ?? weightsFolder()
  const file = join(root, `${name}.safetensors`)
  const cardFile = join(root, `${name}.json`)
  if (!/^[\w-]+$/.test(name) || !existsSync(file) || !existsSync(cardFile)) {
    throw new GradusError('GRD-MODEL-004', {
      found: name,
      expected: `${name}.safetensors and ${name}.json in ${root}`,
      try: ['npm run build:policy   (in a checkout: trains the shipped ones anew)'],
    })
  }
  const card = readCard(await readFile(cardFile, 'utf8'), cardFile)
  const { weights } = readSafetensors(new Uint8Array(await readFile(file)), file)
  const model = await embeddedModel(card.config, tokenizerOf(card.alphabet), weights)
  return { ...model, name, card }
}

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
