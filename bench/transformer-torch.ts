/**
 * The embedded transformer against PyTorch on the same processor with one thread each, in the same run:
 * `node bench/transformer-torch.ts`. A training step at the shipped shape and at width 256, sampling at the shipped shape.
 *
 * Ours steps by Muon and Adam and pads nothing away; PyTorch's by Adam alone, which is less work. Tokens per second.
 */
import { random } from '../src/core/seeds.ts'
import { decoder } from '../src/models/policies/embedded/decode.ts'
import { generate } from '../src/models/policies/embedded/sample.ts'
import { startBackend } from '../src/models/training/transformer/backend.ts'
import type { HostBatch } from '../src/models/training/transformer/batches.ts'
import type { TransformerConfig } from '../src/models/training/transformer/config.ts'
import { initialWeights, toParams } from '../src/models/training/transformer/params.ts'
import { END, tokenizerOf } from '../src/models/training/transformer/tokenizer.ts'
import { train } from '../src/models/training/transformer/train.ts'
import { pythonWith, runPeer } from './peers/python.ts'

const ALPHABET = [...'\n +-*/=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP']
const tokenizer = tokenizerOf(ALPHABET)
const SHIPPED: TransformerConfig = { width: 64, layers: 2, heads: 4, hidden: 256, context: 64, vocab: tokenizer.size }
const WIDE: TransformerConfig = { ...SHIPPED, width: 256, layers: 4, heads: 8, hidden: 1_024 }
const SAMPLED = 128
const REPEATS = 3

const python = pythonWith('torch', 'python3-torch')
if (python !== null) {
  const training = [
    { config: SHIPPED, rows: 32, steps: 25 },
    { config: WIDE, rows: 64, steps: 8 },
  ]
  const own = { train: [] as number[], sample: 0 }
  for (const { config, rows, steps } of training) own.train.push(await trainingSpeed(config, rows, steps))
  own.sample = await samplingSpeed(SHIPPED)
  const peer = runPeer(
    python,
    'transformer.py',
    {
      threads: 1,
      // A step of the wide one takes PyTorch half a minute where its linear algebra is slow.
      train: training.map(({ config, rows }, i) => ({ ...config, rows, steps: i === 0 ? 25 : 3 })),
      sample: { ...SHIPPED, rows: SAMPLED, repeats: REPEATS },
    },
    1,
  ) as { torch: string; train: number[]; sample: number }
  console.log(JSON.stringify({ own, peer }))
  const row = (what: string, a: number, b: number): void => {
    const speeds = `${Math.round(a).toLocaleString('en-US')} against ${Math.round(b).toLocaleString('en-US')} tokens/s`
    console.log(
      `| ${what}, against PyTorch ${peer.torch}, one thread each | ${(a / b).toFixed(2)} times its speed | ${speeds} |`,
    )
  }
  row('training step, width 64, 2 layers, 32 rows', own.train[0]!, peer.train[0]!)
  row('training step, width 256, 4 layers, 64 rows', own.train[1]!, peer.train[1]!)
  row(`sampling, width 64, ${SAMPLED} rows`, own.sample, peer.sample)
}

/** Median over the steps after the third, which compile. */
async function trainingSpeed(config: TransformerConfig, rows: number, steps: number): Promise<number> {
  const draw = random('bench/transformer-torch')
  const length = config.context
  const batch = (): HostBatch => ({
    rows,
    length,
    tokens: Int32Array.from({ length: rows * length }, () => 3 + draw.below(config.vocab - 3)),
    targets: Int32Array.from({ length: rows * length }, () => 3 + draw.below(config.vocab - 3)),
    weights: new Float32Array(rows * length).fill(1 / (rows * length)),
  })
  const seconds: number[] = []
  let last = 0
  await train({
    config,
    weights: initialWeights(config, 'bench'),
    batches: Array.from({ length: steps }, batch),
    steps,
    rate: 1e-3,
    warmup: 5,
    weightDecay: 0,
    onStep(step) {
      const now = performance.now()
      if (step > 3) seconds.push((now - last) / 1_000)
      last = now
    },
  })
  return (rows * length) / median(seconds)
}

/** Whole contexts with log-probabilities; the end is made impossible. */
async function samplingSpeed(config: TransformerConfig): Promise<number> {
  await startBackend()
  const weights = initialWeights(config, 'bench')
  const [embed, head] = [weights['embed']!.data, weights['head']!.data.fill(0)]
  for (let id = 0; id < config.vocab; id++) embed[id * config.width] = 10
  head[END] = -10
  const params = toParams(weights)
  const run = decoder(config)
  const model = { config, tokenizer, params, prepared: run.prepare(params) }
  const speeds: number[] = []
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const seeds = Array.from({ length: SAMPLED }, (_, i) => `${repeat}/${i}`)
    const began = performance.now()
    const samples = await generate(model, run, { prompts: seeds.map(() => 'a'), maxTokens: config.context - 1, seeds })
    const tokens = samples.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)
    if (repeat > 0) speeds.push((tokens / (performance.now() - began)) * 1_000)
  }
  return median(speeds)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
