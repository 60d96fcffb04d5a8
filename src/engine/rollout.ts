import { GradusError } from '../core/errors.ts'
import { canonicalJson } from '../core/hash.ts'
import type { Problem, Step, Trace, Usage } from '../core/words.ts'
import { addUsage, NO_USAGE } from '../core/words.ts'

/** What a policy added to a line of reasoning. */
export type Written =
  | {
      ok: true
      /** May be empty: nothing more to say. */
      steps: Step[]
      /** Why writing stopped; `step` = one step is written and more may follow. */
      end: 'step' | 'stop' | 'length' | 'filter'
      usage: Usage
    }
  | { ok: false; error: GradusError; usage: Usage }

/** A given text under a model. */
export type Weighed =
  /** log p of each token of the text given all before it, natural logarithm. */
  { ok: true; logprobs: number[]; usage: Usage } | { ok: false; error: GradusError; usage: Usage }

/** Whoever writes steps: a language model with its renderer, an embedded model, a player by rules. */
export interface StepWriter {
  /** For people and for `source.generator`. */
  name: string
  /** What decides the text apart from problem, steps and sample; JSON. */
  identity: unknown
  /** The next step only. Same arguments, same text, as far as the model allows. */
  next(problem: Problem, steps: readonly Step[], sample: number, signal?: AbortSignal): Promise<Written>
  /** Everything up to the end, cut into steps. */
  complete(problem: Problem, steps: readonly Step[], sample: number, signal?: AbortSignal): Promise<Written>
  /** As `complete`, where several samples of one request are cheaper together. */
  completeMany?(
    problem: Problem,
    steps: readonly Step[],
    samples: { from: number; count: number },
    signal?: AbortSignal,
  ): Promise<Written[]>
  /** How probable given steps are after the problem and others; absent where the model does not say. */
  logprobs?(
    problem: Problem,
    steps: readonly Step[],
    continuation: readonly string[],
    signal?: AbortSignal,
  ): Promise<Weighed>
}

/** Where actions happen. `snapshot` and `restore` are for search; a rollout replays its prefix. */
export interface ActingEnvironment<S = unknown> {
  /** Back to the start of the problem; the seed decides whatever the environment draws. */
  reset(problem: Problem, seed: string): Promise<void>
  act(action: NonNullable<Step['action']>, signal?: AbortSignal): Promise<Observed>
  snapshot(): Promise<S>
  restore(state: S): Promise<void>
  close(): Promise<void>
}

export interface Observed {
  observation: string
  /** The episode is over. */
  done: boolean
  /** In [0, 1], where the environment itself knows how the episode went. */
  outcome?: number
}

/** Decides how a run ended; every built-in task is one. */
export interface OutcomeCheck {
  /** The answer that a list of steps states, or null. */
  answerOf(steps: readonly string[]): string | null
  /** null = cannot be decided, which is no outcome. */
  check(problem: Problem, answer: string): boolean | null
  /** Do these steps end the run? Where absent: once they state an answer. */
  ended?(steps: readonly string[]): boolean
}

/** Is nothing to be added to these steps? */
export function hasEnded(check: OutcomeCheck, steps: readonly Step[]): boolean {
  const texts = steps.map((step) => step.text)
  return check.ended ? check.ended(texts) : check.answerOf(texts) !== null
}

export interface RolloutOptions {
  problem: Problem
  policy: StepWriter
  /** Steps to go on from; default: none. */
  prefix?: readonly Step[]
  /** Number of this rollout among those from the same prefix, from 0. */
  sample?: number
  environment?: ActingEnvironment
  verifier?: OutcomeCheck
  /** Steps in all, prefix included; a rollout that reaches it has no answer unless it states one. */
  maxSteps?: number
  /** Write and check step by step even without an environment, for what looks at single steps. */
  stepwise?: boolean
  source?: Pick<Trace['source'], 'dataset' | 'licence'>
  signal?: AbortSignal
}

export type RolloutEnd = 'stop' | 'length' | 'filter' | 'answer' | 'environment' | 'max-steps'

export type Rollout =
  | { ok: true; trace: Trace; end: RolloutEnd }
  /** What was written before the failure is kept; its calls are paid for. */
  | { ok: false; error: GradusError; steps: Step[]; usage: Usage }

/** Longer than any run of the built-in tasks and most agent benchmarks (papers set 10 to 100). */
const MAX_STEPS = 200

/**
 * Policy x environment x verifier from any prefix: the only code that continues a trace.
 *
 * Without an environment the policy writes the rest in one go. With one, each action is carried out before the next
 * step is written, and the actions of the prefix are carried out first, so that the state is the prefix's own.
 *
 * The usage of the trace counts calls and tokens, also those found in the cache; `seconds` is 0, since wall time would
 * make two equal runs differ (it is in the journal).
 * @throws GradusError GRD-CORE-001 when replaying the prefix shows another observation than the prefix holds
 */
