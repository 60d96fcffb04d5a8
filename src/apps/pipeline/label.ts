import { availableParallelism } from 'node:os'
import { GradusError } from '../../core/errors.ts'
import type { Evidence, Label, Problem, Trace, Usage } from '../../core/words.ts'
import type { Engine } from '../../engine/engine.ts'
import { ordered } from '../../engine/ordered.ts'
import type { AnnotateContext, Annotator, Skipped } from '../../label/annotators/annotator.ts'
import { ANNOTATORS } from '../../label/annotators/index.ts'
import { RULES } from '../../label/rules/index.ts'
import type { LabelRule } from '../../label/rules/rule.ts'
import { toolReliability } from '../../label/rules/tool-reliability.ts'
import { risksOf, verdictFromRisks } from '../../label/verdict.ts'

/**
 * Annotators by name; `arithmetic` is short for `verifier:arithmetic`.
 * @throws GradusError GRD-LABEL-001
 */
export function annotatorsNamed(names: readonly string[]): Annotator[] {
  return names.map((name) => {
    const found = ANNOTATORS.find((a) => a.name === name || a.name === `verifier:${name}`)
    if (found) return found
    throw new GradusError('GRD-LABEL-001', {
      found: name,
      expected: `one of ${ANNOTATORS.map((a) => a.name).join(', ')}`,
      try: ['gradus methods annotators'],
    })
  })
}

/** A label rule with its options. */
export interface BoundRule {
  rule: LabelRule
  options: Record<string, unknown>
}

/** What tools found, weighed by their reliability: the rule of a run without rollouts. */
const BY_TOOLS: BoundRule = { rule: toolReliability, options: toolReliability.options.parse({}) }

/** The annotator with options other than its defaults. */
export function bind(annotator: Annotator, options: unknown): Annotator {
  const { expect, explore } = annotator
  return {
    ...annotator,
    ...(expect && { expect: (trace) => expect(trace, options) }),
    ...(explore && { explore: (problem, most, context) => explore(problem, most, context, options) }),
    annotate: (trace, context) => annotator.annotate(trace, context, options),
  }
}

/**
 * One trace with fresh evidence, labels and a verdict. What the file brought along stays; it is not looked at.
 * Annotators that need a policy are passed over where there is none.
 */
export async function labelTrace(
  trace: Trace,
  annotators: readonly Annotator[],
  context: AnnotateContext,
  rule = BY_TOOLS,
): Promise<Trace> {
  const fresh = await evidenceFor(trace, annotators, context)
  return byRule({ ...trace, evidence: [...keptEvidence(trace, annotators), ...fresh] }, fresh, rule)
}

async function evidenceFor(
  trace: Trace,
  annotators: readonly Annotator[],
  context: AnnotateContext,
): Promise<Evidence[]> {
  const fresh: Evidence[] = []
  for (const annotator of annotators) {
    if (annotator.runsCode && !context.allowCode) continue
    if (annotator.needs.some((need) => need === 'policy' || need === 'logprobs') && !context.policy) continue
    if (annotator.needs.includes('reward') && !context.rewards) continue
    if (!annotator.applies(trace)) continue
    const spend = (usage: Usage): void => context.spend(usage, annotator.name)
    fresh.push(...(await annotator.annotate(trace, { ...context, spend })))
  }
  return fresh
}

/** New labels and verdict from the evidence that a trace already carries: no model, no tool. */
export function relabelTrace(trace: Trace, rule: BoundRule): Trace {
  return byRule(trace, trace.evidence ?? [], rule)
}

function byRule(trace: Trace, evidence: readonly Evidence[], { rule, options }: BoundRule): Trace {
  const stepLabels = rule.apply(trace.steps.length, evidence, options)
  const verdict = verdictFromRisks(risksOf(stepLabels), rule.name)
  const said = stepLabels.filter((l) => l.value !== null)
  return { ...trace, labels: [...keptLabels(trace), ...firstErrorLabel(verdict.firstError, rule), ...said], verdict }
}

/**
 * Traces labelled side by side, as many as there are cores; the result keeps their order. Only code that runs in the
 * sandbox gains by it, since everything else is computed here.
 */
export async function labelTraces(
  traces: readonly Trace[],
  annotators: readonly Annotator[],
  context: AnnotateContext,
  rule = BY_TOOLS,
): Promise<Trace[]> {
  const done: Trace[] = []
  const work = (trace: Trace): Promise<Trace> => labelTrace(trace, annotators, context, rule)
  for await (const trace of ordered(traces, work, availableParallelism())) done.push(trace)
  return done
}

/** A labelled trace, or why the run ended before it was one. */
type Labelled = { ok: true; trace: Trace } | { ok: false; error: GradusError }

interface LabelEachOptions {
  annotators: readonly Annotator[]
  context: AnnotateContext
  rule: BoundRule
  /** Who pays for rollouts; none where nobody rolls out. */
  engine: Engine | null
}

