import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import type { Problem, Step, Usage } from '../../core/words.ts'
import { NO_USAGE } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import type { StepWriter, Weighed, Written } from '../../engine/rollout.ts'
import type { Sampler } from '../../engine/sampler.ts'
import type { Completion, Sampling, Scored } from '../endpoints/endpoint.ts'
import type { GenerateRequest } from '../endpoints/sampler.ts'
import type { Renderer } from './renderer.ts'
import type { StepFormat } from './step-format.ts'

export interface ModelPolicyOptions {
  name: string
  engine: Engine
  sampler: Sampler<GenerateRequest, Completion>
  /** Weighs given texts; only for renderers of plain text. */
  scorer?: Sampler<{ text: string }, Scored['tokens']>
  renderer: Renderer
  format: StepFormat
  /** How to draw; `stop` is added to the format's own when a single step is written. */
  sampling?: Sampling
}

export interface Policy extends StepWriter {
  /** Short hash of the identity, for file names and tables. */
  hash: string
}

/**
 * A language model that writes steps: model + renderer + step format.
 *
 * Everything that decides the text is in the request, so that the engine's cache holds for every policy alike.
 */
export function modelPolicy(options: ModelPolicyOptions): Policy {
  const { engine, sampler, scorer, renderer, format, sampling = {} } = options
  const identity = { sampler: sampler.identity, renderer: renderer.identity, format: format.name, sampling }

  async function write(
    problem: Problem,
    steps: readonly Step[],
    samples: { from: number; count: number },
    single: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Written[]> {
    const stop = [...(single ? format.stop : []), ...(sampling.stop ?? [])]
    const rendered = renderer.render(problem, steps, format)
    const request: GenerateRequest = { ...rendered, ...sampling, ...(stop.length > 0 && { stop }) }
    const outcomes = await engine.sample(sampler, request, { ...samples, ...(signal && { signal }) })
    return outcomes.map((outcome) =>
      outcome.ok ? read(outcome.value, single, outcome.usage) : { ok: false, error: outcome.error, usage: NO_USAGE },
    )
  }

  async function one(...args: Parameters<typeof write>): Promise<Written> {
    const [written] = await write(...args)
    return written ?? { ok: true, steps: [], end: 'stop', usage: NO_USAGE }
  }

  function read(completion: Completion, single: boolean, usage: Usage): Written {
    const calls = (completion.toolCalls ?? []).map((call): Step => {
      const action = { tool: call.name, input: parsed(call.input), id: call.id }
      return { text: completion.text.trim() || `${call.name} ${call.input}`, kind: 'action', action }
    })
    const texts = format.split(completion.text)
    // A model that goes on without a separator has written more than the one step that was asked for.
    const thoughts = (single ? texts.slice(0, 1) : texts).map((text): Step => ({ text, kind: 'thought' }))
    const steps = calls.length > 0 ? calls.slice(0, single ? 1 : calls.length) : thoughts
    const { finish } = completion
    if (finish === 'length' || finish === 'filter') return { ok: true, steps, end: finish, usage }
    return { ok: true, steps, end: (single && steps.length > 0) || calls.length > 0 ? 'step' : 'stop', usage }
  }

  async function weigh(
    by: NonNullable<ModelPolicyOptions['scorer']>,
    problem: Problem,
    steps: readonly Step[],
    continuation: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Weighed> {
    const rendered = renderer.render(problem, steps, format)
    if (rendered.api === 'chat') {
      const error = new GradusError('GRD-CALL-011', {
        found: 'a policy that reads messages',
        expected: 'one that reads plain text, of which every part can be weighed',
        try: ['--prompt text'],
      })
      return { ok: false, error, usage: NO_USAGE }
    }
    const text = rendered.prompt + format.join(continuation)
    const [outcome] = await engine.sample(by, { text }, signal && { signal })
    if (!outcome?.ok) return { ok: false, error: outcome?.error ?? new GradusError('GRD-CALL-008'), usage: NO_USAGE }
    const logprobs = logprobsFrom(outcome.value, rendered.prompt.length)
    if (logprobs) return { ok: true, logprobs, usage: outcome.usage }
    const error = new GradusError('GRD-MODEL-005', {
      found: 'a token that belongs to the steps before and to the weighed text',
      expected: 'tokens that end where the weighed text begins',
    })
    return { ok: false, error, usage: outcome.usage }
  }

  return {
    name: options.name,
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: (problem, steps, sample, signal) => one(problem, steps, { from: sample, count: 1 }, true, signal),
    complete: (problem, steps, sample, signal) => one(problem, steps, { from: sample, count: 1 }, false, signal),
    completeMany: (problem, steps, samples, signal) => write(problem, steps, samples, false, signal),
    ...(scorer && {
      logprobs: (problem, steps, continuation, signal) => weigh(scorer, problem, steps, continuation, signal),
    }),
  }
}

/** Those of the tokens from a character on; null where a token reaches over it or has none. */
function logprobsFrom(tokens: Scored['tokens'], from: number): number[] | null {
  const logprobs: number[] = []
  let at = 0
  for (const { token, logprob } of tokens) {
    if (at >= from) {
      if (logprob === null) return null
      logprobs.push(logprob)
    } else if (at + token.length > from) return null
    at += token.length
  }
  return logprobs
}

/** Input of a tool: JSON where it is JSON, else the text as the model wrote it. */
function parsed(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}
