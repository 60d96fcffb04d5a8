import { random } from '../../../core/seeds.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { LoadedModel } from '../../policies/embedded/load.ts'
import { type EmbeddedModel, embeddedModel } from '../../policies/embedded/model.ts'
import { batches, type Example } from '../../training/transformer/batches.ts'
import type { Weights } from '../../training/transformer/params.ts'
import { train } from '../../training/transformer/train.ts'
import { SEPARATOR, stepTokens } from '../aligned-text.ts'
import { lineText, overReadable } from '../line-text.ts'
import type { Body, Featured, Lesson, PartSpec } from './body.ts'
import { embeddedSpec, type Identified } from './embedded.ts'

type Base = Identified & Pick<LoadedModel, 'score' | 'weights' | 'dispose'>

/**
 * Columns of a step: sum, mean and lowest of the log-likelihoods of its tokens, then sum and lowest of all tokens up to
 * its end; natural logarithms.
 */
const WIDTH = 5

/**
 * Texts seen in all, in passes over what is learnt from: some tasks are learnt suddenly, and the digits of a chain come
 * after about a million tokens of right steps (docs/lab-log.md).
 */
const PASSES = 2
const SETTINGS = { rate: 4e-3, warmup: 50, weightDecay: 0.02 } as const
/** Tokens of a batch, about. */
const BATCH_TOKENS = 2_048

/**
 * Steps as their log-likelihood under the embedded transformer after it has been trained on right steps alone.
 *
 * The tokens of a step with a target above .5 are learnt, those of wrong ones are given: a model that has seen only right
 * steps finds wrong ones unlikely. Expert iteration (Anthony et al. 2017) in the place of a critic: the supervision is that of
 * steps, the loss is a language model's, so each digit of a right step teaches and not one bit a step.
 */
export function likelihoodBody(model: Base): Body {
  return {
    ...bodyOf(model, model),
    async adapt(lessons, seed) {
      const examples = lessons.map((lesson) => exampleOf(model, lesson)).filter(hasRoom(model))
      const perPass = Math.ceil(examples.reduce((sum, one) => sum + tokensOf(model, one), 0) / BATCH_TOKENS)
      const { weights } = await train({
        config: model.config,
        weights: await model.weights(),
        steps: Math.max(1, PASSES * perPass),
        batches: batches(shuffled(examples, seed), model.tokenizer, {
          tokens: BATCH_TOKENS,
          context: model.config.context,
          promptWeight: 0,
        }),
        ...SETTINGS,
      })
      return adaptedBody(model, weights)
    },
  }
}

/** The body with weights of its own. */
export async function adaptedBody(base: Base, weights: Weights): Promise<Body> {
  const own = await embeddedModel(base.config, base.tokenizer, weights)
  return {
    ...bodyOf(base, own),
    tensors: weights,
    dispose() {
      own.dispose()
      base.dispose()
    },
  }
}

/** What the card of a reward model keeps of it. */
export function likelihoodSpec(model: Base): Extract<PartSpec, { kind: 'likelihood' }> {
  const { separator, tokenizer, renderer, sha256 } = embeddedSpec(model, model.config.layers)
  return { kind: 'likelihood', model: model.name, sha256, separator, tokenizer, renderer }
}

function bodyOf(base: Base, reader: Pick<EmbeddedModel, 'score'>): Body {
  return {
    spec: likelihoodSpec(base),
    width: WIDTH,
    features: (lines) =>
      overReadable(
        base,
        lines,
        (texts) => reader.score(texts),
        (text, { logprobs, tokenIds }): Featured => {
          const features = new Float32Array(text.ends.length * WIDTH)
          const soFar = { sum: 0, min: 0 }
          for (let step = 0; step < text.ends.length; step++) {
            const own = logprobs.slice(...stepTokens(text, step))
            const sum = own.reduce((a, b) => a + b, 0)
            const min = Math.min(...own)
            soFar.sum += sum
            soFar.min = Math.min(soFar.min, min)
            features.set([sum, sum / own.length, min, soFar.sum, soFar.min], step * WIDTH)
          }
          return { ok: true, features, usage: { ...NO_USAGE, calls: 1, promptTokens: tokenIds.length } }
        },
      ),
    dispose: () => base.dispose(),
  }
}

/**
 * Every step is closed by its separator, the last one too: as it will be read. Learnt are the right steps, and those that
 * nobody knows anything of as long as none before them is wrong: a form that is never labelled, such as the answer
 * that a chain ends with, would else be unlikely wherever it stands.
 */
function exampleOf(model: Base, { line, steps, whole }: Lesson): Example {
  const { text } = lineText(model, line)
  const completion = line.steps.map((step) => step.text + SEPARATOR).join('')
  const targets = new Map(steps.map(({ step, target }) => [step, target]))
  const all = whole === true && steps.some(({ target }) => target > 0.5)
  const given: [number, number][] = []
  let at = 0
  let clean = whole !== true
  line.steps.forEach((step, i) => {
    const end = at + step.text.length + SEPARATOR.length
    const target = targets.get(i)
    clean &&= target === undefined || target > 0.5
    const right = all || (target === undefined ? clean : target > 0.5)
    // That a line ends behind its last step is form, whatever stands in it: it is learnt from every line.
    if (!right) given.push([at, i === line.steps.length - 1 ? end - SEPARATOR.length : end])
    at = end
  })
  return { prompt: text.slice(0, -completion.length - SEPARATOR.length), completion, given }
}

function tokensOf({ tokenizer }: Base, { prompt, completion }: Example): number {
  return tokenizer.encode(`${prompt}${SEPARATOR}${completion}`).length + 1
}

/** A text that can be read may still have no room for the end token behind it. */
function hasRoom(model: Base): (example: Example) => boolean {
  return (example) => tokensOf(model, example) <= model.config.context
}

/** Endless passes, each in another order. */
function* shuffled(examples: readonly Example[], seed: string): Generator<Example, void> {
  const order = random(`${seed}/order`)
  while (examples.length > 0) yield* order.shuffle(examples)
}
