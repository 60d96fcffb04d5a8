import { z } from 'zod'

/**
 * The words of Gradus: what every room reads and writes. `z.object` is open on purpose nowhere: what a source says
 * beyond these words is kept under `extra`, so that writing back loses nothing.
 */

const Json: z.ZodType<unknown> = z.unknown()

/** Typed context of a problem; a problem may carry several. */
export const Context = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('documents'), documents: z.array(z.object({ id: z.string(), text: z.string() })) }),
  z.object({
    kind: z.literal('table'),
    name: z.string(),
    header: z.array(z.string()),
    rows: z.array(z.array(z.string())),
  }),
  z.object({ kind: z.literal('graph'), triples: z.array(z.tuple([z.string(), z.string(), z.string()])) }),
  z.object({ kind: z.literal('repository'), root: z.string(), commit: z.string().optional() }),
  z.object({ kind: z.literal('images'), images: z.array(z.object({ path: z.string(), type: z.string() })) }),
  z.object({
    kind: z.literal('tools'),
    tools: z.array(z.object({ name: z.string(), description: z.string().optional(), parameters: Json.optional() })),
  }),
  z.object({ kind: z.literal('tests'), language: z.enum(['python', 'javascript']), code: z.string() }),
])
export type Context = z.infer<typeof Context>

export const Problem = z.object({
  id: z.string(),
  prompt: z.string(),
  /** What makes two problems the same question, where it is not the prompt (which may be a perturbation of it). */
  question: z.string().optional(),
  answer: z.string().optional(),
  /** Reference steps. */
  solution: z.array(z.string()).optional(),
  context: z.array(Context).optional(),
  domain: z.string().optional(),
})
export type Problem = z.infer<typeof Problem>

export const STEP_KINDS = ['thought', 'action', 'observation', 'perception', 'answer'] as const
export type StepKind = (typeof STEP_KINDS)[number]

/** Tokens, calls, seconds and money; rides on everything and adds up. Money in US dollars. */
export const Usage = z.object({
  calls: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  cachedTokens: z.number(),
  seconds: z.number(),
  cost: z.number().optional(),
})
export type Usage = z.infer<typeof Usage>

export const Step = z.object({
  text: z.string(),
  kind: z.enum(STEP_KINDS),
  action: z.object({ tool: z.string(), input: Json, id: z.string().optional() }).optional(),
  /** What came back from the action of this very step. */
  observation: z.string().optional(),
  tokens: z.object({ ids: z.array(z.number()), logprobs: z.array(z.number()) }).optional(),
  /** Who spoke: an agent's name or a chat role, where the source says. */
  agent: z.string().optional(),
  /** Position in the source (message number, line, span id), where it is not the position among the steps. */
  origin: z.union([z.number(), z.string()]).optional(),
})
export type Step = z.infer<typeof Step>

export const VERDICTS = ['correct', 'incorrect', 'unknown'] as const
/** What a tool can decide. */
export type ToolVerdict = (typeof VERDICTS)[number]

/** One source's raw look at one step; kept for ever, so that labels can be recomputed without a model call. */
export const Evidence = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('rollouts'),
    source: z.string(),
    /** Rolled out from after this step; -1 = from the start. */
    step: z.number().int(),
    successes: z.number().int(),
    trials: z.number().int(),
    completions: z.array(z.string()).optional(),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('judgement'),
    source: z.string(),
    step: z.number().int(),
    /** null = the judge's text could not be read as a verdict; never a vote. */
    verdict: z.enum(['correct', 'incorrect', 'neutral']).nullable(),
    reason: z.string(),
    /** Log-probability of the decision token. */
    logprob: z.number().optional(),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('score'),
    source: z.string(),
    step: z.number().int(),
    /** In [0, 1]: P(the step is right) or P(a run from here ends right), as `meaning` says; null = cannot say. */
    value: z.number().min(0).max(1).nullable(),
    meaning: z.enum(['correctness', 'value']),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('tool'),
    source: z.string(),
    step: z.number().int(),
    verdict: z.enum(VERDICTS),
    /** For people: what was checked and what came out. */
    reason: z.string(),
    /** For programs: the claims that were checked. */
    detail: Json.optional(),
    /** Sandbox level that really applied, where code ran. */
    level: z.string().optional(),
  }),
  z.object({
    kind: z.literal('alignment'),
    source: z.string(),
    step: z.number().int(),
    /** Index of the reference step, null = unaligned. */
    reference: z.number().int().nullable(),
    verdict: z.enum(VERDICTS),
    reason: z.string(),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('value'),
    source: z.string(),
    /** The state after this step; -1 = the start. */
    step: z.number().int(),
    /** Chance in [0, 1] that a run ends right from here, as a search or a value model sees it. */
    value: z.number().min(0).max(1),
    /** How many looks the value is the mean of. */
    visits: z.number().int(),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('likelihood'),
    source: z.string(),
    step: z.number().int(),
    /**
     * By reference step t: log p(reference from t on | steps so far) - log p(the same | the baseline in their place),
     * natural logarithm; null = a text that cannot be weighed (longer than the context, a failed call).
     */
    ratios: z.array(z.number().nullable()),
    /** The same for the steps so far with their characters in random order: what any text of the kind brings. */
    control: z.array(z.number().nullable()).optional(),
    /** Tokens of the reference from each step on. */
    tokens: z.array(z.number().int()),
    usage: Usage.optional(),
  }),
  z.object({
    kind: z.literal('human'),
    source: z.string(),
    step: z.number().int(),
    verdict: z.enum(['correct', 'incorrect', 'neutral']).nullable(),
    note: z.string().optional(),
  }),
  z.object({
    kind: z.literal('imported'),
    source: z.string(),
    /** null = about the whole trace. */
    step: z.number().int().nullable(),
    /** The value exactly as the file has it. */
    raw: Json,
    annotator: z.string().optional(),
    file: z.string().optional(),
    row: z.number().int().optional(),
    reason: z.string().optional(),
  }),
])
export type Evidence = z.infer<typeof Evidence>

