import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import { LEARNERS } from '../training/learners.ts'
import type { Weights } from '../training/transformer/params.ts'
import { type Body, joinedBody, type PartSpec } from './bodies/body.ts'
import { remoteBody } from './bodies/remote.ts'
import { stepFeaturesOf } from './bodies/step-features.ts'
import { FORMAT, RewardCard } from './reward-card.ts'
import { type TrainedReward, trainedReward } from './trained.ts'

/** `model`, `model.json` and `model.safetensors` name the same model. */
function filesOf(path: string): { card: string; weights: string; name: string } {
  const stem = path.replace(/\.(json|safetensors)$/, '')
  return { card: `${stem}.json`, weights: `${stem}.safetensors`, name: basename(stem) }
}

const HEAD = 'head.'
const BODY = 'body.'

/**
 * Writes weights and card, each beside its place and then renamed, weights first: nobody reads half a file, and a card
 * stands beside other weights for no longer than a rename takes.
 * @returns the card as written
 * @throws GradusError GRD-IO-013
 */
export async function saveReward(model: TrainedReward, path: string): Promise<RewardCard> {
  const { writeSafetensors } = await import('../training/transformer/safetensors.ts')
  const files = filesOf(path)
  const bytes = writeSafetensors(
    { ...prefixed(HEAD, model.head.tensors), ...prefixed(BODY, model.body.tensors ?? {}) },
    { format: FORMAT, name: model.card.name, licence: model.card.licence },
  )
  const card = { ...model.card, sha256: createHash('sha256').update(bytes).digest('hex') }
  try {
    await mkdir(dirname(files.card), { recursive: true })
    await replace(files.weights, bytes)
    await replace(files.card, `${JSON.stringify(card, null, 2)}\n`)
  } catch (cause) {
    throw new GradusError('GRD-IO-013', { where: { file: files.card }, found: String(cause), cause })
  }
  return card
}

async function replace(file: string, data: string | Uint8Array): Promise<void> {
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`)
  try {
    await writeFile(beside, data)
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** SHA-256 of a model's card, which names that of its weights. @throws GradusError GRD-MODEL-004 */
export async function cardDigest(path: string): Promise<string> {
  const { card } = filesOf(path)
  return createHash('sha256')
    .update(await bytesOf(card))
    .digest('hex')
}

export interface LoadRewardOptions {
  /** For models whose steps are embedded by an endpoint. */
  engine?: Engine
  /** Folder of the embedded policies' weights; the package's own where not given. */
  root?: string
}

/**
 * A trained reward model from its files.
 * @throws GradusError GRD-MODEL-004 where there is none, GRD-MODEL-003 for damaged or other weights or card, GRD-MODEL-005
 * where the model below has another tokenizer, separator, form of text or other weights than it was trained on
 */
export async function loadReward(path: string, options: LoadRewardOptions = {}): Promise<TrainedReward> {
  const { readSafetensors } = await import('../training/transformer/safetensors.ts')
  const files = filesOf(path)
  const card = readCard(await bytesOf(files.card), files.card)
  const bytes = await bytesOf(files.weights)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== card.sha256) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file: files.weights },
      found: `${bytes.length.toLocaleString('en-US')} bytes with checksum ${sha256.slice(0, 12)}`,
      expected: `checksum ${card.sha256.slice(0, 12)}, as its card says`,
    })
  }
  const { weights } = readSafetensors(new Uint8Array(bytes), files.weights)
  const learner = LEARNERS.find(({ name }) => name === card.learner.name)
  if (!learner) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file: files.card, field: 'learner.name' },
      found: card.learner.name,
      expected: LEARNERS.map(({ name }) => name).join(', '),
    })
  }
  const own = unprefixed(BODY, weights)
  const parts: Body[] = []
  if (card.body.kind === 'joined') {
    for (const [part, spec] of card.body.parts.entries()) {
      parts.push(await bodyOf(spec, unprefixed(`${part}.`, own), files.card, options))
    }
  } else parts.push(await bodyOf(card.body, own, files.card, options))
  const body = card.body.kind === 'joined' ? joinedBody(parts) : parts[0]!
  const head = learner.restore(unprefixed(HEAD, weights))
  if (head.width !== body.width) {
    body.dispose?.()
    throw new GradusError('GRD-MODEL-005', {
      where: { file: files.card },
      found: `a head for ${head.width} numbers a step`,
      expected: `${body.width}`,
    })
  }
  return trainedReward({ body, head, card })
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new GradusError('GRD-MODEL-004', {
      where: { file },
      found: 'no such file',
      expected: 'a card (.json) beside its weights (.safetensors)',
      try: ['gradus train reward labelled.jsonl -o model.json'],
      cause,
    })
  }
}

function readCard(bytes: Buffer, file: string): RewardCard {
  try {
    return RewardCard.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw new GradusError('GRD-MODEL-003', { where: { file }, found: 'a card that cannot be read', cause })
  }
}

async function bodyOf(spec: PartSpec, own: Weights, file: string, { engine, root }: LoadRewardOptions): Promise<Body> {
  if (spec.kind === 'features') {
    const body = stepFeaturesOf(spec.tools)
    same(spec, body.spec, file)
    return body
  }
  if (spec.kind === 'endpoint' || spec.kind === 'hidden') {
    if (!engine) {
      throw new GradusError('GRD-MODEL-004', {
        where: { file },
        found: 'no engine',
        expected: `one that calls ${spec.url}`,
      })
    }
    const { url, model, keyFrom } = spec
    const body = await remoteBody(spec.kind, { engine, url, model, ...(keyFrom !== undefined && { keyFrom }) })
    same(spec, body.spec, file)
    return body
  }
  const { loadEmbedded } = await import('../policies/embedded/load.ts')
  const { embeddedModel } = await import('../policies/embedded/model.ts')
  const { embeddedBody, embeddedSpec, tunedBody } = await import('./bodies/embedded.ts')
  const base = await loadEmbedded(spec.model, root === undefined ? {} : { root })
  try {
    if (spec.kind === 'likelihood') {
      const { adaptedBody, likelihoodSpec } = await import('./bodies/likelihood.ts')
      same(spec, likelihoodSpec(base), file)
      return await adaptedBody(base, own)
    }
    same(spec, { ...embeddedSpec(base, spec.layer), fineTuned: spec.fineTuned }, file)
    if (!spec.fineTuned) return embeddedBody(base, { layer: spec.layer })
    return tunedBody(base, await embeddedModel(base.config, base.tokenizer, own), own)
  } catch (error) {
    base.dispose()
    throw error
  }
}

/** @throws GradusError GRD-MODEL-005 that names the first field that differs */
function same(card: PartSpec, here: Body['spec'], file: string): void {
  const fields = new Map(Object.entries(here))
  for (const [field, value] of Object.entries(card)) {
    const [expected, found] = [JSON.stringify(value), JSON.stringify(fields.get(field))]
    if (expected === found) continue
    throw new GradusError('GRD-MODEL-005', { where: { file, field: `body.${field}` }, found, expected })
  }
}

function prefixed(prefix: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [prefix + name, tensor]))
}

function unprefixed(prefix: string, weights: Weights): Weights {
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  )
}
