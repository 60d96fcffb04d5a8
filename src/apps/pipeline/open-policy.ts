import { GradusError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Capabilities, Price, Sampling } from '../../models/endpoints/endpoint.ts'
import { openAiCompatible } from '../../models/endpoints/openai-compatible.ts'
import { probeOnce, requireCapabilities } from '../../models/endpoints/probe.ts'
import { samplerOf } from '../../models/endpoints/sampler.ts'
import { modelPolicy, type Policy } from '../../models/policies/policy.ts'
import { chatRenderer, textRenderer } from '../../models/policies/renderer.ts'
import { game24RandomPolicy, taskPolicy } from '../../models/policies/simulated.ts'
import { lines, paragraphs } from '../../models/policies/step-format.ts'

/** A policy as it stands on the command line. */
export type PolicySpec =
  | { kind: 'embedded'; name: string }
  | { kind: 'task'; slip?: number; recovery?: number }
  | { kind: 'game24-random' }
  | { kind: 'http'; url: string; model: string }

/** How a policy draws and what it reads; what is absent is left to the policy. */
export interface PolicySettings {
  seed?: number
  temperature?: number
  maxTokens?: number
  /** `chat`: messages, steps as paragraphs; `text`: a template and one step a line. Chosen by what is sampled. */
  prompt: 'chat' | 'text'
  /** Of a chat. */
  system?: string
  /** Of a text; holds `{prompt}`. */
  template?: string
  /** NAME of the environment variable with the key. */
  keyFrom?: string
  price?: Price
  /** Samples of a problem that one call may ask for, where the endpoint takes several. */
  samples: number
}

/** The model's name stands behind a `#`, which no server ever sees. */
const HTTP = /^(https?:\/\/[^#]+)#(.+)$/

/**
 * `embedded[:name]`, `game24-random`, `task[:slip[,recovery]]`, `http://host/v1#model`.
 * @throws GradusError GRD-CLI-002
 */
export function readPolicySpec(text: string): PolicySpec {
  const http = HTTP.exec(text)
  if (http?.[1] !== undefined && http[2] !== undefined) return { kind: 'http', url: http[1], model: http[2] }
  const [kind, rest] = split(text)
  if (kind === 'embedded') return { kind, name: rest ?? 'chains' }
  if (kind === 'game24-random' && rest === undefined) return { kind }
  if (kind === 'task') {
    if (rest === undefined) return { kind }
    const [slip, recovery, ...more] = rest.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
    if (slip !== undefined && more.length === 0) return { kind, slip, ...(recovery !== undefined && { recovery }) }
  }
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--policy' },
    found: text,
    expected: 'embedded[:name], game24-random, task[:slip,recovery] or http://host/v1#model',
    try: ['--policy http://127.0.0.1:8000/v1#NAME   (the model behind a #)'],
  })
}

function split(text: string): [string, string | undefined] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** Where the problems go: the host of an endpoint, null where they stay in this process. */
export function hostOf(spec: PolicySpec): string | null {
  return spec.kind === 'http' && URL.canParse(spec.url) ? new URL(spec.url).host : null
}

/**
 * The policy, ready to write. An endpoint is probed first, once a run, and refused where it lacks what is needed.
 * @throws GradusError GRD-MODEL-* for weights, GRD-CALL-* for an endpoint, GRD-CLI-002 for settings out of range
 */
export async function openPolicy(
  spec: PolicySpec,
  engine: Engine,
  settings: PolicySettings,
  signal: AbortSignal,
): Promise<{ policy: Policy; probe?: Capabilities }> {
  const { seed, temperature } = settings
  const name = String(seed ?? 0)
  if (spec.kind === 'game24-random') return { policy: game24RandomPolicy(name) }
  if (spec.kind === 'task') {
    const { slip, recovery } = spec
    const chances = { ...(slip !== undefined && { slip }), ...(recovery !== undefined && { recovery }) }
    return { policy: taskPolicy(chances, name) }
  }
  if (spec.kind === 'embedded') {
    const { embeddedPolicy } = await import('../../models/policies/embedded/index.ts')
    const options = { engine, seed: name, ...(temperature !== undefined && { temperature }) }
    return { policy: await embeddedPolicy(spec.name, options) }
  }
  return await openEndpoint(spec, engine, settings, signal)
}

/** For an answer whose length nobody limits: long enough for a solution of a competition problem. */
const ANSWER_TOKENS = 2_048
/** Share of a known context that an answer may take; the problem needs the rest. */
const ANSWER_SHARE = 0.75
/** Samples a call: few enough that a small server answers in time. */
const PER_CALL = 16

async function openEndpoint(
  { url, model }: Extract<PolicySpec, { kind: 'http' }>,
  engine: Engine,
  settings: PolicySettings,
  signal: AbortSignal,
): Promise<{ policy: Policy; probe: Capabilities }> {
  const { seed, temperature, prompt, system, template, keyFrom, price, samples } = settings
  const endpoint = openAiCompatible({ url, model, ...(keyFrom !== undefined && { keyFrom }), ...(price && { price }) })
  const probe = await probeOnce(engine, endpoint, signal)
  const api = prompt === 'chat' ? 'chat' : 'completions'
  requireCapabilities(probe, seed === undefined ? [api] : [api, 'seed'], 'gradus sample')
  const perCall = probe.can.n.state === 'yes' ? Math.min(samples, PER_CALL) : 1
  const room = probe.contextLength === null ? ANSWER_TOKENS : Math.floor(ANSWER_SHARE * probe.contextLength)
  const sampling: Sampling = {
    maxTokens: settings.maxTokens ?? Math.min(ANSWER_TOKENS, room),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
  }
  const policy = modelPolicy({
    name: model,
    engine,
    sampler: samplerOf(endpoint, perCall),
    renderer: prompt === 'chat' ? chatRenderer(system === undefined ? {} : { system }) : textRenderer(template),
    format: prompt === 'chat' ? paragraphs : lines,
    sampling,
  })
  return { policy, probe }
}
