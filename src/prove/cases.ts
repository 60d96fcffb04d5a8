import { z } from 'zod'
import { GradusError } from '../core/errors.ts'
import { random } from '../core/seeds.ts'
import { questionKey, questionOf } from '../core/split.ts'
import type { Label, StepLabel, Trace } from '../core/words.ts'

/** The classes that a step can have; their order is the order of class indices everywhere in this room. */
export const STEP_CLASSES = ['wrong', 'neutral', 'right'] as const
export type StepClassName = (typeof STEP_CLASSES)[number]

/** What people (or a rule that defines the set) say of a trace. */
export interface Gold {
  /** -1 = no error; null = the set does not say. */
  firstError: number | null
  /** One a step; undefined = not labelled. */
  classes: (StepClassName | undefined)[]
  /** What people said of single aspects; empty where the set has none. */
  ratings: Rating[]
}

/** One person's (or the majority's) word on one aspect of a step or, without step, of the whole trace. */
export interface Rating {
  aspect: string
  step: number | null
  /** A grade as the set has it; for yes/no aspects, 1 = yes. */
  value: number
  /** Is a high value good? Yes/no aspects name flaws. */
  graded: boolean
}

/** What a predictor says of a trace. */
export interface Prediction {
  /** -1 = no error; null = cannot say, which counts as wrong where a rule needs an answer. */
  firstError: number | null
  /** P(step is wrong); null = cannot say. */
  risk: (number | null)[]
  /** P(class) a step, in the order of `STEP_CLASSES`, where the predictor has classes; null = cannot say. */
  classes: (readonly number[] | null)[]
  /** Was the stated reason for the first error found right by a grader? Absent where nobody graded it. */
  reasonRight?: boolean
}

/** One trace with its gold labels, and what makes it the same question as others. */
export interface Case {
  trace: Trace
  gold: Gold
  question: string
}

export interface Predictor {
  name: string
  /** Is it a trivial row, shown for comparison? */
  trivial: boolean
  /** One prediction a case; null = the predictor's file has no such trace. */
  predictions: (Prediction | null)[]
}

/**
 * Cases from the traces that carry gold labels: those of people before imported ones, never any other.
 * @throws GradusError GRD-EVAL-001 where no trace has any
 */
export function casesOf(traces: readonly Trace[], file: string): Case[] {
  const cases = traces.flatMap((trace): Case[] => {
    const gold = goldOf(trace)
    return gold === null ? [] : [{ trace, gold, question: questionKey(questionOf(trace.problem)) || trace.problem.id }]
  })
  if (cases.length > 0) return cases
  throw new GradusError('GRD-EVAL-001', {
    where: { file },
    found: `${traces.length} traces without labels of people or of a published set`,
    expected: 'a file with gold labels, as ProcessBench',
    try: ['gradus eval PREDICTED.jsonl --gold PEOPLE.jsonl', `gradus inspect ${file}`],
  })
}

export function goldOf(trace: Trace): Gold | null {
  const labels = trace.labels ?? []
  const people = labels.filter((l) => l.source.startsWith('human:'))
  const given = people.length > 0 ? people : labels.filter((l) => l.source.startsWith('imported:'))
  const ratings = ratingsOf(trace)
  return given.length === 0 && ratings.length === 0 ? null : { ...fromLabels(given, trace.steps.length), ratings }
}

const AspectRating = z.object({ aspect: z.string(), majority_human: z.union([z.number(), z.enum(['yes', 'no'])]) })

function ratingsOf(trace: Trace): Rating[] {
  return (trace.evidence ?? []).flatMap((e): Rating[] => {
    const rated = e.kind === 'imported' ? AspectRating.safeParse(e.raw) : null
    if (e.kind !== 'imported' || !rated?.success) return []
    const { aspect, majority_human: said } = rated.data
    const graded = typeof said === 'number'
    return [{ aspect, step: e.step, value: graded ? said : Number(said === 'yes'), graded }]
  })
}

function fromLabels(labels: readonly Label[], steps: number): Omit<Gold, 'ratings'> {
  const classes: Gold['classes'] = new Array(steps).fill(undefined)
  let firstError: number | null = null
  for (const label of labels) {
    if (label.meaning === 'first-error') firstError = label.value
    else if (label.meaning === 'correctness') classes[label.step] = classOf(label)
  }
  return { firstError, classes }
}

