import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../../../core/errors.ts'
import { readSafetensors } from '../../training/transformer/safetensors.ts'
import { tokenizerOf } from '../../training/transformer/tokenizer.ts'
import { type Card, readCard, weightsFolder } from './cards.ts'
import { type EmbeddedModel, embeddedModel } from './model.ts'

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
