import { type Evidence, Label, type Trace } from '../../core/words.ts'
import type { At } from './format.ts'
import { asNumber, asText, pick, present, unwrapJson } from './loose.ts'
import type { Span } from './span.ts'

/** An evaluation of a run, in OpenInference's way or as Gradus writes it; what happens below it is not part of the run. */
export const isEvaluator = ({ attributes }: Span): boolean =>
  attributes['openinference.span.kind'] === 'EVALUATOR' || attributes['gradus.label'] !== undefined

/**
 * What EVALUATOR spans say: each is evidence about the step of the span above it, or about the whole trace; those that
 * were written from labels are the labels again.
 */
export function readEvaluations(evaluators: readonly Span[], trace: Trace, at: At): Pick<Trace, 'evidence' | 'labels'> {
  const evidence: Evidence[] = []
  const labels: Label[] = []
  for (const { attributes, parent } of evaluators) {
    const label = Label.safeParse(unwrapJson(attributes['gradus.label']))
    if (label.success && fits(label.data, trace)) labels.push(label.data)
    const about = trace.steps.findIndex((s) => parent !== undefined && String(s.origin).startsWith(`${parent}.`))
    const step = label.success ? ('step' in label.data ? label.data.step : null) : about === -1 ? null : about
    evidence.push(
      present<Extract<Evidence, { kind: 'imported' }>>({
        kind: 'imported',
        source: label.success
          ? label.data.source
          : `imported:${asText(pick(attributes, 'gen_ai.evaluation.name', 'eval.name')) ?? 'evaluator'}`,
        step,
        raw:
          pick(
            attributes,
            'gen_ai.evaluation.score.value',
            'gen_ai.evaluation.score.label',
            'eval.score',
            'output.value',
          ) ?? null,
        reason: asText(pick(attributes, 'gen_ai.evaluation.explanation', 'eval.explanation')),
        file: at.file,
        row: at.line,
      }),
    )
  }
  return { ...(evidence.length > 0 && { evidence }), ...(labels.length > 0 && { labels }) }
}

function fits(label: Label, trace: Trace): boolean {
  return label.meaning === 'first-error' ? (label.value ?? -1) < trace.steps.length : label.step < trace.steps.length
}

/** Success of the run as Gradus writes it. */
export function readOutcome(spans: readonly Span[]): number | undefined {
  const outcome = spans.map((s) => asNumber(s.attributes['gradus.outcome'])).find((o) => o !== undefined)
  return outcome !== undefined && outcome >= 0 && outcome <= 1 ? outcome : undefined
}
