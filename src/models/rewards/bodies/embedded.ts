import { contentHash } from '../../../core/hash.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { LoadedModel } from '../../policies/embedded/load.ts'
import { type EmbeddedModel, embeddedModel } from '../../policies/embedded/model.ts'
import { mlpHead } from '../../training/mlp.ts'
import { NORM_EPSILON } from '../../training/transformer/config.ts'
import type { Weights } from '../../training/transformer/params.ts'
import { type StepHeadOptions, type StepText, trainStepHead } from '../../training/transformer/step-head.ts'
import { SEPARATOR, separatorId } from '../aligned-text.ts'
import { type LineReader, lineText, overReadable } from '../line-text.ts'
import type { Body, Featured, Lesson, PartSpec } from './body.ts'

export interface EmbeddedBodyOptions {
  /** Blocks before the states that are read; all of them where not given. */
  layer?: number
  /** Train the transformer with the head; options of the training. */
  fineTune?: Partial<StepHeadOptions>
}

/** What of an embedded model tells it from others. */
export type Identified = LineReader & { card: Pick<LoadedModel['card'], 'sha256'> }

type Base = Identified & Pick<LoadedModel, 'hidden' | 'weights' | 'dispose'>

/**
 * Steps as the transformer's state at the token that closes each of them, divided by its root mean square.
 *
 * Problems are written as the policy reads them (its card says with which mark), steps one a line.
 */
export function embeddedBody(model: Base, { layer = model.config.layers, fineTune }: EmbeddedBodyOptions = {}): Body {
  const body = bodyOf(model, embeddedSpec(model, layer), model)
  if (!fineTune) return body
  return {
    ...body,
    async tune(fit, held, seed) {
      const { config, tokenizer } = model
      const trained = await trainStepHead({
        config,
        weights: await model.weights(),
        fit: fit.map((lesson) => stepTextOf(model, lesson)),
        held: held.map((lesson) => stepTextOf(model, lesson)),
        options: { ...fineTune, seed },
      })
      const own = await embeddedModel(config, tokenizer, trained.weights)
      const { width } = config
      const head = mlpHead({
        'mlp.means': { shape: [width], data: new Float32Array(width) },
        'mlp.scales': { shape: [width], data: new Float32Array(width).fill(1) },
        'mlp.0.weights': { shape: [width, 1], data: trained.head.weights },
        'mlp.0.bias': { shape: [1], data: trained.head.bias },
      })
      return {
        body: tunedBody(model, own, trained.weights),
        fitted: { head, rounds: trained.rounds, heldLosses: trained.heldLosses },
      }
    },
  }
}

/** A body whose weights were trained with a head, from them: prompts are still written as for the model before. */
export function tunedBody(base: Base, own: EmbeddedModel, tensors: Weights): Body {
  const spec = { ...embeddedSpec(base, base.config.layers), fineTuned: true }
  return { ...bodyOf(base, spec, own), tensors }
}

/** What the card of a reward model keeps of the model below. */
export function embeddedSpec(model: Identified, layer: number): Extract<PartSpec, { kind: 'embedded' }> {
  const marks = model.card.tasks.map(({ task, mark }) => [task, mark])
  return {
    kind: 'embedded',
    model: model.name,
    sha256: model.card.sha256,
    layer,
    separator: { text: SEPARATOR, id: separatorId(model.tokenizer) },
    tokenizer: contentHash(model.tokenizer.alphabet).slice(0, 12),
    renderer: contentHash(['lines', marks]).slice(0, 12),
    fineTuned: false,
  }
}

function bodyOf(
  base: Base,
  spec: Extract<PartSpec, { kind: 'embedded' }>,
  reader: Pick<EmbeddedModel, 'hidden'>,
): Body {
  const { width } = base.config
  return {
    spec,
    width,
    features: (lines) =>
      overReadable(
        base,
        lines,
        (texts) => reader.hidden(texts, spec.layer),
        (text, { states, tokenIds }): Featured => {
          const features = new Float32Array(text.ends.length * width)
          text.ends.forEach((token, step) => {
            features.set(normalised(states.subarray(token * width, (token + 1) * width)), step * width)
          })
          return { ok: true, features, usage: { ...NO_USAGE, calls: 1, promptTokens: tokenIds.length } }
        },
      ),
    dispose: () => base.dispose(),
  }
}

/** A state by its root mean square: as the transformer's own norm, without its gain. */
export function normalised(state: Float32Array): Float32Array {
  const scale = 1 / Math.sqrt(state.reduce((sum, x) => sum + x * x, 0) / state.length + NORM_EPSILON)
  return state.map((x) => x * scale)
}

function stepTextOf(model: Base, { line, steps }: Lesson): StepText {
  const { text, ends } = lineText(model, line)
  return {
    ids: model.tokenizer.encode(text),
    targets: steps.map(({ step, target, weight }) => ({ token: ends[step]!, target, weight })),
  }
}
