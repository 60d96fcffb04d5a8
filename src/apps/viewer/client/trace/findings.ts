import type { Evidence, Label, StepLabel, Trace } from '../../../../core/words.ts'
import { share } from '../parts/words.ts'

/** How a source sees a step, for colour and sign; `open` = it looked and cannot say. */
export type Mark = 'good' | 'bad' | 'neutral' | 'open'

/** What one source says of one step: a chip to see, the evidence behind it to read. */
export interface Finding {
  source: string
  mark: Mark
  /** A word or figure: `5 of 8`, `wrong`, `.82`. */
  word: string
  evidence: Evidence[]
}

const SIGNS: Record<Mark, string> = { good: '✓', bad: '✗', neutral: '–', open: '?' }

/** Colour never stands alone. */
export function sign(mark: Mark): string {
  return SIGNS[mark]
}

/** Findings by step, each in order of first appearance of its source; `whole` is what was said of the trace. */
export interface Findings {
  steps: Finding[][]
  whole: Finding[]
  /** First wrong step by source: -1 = none, null = cannot say. */
  firstErrors: { source: string; value: number | null }[]
}

export function findings(trace: Pick<Trace, 'steps' | 'evidence' | 'labels'>): Findings {
  const steps: Finding[][] = trace.steps.map(() => [])
  const whole: Finding[] = []
  const firstErrors: Findings['firstErrors'] = []
  for (const e of trace.evidence ?? []) {
    // Rollouts from before the first step speak of the whole problem.
    const of = e.step === null || e.step < 0 ? whole : steps[e.step]
    if (of !== undefined) add(of, e.source, ofEvidence(e), e)
  }
  for (const label of trace.labels ?? []) {
    if (label.meaning === 'first-error') firstErrors.push({ source: label.source, value: label.value })
    else {
      const of = steps[label.step]
      if (of !== undefined) add(of, labelSource(label, of), ofLabel(label), null)
    }
  }
  return { steps, whole, firstErrors }
}

/** A label whose source also has evidence stands beside it under its own name. */
function labelSource(label: StepLabel, of: readonly Finding[]): string {
  return of.some((f) => f.source === label.source) ? `${label.source} (${label.meaning})` : label.source
}

function add(of: Finding[], source: string, seen: Pick<Finding, 'mark' | 'word'>, evidence: Evidence | null): void {
  const known = of.find((f) => f.source === source)
  if (known === undefined) of.push({ source, ...seen, evidence: evidence === null ? [] : [evidence] })
  else {
    if (evidence !== null) known.evidence.push(evidence)
    // Several looks of one source: the one that decided is shown, the last of those.
    if (seen.mark !== 'open') Object.assign(known, seen)
  }
}

function ofEvidence(e: Evidence): Pick<Finding, 'mark' | 'word'> {
  switch (e.kind) {
    case 'rollouts':
      return {
        mark: e.trials === 0 ? 'open' : e.successes === 0 ? 'bad' : 'good',
        word: `${e.successes} of ${e.trials}`,
      }
    case 'value':
      return { mark: e.value >= 0.5 ? 'good' : 'bad', word: share(e.value) }
    case 'likelihood':
      return { mark: 'open', word: ofRatios(e.ratios) }
    case 'score':
      return e.value === null
        ? { mark: 'open', word: 'cannot say' }
        : { mark: e.value >= 0.5 ? 'good' : 'bad', word: share(e.value) }
    case 'imported':
      return ofRaw(e.raw)
    case 'human':
      return e.verdict === null ? { mark: 'open', word: 'unsure' } : ofVerdict(e.verdict)
    default:
      return ofVerdict(e.verdict)
  }
}

/** The largest gain of log-likelihood for the rest of the reference. */
function ofRatios(ratios: readonly (number | null)[]): string {
  const known = ratios.filter((r) => r !== null)
  return known.length === 0 ? 'cannot say' : `${signed(Math.max(...known))} nats`
}

function ofVerdict(verdict: 'correct' | 'incorrect' | 'neutral' | 'unknown' | null): Pick<Finding, 'mark' | 'word'> {
  if (verdict === 'correct') return { mark: 'good', word: 'right' }
  if (verdict === 'incorrect') return { mark: 'bad', word: 'wrong' }
  if (verdict === 'neutral') return { mark: 'neutral', word: 'neutral' }
  return { mark: 'open', word: verdict === null ? 'unreadable' : 'cannot say' }
}

/** A raw value means what its file means by it: only booleans and the common -1 / 0 / 1 are given a colour. */
function ofRaw(raw: unknown): Pick<Finding, 'mark' | 'word'> {
  if (typeof raw === 'boolean') return { mark: raw ? 'good' : 'bad', word: raw ? 'yes' : 'no' }
  const text = typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? '')
  return { mark: 'open', word: text.length > 24 ? `${text.slice(0, 24)}…` : text }
}

function ofLabel(label: StepLabel): Pick<Finding, 'mark' | 'word'> {
  if (label.value === null) return { mark: label.reason === 'neutral' ? 'neutral' : 'open', word: label.reason ?? '?' }
  if (label.meaning === 'progress') {
    return { mark: label.value < 0 ? 'bad' : label.value > 0 ? 'good' : 'neutral', word: signed(label.value) }
  }
  const mark = label.value >= 0.5 ? 'good' : 'bad'
  const decided = label.meaning === 'correctness' && (label.value === 0 || label.value === 1)
  return { mark, word: decided ? (mark === 'good' ? 'right' : 'wrong') : share(label.value) }
}

function signed(value: number): string {
  return value > 0 ? `+${share(value)}` : share(value).replace('-', '−')
}

/** The step that is marked as first wrong: the verdict's, else the first label that names one. */
export function firstWrong(trace: {
  verdict?: Trace['verdict']
  labels?: readonly Label[] | undefined
}): number | null {
  const said = trace.verdict?.firstError
  if (said !== undefined && said !== null) return said
  for (const label of trace.labels ?? []) {
    if (label.meaning === 'first-error' && label.value !== null) return label.value
  }
  return null
}
