/**
 * Speed of the embedded policy: `node bench/policy.ts` prints a Markdown row per figure, then all as JSON.
 *
 * Sampling counts generated tokens with texts as long as the context (random weights, no stop); training counts
 * rows × length. One process and two that sample at once are measured in turn, each process warm before the clock
 * starts: a process that compiles, or one whose neighbour does, says nothing about sampling.
 * `node bench/policy.ts sampling|training small|large` runs one of them, as load for a profile.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, cpus } from 'node:os'
import { random } from '../src/core/seeds.ts'
import { decoder } from '../src/models/policies/embedded/decode.ts'
import { generate } from '../src/models/policies/embedded/sample.ts'
import { startBackend } from '../src/models/training/transformer/backend.ts'
import { type BatchOptions, batches, type Example } from '../src/models/training/transformer/batches.ts'
import type { TransformerConfig } from '../src/models/training/transformer/config.ts'
import { initialWeights, toParams, type Weights } from '../src/models/training/transformer/params.ts'
import { END, tokenizerOf } from '../src/models/training/transformer/tokenizer.ts'
import { train } from '../src/models/training/transformer/train.ts'

const ALPHABET = [...'\n +-*/=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP']
const tokenizer = tokenizerOf(ALPHABET)
const SIZES = {
  small: { width: 64, layers: 2, heads: 4, hidden: 256, context: 64, vocab: tokenizer.size },
  large: { width: 128, layers: 4, heads: 4, hidden: 512, context: 96, vocab: tokenizer.size },
} satisfies Record<string, TransformerConfig>
type Size = keyof typeof SIZES

/** Repetitions after one for warming up; the median is reported. */
const REPEATS = 5
/** Of the comparison of one process with two: batches before the clock starts, its seconds, and how often. */
const WARM_UP = 8
const SECONDS = 8
const ROUNDS = 9
const BATCH = 128
const TRAIN_ROWS = 32
const TRAIN_STEPS = 25
const TRAIN_REPEATS = 3

interface Figure {
  name: string
  value: number
  unit: string
  bar: number
}

/** What a measurement runs once: a whole batch to the end of the context; returns the tokens drawn. */
async function batchOf(config: TransformerConfig): Promise<(name: string) => Promise<number>> {
  await startBackend()
  const weights = initialWeights(config, 'bench')
  neverEnd(weights, config)
  const params = toParams(weights)
  const run = decoder(config)
  const model = { config, tokenizer, params, prepared: run.prepare(params) }
  return async (name) => {
    const seeds = Array.from({ length: BATCH }, (_, i) => `${name}/${i}`)
    const samples = await generate(model, run, { prompts: seeds.map(() => 'a'), maxTokens: config.context - 1, seeds })
    return samples.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)
  }
}

/** Tokens per second: the median of `repeats` batches after one that compiles. */
async function sampling(config: TransformerConfig, repeats: number): Promise<number> {
  const batch = await batchOf(config)
  const speeds: number[] = []
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const started = performance.now()
    const tokens = await batch(String(repeat))
    if (repeat > 0) speeds.push((tokens / (performance.now() - started)) * 1_000)
  }
  return median(speeds)
}

/** Makes the end token impossible and all others equal, so that every row runs to the end of the context. */
function neverEnd(weights: Weights, { width, vocab }: TransformerConfig): void {
  const embed = weights['embed']?.data
  const head = weights['head']?.data.fill(0)
  if (!embed || !head) throw new RangeError('no embeddings')
  for (let id = 0; id < vocab; id++) embed[id * width] = 10
  head[END] = -10
}

/** Tokens per second: the median of a few trainings. */
async function training(config: TransformerConfig): Promise<number> {
  const speeds: number[] = []
  for (let repeat = 0; repeat < TRAIN_REPEATS; repeat++) speeds.push(await trainingOnce(config))
  return median(speeds)
}

