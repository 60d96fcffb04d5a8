import { basename } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Price } from '../../models/endpoints/endpoint.ts'
import { openAiCompatible } from '../../models/endpoints/openai-compatible.ts'
import { probeOnce, requireCapabilities } from '../../models/endpoints/probe.ts'
import { samplerOf } from '../../models/endpoints/sampler.ts'
import { vllmServer } from '../../models/endpoints/vllm.ts'
import { type Asked, JUDGE_OPTIONS, type JudgeOptions, judgeReward } from '../../models/rewards/judge.ts'
import { loadReward } from '../../models/rewards/model-file.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import type { PrmAdapter } from '../../models/rewards/prm-adapters/form.ts'
import { PRM_ADAPTERS } from '../../models/rewards/prm-adapters/index.ts'
import { openPrm } from '../../models/rewards/prm-adapters/open.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { selfLogprob } from '../../models/rewards/self-logprob.ts'
import { AT_HAND, toolReward } from '../../models/rewards/tools-at-hand.ts'
import type { Verifier } from '../../worlds/verifiers/verifier.ts'
import { specOptions } from './spec.ts'

interface Address {
  url: string
  model: string
}

/** A reward model as it stands on the command line. */
export type RewardSpec =
  | { kind: 'free'; name: FreeReward }
  | { kind: 'file'; path: string }
  | { kind: 'tools'; verifiers: Verifier[] }
  | ({ kind: 'judge'; options: JudgeOptions } & Address)
  | ({ kind: 'prm'; adapter: PrmAdapter; reference?: Address } & Address)

/** Reward models that need no file, no endpoint and no training. */
const FREE = {
  logprob: () => selfLogprob,
  oracle: () => oracleReward(),
  'oracle:value': () => oracleReward('value'),
} as const satisfies Record<string, () => RewardModel>
type FreeReward = keyof typeof FREE

export interface RewardSettings {
  /** Folder of the embedded policies' weights; the package's own where not given. */
  root?: string
  /** NAME of the environment variable with the key. */
  keyFrom?: string
  price?: Price
  /** Names the fences of a judge. */
  seed?: string
  /** Who asks, for messages. */
  by?: string
}

/** How every verb writes a reward model. */
export const REWARD_FORMS =
  'model.json (of gradus train reward), judge:http://host/v1#model[,samples=3], prm:ADAPTER@http://host/v1#model, verifier:NAME[+NAME], logprob, oracle or oracle:value'

