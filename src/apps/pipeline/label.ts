import { availableParallelism } from 'node:os'
import { GradusError } from '../../core/errors.ts'
import type { Evidence, Label, Trace } from '../../core/words.ts'
import type { AnnotateContext, Annotator } from '../../label/annotators/annotator.ts'
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
  const { expect } = annotator
  return {
    ...annotator,
    ...(expect && { expect: (trace) => expect(trace, options) }),
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
  const fresh: Evidence[] = []
  for (const annotator of annotators) {
    if (annotator.runsCode && !context.allowCode) continue
    if (annotator.needs.includes('policy') && !context.policy) continue
    if (annotator.applies(trace)) fresh.push(...(await annotator.annotate(trace, context)))
  }
  return byRule({ ...trace, evidence: [...keptEvidence(trace, annotators), ...fresh] }, fresh, rule)
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
  const done: Trace[] = new Array(traces.length)
  const queue = traces.entries()
  const worker = async (): Promise<void> => {
    for (const [i, trace] of queue) done[i] = await labelTrace(trace, annotators, context, rule)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return done
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
