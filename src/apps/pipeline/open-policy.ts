import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Capabilities, Price, Sampling } from '../../models/endpoints/endpoint.ts'
import { llamaCpp } from '../../models/endpoints/llama-cpp.ts'
import { openAiCompatible } from '../../models/endpoints/openai-compatible.ts'
import { probeOnce, requireCapabilities } from '../../models/endpoints/probe.ts'
import { samplerOf, scorerOf } from '../../models/endpoints/sampler.ts'
import { injectedPolicy } from '../../models/policies/injected.ts'
import { modelPolicy, type Policy } from '../../models/policies/policy.ts'
import { chatRenderer, textRenderer } from '../../models/policies/renderer.ts'
import { game24RandomPolicy, taskPolicy } from '../../models/policies/simulated.ts'
import { lines, paragraphs } from '../../models/policies/step-format.ts'
import type { Task } from '../../worlds/tasks/task.ts'
import { parseSpec, specOptions } from './spec.ts'

/** A policy as it stands on the command line. */
export type PolicySpec =
  /** Without a name the weights are chosen by each problem's task. */
  | { kind: 'embedded'; name?: string }
  | { kind: 'task'; chances: { slip?: number; recovery?: number; rescue?: number } }
  | { kind: 'game24-random' }
  | { kind: 'inject'; share: number }
  | { kind: 'http'; url: string; model: string }
  | { kind: 'gguf'; file: string }

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
  /** Task of every problem, for the completer of a task where domains do not say. */
  task?: Task
  /** Samples of a problem that one call may ask for, where the endpoint takes several. */
  samples: number
  /** Who asks, for messages. */
  by: string
  /** Must the policy weigh given texts? It is refused where it cannot. */
  needsLogprobs?: boolean
}

/** The model's name stands behind a `#`, which no server ever sees. */
const HTTP = /^(https?:\/\/[^#]+)#(.+)$/

const TaskChances = z.object({
  slip: z.number().min(0).max(0.9).exactOptional().describe('chance that a step is wrong'),
  recovery: z.number().min(0).max(1).exactOptional().describe('chance that a wrong step is restated right after it'),
  rescue: z.number().min(0).max(1).exactOptional().describe('chance that a run from a lost prefix still ends right'),
})

const InjectedShare = z.object({
  share: z.number().min(0).max(1).default(0.5).describe('share of the traces with an error put in'),
})

/** How every verb writes a policy. */
export const POLICY_FORMS =
  'embedded[:name], game24-random, task[:slip=.1,recovery=0,rescue=0], http://host/v1#model or gguf:FILE'
/** One more that only writes whole traces: solutions, in a share of which an error is put in. */
export const SAMPLED_FORMS = `${POLICY_FORMS}, inject[:share=.5]`

/**
 * A policy as `SAMPLED_FORMS` says.
 * @throws GradusError GRD-CLI-002
 */
export function readPolicySpec(text: string): PolicySpec {
  const http = HTTP.exec(text)
  if (http?.[1] !== undefined && http[2] !== undefined) return { kind: 'http', url: http[1], model: http[2] }
  const embedded = /^embedded(?::([\w-]+))?$/.exec(text)
  if (embedded) return { kind: 'embedded', ...(embedded[1] !== undefined && { name: embedded[1] }) }
  const gguf = /^gguf:(.+)$/.exec(text)
  if (gguf?.[1] !== undefined) return { kind: 'gguf', file: gguf[1] }
  const spec = parseSpec(text)
  if (text === 'game24-random') return { kind: text }
  if (spec.name === 'inject') return { kind: 'inject', ...InjectedShare.parse(specOptions(spec, InjectedShare)) }
  if (spec.name === 'task') return { kind: 'task', chances: TaskChances.parse(specOptions(spec, TaskChances)) }
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--policy' },
    found: text,
    expected: SAMPLED_FORMS,
    try: ['--policy http://127.0.0.1:8000/v1#NAME   (the model behind a #)'],
  })
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
  if (settings.needsLogprobs === true && spec.kind !== 'embedded' && spec.kind !== 'http') {
    throw new GradusError('GRD-LABEL-004', {
      found: `${spec.kind}, which knows no probabilities`,
      expected: 'a model that says how probable a given text is',
      try: [
        '--policy embedded',
        '--policy http://127.0.0.1:8000/v1#NAME --prompt text   (vLLM, llama.cpp completions)',
      ],
    })
  }
  if (spec.kind === 'game24-random') return { policy: game24RandomPolicy(name) }
  if (spec.kind === 'inject') return { policy: injectedPolicy(spec.share, name) }
  if (spec.kind === 'task') return { policy: taskPolicy(spec.chances, name, settings.task) }
  if (spec.kind === 'embedded') {
    const { embeddedByTask, embeddedPolicy } = await import('../../models/policies/embedded/index.ts')
    const options = { engine, seed: name, ...(temperature !== undefined && { temperature }) }
    const { name: weights } = spec
    return { policy: await (weights === undefined ? embeddedByTask(options) : embeddedPolicy(weights, options)) }
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
  spec: Extract<PolicySpec, { kind: 'http' | 'gguf' }>,
  engine: Engine,
  settings: PolicySettings,
  signal: AbortSignal,
): Promise<{ policy: Policy; probe: Capabilities }> {
  const { seed, temperature, prompt, system, template, keyFrom, price, samples } = settings
  const key = keyFrom === undefined ? {} : { keyFrom }
  const endpoint =
    spec.kind === 'gguf'
      ? llamaCpp(spec.file)
      : openAiCompatible({ url: spec.url, model: spec.model, ...key, ...(price && { price }) })
  const probe = await probeOnce(engine, endpoint, signal)
  const api = prompt === 'chat' ? 'chat' : 'completions'
  requireCapabilities(probe, seed === undefined ? [api] : [api, 'seed'], settings.by)
  if (settings.needsLogprobs === true) {
    requireCapabilities(probe, ['promptLogprobs'], settings.by)
    if (prompt === 'chat') {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--prompt' },
        found: 'chat, of which only what the model writes can be weighed',
        expected: 'text',
      })
    }
  }
  const perCall = probe.can.n.state === 'yes' ? Math.min(samples, PER_CALL) : 1
  const room = probe.contextLength === null ? ANSWER_TOKENS : Math.floor(ANSWER_SHARE * probe.contextLength)
  const sampling: Sampling = {
    maxTokens: settings.maxTokens ?? Math.min(ANSWER_TOKENS, room),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
  }
  const policy = modelPolicy({
    name: endpoint.model,
    engine,
    sampler: samplerOf(endpoint, perCall),
    ...(probe.scoring !== null && prompt === 'text' && { scorer: scorerOf(endpoint, probe) }),
    renderer: prompt === 'chat' ? chatRenderer(system === undefined ? {} : { system }) : textRenderer(template),
    format: prompt === 'chat' ? paragraphs : lines,
    sampling,
  })
  return { policy, probe }
}
