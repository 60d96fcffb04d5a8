import type {
  JSONObject,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4Middleware,
} from '@ai-sdk/provider'
import { contentHash } from '../../core/hash.ts'
import { NO_USAGE, type Problem } from '../../core/words.ts'
import { Engine } from '../../engine/engine.ts'
import { asFault } from '../../engine/fault.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import { bestOfN as bestOfNSearch } from '../../improve/search/best-of-n.ts'
import { type SolveOptions, searchContext } from '../../improve/search/context.ts'
import { type Search, type Solution, solveWith } from '../../improve/search/search.ts'
import { stepBeam as stepBeamSearch } from '../../improve/search/step-beam.ts'
import { aiSdkEndpoint } from '../../models/endpoints/ai-sdk.ts'
import { samplerOf } from '../../models/endpoints/sampler.ts'
import { modelPolicy } from '../../models/policies/policy.ts'
import type { Renderer } from '../../models/policies/renderer.ts'
import { paragraphs, type StepFormat } from '../../models/policies/step-format.ts'
import { judgeReward } from '../../models/rewards/judge.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { chosenOf } from '../pipeline/chosen.ts'
import { addUsages, stepsOf, streamOf, turnsOf } from './parts.ts'

interface Common extends Partial<Pick<SolveOptions, 'aggregate' | 'veto' | 'answerOf' | 'same'>> {
  /** Who scores the steps. */
  reward: RewardModel
  /** How the model marks its steps; `paragraphs` where not given. */
  format?: StepFormat
}

/**
 * Language-model middleware that draws several answers and gives the one with the highest score, whole as the model
 * wrote it, tool calls and reasoning too. `usage` is that of all of them; `providerMetadata.gradus` says what was drawn.
 * @throws GradusError GRD-SEARCH-001 for fewer than two answers
 */
export function bestOfN({ n = 8, ...common }: Common & { n?: number }): LanguageModelV4Middleware {
  return middleware(async (model, params) => {
    const results = new Map<number, LanguageModelV4GenerateResult>()
    const policy: StepWriter = {
      name: model.modelId,
      identity: model.modelId,
      next: () => Promise.reject(new TypeError('whole samples only')),
      async complete(_problem, _steps, sample) {
        try {
          const seed = params.seed === undefined ? {} : { seed: params.seed + sample }
          const result = await model.doGenerate({ ...params, ...seed })
          results.set(sample, result)
          return { ok: true, steps: stepsOf(result.content, common.format), end: 'stop', usage: usageOf(result) }
        } catch (error) {
          return { ok: false, error: asFault(error), usage: NO_USAGE }
        }
      },
    }
    const solution = await solveWith(bestOfNSearch, contextOf(params, policy, common), { n })
    const result = results.get(sampleOf(solution))
    if (!result) return null
    const usage = addUsages([...results.values()].map((one) => one.usage))
    return {
      ...result,
      usage,
      providerMetadata: { ...result.providerMetadata, gradus: report(bestOfNSearch, solution) },
    }
  })
}

/**
 * Language-model middleware that writes step by step (paragraphs) and keeps the best `beam` lines after each.
 *
 * A call with tools, or with parts that are no text, is passed on as it is, with a warning: a half-written tool call
 * cannot be gone on with.
 */
export function stepBeam({
  k = 8,
  beam = 2,
  lookAhead = 0,
  ...common
}: Common & { k?: number; beam?: number; lookAhead?: number }): LanguageModelV4Middleware {
  return middleware(async (model, params) => {
    const turns = turnsOf(params.prompt)
    if (turns === null || (params.tools ?? []).length > 0) return null
    const engine = new Engine()
    try {
      const { maxOutputTokens, temperature, topP, seed } = params
      const { format = paragraphs } = common
      const policy = modelPolicy({
        name: model.modelId,
        engine,
        sampler: samplerOf(aiSdkEndpoint(model)),
        renderer: rendererOf(turns),
        format,
        sampling: {
          ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
          ...(temperature !== undefined && { temperature }),
          ...(topP !== undefined && { topP }),
          ...(seed !== undefined && { seed }),
        },
      })
      const context = contextOf(params, policy, common)
      const solution = await solveWith(stepBeamSearch, context, { k, beam, lookAhead })
      const text = solution.candidates[chosenOf(solution)]?.trace.steps.map((step) => step.text).join(format.stop[0])
      if (text === undefined) return null
      const { promptTokens, completionTokens, cachedTokens } = solution.usage
      return {
        content: [{ type: 'text', text }],
        finishReason: { unified: 'stop', raw: undefined },
        usage: {
          inputTokens: { total: promptTokens, noCache: undefined, cacheRead: cachedTokens, cacheWrite: undefined },
          outputTokens: { total: completionTokens, text: completionTokens, reasoning: undefined },
        },
        warnings: [],
        providerMetadata: { gradus: report(stepBeamSearch, solution) },
      }
    } finally {
      await engine.close()
    }
  })
}

