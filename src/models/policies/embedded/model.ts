import { jit, numpy as np, tree } from '@jax-js/jax'
import { GradusError } from '../../../core/errors.ts'
import { startBackend } from '../../training/transformer/backend.ts'
import { LENGTH_STEP } from '../../training/transformer/batches.ts'
import type { TransformerConfig } from '../../training/transformer/config.ts'
import { forward, type Intervention } from '../../training/transformer/forward.ts'
import { lossAndGradient, targetLogprobs } from '../../training/transformer/loss.ts'
import { layout, type Params, toParams, toWeights, type Weights } from '../../training/transformer/params.ts'
import { PAD, START, type Tokenizer } from '../../training/transformer/tokenizer.ts'
import { type Decoder, decoder } from './decode.ts'
import type { GenerateOptions, Sample } from './generate-options.ts'
import { BATCH_ROWS, generate } from './sample.ts'

/** A text under the model. */
export interface Scored {
  tokenIds: number[]
  /** log p of each token given all before it, natural logarithm; as many as tokens. */
  logprobs: number[]
}

export interface Hidden {
  tokenIds: number[]
  width: number
  /** Row-major `tokens × width`: row t belongs to token t and has seen nothing after it. */
  states: Float32Array<ArrayBuffer>
}

/** Changes activations in a call; see `Intervention`. Reuse one function: each new one is compiled anew. */
export interface Hooks {
  intervene?: Intervention
}

/** A transformer in this process. */
export interface EmbeddedModel {
  readonly config: TransformerConfig
  readonly tokenizer: Tokenizer
  /** Samples, prompt by prompt. @throws GradusError GRD-MODEL-001, GRD-MODEL-002 */
  generate(options: GenerateOptions & Hooks): Promise<Sample[]>
  /** Log-probabilities of whole texts, the first token's included. */
  score(texts: readonly string[], hooks?: Hooks): Promise<Scored[]>
  /** The residual stream after `layer` blocks (0 = embeddings). */
  hidden(texts: readonly string[], layer: number, hooks?: Hooks): Promise<Hidden[]>
  /**
   * Loss = −Σ weight × log p over the tokens of the texts, and its gradient by every weight. `weights[i][t]` belongs
   * to token t of text i (as `score` counts); without them each token has weight 1.
   */
  gradients(
    texts: readonly string[],
    weights?: readonly (readonly number[])[],
  ): Promise<{ loss: number; gradients: Weights }>
  /** A copy of the weights. */
  weights(): Promise<Weights>
  /** Frees the arrays; the model cannot be used afterwards. */
  dispose(): void
}

/** A model from weights. @throws GradusError GRD-MODEL-003 where they do not fit the sizes */
export async function embeddedModel(
  config: TransformerConfig,
  tokenizer: Tokenizer,
  weights: Weights,
): Promise<EmbeddedModel> {
  checkFit(config, tokenizer, weights)
  await startBackend()
  const params = toParams(weights)
  const model = { config, tokenizer, params }
  let prepared: Params | undefined
  const decoders = new Map<Intervention | undefined, Decoder>()
  const scorers = new Map<Intervention | undefined, ReturnType<typeof scorer>>()
  const readers = new Map<Intervention | undefined, ReturnType<typeof reader>>()
  const gradient = jit((p: Params, tokens: np.Array, targets: np.Array, perToken: np.Array) => {
    const [loss, gradients] = lossAndGradient(p, { tokens, targets, weights: perToken }, config)
    return { loss, gradients }
  })

  return {
    config,
    tokenizer,

    generate({ intervene, ...options }) {
      const run = memo(decoders, intervene, () => decoder(config, intervene))
      prepared ??= run.prepare(params)
      return generate({ ...model, prepared }, run, options)
    },

    async score(texts, { intervene } = {}) {
      const run = memo(scorers, intervene, () => scorer(config, intervene))
      return eachBatch(model, texts, 1, async (rows, batch) => {
        const logprobs = await run(tree.ref(params), batch.tokens(), batch.targets()).data()
        return rows.map((ids, row) => ({
          tokenIds: ids,
          logprobs: [...logprobs.subarray(row * batch.length, row * batch.length + ids.length)],
        }))
      })
    },

    async hidden(texts, layer, { intervene } = {}) {
      if (!Number.isInteger(layer) || layer < 0 || layer > config.layers) {
        throw new GradusError('GRD-CORE-001', { found: `layer ${layer}`, expected: `0 to ${config.layers}` })
      }
      const run = memo(readers, intervene, () => reader(config, intervene))
      return eachBatch(model, texts, 0, async (rows, batch) => {
        const all = run(tree.ref(params), batch.tokens())
        const states = new Float32Array(await all[layer]!.ref.data())
        tree.dispose(all)
        const { width } = config
        return rows.map((ids, row) => {
          // Token t stands at position t + 1, behind the start token.
          const at = (row * batch.length + 1) * width
          return { tokenIds: ids, width, states: states.slice(at, at + ids.length * width) }
        })
      })
    },

    async gradients(texts, perToken) {
      let loss = 0
      let sum: Weights | undefined
      await eachBatch(model, texts, 1, async (rows, batch) => {
        const values = new Float32Array(batch.rows * batch.length)
        rows.forEach((ids, row) => {
          const own = perToken?.[batch.index[row] ?? 0]
          for (let t = 0; t < ids.length; t++) values[row * batch.length + t] = own ? (own[t] ?? 0) : 1
        })
        const out = gradient(
          tree.ref(params),
          batch.tokens(),
          batch.targets(),
          np.array(values).reshape([batch.rows, batch.length]),
        )
        loss += (await out.loss.data())[0] ?? 0
        const part = await toWeights(out.gradients)
        tree.dispose(out.gradients)
        if (!sum) sum = part
        else for (const [name, { data }] of Object.entries(part)) addTo(sum[name]?.data, data)
        return rows
      })
      return { loss, gradients: sum ?? zeros(config) }
    },

    weights: () => toWeights(params),
    dispose() {
      tree.dispose(params)
      if (prepared) tree.dispose(prepared)
    },
  }
}

