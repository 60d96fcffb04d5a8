import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { addUsage, type Evidence, NO_USAGE, type Usage } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Sampler } from '../../engine/sampler.ts'
import type { Completion } from '../endpoints/endpoint.ts'
import type { GenerateRequest } from '../endpoints/sampler.ts'
import { critiquePrompt, critiqueSchema, type Fenced, type Range, repairPrompt } from './judge-prompt.ts'
import type { Line, RewardModel, Scored } from './reward.ts'
import { type ReadVerdicts, readVerdicts } from './verdicts.ts'

/** Whom a judge asks, and what the probe saw that it can. */
export interface Asked {
  engine: Engine
  sampler: Sampler<GenerateRequest, Completion>
  /** Model, for people. */
  model: string
  /** Tokens of prompt and answer together, where the endpoint says. */
  contextLength?: number
  logprobs: boolean
  schema: boolean
}

export const JUDGE_OPTIONS = z.object({
  samples: z.number().int().min(1).max(64).default(1).describe('answers for each trace; their verdicts are averaged'),
  chunk: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('steps judged by one request, with all steps before them to read; all steps where not given'),
  repair: z.boolean().default(true).describe('ask once more where an answer lacks verdicts or cannot be read'),
  temperature: z.number().min(0).optional().describe("of the answers; the endpoint's own where not given"),
  maxTokens: z.number().int().positive().optional().describe('of one answer; by the number of steps where not given'),
})
export type JudgeOptions = z.output<typeof JUDGE_OPTIONS>

/** An entry of the verdict with its reason, and room to think first; what a model needs on average is half of it. */
const ANSWER_TOKENS = { step: 96, thinking: 1_024 }

/** Share of a context that an answer may take; the trace needs the rest. */
const ANSWER_SHARE = 0.5

/** Tokens of one answer at most. */
export function answerTokens(
  steps: number,
  { maxTokens }: Pick<JudgeOptions, 'maxTokens'>,
  context = Infinity,
): number {
  return maxTokens ?? Math.min(ANSWER_TOKENS.thinking + ANSWER_TOKENS.step * steps, Math.floor(ANSWER_SHARE * context))
}

/** Parts of a line that are judged by one request each. */
export function rangesOf(steps: number, { chunk = steps }: Pick<JudgeOptions, 'chunk'>): Range[] {
  const ranges: Range[] = []
  for (let from = 0; from < steps; from += chunk) ranges.push({ from, to: Math.min(steps, from + chunk) })
  return ranges
}

/**
 * A language model that reads a whole line and judges each of its steps: a generative reward model.
 *
 * One request a line, unless `chunk` says otherwise. What it reads is redacted and fenced, what it answers is read strictly (`verdicts.ts`); a verdict
 * that is missing, unreadable or `unsure` is null, never a number. A step's score is the mean over the samples of
 * P(right): the verdict, as sure as the log-probability of its word says, where the endpoint gives one.
 * @see papers/prm-lessons.md (LLM judge), papers/genprm.md
 */
export function judgeReward(
  asked: Asked,
  { seed = '0', ...given }: Partial<JudgeOptions> & { seed?: string } = {},
): RewardModel {
  const options = JUDGE_OPTIONS.parse(given)
  return {
    name: 'judge',
    identity: ['judge', asked.sampler.identity, options, seed],
    meaning: 'correctness',
    aggregate: 'min',
    score: (lines, signal) => Promise.all(lines.map((line) => judgeLine(line, asked, options, seed, signal))),
  }
}

async function judgeLine(
  line: Line,
  asked: Asked,
  options: JudgeOptions,
  seed: string,
  signal: AbortSignal | undefined,
): Promise<Scored> {
  const n = line.steps.length
  const parts = await Promise.all(
    rangesOf(n, options).map((range) => judgePart(line, range, asked, options, seed, signal)),
  )
  const evidence = parts.flatMap((part) => part.evidence)
  const usage = parts.reduce((sum, part) => addUsage(sum, part.usage), NO_USAGE)
  const failure = parts.find((part) => part.failure && (part.evidence.length === 0 || isOver(part.failure)))?.failure
  if (failure) return { ok: false, error: failure, usage }
  return { ok: true, scores: scoresOf(evidence, n), evidence, usage }
}