/** A language model of the AI SDK as a judge of steps (`judgeReward`). */
export function judgeOf(model: LanguageModelV4, options: Parameters<typeof judgeReward>[1] = {}): RewardModel {
  const asked = { engine: new Engine(), sampler: samplerOf(aiSdkEndpoint(model)), model: model.modelId }
  return judgeReward({ ...asked, logprobs: false, schema: false }, options)
}

/** @param answer null = the search has nothing to say, and the model is asked as if it were not there */
function middleware(
  answer: (model: LanguageModelV4, params: LanguageModelV4CallOptions) => Promise<LanguageModelV4GenerateResult | null>,
): LanguageModelV4Middleware {
  const searched = async (options: {
    model: LanguageModelV4
    params: LanguageModelV4CallOptions
    doGenerate(): PromiseLike<LanguageModelV4GenerateResult>
  }): Promise<LanguageModelV4GenerateResult> => {
    const found = await answer(options.model, options.params)
    if (found) return found
    const plain = await options.doGenerate()
    return { ...plain, warnings: [...plain.warnings, { type: 'other', message: 'gradus: answered without a search' }] }
  }
  return {
    specificationVersion: 'v4',
    wrapGenerate: searched,
    wrapStream: async (options) => streamOf(await searched(options)),
  }
}

function contextOf(params: LanguageModelV4CallOptions, policy: StepWriter, { format: _, ...more }: Common) {
  const asked = (turnsOf(params.prompt) ?? []).map(({ role, content }) =>
    role === 'user' ? content : `${role}: ${content}`,
  )
  const problem: Problem = { id: contentHash(asked).slice(0, 16), prompt: asked.join('\n\n') }
  return searchContext({ problem, policy, ...more, ...(params.abortSignal && { signal: params.abortSignal }) })
}

/** The turns as they are, then the steps so far, then the wish to go on. */
function rendererOf(turns: NonNullable<ReturnType<typeof turnsOf>>): Renderer {
  return {
    name: 'ai-sdk',
    identity: turns,
    render: (_problem, steps, format) => ({
      api: 'chat',
      messages:
        steps.length === 0
          ? turns
          : [
              ...turns,
              { role: 'assistant', content: format.join(steps.map((step) => step.text)) },
              { role: 'user', content: 'Go on from here with the next step. Do not repeat what is written.' },
            ],
    }),
  }
}

/** Number of the sample that was chosen; a trace's id ends with it. */
function sampleOf(solution: Solution): number {
  const chosen = solution.candidates[chosenOf(solution)]
  return Number(chosen?.trace.id.split('#').at(-1) ?? Number.NaN)
}

function usageOf({ usage }: LanguageModelV4GenerateResult) {
  return {
    ...NO_USAGE,
    calls: 1,
    promptTokens: usage.inputTokens.total ?? 0,
    completionTokens: usage.outputTokens.total ?? 0,
    cachedTokens: usage.inputTokens.cacheRead ?? 0,
  }
}

function report(search: Search, solution: Solution): JSONObject {
  const { candidates, usage, flags } = solution
  return {
    search: search.name,
    chosen: chosenOf(solution),
    candidates: candidates.map(({ trace, score, scores }) => ({ answer: trace.answer ?? null, score, scores })),
    usage: { calls: usage.calls, promptTokens: usage.promptTokens, completionTokens: usage.completionTokens },
    flags,
  }
}
