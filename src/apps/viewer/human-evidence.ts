import type { Evidence, Label, Trace } from '../../core/words.ts'
import type { Given } from './labels.ts'

/**
 * The trace with what people said of it as evidence of source `human:<name>`, and the labels that follow.
 *
 * A first error speaks for the steps before it: those without a label of their own count as correct; with "no error"
 * all do. Labels come from the adjudication where there is one, else from the one person, else from all together: what
 * they differ on has no value (`sources-disagree`).
 * @param given finished labels and adjudications, oldest first
 */
export function withHumanEvidence(trace: Trace, given: readonly Given[]): Trace {
  const done = given.filter((g) => g.state === 'done')
  const decided = given.findLast((g) => g.state === 'adjudicated')
  const steps = trace.steps.length
  const voices = decided === undefined ? done : [decided]
  const source = sourceOf(voices)
  return {
    ...trace,
    evidence: [
      ...(trace.evidence ?? []),
      ...done.flatMap((g) => evidenceOf(g, steps, `human:${g.person}`)),
      ...(decided === undefined ? [] : evidenceOf(decided, steps, `human:${decided.person} (adjudication)`)),
    ],
    labels: [...(trace.labels ?? []), ...labelsOf(voices, steps, source)],
  }
}

/** Were the labels given to a trace of so many steps? If not, it has been changed since under the same id. */
export function fits({ labels }: Given, steps: number): boolean {
  return labels.length === steps
}

type Verdict = 'correct' | 'neutral' | 'incorrect'

/** One entry a step: undefined = said nothing, null = cannot say. */
function verdictsOf({ labels, firstError }: Given, steps: number): (Verdict | null | undefined)[] {
  return Array.from({ length: steps }, (_, step) => {
    const label = labels[step] ?? null
    if (label === 'unsure') return null
    if (label !== null) return label
    if (firstError === null) return undefined
    if (firstError === -1 || step < firstError) return 'correct'
    return step === firstError ? 'incorrect' : undefined
  })
}

function evidenceOf(given: Given, steps: number, source: string): Evidence[] {
  const verdicts = verdictsOf(given, steps)
  const said = verdicts.flatMap((verdict, step) => (verdict === undefined ? [] : [{ step, verdict }]))
  const place = given.firstError !== null && given.firstError >= 0 ? given.firstError : (said.at(-1)?.step ?? -1)
  const noted = given.note === '' ? {} : { note: given.note }
  return said.map(({ step, verdict }) => ({ kind: 'human', source, step, verdict, ...(step === place && noted) }))
}

/** The first error that a person names, or that follows from their steps; undefined where neither is so. */
function firstErrorOf(given: Given, steps: number): number | undefined {
  if (given.firstError !== null) return given.firstError
  const verdicts = verdictsOf(given, steps)
  const first = verdicts.indexOf('incorrect')
  const before = first < 0 ? verdicts : verdicts.slice(0, first)
  return before.every((v) => v === 'correct' || v === 'neutral') ? first : undefined
}

function labelsOf(voices: readonly Given[], steps: number, source: string): Label[] {
  const labels: Label[] = []
  const firsts = new Set(voices.map((v) => firstErrorOf(v, steps)).filter((f) => f !== undefined))
  const [first] = firsts
  if (first !== undefined) {
    labels.push(
      firsts.size === 1
        ? { meaning: 'first-error', value: first, source }
        : { meaning: 'first-error', value: null, reason: 'sources-disagree', source },
    )
  }
  const verdicts = voices.map((v) => verdictsOf(v, steps))
  for (let step = 0; step < steps; step++) {
    const said = new Set(verdicts.map((v) => v[step]).filter((v) => v !== undefined && v !== null))
    const head = { step, meaning: 'correctness', source } as const
    const [verdict] = said
    if (said.size > 1) labels.push({ ...head, value: null, reason: 'sources-disagree' })
    else if (verdict === 'neutral') labels.push({ ...head, value: null, reason: 'neutral', classes: { neutral: 1 } })
    else if (verdict !== undefined) labels.push({ ...head, value: verdict === 'correct' ? 1 : 0 })
    else if (firsts.size === 1 && first! >= 0 && step > first!) {
      labels.push({ ...head, value: null, reason: 'after-first-error' })
    }
  }
  return labels
}

function sourceOf(voices: readonly Given[]): string {
  return `human:${[...new Set(voices.map((v) => v.person))].join('+')}`
}