/** Why a label has no value. */
export const ABSTENTIONS = [
  'no-evidence',
  'sources-disagree',
  'parse-failure',
  'after-first-error',
  'neutral',
  'dead-group',
  'not-covered',
] as const
export type Abstention = (typeof ABSTENTIONS)[number]

export const MEANINGS = ['correctness', 'value', 'progress', 'preference'] as const
/** What a label says. Values of different meanings are never averaged together. */
export type Meaning = (typeof MEANINGS)[number]

export const StepLabel = z.object({
  step: z.number().int().nonnegative(),
  meaning: z.enum(MEANINGS),
  /** In [0, 1] (progress: [-1, 1]); null = cannot say. */
  value: z.number().nullable(),
  /** Present exactly when value is null. */
  reason: z.enum(ABSTENTIONS).optional(),
  /** How sure the source is of the value, in [0, 1]. */
  confidence: z.number().optional(),
  /** Sparse distribution over named classes where one number is not enough; sums to 1. */
  classes: z.record(z.string(), z.number()).optional(),
  source: z.string(),
})
export type StepLabel = z.infer<typeof StepLabel>

/** A label of the whole trace: index of the first wrong step from 0, -1 = no error, null = cannot say. */
export const FirstErrorLabel = z.object({
  meaning: z.literal('first-error'),
  value: z.number().int().min(-1).nullable(),
  reason: z.enum(ABSTENTIONS).optional(),
  confidence: z.number().optional(),
  source: z.string(),
})
export type FirstErrorLabel = z.infer<typeof FirstErrorLabel>

export const Label = z.union([FirstErrorLabel, StepLabel])
export type Label = z.infer<typeof Label>

export const Verdict = z.object({
  /** P(step is itself wrong), one a step; null = cannot say. */
  risk: z.array(z.number().nullable()),
  /** P(step is the first wrong one), steps + 1 entries, the last = no error; sums to 1. */
  firstErrorProb: z.array(z.number()),
  /** Index of the first wrong step from 0, -1 = no error, null = no entry reaches the threshold. */
  firstError: z.number().int().min(-1).nullable(),
  /** Distribution over named classes for each step, where the source has more than right and wrong. */
  classes: z.array(z.record(z.string(), z.number())).optional(),
  source: z.string().optional(),
})
export type Verdict = z.infer<typeof Verdict>

export const Source = z.object({
  /** Model or agent that wrote the steps; empty where nobody says. */
  generator: z.string(),
  dataset: z.string(),
  /** SPDX identifier or short text; `unknown` where nobody says. */
  licence: z.string(),
})
export type Source = z.infer<typeof Source>

export const Trace = z.object({
  id: z.string(),
  problem: Problem,
  steps: z.array(Step),
  answer: z.string().optional(),
  /** Did the run succeed, by the source's own check: in [0, 1]. */
  outcome: z.number().optional(),
  evidence: z.array(Evidence).optional(),
  labels: z.array(Label).optional(),
  verdict: Verdict.optional(),
  usage: Usage.optional(),
  source: Source,
  /** What the source says beyond these words, for writing back. */
  extra: z.record(z.string(), Json).optional(),
})
export type Trace = z.infer<typeof Trace>

/** Published as `gradus/schema/*.json`. */
export const SCHEMAS = { Problem, Step, Evidence, StepLabel, FirstErrorLabel, Verdict, Trace } as const

export const NO_USAGE: Usage = { calls: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, seconds: 0 }

export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = {
    calls: a.calls + b.calls,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    seconds: a.seconds + b.seconds,
  }
  if (a.cost !== undefined || b.cost !== undefined) sum.cost = (a.cost ?? 0) + (b.cost ?? 0)
  return sum
}