function scorer(config: TransformerConfig, intervene: Intervention | undefined) {
  return jit((params: Params, tokens: np.Array, targets: np.Array) => {
    const logprobs = targetLogprobs(params, tokens, targets, config, intervene)
    tree.dispose(params)
    return logprobs
  })
}

function reader(config: TransformerConfig, intervene: Intervention | undefined) {
  return jit((params: Params, tokens: np.Array) => {
    const { logits, hidden } = forward(params, tokens, config, { intervene, hidden: true })
    logits.dispose()
    tree.dispose(params)
    return hidden
  })
}

interface TextBatch {
  rows: number
  length: number
  /** Number of each row's text in the call. */
  index: number[]
  /** Start and all tokens, `[rows, length]`. */
  tokens(): np.Array
  /** The tokens themselves, each standing where it is predicted. */
  targets(): np.Array
}

/**
 * Runs texts in batches of like length and gives results in the order of the texts. Shapes depend on a text's own
 * length only, so its result does not depend on the texts beside it. `spare` tokens at the end need no room.
 */
async function eachBatch<T>(
  { config, tokenizer }: { config: TransformerConfig; tokenizer: Tokenizer },
  texts: readonly string[],
  spare: number,
  run: (rows: number[][], batch: TextBatch) => Promise<T[]>,
): Promise<T[]> {
  const groups = new Map<number, { ids: number[]; at: number }[]>()
  texts.forEach((text, at) => {
    const ids = tokenizer.encode(text)
    if (ids.length + 1 - spare > config.context) {
      throw new GradusError('GRD-MODEL-002', {
        found: `a text of ${ids.length} tokens`,
        expected: `at most ${config.context - 1 + spare}`,
      })
    }
    const steps = Math.max(1, ids.length + 1 - spare)
    const length = Math.min(config.context, Math.ceil(steps / LENGTH_STEP) * LENGTH_STEP)
    groups.set(length, [...(groups.get(length) ?? []), { ids, at }])
  })
  const out: T[] = []
  for (const [length, group] of groups) {
    for (let from = 0; from < group.length; from += SCORE_ROWS) {
      const part = group.slice(from, from + SCORE_ROWS)
      const rows = BATCH_ROWS.find((n) => n >= part.length) ?? SCORE_ROWS
      const fill = (first: readonly number[]) => (): np.Array => {
        const data = new Int32Array(rows * length).fill(PAD)
        part.forEach(({ ids }, row) => {
          data.set([...first, ...ids].slice(0, length), row * length)
        })
        return np.array(data).reshape([rows, length])
      }
      const batch = { rows, length, index: part.map(({ at }) => at), tokens: fill([START]), targets: fill([]) }
      const results = await run(
        part.map(({ ids }) => ids),
        batch,
      )
      part.forEach(({ at }, row) => {
        out[at] = results[row] as T
      })
    }
  }
  return out
}

/** Whole texts need much more memory a row than sampling does. */
const SCORE_ROWS = 32

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function addTo(sum: Float32Array | undefined, data: Float32Array): void {
  if (sum) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (data[i] ?? 0)
}

function zeros(config: TransformerConfig): Weights {
  return Object.fromEntries(
    layout(config).map(({ name, shape }) => [
      name,
      { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
    ]),
  )
}

function checkFit(config: TransformerConfig, tokenizer: Tokenizer, weights: Weights): void {
  const fail = (found: string, expected: string): never => {
    throw new GradusError('GRD-MODEL-003', { found, expected })
  }
  if (tokenizer.size !== config.vocab) fail(`${tokenizer.size} token ids`, `${config.vocab}`)
  for (const { name, shape } of layout(config)) {
    const found = weights[name]
    if (found?.shape.join() !== shape.join())
      fail(`${name}: ${found?.shape.join(' × ') ?? 'missing'}`, shape.join(' × '))
  }
}
