import type { Evidence, Trace } from '../../../../core/words.ts'
import type { Given } from '../api.generated.ts'
import { type Findings, findings } from './findings.ts'

/** Findings of a trace with what people said of it in this viewer beside those of its file. */
export function allFindings(trace: Trace, people: readonly Given[]): Findings {
  const given = people.filter((g) => g.state === 'done' || g.state === 'adjudicated')
  const evidence = given.flatMap(asEvidence)
  const found = findings({ ...trace, evidence: [...(trace.evidence ?? []), ...evidence] })
  const firstErrors = given.flatMap((g) => (g.firstError === null ? [] : [{ source: nameOf(g), value: g.firstError }]))
  return { ...found, firstErrors: [...found.firstErrors, ...firstErrors] }
}

function asEvidence(given: Given): Evidence[] {
  return given.labels.flatMap((label, step): Evidence[] =>
    label === null
      ? []
      : [
          {
            kind: 'human',
            source: nameOf(given),
            step,
            verdict: label === 'unsure' ? null : label,
            ...note(given, step),
          },
        ],
  )
}

/** The note stands with the step that it most likely is about. */
function note(given: Given, step: number): { note?: string } {
  const about = given.firstError !== null && given.firstError >= 0 ? given.firstError : given.labels.findIndex(Boolean)
  return given.note !== '' && step === about ? { note: given.note } : {}
}

function nameOf(given: Given): string {
  return `human:${given.person}${given.state === 'adjudicated' ? ' (adjudicated)' : ''}`
}
