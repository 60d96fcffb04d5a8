import { readSafetensors } from '../../training/transformer/safetensors.ts'
import { tokenizerOf } from '../../training/transformer/tokenizer.ts'
import { type Card, findWeights } from './cards.ts'
import { type EmbeddedModel, embeddedModel } from './model.ts'

export interface LoadedModel extends EmbeddedModel {
  readonly name: string
  readonly card: Card
}

/**
 * Loads shipped weights by name, to compute with them in this thread.
 *
 * `root` is the folder that holds `<name>.safetensors` and `<name>.json`; by default the package's own `weights`.
 * @throws GradusError GRD-MODEL-004 where there is no such model, GRD-MODEL-003 where it is damaged
 */
export async function loadEmbedded(name: string, options: { root?: string } = {}): Promise<LoadedModel> {
  const { card, file, bytes } = findWeights(name, options.root)
  const { weights } = readSafetensors(bytes, file)
  const model = await embeddedModel(card.config, tokenizerOf(card.alphabet), weights)
  return { ...model, name, card }
}