/** A run that is over must not leave a trace with fewer samples than the others. */
const isOver = (error: GradusError): boolean => error.code.startsWith('GRD-RUN-')

async function judgePart(
  line: Line,
  range: Range,
  asked: Asked,
  options: JudgeOptions,
  seed: string,
  signal: AbortSignal | undefined,
): Promise<{ evidence: Judgement[]; usage: Usage; failure?: GradusError }> {
  const prompt = critiquePrompt(line, seed, range)
  const request = requestOf(prompt.messages, prompt.key, range, asked, options)
  const outcomes = await asked.engine.sample(asked.sampler, request, {
    count: options.samples,
    ...(signal && { signal }),
  })
  let usage: Usage = NO_USAGE
  let failure: GradusError | undefined
  const evidence: Judgement[] = []
  for (const outcome of outcomes) {
    if (!outcome.ok) {
      failure = outcome.error
      continue
    }
    let spent = outcome.usage
    let read = readVerdicts(outcome.value.text, prompt.key, range, outcome.value.tokens)
    if (read.wrong !== null && options.repair) {
      const again = await repaired(outcome.value, read.wrong, prompt, range, asked, options, signal)
      if (again instanceof GradusError) failure = again
      else {
        spent = addUsage(spent, again.usage)
        if (said(again.read) >= said(read)) read = again.read
      }
    }
    usage = addUsage(usage, spent)
    evidence.push(...judgements(read, range.from, spent))
  }
  return { evidence, usage, ...(failure && { failure }) }
}

const said = ({ steps }: ReadVerdicts): number => steps.filter((v) => v !== null).length

async function repaired(
  { text }: Completion,
  wrong: string,
  prompt: Fenced,
  range: Range,
  asked: Asked,
  options: JudgeOptions,
  signal: AbortSignal | undefined,
): Promise<{ read: ReadVerdicts; usage: Usage } | GradusError> {
  const request = requestOf(repairPrompt(prompt, text, wrong, range), prompt.key, range, asked, options)
  const [outcome] = await asked.engine.sample(asked.sampler, request, { ...(signal && { signal }) })
  if (!outcome?.ok) return outcome?.error ?? new GradusError('GRD-CALL-008')
  const { value, usage } = outcome
  return { read: readVerdicts(value.text, prompt.key, range, value.tokens), usage }
}

function requestOf(
  messages: Fenced['messages'],
  key: string,
  { from, to }: Range,
  { logprobs, schema, contextLength }: Asked,
  options: JudgeOptions,
): GenerateRequest {
  return {
    api: 'chat',
    messages,
    maxTokens: answerTokens(to - from, options, contextLength),
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(logprobs && { logprobs: 0 }),
    ...(schema && { schema: critiqueSchema(key, to - from) }),
  }
}

export type Judgement = Extract<Evidence, { kind: 'judgement' }>

/** How the reason of a judgement begins that has no verdict because the answer could not be read. */
export const UNREADABLE = 'no verdict that can be read'

/** One judgement a step; the cost of the answer stands with the first. */
function judgements({ steps, wrong }: ReadVerdicts, from: number, usage: Usage): Judgement[] {
  return steps.map((v, i): Judgement => {
    const head = { kind: 'judgement', source: 'judge', step: from + i, ...(i === 0 && { usage }) } as const
    if (v === null) return { ...head, verdict: null, reason: `${UNREADABLE}: ${wrong ?? ''}` }
    if (v.verdict === 'unsure') return { ...head, verdict: null, reason: `cannot say: ${v.reason}` }
    return { ...head, verdict: v.verdict, reason: v.reason, ...(v.logprob !== undefined && { logprob: v.logprob }) }
  })
}

/** P(the step is right) by one judgement, null where it says nothing. A `neutral` step is neither. */
export function judgementScore({ verdict, logprob }: Judgement): number | null {
  const sure = logprob === undefined ? 1 : Math.exp(Math.min(0, logprob))
  if (verdict === 'correct') return sure
  return verdict === 'incorrect' ? 1 - sure : null
}

function scoresOf(evidence: readonly Judgement[], steps: number): (number | null)[] {
  return Array.from({ length: steps }, (_, step) => {
    const values = evidence.flatMap((e) => (e.step === step ? (judgementScore(e) ?? []) : []))
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length
  })
}
