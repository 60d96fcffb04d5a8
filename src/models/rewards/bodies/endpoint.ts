import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Endpoint } from '../../endpoints/endpoint.ts'
import { embedderOf } from '../../endpoints/sampler.ts'
import { textRenderer } from '../../policies/renderer.ts'
import { lines as lineFormat } from '../../policies/step-format.ts'
import type { Line } from '../reward.ts'
import type { Body, Featured } from './body.ts'

export interface EndpointBodyOptions {
  engine: Engine
  endpoint: Endpoint
  /** Where it is, for the card. */
  url: string
  /** NAME of the environment variable with the key. */
  keyFrom?: string
}

/** A text that no line has: its vector says how long vectors are. */
const PROBE = 'How long is a vector?'

/**
 * Steps as the endpoint's embedding of everything up to and including them: one text a step, the texts of a line in one
 * call, kept in the engine's cache.
 * @throws GradusError GRD-CALL-* where the endpoint gives no embeddings
 */
export async function endpointBody({ engine, endpoint, url, keyFrom }: EndpointBodyOptions): Promise<Body> {
  const embedder = embedderOf(endpoint)
  const renderer = textRenderer()
  const [first] = await engine.sample(embedder, { texts: [PROBE] })
  if (!first?.ok) throw first?.error ?? new GradusError('GRD-CALL-007', { found: 'no embedding' })
  const width = first.value[0]?.length ?? 0

  async function featuresOf({ problem, steps }: Line, signal: AbortSignal | undefined): Promise<Featured> {
    const texts = steps.map((_, last) => {
      const rendered = renderer.render(problem, steps.slice(0, last + 1), lineFormat)
      return rendered.api === 'completions' ? rendered.prompt : ''
    })
    if (texts.length === 0) return { ok: true, features: new Float32Array(), usage: NO_USAGE }
    const [outcome] = await engine.sample(embedder, { texts }, { ...(signal && { signal }) })
    if (!outcome?.ok) return { ok: false, error: outcome?.error ?? lengths(texts.length, 0), usage: NO_USAGE }
    const { value: vectors, usage } = outcome
    if (vectors.length !== texts.length || vectors.some((v) => v.length !== width || !v.every(Number.isFinite))) {
      return { ok: false, error: lengths(texts.length, vectors.length, width), usage }
    }
    return { ok: true, features: Float32Array.from(vectors.flat()), usage }
  }

  return {
    spec: {
      kind: 'endpoint',
      url,
      model: endpoint.model,
      ...(keyFrom !== undefined && { keyFrom }),
      width,
      renderer: contentHash(renderer.identity).slice(0, 12),
    },
    width,
    features: (lines, signal) => Promise.all(lines.map((line) => featuresOf(line, signal))),
  }
}

function lengths(expected: number, found: number, width?: number): GradusError {
  return new GradusError('GRD-REWARD-001', {
    found: `${found} vectors${found === expected ? ' of another length or with holes' : ''}`,
    expected: `${expected} vectors${width === undefined ? '' : ` of ${width} finite numbers`}`,
  })
}