export function rollout(options: RolloutOptions): Promise<Rollout> {
  return run(options)
}

/**
 * Rollouts `from` to `from + count - 1`, in order; several a call where the policy can. One environment serves them one
 * after the other.
 */
export async function rollouts(
  options: Omit<RolloutOptions, 'sample'>,
  samples: { from: number; count: number },
): Promise<Rollout[]> {
  const { problem, policy, prefix = [], environment, signal } = options
  const numbers = Array.from({ length: samples.count }, (_, i) => samples.from + i)
  if (environment) {
    const done: Rollout[] = []
    for (const sample of numbers) done.push(await run({ ...options, sample }))
    return done
  }
  if (options.stepwise || !policy.completeMany) return Promise.all(numbers.map((sample) => run({ ...options, sample })))
  const written = await policy.completeMany(problem, prefix, samples, signal)
  return Promise.all(numbers.map((sample, i) => run({ ...options, sample }, written[i])))
}

/** @param first what the policy has written already */
async function run(options: RolloutOptions, first?: Written): Promise<Rollout> {
  let begun = first
  const { problem, policy, environment, verifier, sample = 0, maxSteps = MAX_STEPS, signal } = options
  const steps: Step[] = [...(options.prefix ?? [])]
  let usage: Usage = NO_USAGE
  let outcome: number | undefined
  let end: RolloutEnd | null = null

  if (environment) {
    const replayed = await replay(environment, problem, steps, `${problem.id}/${sample}`, signal)
    outcome = replayed.outcome
    if (replayed.done) end = 'environment'
  }
  if (verifier && hasEnded(verifier, steps)) end = 'answer'

  while (end === null && steps.length < maxSteps) {
    const stepwise = environment !== undefined || options.stepwise === true
    const written =
      begun ??
      (await (stepwise ? policy.next(problem, steps, sample, signal) : policy.complete(problem, steps, sample, signal)))
    begun = undefined
    usage = addUsage(usage, { ...written.usage, seconds: 0 })
    if (!written.ok) return { ok: false, error: written.error, steps, usage }
    for (const step of written.steps.slice(0, maxSteps - steps.length)) {
      steps.push(step)
      if (!environment || !step.action) continue
      const observed = await environment.act(step.action, signal)
      steps[steps.length - 1] = { ...step, observation: observed.observation }
      outcome = observed.outcome ?? outcome
      if (observed.done) end = 'environment'
      // What was written after an action did not know its observation.
      break
    }
    if (end !== null) break
    if (verifier && hasEnded(verifier, steps)) end = 'answer'
    else if (written.end !== 'step') end = written.end
    else if (written.steps.length === 0) end = 'stop'
  }

  const answer = stated(steps, verifier)
  if (outcome === undefined && verifier) outcome = outcomeOf(answer === null ? false : verifier.check(problem, answer))
  const reached = end ?? 'max-steps'
  const { dataset = '', licence = 'unknown' } = options.source ?? {}
  const trace: Trace = {
    id: `${problem.id}${options.prefix ? `@${options.prefix.length}` : ''}#${sample}`,
    problem,
    steps,
    ...(answer !== null && { answer }),
    ...(outcome !== undefined && { outcome }),
    usage,
    source: { generator: policy.name, dataset, licence },
    extra: { end: reached },
  }
  return { ok: true, trace, end: reached }
}

function outcomeOf(right: boolean | null): number | undefined {
  return right === null ? undefined : Number(right)
}

function stated(steps: readonly Step[], verifier: OutcomeCheck | undefined): string | null {
  return verifier?.answerOf(steps.map((step) => step.text)) ?? null
}

async function replay(
  environment: ActingEnvironment,
  problem: Problem,
  prefix: readonly Step[],
  seed: string,
  signal: AbortSignal | undefined,
): Promise<{ done: boolean; outcome?: number }> {
  await environment.reset(problem, seed)
  let last: { done: boolean; outcome?: number } = { done: false }
  for (const [at, step] of prefix.entries()) {
    if (!step.action) continue
    const observed = await environment.act(step.action, signal)
    if (step.observation !== undefined && step.observation !== observed.observation) {
      throw new GradusError('GRD-CORE-001', {
        where: { field: `steps[${at}].observation` },
        found: `another observation than the prefix holds, for ${canonicalJson(step.action).slice(0, 200)}`,
        expected: 'an environment that does the same again from the start',
      })
    }
    last = observed
  }
  return last
}