/** The model's name stands behind a `#`, which no server ever sees; options of ours behind a comma. */
const HTTP = /^(https?:\/\/[^#,]+)#([^,]+)((?:,[\w-]+=[^,]*)*)$/

/**
 * A reward model as `REWARD_FORMS` says.
 * @throws GradusError GRD-CLI-002
 */
export function readRewardSpec(text: string): RewardSpec {
  if (text.startsWith('judge:')) return readJudgeSpec(text.slice('judge:'.length))
  const prm = /^prm:([^@]+)@(.+)$/.exec(text)
  if (prm?.[1] !== undefined && prm[2] !== undefined) return readPrmSpec(prm[1], prm[2])
  if (text.startsWith('prm:')) throw refused('--reward', text, REWARD_FORMS)
  if (text.startsWith('verifier:')) return readToolSpec(text.slice('verifier:'.length))
  return Object.hasOwn(FREE, text) ? { kind: 'free', name: text as FreeReward } : { kind: 'file', path: text }
}

/** `http://host/v1#model`, with options of the judge behind commas. */
export function readJudgeSpec(text: string): Extract<RewardSpec, { kind: 'judge' }> {
  const { given, ...address } = readAddress(text, '--judge')
  return {
    kind: 'judge',
    ...address,
    options: JUDGE_OPTIONS.parse(specOptions({ name: 'judge', given }, JUDGE_OPTIONS)),
  }
}

/**
 * The reward models of a run: a judge, another model, or both.
 * @throws GradusError GRD-CLI-002
 */
export function rewardSpecs({
  judge,
  reward,
}: {
  judge?: string | undefined
  reward?: string | undefined
}): RewardSpec[] {
  return [
    ...(judge === undefined ? [] : [readJudgeSpec(judge)]),
    ...(reward === undefined ? [] : [readRewardSpec(reward)]),
  ]
}

function readToolSpec(text: string): RewardSpec {
  const verifiers = text.split('+').map((name) => {
    const found = AT_HAND.find((verifier) => verifier.name === name)
    if (found) return found
    const expected = `tools that run no code: ${AT_HAND.map((verifier) => verifier.name).join(', ')}`
    throw new GradusError('GRD-CLI-002', { where: { field: '--reward' }, found: name, expected })
  })
  return { kind: 'tools', verifiers }
}

function readPrmSpec(name: string, text: string): RewardSpec {
  const adapter = PRM_ADAPTERS.find((one) => one.name === name)
  if (!adapter) throw refused('--reward', name, `one of ${PRM_ADAPTERS.map((one) => one.name).join(', ')}`)
  const { given, ...address } = readAddress(text, '--reward')
  const { ref, ...rest } = given
  const needs = adapter.form.kind === 'log-ratio'
  if (Object.keys(rest).length > 0 || needs !== (ref !== undefined)) {
    throw refused('--reward', text, needs ? ',ref=http://host/v1#model behind the model' : 'no options')
  }
  if (ref === undefined) return { kind: 'prm', adapter, ...address }
  const { given: _, ...reference } = readAddress(ref, '--reward')
  return { kind: 'prm', adapter, ...address, reference }
}

function readAddress(text: string, field: string): Address & { given: Record<string, string> } {
  const [, url, model, options = ''] = HTTP.exec(text) ?? []
  if (url === undefined || model === undefined) throw refused(field, text, 'http://host/v1#model')
  const pairs = options.split(',').filter((pair) => pair !== '')
  const given = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
  return { url, model, given }
}

function refused(field: string, found: string, expected: string): GradusError {
  return new GradusError('GRD-CLI-002', {
    where: { field },
    found,
    expected,
    try: [`${field} ${field === '--judge' ? '' : 'judge:'}http://127.0.0.1:8000/v1#NAME   (the model behind a #)`],
  })
}

/** The name by which labels know the reward model: of a file, that of the file. */
export function rewardName(spec: RewardSpec): string {
  if (spec.kind === 'free') return spec.name
  if (spec.kind === 'tools') return toolReward(spec.verifiers).name
  if (spec.kind === 'file') return basename(spec.path).replace(/\.json$/, '')
  return spec.kind === 'judge' ? 'judge' : spec.adapter.name
}

/** Where traces go; null = they stay in this process. */
export function rewardHost(spec: RewardSpec): string | null {
  if (spec.kind === 'free' || spec.kind === 'tools' || spec.kind === 'file') return null
  return URL.canParse(spec.url) ? new URL(spec.url).host : spec.url
}

/**
 * The reward model, ready to score. An endpoint is probed or tested first and refused where it lacks what is needed.
 * @throws GradusError GRD-MODEL-* for files and where a server's model is not the adapter's, GRD-CALL-* for an endpoint
 */
export async function openReward(
  spec: RewardSpec,
  engine: Engine,
  settings: RewardSettings = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<RewardModel> {
  if (spec.kind === 'free') return FREE[spec.name]()
  if (spec.kind === 'tools') return toolReward(spec.verifiers)
  if (spec.kind === 'file') {
    const { root } = settings
    return loadReward(spec.path, { engine, ...(root !== undefined && { root }) })
  }
  if (spec.kind === 'judge') {
    const { seed } = settings
    return judgeReward(await openJudge(spec, engine, settings, signal), {
      ...spec.options,
      ...(seed !== undefined && { seed }),
    })
  }
  const { keyFrom, price } = settings
  const at = (address: Address) =>
    vllmServer({ ...address, ...(keyFrom !== undefined && { keyFrom }), ...(price && { price }) })
  const { adapter, reference } = spec
  return await openPrm(
    adapter,
    { engine, server: at({ url: spec.url, model: spec.model }), ...(reference && { reference: at(reference) }) },
    signal,
  )
}

/** Answers of a judge that one call may ask for. */
const PER_CALL = 16

/** The endpoint of a judge, probed. */
export async function openJudge(
  { url, model }: Address,
  engine: Engine,
  { keyFrom, price, by = 'a judge' }: RewardSettings,
  signal: AbortSignal,
): Promise<Asked> {
  const endpoint = openAiCompatible({ url, model, ...(keyFrom !== undefined && { keyFrom }), ...(price && { price }) })
  const probe = await probeOnce(engine, endpoint, signal)
  requireCapabilities(probe, ['chat'], by)
  return {
    engine,
    sampler: samplerOf(endpoint, probe.can.n.state === 'yes' ? PER_CALL : 1),
    model,
    logprobs: probe.can.logprobs.state === 'yes',
    schema: probe.can.schema.state === 'yes',
    ...(probe.contextLength !== null && { contextLength: probe.contextLength }),
  }
}
