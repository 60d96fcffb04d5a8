import { GradusError } from '../../core/errors.ts'
import { Trace } from '../../core/words.ts'
import { type At, type Format, hasFields, parseRecord, place, share } from './format.ts'

/** The words of Gradus themselves, one trace a line. */
export const native: Format = {
  name: 'gradus',
  summary: 'native traces: steps, evidence, labels and verdict',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'id', 'problem', 'steps', 'source')),
  read: (record, at) => [aligned(parseRecord(Trace, record, at), at)],
  write: (traces) => [...traces],
}

/**
 * Labels, evidence and risks belong to steps that are there.
 * @throws GradusError GRD-IO-003 that names the field
 */
function aligned(trace: Trace, at: At): Trace {
  const n = trace.steps.length
  const refuse = (field: string, found: string): never => {
    throw new GradusError('GRD-IO-003', {
      where: place(at, field),
      found,
      expected: `what fits the ${n} steps of ${trace.id}`,
      try: ['label the trace anew, or mend the field'],
    })
  }
  trace.labels?.forEach((label, i) => {
    const step = label.meaning === 'first-error' ? (label.value ?? -1) : label.step
    if (step >= n) refuse(`labels.${i}`, `step ${step}`)
  })
  trace.evidence?.forEach((evidence, i) => {
    if (evidence.step !== null && (evidence.step >= n || evidence.step < -1)) {
      refuse(`evidence.${i}`, `step ${evidence.step}`)
    }
  })
  const { verdict } = trace
  if (verdict && verdict.risk.length !== n) refuse('verdict.risk', `${verdict.risk.length} entries`)
  if (verdict && verdict.firstErrorProb.length !== n + 1) {
    refuse('verdict.firstErrorProb', `${verdict.firstErrorProb.length} entries`)
  }
  if (verdict && (verdict.firstError ?? -1) >= n) refuse('verdict.firstError', `step ${verdict.firstError}`)
  return trace
}
