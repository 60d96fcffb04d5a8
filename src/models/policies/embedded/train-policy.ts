import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../../../core/errors.ts'
import { batches } from '../../training/transformer/batches.ts'
import { initialWeights, type Weights } from '../../training/transformer/params.ts'
import { writeSafetensors } from '../../training/transformer/safetensors.ts'
import { alphabetOf, type Tokenizer, tokenizerOf } from '../../training/transformer/tokenizer.ts'
import { train } from '../../training/transformer/train.ts'
import { packageVersions } from '../../versions.ts'
import { type Card, weightsFolder } from './cards.ts'
import { type PassRates, passRates } from './evaluate.ts'
import { examples, lessonsOf, type Recipe } from './lessons.ts'
import { embeddedModel } from './model.ts'
import { RECIPES } from './recipes.ts'

export interface TrainPolicyOptions {
  /** Folder to write to; by default the package's `weights`. */
  out?: string
  /** Most steps of each stage, for a quick look; the learning rate falls by them. */
  steps?: number
  /** Held-out problems per level in the card's figures; 200. */
  problems?: number
  /** Seed of those problems; figures are reported on `report`, levels were chosen on `tune`. */
  seed?: string
  onStep?: (step: number, steps: number, loss: number, tokensPerSecond: number) => void
  onRates?: (rates: PassRates) => void
}

/** Samples a problem for pass@16. */
const SAMPLES = 16

/** Examples that the alphabet is read from: rare characters appear within some hundred. */
const ALPHABET_EXAMPLES = 3_000

/**
 * Trains a shipped policy from nothing by its recipe, measures it on held-out problems and writes weights and card.
 *
 * The weights depend on the recipe and the version of jax-js only.
 * @throws GradusError GRD-MODEL-004 for an unknown name
 */
export async function trainPolicy(name: string, options: TrainPolicyOptions = {}): Promise<Card> {
  const found = RECIPES.find((each) => each.name === name)
  if (!found) {
    throw new GradusError('GRD-MODEL-004', { found: name, expected: RECIPES.map((each) => each.name).join(', ') })
  }
  const recipe = shortened(found, options.steps)
  const tokenizer = recipeTokenizer(recipe)
  const config = { ...recipe.config, vocab: tokenizer.size }
  const allSteps = recipe.stages.reduce((sum, { steps }) => sum + steps, 0)
  const started = performance.now()
  const losses: number[] = []
  let tokens = 0
  let weights = initialWeights(config, recipe.seed)
  for (const [stage, { steps }] of recipe.stages.entries()) {
    const trained = await train({
      ...recipe,
      config,
      weights,
      steps,
      batches: batches(examples(recipe, stage), tokenizer, {
        tokens: recipe.batchTokens,
        context: config.context,
        promptWeight: recipe.promptWeight,
      }),
      onStep(_, loss, count) {
        tokens += count
        losses.push(loss)
        options.onStep?.(losses.length, allSteps, loss, (tokens / (performance.now() - started)) * 1_000)
      },
    })
    weights = trained.weights
  }
  const seconds = Math.round((performance.now() - started) / 1_000)
  return publishPolicy(recipe, { weights, tokenizer, losses, tokens, seconds }, options)
}

/** What a training has given. */
export interface Trained {
  weights: Weights
  tokenizer: Tokenizer
  losses: readonly number[]
  tokens: number
  seconds: number
}

/** Measures trained weights on held-out problems and writes them with their card. */
export async function publishPolicy(
  recipe: Recipe,
  { weights, tokenizer, losses, tokens, seconds }: Trained,
  options: Omit<TrainPolicyOptions, 'steps' | 'onStep'> = {},
): Promise<Card> {
  const { name } = recipe
  const config = { ...recipe.config, vocab: tokenizer.size }
  const model = await embeddedModel(config, tokenizer, weights)
  const seed = options.seed ?? 'report'
  const problems = options.problems ?? 200
  const rates: PassRates[] = []
  for (const lesson of lessonsOf(recipe)) {
    for (const level of Object.keys(lesson.levels).map(Number)) {
      const measured = await passRates(model, lesson, level, { seed, problems, samples: SAMPLES })
      options.onRates?.(measured)
      rates.push(measured)
    }
  }
  model.dispose()
  const file = writeSafetensors(weights, { format: 'gradus', name, licence: 'MIT' })
  const card: Card = {
    name,
    summary: recipe.summary,
    licence: 'MIT',
    versions: await packageVersions(),
    config,
    alphabet: [...tokenizer.alphabet],
    training: { seed: recipe.seed, steps: losses.length, tokens, seconds, loss: tail(losses) },
    tasks: lessonsOf(recipe).map(({ task, mark, levels, named, texts }) => ({
      task: task.name,
      mark: mark ?? '',
      trainedOn: Object.keys(levels).map(Number),
      levels: [...named],
      texts,
    })),
    measured: { seed, temperature: 1, rates: rates.map(rounded) },
    sha256: createHash('sha256').update(file).digest('hex'),
  }
  await save(options.out ?? weightsFolder(), name, file, card)
  return card
}

/** The tokenizer of a recipe: the characters and words of its first examples. */
export function recipeTokenizer(recipe: Recipe): Tokenizer {
  return tokenizerOf(alphabetOf(firstTexts(recipe), recipe.words))
}

function shortened(recipe: Recipe, most: number | undefined): Recipe {
  if (most === undefined) return recipe
  return { ...recipe, stages: recipe.stages.map((stage) => ({ ...stage, steps: Math.min(most, stage.steps) })) }
}

function* firstTexts(recipe: Recipe): Generator<string, void> {
  let n = 0
  for (const { prompt, completion } of examples(recipe, 0)) {
    if (n++ === ALPHABET_EXAMPLES) return
    yield prompt
    yield completion
  }
}

/** Written beside and renamed, weights first: a card never stands beside weights that are not its own for long. */
async function save(folder: string, name: string, weights: Uint8Array, card: Card): Promise<void> {
  await mkdir(folder, { recursive: true })
  const write = async (file: string, data: string | Uint8Array): Promise<void> => {
    await writeFile(join(folder, `${file}.tmp`), data)
    await rename(join(folder, `${file}.tmp`), join(folder, file))
  }
  await write(`${name}.safetensors`, weights)
  await write(`${name}.json`, `${JSON.stringify(card, null, 2)}\n`)
}

/** Mean of the last 100 losses: one batch alone is noise. */
function tail(losses: readonly number[]): number {
  const last = losses.slice(-100)
  return Number((last.reduce((a, b) => a + b, 0) / last.length).toFixed(4))
}

function rounded(rates: PassRates): PassRates {
  const round = (x: number): number => Number(x.toFixed(4))
  return {
    ...rates,
    passAt1: round(rates.passAt1),
    standardError: round(rates.standardError),
    passAtN: round(rates.passAtN),
    noAnswer: round(rates.noAnswer),
  }
}