function classOf(label: StepLabel): StepClassName | undefined {
  if (label.value !== null) return label.value >= 0.5 ? 'right' : 'wrong'
  return label.reason === 'neutral' ? 'neutral' : undefined
}

/** What a trace of a predictor's file says: its verdict, else its labels (a judge's own file). */
export function predictionOf(trace: Trace): Prediction {
  if (trace.verdict) {
    const { risk, firstError, classes } = trace.verdict
    return {
      firstError,
      risk,
      classes: risk.map((r, step) => {
        const named = classes?.[step]
        if (named) return STEP_CLASSES.map((name) => named[name] ?? 0)
        return r === null ? null : [r, 0, 1 - r]
      }),
      ...reasonOf(trace),
    }
  }
  const said = fromLabels(trace.labels ?? [], trace.steps.length)
  return {
    firstError: said.firstError,
    risk: said.classes.map((c) => (c === undefined ? null : c === 'wrong' ? 1 : 0)),
    classes: said.classes.map((c) => (c === undefined ? null : STEP_CLASSES.map((name) => (name === c ? 1 : 0)))),
  }
}

/** The grade of the stated reason, as MR-GSM8K's files of judges carry it. */
function reasonOf(trace: Trace): Pick<Prediction, 'reasonRight'> {
  const grade = trace.extra?.error_reason_correctness
  return typeof grade === 'string' ? { reasonRight: grade.toLowerCase() === 'correct' } : {}
}

/**
 * Predictions joined to the cases by trace id.
 * @throws GradusError GRD-EVAL-002 where no id is shared
 */
export function predictorOf(name: string, traces: readonly Trace[], cases: readonly Case[]): Predictor {
  const byId = new Map(traces.map((t) => [t.id, t]))
  const predictions = cases.map(({ trace }) => {
    const found = byId.get(trace.id)
    return found === undefined ? null : aligned(predictionOf(found), found, trace)
  })
  if (predictions.some((p) => p !== null)) return { name, trivial: false, predictions }
  throw new GradusError('GRD-EVAL-002', {
    where: { file: name },
    found: `ids such as ${traces[0]?.id ?? '(no trace)'}`,
    expected: `ids such as ${cases[0]?.trace.id ?? '(no case)'}`,
    try: ['gradus inspect both files'],
  })
}

/** Steps are joined by their origin where both sides have one, else by position. */
function aligned(prediction: Prediction, from: Trace, to: Trace): Prediction {
  const byOrigin = from.steps.every((s) => s.origin !== undefined) && to.steps.every((s) => s.origin !== undefined)
  if (!byOrigin) return prediction
  const position = new Map(from.steps.map((s, i) => [s.origin, i]))
  const source = to.steps.map((s) => position.get(s.origin))
  const pick = <T>(values: readonly (T | null)[]): (T | null)[] =>
    source.map((i) => (i === undefined ? null : (values[i] ?? null)))
  const first = prediction.firstError
  const mapped = first === null || first === -1 ? first : source.indexOf(first)
  return {
    ...prediction,
    firstError: mapped === -1 && first !== -1 ? null : mapped,
    risk: pick(prediction.risk),
    classes: pick(prediction.classes),
  }
}

/** The rows that any method must beat: always clean, first step, last step, a random entry. */
export function trivialPredictors(cases: readonly Case[]): Predictor[] {
  const draw = random('eval/random-step')
  const row = (name: string, firstError: (steps: number) => number): Predictor => ({
    name,
    trivial: true,
    predictions: cases.map(({ trace }) => certain(firstError(trace.steps.length), trace.steps.length)),
  })
  return [
    row('always clean', () => -1),
    row('step 0', () => 0),
    row('last step', (n) => n - 1),
    row('random', (n) => draw.below(n + 1) - 1),
  ]
}

function certain(firstError: number, steps: number): Prediction {
  const risk = Array.from({ length: steps }, (_, t) => (t === firstError ? 1 : 0))
  return { firstError, risk, classes: risk.map((r) => [r, 0, 1 - r]) }
}
