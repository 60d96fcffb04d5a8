import type {
  JSONObject,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4Middleware,
} from '@ai-sdk/provider'
import type { Evidence, Trace } from '../../core/words.ts'
import type { AnnotateContext, Annotator } from '../../label/annotators/annotator.ts'
import { OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { rewardAnnotator } from '../../label/annotators/reward.ts'
import { scores } from '../../label/rules/scores.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { labelTrace } from '../pipeline/label.ts'
import { streamOf, traceOfCall } from './parts.ts'

export interface GuardFinding {
  /** What the model wants to do or say. */
  step: Trace['steps'][number]
  /** P(the step is wrong). */
  risk: number
  /** What speaks against it. */
  reasons: string[]
}

export interface GuardOptions {
  /**
   * What happens to a step that is probably wrong. `stop`: its tool calls are taken out and the reason is said instead,
   * so that the agent's loop ends before anything is done; `warn`: it goes on, with a warning in the result.
   */
  action: 'stop' | 'warn'
  /** A step counts as wrong from this risk on. */
  maxRisk?: number
  /** Who looks; every tool that needs no model where not given. */
  annotators?: readonly Annotator[]
  /** A judge or reward model that looks too; its calls cost what they cost. */
  reward?: RewardModel
  /** Code that a step wants to run may be run in the sandbox, to see what it does. */
  allowCode?: boolean
  onFinding?(finding: GuardFinding): void
}

/** As verdicts name a first wrong step (label/verdict.ts). */
const MAX_RISK = 0.5

/**
 * Language-model middleware that looks at each step of an agent before it is carried out: tool calls against the tools
 * that are offered, sums, code, by every verifier that applies.
 *
 * It sees the whole run so far, and judges what the model has just said. A step that nobody can judge passes.
 */
export function stepGuard(options: GuardOptions): LanguageModelV4Middleware {
  const { maxRisk = MAX_RISK, reward, allowCode = false, onFinding } = options
  const tools = (options.annotators ?? OFFLINE_ANNOTATORS).filter((a) => allowCode || !a.runsCode)
  const annotators = reward ? [...tools, rewardAnnotator(reward.name)] : tools
  const rule = { rule: scores, options: scores.options.parse({}) }
  const context: AnnotateContext = {
    allowCode,
    allowLocalExec: false,
    seed: '0',
    spend: () => {},
    ...(reward && { rewards: () => reward }),
  }

  async function findings(
    params: LanguageModelV4CallOptions,
    result: LanguageModelV4GenerateResult,
  ): Promise<GuardFinding[]> {
    const before = traceOfCall(params).steps.length
    const trace = traceOfCall(params, result.content)
    const { abortSignal: signal } = params
    const looking = signal ? { ...context, signal } : context
    const labelled = await (reward
      ? labelTrace(trace, annotators, looking, rule)
      : labelTrace(trace, annotators, looking))
    return trace.steps.flatMap((step, i): GuardFinding[] => {
      const risk = labelled.verdict?.risk[i] ?? null
      if (i < before || risk === null || risk < maxRisk) return []
      return [{ step, risk, reasons: (labelled.evidence ?? []).flatMap((e) => against(e, i)) }]
    })
  }

  async function guarded(
    params: LanguageModelV4CallOptions,
    result: LanguageModelV4GenerateResult,
  ): Promise<LanguageModelV4GenerateResult> {
    const found = await findings(params, result)
    if (found.length === 0) return result
    for (const finding of found) onFinding?.(finding)
    const message = found
      .map((f) => `${f.step.text}: ${f.reasons.join('; ') || `risk ${f.risk.toFixed(2)}`}`)
      .join('\n')
    const gradus: JSONObject = {
      guard: options.action,
      findings: found.map(({ step, risk, reasons }) => ({ step: step.text, risk, reasons })),
    }
    const told = { ...result, providerMetadata: { ...result.providerMetadata, gradus } }
    if (options.action === 'warn') {
      return { ...told, warnings: [...result.warnings, { type: 'other', message: `gradus step guard: ${message}` }] }
    }
    const kept = result.content.filter((part) => part.type !== 'tool-call')
    return {
      ...told,
      content: [...kept, { type: 'text', text: `Stopped before a step that is probably wrong. ${message}` }],
      finishReason: { unified: 'stop', raw: 'gradus-step-guard' },
    }
  }

  return {
    specificationVersion: 'v4',
    wrapGenerate: async ({ doGenerate, params }) => guarded(params, await doGenerate()),
    // A step can be judged when it is whole.
    wrapStream: async ({ doGenerate, params }) => streamOf(await guarded(params, await doGenerate())),
  }
}

function against(e: Evidence, step: number): string[] {
  if (e.step !== step) return []
  if ((e.kind === 'tool' || e.kind === 'judgement') && e.verdict === 'incorrect') {
    return [`${e.source.replace(/^(verifier|reward):/, '')}: ${e.reason}`]
  }
  return e.kind === 'score' && e.value !== null
    ? [`${e.source.replace(/^reward:/, '')}: score ${e.value.toFixed(2)}`]
    : []
}
