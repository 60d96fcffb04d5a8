import { GradusError } from '../../core/errors.ts'
import type { Step, Trace } from '../../core/words.ts'
import { SPLITTERS } from './index.ts'
import type { Splitter } from './splitter.ts'

/** @throws GradusError GRD-LABEL-001 */
export function splitterNamed(name: string): Splitter {
  const found = SPLITTERS.find((s) => s.name === name)
  if (found) return found
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `one of ${SPLITTERS.map((s) => s.name).join(', ')}`,
    try: ['gradus methods splitters'],
  })
}

/**
 * The trace with its thoughts and answers cut into smaller steps; actions and observations stay as they are. Joining
 * the pieces of a step gives its text again; a piece's `origin` is the step that it comes from.
 * @throws GradusError GRD-IO-003 for a trace with labels: they belong to the steps as they are
 */
export async function resplit(trace: Trace, splitter: Splitter): Promise<Trace> {
  if (splitter.name === 'existing') return trace
  if ((trace.labels?.length ?? 0) > 0 || trace.verdict) {
    throw new GradusError('GRD-IO-003', {
      where: { field: `trace ${trace.id}` },
      found: 'labels for the steps as they are',
      expected: 'a trace without labels, if its steps are to be cut',
      try: ['--split existing'],
    })
  }
  const steps: Step[] = []
  for (const [origin, step] of trace.steps.entries()) {
    const pieces = step.action || step.kind === 'observation' ? [step.text] : await splitter.split(step.text)
    if (pieces.length <= 1) steps.push(step)
    else
      for (const text of pieces)
        steps.push({ text, kind: step.kind, origin, ...(step.agent !== undefined && { agent: step.agent }) })
  }
  return { ...trace, steps }
}
