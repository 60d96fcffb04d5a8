import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import { type Body, joinedBody } from '../../models/rewards/bodies/body.ts'
import { remoteBody } from '../../models/rewards/bodies/remote.ts'
import { stepFeatures } from '../../models/rewards/bodies/step-features.ts'

export interface BodySettings {
  /** What is learnt from: says which tools have features. */
  traces: readonly Trace[]
  engine: Engine
  /** Train the embedded transformer with the head. */
  fineTune?: boolean
  /** NAME of the environment variable with the key of an endpoint. */
  keyFrom?: string
}

/** A plus that joins two bodies, not one inside an address. */
const JOINT = /\+(?=features$|features\+|embedded|likelihood|(?:hidden:)?https?:)/

/**
 * `features`, `embedded[:name]`, `likelihood[:name]`, `http://host/v1#model` (embeddings), `hidden:http://host/v1#model`,
 * or several with `+` between them.
 * @throws GradusError GRD-CLI-002, GRD-MODEL-* for weights, GRD-CALL-* for an endpoint
 */
export async function openBody(text: string, settings: BodySettings): Promise<Body> {
  const parts = text.split(JOINT)
  if (settings.fineTune && (parts.length > 1 || !text.startsWith('embedded'))) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--fine-tune' },
      found: text,
      expected: 'an embedded transformer alone: --body embedded:chains',
    })
  }
  const bodies: Body[] = []
  for (const each of parts) bodies.push(await openPart(each, settings))
  return bodies.length === 1 ? bodies[0]! : joinedBody(bodies)
}

async function openPart(text: string, { traces, engine, fineTune, keyFrom }: BodySettings): Promise<Body> {
  if (text === 'features') return stepFeatures(traces)
  const [, kind, weights] = /^(embedded|likelihood)(?::(.+))?$/.exec(text) ?? []
  if (kind !== undefined) {
    const { loadEmbedded } = await import('../../models/policies/embedded/load.ts')
    const { USUAL_WEIGHTS } = await import('../../models/policies/embedded/cards.ts')
    const loaded = await loadEmbedded(weights ?? USUAL_WEIGHTS)
    if (kind === 'likelihood') {
      const { likelihoodBody } = await import('../../models/rewards/bodies/likelihood.ts')
      return likelihoodBody(loaded)
    }
    const { embeddedBody } = await import('../../models/rewards/bodies/embedded.ts')
    return embeddedBody(loaded, fineTune ? { fineTune: {} } : {})
  }
  const [, hidden, url, model] = /^(hidden:)?(https?:\/\/[^#]+)#(.+)$/.exec(text) ?? []
  if (url !== undefined && model !== undefined) {
    return remoteBody(hidden === undefined ? 'endpoint' : 'hidden', {
      engine,
      url,
      model,
      ...(keyFrom !== undefined && { keyFrom }),
    })
  }
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--body' },
    found: text,
    expected:
      'features, embedded[:name], likelihood[:name], [hidden:]http://host/v1#model, or several with + between them',
  })
}
