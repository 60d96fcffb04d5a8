import { GradusError } from '../../core/errors.ts'
import type { Evidence, Label, StepLabel } from '../../core/words.ts'
import { type At, place } from './format.ts'

/** Evidence and labels that a file brings along. */
export interface Imported {
  evidence: Evidence[]
  labels: Label[]
}

/**
 * Labels from "the first wrong step is k" (from 0; -1 = no error), as most step-labelled sets have it.
 *
 * Steps before it are right, steps after it are not labelled (`after-first-error`).
 * @param raw the value exactly as the file has it
 * @throws GradusError GRD-IO-003 where the index does not fit the steps
 */
export function importFirstError(
  firstError: number,
  steps: number,
  at: At,
  source: { dataset: string; field: string; raw: unknown; annotator?: string; reason?: string },
): Imported {
  if (!Number.isInteger(firstError) || firstError < -1 || firstError >= steps) {
    throw labelsDoNotMatch(at, source.field, source.raw, steps)
  }
  const name = `imported:${source.dataset}`
  const labels: Label[] = [{ meaning: 'first-error', value: firstError, source: name }]
  for (let step = 0; step < steps; step++) {
    const head = { step, meaning: 'correctness', source: name } as const
    if (firstError === -1 || step < firstError) labels.push({ ...head, value: 1 })
    else if (step === firstError) labels.push({ ...head, value: 0 })
    else labels.push({ ...head, value: null, reason: 'after-first-error' })
  }
  return { evidence: [importedEvidence(null, source.raw, at, source)], labels }
}

/** What a source says of one step; `neutral` is neither right nor wrong. */
export type StepClass = 'right' | 'neutral' | 'wrong'

/**
 * Labels for steps that are each judged by themselves.
 * @param classes undefined = the source does not label the step, null = what it says could not be read
 */
export function importStepClasses(
  classes: readonly (StepClass | null | undefined)[],
  raws: readonly unknown[],
  at: At,
  source: { dataset: string; annotator?: string; reasons?: readonly (string | undefined)[] },
): Imported {
  const name = `imported:${source.dataset}`
  const evidence: Evidence[] = []
  const labels: Label[] = []
  let firstError = -1
  classes.forEach((klass, step) => {
    if (klass === undefined) return
    const reason = source.reasons?.[step]
    evidence.push(importedEvidence(step, raws[step], at, { ...source, ...(reason !== undefined && { reason }) }))
    labels.push(stepLabel(step, klass, name))
    if (klass === 'wrong' && firstError === -1) firstError = step
  })
  if (evidence.length > 0) labels.unshift({ meaning: 'first-error', value: firstError, source: name })
  return { evidence, labels }
}

/** One step's label; a neutral step has no value but a class. */
function stepLabel(step: number, klass: StepClass | null, source: string): StepLabel {
  const head = { step, meaning: 'correctness', source } as const
  if (klass === null) return { ...head, value: null, reason: 'parse-failure' }
  if (klass === 'neutral') return { ...head, value: null, reason: 'neutral', classes: { neutral: 1 } }
  return { ...head, value: klass === 'right' ? 1 : 0 }
}

export function importedEvidence(
  step: number | null,
  raw: unknown,
  at: At,
  source: { dataset: string; annotator?: string; reason?: string },
): Evidence {
  return {
    kind: 'imported',
    source: `imported:${source.dataset}`,
    step,
    raw,
    file: at.file,
    row: at.line,
    ...(source.annotator !== undefined && { annotator: source.annotator }),
    ...(source.reason !== undefined && { reason: source.reason }),
  }
}

/**
 * The labels, or none where they do not fit the steps: the error is counted, the trace itself can still be used.
 */
export function orUnlabelled(at: At, read: () => Imported): Imported {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof GradusError) || error.code !== 'GRD-IO-003') throw error
    at.reject(error)
    return { evidence: [], labels: [] }
  }
}

export function labelsDoNotMatch(at: At, field: string, raw: unknown, steps: number): GradusError {
  return new GradusError('GRD-IO-003', {
    where: place(at, field),
    found: `label ${JSON.stringify(raw)}, but the trace has ${steps} steps`,
    expected: `-1 (no error) or 0 to ${steps - 1}, counted from 0`,
    try: [`gradus inspect ${at.file}   (shows the base of the labels)`],
  })
}
