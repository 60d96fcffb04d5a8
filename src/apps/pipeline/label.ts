import { availableParallelism } from 'node:os'
import { GradusError } from '../../core/errors.ts'
import type { Evidence, Label, Trace } from '../../core/words.ts'
import type { AnnotateContext, Annotator } from '../../label/annotators/annotator.ts'
import { ANNOTATORS } from '../../label/annotators/index.ts'
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

/**
 * One trace with fresh evidence, labels and a verdict. What the file brought along stays; it is not looked at.
 */
export async function labelTrace(
  trace: Trace,
  annotators: readonly Annotator[],
  context: AnnotateContext,
): Promise<Trace> {
  const fresh: Evidence[] = []
  for (const annotator of annotators) {
    if (annotator.runsCode && !context.allowCode) continue
    if (annotator.applies(trace)) fresh.push(...(await annotator.annotate(trace, context)))
  }
  const stepLabels = toolReliability.apply(trace.steps.length, fresh, toolReliability.options.parse({}))
  const verdict = verdictFromRisks(risksOf(stepLabels), toolReliability.name)
  const said = stepLabels.filter((l) => l.value !== null)
  return {
    ...trace,
    evidence: [...keptEvidence(trace, annotators), ...fresh],
    labels: [...keptLabels(trace), ...firstErrorLabel(verdict.firstError), ...said],
    verdict,
  }
}

/**
 * Traces labelled side by side, as many as there are cores; the result keeps their order. Only code that runs in the
 * sandbox gains by it, since everything else is computed here.
 */
export async function labelTraces(
  traces: readonly Trace[],
  annotators: readonly Annotator[],
  context: AnnotateContext,
): Promise<Trace[]> {
  const done: Trace[] = new Array(traces.length)
  const queue = traces.entries()
  const worker = async (): Promise<void> => {
    for (const [i, trace] of queue) done[i] = await labelTrace(trace, annotators, context)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return done
}

/** Relabelling replaces an annotator's older evidence. */
function keptEvidence(trace: Trace, annotators: readonly Annotator[]): Evidence[] {
  return (trace.evidence ?? []).filter((e) => !annotators.some((a) => a.name === e.source))
}

function keptLabels(trace: Trace): Label[] {
  return (trace.labels ?? []).filter((l) => l.source !== toolReliability.name)
}

function firstErrorLabel(firstError: number | null): Label[] {
  if (firstError === null) return []
  return [{ meaning: 'first-error', value: firstError, source: toolReliability.name }]
}