/** Tokens per second of steps after the first five, which compile. */
async function trainingOnce(config: TransformerConfig): Promise<number> {
  const options: BatchOptions = { tokens: TRAIN_ROWS * config.context, context: config.context, promptWeight: 0.1 }
  let started = 0
  let tokens = 0
  let seconds = 0
  await train({
    config,
    weights: initialWeights(config, 'bench'),
    batches: batches(copies(config.context), tokenizer, options),
    steps: TRAIN_STEPS,
    rate: 1e-3,
    warmup: 5,
    weightDecay: 0,
    onStep(step, _, count) {
      if (step === 5) started = performance.now()
      else if (step > 5) {
        tokens += count
        seconds = (performance.now() - started) / 1_000
      }
    },
  })
  return tokens / seconds
}

function* copies(context: number): Generator<Example, void> {
  const draws = random('bench/copies')
  const length = Math.floor((context - 3) / 2)
  for (;;) {
    const text = Array.from({ length }, () => draws.pick(ALPHABET.slice(7))).join('')
    yield { prompt: text, completion: text }
  }
}

/** What a process of its own does: warms up, says so, and samples for `SECONDS` once it is told to. */
async function sampleWhenTold(): Promise<void> {
  const batch = await batchOf(SIZES.small)
  for (let repeat = 0; repeat < WARM_UP; repeat++) await batch(`warm-up/${repeat}`)
  process.send?.('ready')
  await once(process, 'message')
  const started = performance.now()
  let tokens = 0
  for (let repeat = 0; performance.now() - started < SECONDS * 1_000; repeat++) tokens += await batch(String(repeat))
  process.send?.((tokens / (performance.now() - started)) * 1_000)
  process.disconnect()
}

/** Sum of the speeds of processes that sample over the same seconds, all warm before the first begins. */
async function together(processes: number): Promise<number> {
  const children = Array.from({ length: processes }, () => fork(import.meta.filename, ['together']))
  await Promise.all(children.map((child) => once(child, 'message')))
  const speeds = children.map(async (child) => {
    const [speed] = (await once(child, 'message')) as [number]
    return speed
  })
  for (const child of children) child.send('go')
  return (await Promise.all(speeds)).reduce((a, b) => a + b, 0)
}

/** One process and two in turn, so that a machine that slows down does so for both; medians of speed and of ratio. */
async function scaling(): Promise<{ one: number; ratio: number; ratios: number[] }> {
  const rounds: { one: number; ratio: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const one = await together(1)
    rounds.push({ one, ratio: (await together(2)) / one })
  }
  const ratios = rounds.map(({ ratio }) => ratio).sort((a, b) => a - b)
  return { one: median(rounds.map(({ one }) => one)), ratio: median(ratios), ratios }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const [, , job, size] = process.argv
if (job === 'together') await sampleWhenTold()
else if ((job === 'sampling' || job === 'training') && (size === 'small' || size === 'large')) {
  const config = SIZES[size as Size]
  const speed = job === 'sampling' ? await sampling(config, REPEATS) : await training(config)
  console.log(`${job}, ${size}: ${Math.round(speed).toLocaleString('en-US')} tokens/s`)
} else {
  const { one, ratio, ratios } = await scaling()
  const figures: Figure[] = [
    { name: 'sampling, width 64, 2 layers, context 64, batch 128', value: one, unit: 'tokens/s', bar: 15_000 },
    {
      name: 'sampling, width 128, 4 layers, context 96, batch 128',
      value: await sampling(SIZES.large, 3),
      unit: 'tokens/s',
      bar: 4_000,
    },
    { name: 'sampling, two processes over one', value: ratio, unit: 'times', bar: 1.8 },
    {
      name: 'training, width 64, 2 layers, context 64, batch 32',
      value: await training(SIZES.small),
      unit: 'tokens/s',
      bar: 16_000,
    },
    {
      name: 'training, width 128, 4 layers, context 96, batch 32',
      value: await training(SIZES.large),
      unit: 'tokens/s',
      bar: 3_300,
    },
  ]
  console.log('| figure | measured | bar |\n|---|---|---|')
  for (const { name, value, unit, bar } of figures) {
    const shown = value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)
    console.log(`| ${name} | ${shown} ${unit} | ${bar.toLocaleString('en-US')} |`)
  }
  console.log(
    JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism(), figures, ratios }),
  )
}