/**
 * Traces labelled as they come, in their order. With an engine as many at a time as keep it busy; once it has stopped
 * (budget, Ctrl-C) no trace is begun, and those that lack rollouts for that reason come as errors: labels from half of
 * the evidence would be taken for the last word.
 */
export async function* labelEach(
  traces: Iterable<Trace> | AsyncIterable<Trace>,
  { annotators, context, rule, engine }: LabelEachOptions,
): AsyncGenerator<Labelled, void, void> {
  const paced = engine ? pacedByCores(annotators) : annotators
  const work = async (trace: Trace): Promise<Labelled> => {
    try {
      return { ok: true, trace: await labelTrace(trace, paced, context, rule) }
    } catch (error) {
      if (error instanceof GradusError && error.code.startsWith('GRD-RUN-')) return { ok: false, error }
      throw error
    }
  }
  yield* engine ? engine.each(traces, work, engine.concurrency) : ordered(traces, work, availableParallelism())
}

/** The labelled runs of one problem, taken out of the tree that was grown over it, or why the run ended before. */
type ExploredProblem =
  | { ok: true; problem: Problem; traces: Trace[]; skipped?: Skipped }
  | { ok: false; error: GradusError }

interface ExploreOptions extends LabelEachOptions {
  explorer: Required<Pick<Annotator, 'name' | 'explore'>>
  engine: Engine
  /** Traces of a problem at most. */
  most: number
  /** Of the problems. */
  source: Pick<Trace['source'], 'dataset' | 'licence'>
}

/**
 * Problems explored as they come, in their order, and the runs that are taken out of their trees labelled: by the
 * evidence of the tree, and by the other annotators, which look at each of them.
 */
export async function* exploreEach(
  problems: Iterable<Problem>,
  { explorer, annotators, context, rule, engine, most, source }: ExploreOptions,
): AsyncGenerator<ExploredProblem, void, void> {
  const paced = pacedByCores(annotators)
  const spend = (usage: Usage): void => context.spend(usage, explorer.name)
  const work = async (problem: Problem): Promise<ExploredProblem> => {
    try {
      const { runs, skipped } = await explorer.explore(problem, most, { ...context, spend })
      const traces = runs.map(async ({ evidence, ...run }, i): Promise<Trace> => {
        const trace: Trace = {
          id: `${problem.id}#${i}`,
          problem,
          ...run,
          source: { generator: context.policy?.name ?? '', ...source },
        }
        const all = [...evidence, ...(await evidenceFor(trace, paced, context))]
        return byRule({ ...trace, evidence: all }, all, rule)
      })
      return { ok: true, problem, traces: await Promise.all(traces), ...(skipped && { skipped }) }
    } catch (error) {
      if (error instanceof GradusError && error.code.startsWith('GRD-RUN-')) return { ok: false, error }
      throw error
    }
  }
  yield* engine.each(problems, work, engine.concurrency)
}

/** As `labelEach`, from the evidence that the traces carry. */
export async function* relabelEach(
  traces: AsyncIterable<Trace>,
  rule: BoundRule,
): AsyncGenerator<Labelled, void, void> {
  for await (const trace of traces) yield { ok: true, trace: relabelTrace(trace, rule) }
}

/** The annotators with the code of traces run on as many cores as there are, however many traces are under way. */
export function pacedByCores(annotators: readonly Annotator[]): Annotator[] {
  return corePacer()(annotators)
}

/** The same for annotators of several runs that share the cores. */
export function corePacer(): (annotators: readonly Annotator[]) => Annotator[] {
  const cores = gate(availableParallelism())
  return (annotators) => annotators.map((a) => (a.runsCode ? { ...a, annotate: cores(a.annotate) } : a))
}

/** Lets so many calls of a function run at a time. */
function gate(most: number): <A extends unknown[], R>(work: (...args: A) => Promise<R>) => (...args: A) => Promise<R> {
  let running = 0
  const waiting: (() => void)[] = []
  return (work) =>
    async (...args) => {
      while (running >= most) await new Promise<void>((go) => waiting.push(go))
      running++
      try {
        return await work(...args)
      } finally {
        running--
        waiting.shift()?.()
      }
    }
}

/** Relabelling replaces an annotator's older evidence. */
function keptEvidence(trace: Trace, annotators: readonly Annotator[]): Evidence[] {
  return (trace.evidence ?? []).filter((e) => !annotators.some((a) => a.name === e.source))
}

/** Labels that a rule made earlier give way to new ones; others stay. */
function keptLabels(trace: Trace): Label[] {
  return (trace.labels ?? []).filter((l) => !RULES.some((rule) => rule.name === l.source))
}

function firstErrorLabel(firstError: number | null, rule: LabelRule): Label[] {
  if (firstError === null) return []
  return [{ meaning: 'first-error', value: firstError, source: rule.name }]
}
