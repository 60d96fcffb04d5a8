import { GradusError } from '../../core/errors.ts'
import type { StepLabel, Trace } from '../../core/words.ts'
import type { Format } from './format.ts'

/**
 * The first wrong step that a trace states: its first-error label, else its verdict.
 * @throws GradusError GRD-IO-011 where the trace says nothing about it
 */
export function importedFirstError(trace: Trace, format: string): number {
  const label = trace.labels?.find((l) => l.meaning === 'first-error')
  const value = label?.value ?? trace.verdict?.firstError
  if (value === undefined || value === null)
    throw cannotHold(trace, format, 'no first wrong step', 'a first-error label')
  return value
}

/** Correctness labels by step; undefined where a step has none. */
export function correctnessByStep(trace: Trace): (StepLabel | undefined)[] {
  const out: (StepLabel | undefined)[] = new Array(trace.steps.length).fill(undefined)
  for (const label of trace.labels ?? []) {
    if (label.meaning === 'correctness') out[label.step] = label
  }
  return out
}

/** @param instead further commands or hints */
export function cannotHold(
  trace: Trace,
  format: string,
  found: string,
  expected: string,
  ...instead: string[]
): GradusError {
  return new GradusError('GRD-IO-011', {
    where: { field: `trace ${trace.id}` },
    found: `${format}: ${found}`,
    expected,
    try: [...instead, 'write the native format instead: -o OUT.jsonl'],
  })
}

/** @throws GradusError GRD-IO-011 */
export function recordsOf(format: Format, traces: readonly Trace[]): unknown[] {
  const [trace] = traces
  if (trace && !format.write)
    throw cannotHold(trace, format.name, 'a format that is only read', 'a format with a writer')
  return format.write?.(traces) ?? []
}
