import { z } from 'zod'
import type { GradusError } from '../../core/errors.ts'
import type { Evidence, Trace } from '../../core/words.ts'
import { FIRST_ERROR_THRESHOLD } from '../../label/verdict.ts'
import { saying, spoken } from '../in-words.ts'
import { failedClaims } from './failed-claims.ts'
import { shortened, shownId } from './tool.ts'

/** What a model reads of one step and of one piece of evidence, characters. */
const STEP_CHARACTERS = 600
const EVIDENCE_CHARACTERS = 400
const CLAIMS = 5
/** Steps in doubt that are named, and steps of each kind that the text quotes. */
const DOUBTS = 100
const IN_WORDS = 5

const Shown = z.object({
  index: z.number().int().describe('from 0'),
  text: z.string(),
  verdict: z.enum(['correct', 'incorrect', 'unknown']),
  risk: z.number().nullable().describe('probability that this step is wrong; null = cannot say'),
  evidence: z.array(
    z.object({
      by: z.string(),
      verdict: z.enum(['correct', 'incorrect', 'neutral', 'unknown']).optional(),
      says: z.string(),
      failed: z
        .array(z.object({ found: z.string(), expected: z.string().optional() }))
        .optional()
        .describe('claims of the step that do not hold'),
    }),
  ),
})

export const FirstErrorAnswer = z.object({
  id: z.string(),
  firstError: z
    .number()
    .int()
    .min(-1)
    .nullable()
    .describe('index of the first wrong step, from 0; -1 = no step is wrong; null = cannot say'),
  reason: z.string(),
  probability: z.number().nullable().describe('of firstError; null where that is null'),
  counts: z.object({
    steps: z.number().int(),
    correct: z.number().int(),
    incorrect: z.number().int(),
    unknown: z.number().int().describe('nobody could decide them'),
  }),
  annotators: z
    .array(
      z.object({
        name: z.string(),
        decided: z.number().int(),
        silent: z.number().int(),
        why: z.string().optional().describe('of its silence, where it says: the most frequent reason'),
      }),
    )
    .describe('who looked, and on how many steps each could and could not say anything'),
  steps: z.array(Shown).describe('in the order of the run'),
  doubts: z
    .array(z.number().int())
    .describe('steps with a claim that does not hold but may follow from an earlier error: no votes, worth a look'),
  leftOut: z.number().int().describe('steps that are not shown'),
  problems: z.array(z.string()).describe('why an annotator could not look'),
})
export type FirstErrorAnswer = z.output<typeof FirstErrorAnswer>

type Shown = z.output<typeof Shown>
type ToolEvidence = Evidence & { kind: 'tool' }

/** What a look at a trace brought. */
export interface Looked {
  /** With evidence and a verdict. */
  trace: Trace
  /** Names of those who could look. */
  annotators: readonly string[]
  /** What tools saw of steps that they do not decide. */
  undecided: readonly ToolEvidence[]
  /** Why somebody could not look. */
  problems: readonly GradusError[]
}

/** @param most steps to show: the first wrong one, other wrong ones, those in doubt, decided ones, then the rest */
export function firstErrorAnswer({ trace, annotators, undecided, problems }: Looked, most: number): FirstErrorAnswer {
  const { risk = [], firstError = null, firstErrorProb = [] } = trace.verdict ?? {}
  // What earlier looks left in the file is not this one's.
  const evidence = (trace.evidence ?? []).filter((e) => annotators.includes(e.source))
  const doubts = undecided.filter((e) => failedClaims(e.detail).length > 0)
  const verdicts = risk.map((r) => (r === null ? 'unknown' : r >= FIRST_ERROR_THRESHOLD ? 'incorrect' : 'correct'))
  const counted = (verdict: Shown['verdict']): number => verdicts.filter((v) => v === verdict).length
  const counts = {
    steps: trace.steps.length,
    correct: counted('correct'),
    incorrect: counted('incorrect'),
    unknown: counted('unknown'),
  }
  const looked = annotators.map((name) => {
    const own = evidence.filter((e) => e.source === name && saysSomething(e))
    const decided = new Set(own.map((e) => e.step)).size
    const why = mostFrequent(undecided.flatMap((e) => (e.source === name ? e.reason : [])))
    const silence = why === undefined ? {} : { why: shortened(why, EVIDENCE_CHARACTERS) }
    return { name, decided, silent: trace.steps.length - decided, ...silence }
  })
  const decided = new Set(evidence.map((e) => e.step))
  const doubted = new Set(doubts.map((e) => e.step))
  const ranks = verdicts.map((verdict, step) =>
    step === firstError ? 0 : verdict === 'incorrect' ? 1 : doubted.has(step) ? 2 : decided.has(step) ? 3 : 4,
  )
  const chosen = [...ranks.keys()]
    .sort((a, b) => ranks[a]! - ranks[b]! || a - b)
    .slice(0, most)
    .sort((a, b) => a - b)
  const evidenceOf = (step: number) => [...evidence, ...doubts].filter((e) => e.step === step).map(shownEvidence)
  const against = firstError === null ? [] : evidenceOf(firstError)
  return {
    id: shownId(trace.id),
    firstError,
    reason: reasonFor(firstError, against, counts, looked, firstErrorProb.at(-1)),
    // The last entry is that of no error.
    probability: firstError === null ? null : rounded(firstErrorProb.at(firstError) ?? null),
    counts,
    annotators: looked,
    steps: chosen.map((step) => ({
      index: step,
      text: shortened(spoken(trace.steps[step]), STEP_CHARACTERS),
      verdict: verdicts[step] ?? 'unknown',
      risk: rounded(risk[step] ?? null),
      evidence: evidenceOf(step),
    })),
    // Behind a first error they do follow from one.
    doubts: [...doubted]
      .filter((step) => firstError === null || firstError < 0 || step < firstError)
      .sort((a, b) => a - b)
      .slice(0, DOUBTS),
    leftOut: trace.steps.length - chosen.length,
    problems: [...new Set(problems.map(inOneLine))],
  }
}

/** Digits beyond these are noise, and tokens. */
const rounded = (x: number | null): number | null => (x === null ? null : Number(x.toFixed(4)))

const inOneLine = ({ code, found, message }: GradusError): string =>
  shortened(`${code} ${found ?? message}`, EVIDENCE_CHARACTERS)

function saysSomething(e: Evidence): boolean {
  if (e.kind === 'score') return e.value !== null
  return !('verdict' in e) || (e.verdict !== null && e.verdict !== 'unknown')
}

function shownEvidence(e: Evidence): Shown['evidence'][number] {
  const failed = e.kind === 'tool' && e.verdict !== 'correct' ? failedClaims(e.detail).slice(0, CLAIMS) : []
  return {
    by: e.source,
    ...('verdict' in e && e.verdict !== null && { verdict: e.verdict }),
    says: shortened(saying(e), EVIDENCE_CHARACTERS),
    ...(failed.length > 0 && {
      failed: failed.map(({ found, expected }) => ({
        found: shortened(found, EVIDENCE_CHARACTERS),
        ...(expected !== undefined && { expected: shortened(expected, EVIDENCE_CHARACTERS) }),
      })),
    }),
  }
}

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

/** Why the answer is as it is, in a clause. */
function reasonFor(
  firstError: number | null,
  against: Shown['evidence'],
  { steps, unknown }: FirstErrorAnswer['counts'],
  looked: FirstErrorAnswer['annotators'],
  clean = 0,
): string {
  const undecided = `${unknown} of ${steps} steps are undecided`
  if (steps === 0) return 'the run has no steps'
  if (firstError === -1) return unknown === 0 ? 'every step is right' : `nothing speaks against a step; ${undecided}`
  if (firstError !== null) {
    const [first] = against.filter((e) => e.verdict === 'incorrect')
    return first ? `${first.by}: ${first.says}` : 'its scores are low'
  }
  if (looked.length === 0) return 'no annotator applies to such a run'
  if (unknown === steps) return `no step could be decided by ${looked.map((a) => a.name).join(', ')}`
  return `${undecided}, which leaves "no error" at probability ${clean.toFixed(2)}`
}

/** The answer as a reader wants it: what is wrong and why. */
export function inWords(data: FirstErrorAnswer): string {
  const { firstError, reason, probability, counts, steps, doubts, leftOut, annotators, problems } = data
  const p = `probability ${probability?.toFixed(2)}`
  const head =
    firstError === null
      ? `Cannot say: ${reason}.`
      : firstError === -1
        ? `No wrong step found (${p}): ${reason}.`
        : `First wrong step: ${firstError}, counted from 0 (${p}).`
  const inDoubt = new Set(doubts.slice(0, IN_WORDS))
  const wrong = steps.filter((s) => s.verdict === 'incorrect' || s.index === firstError).slice(0, IN_WORDS)
  const shown = steps.filter((s) => wrong.includes(s) || inDoubt.has(s.index))
  const lines = shown.flatMap((step) => [
    `  ${step.index}  ${step.text}`,
    ...step.evidence.filter((e) => e.verdict !== 'correct').map((e) => `     ${e.by}: ${e.says}`),
  ])
  const undecided = doubts.length === 0 ? [] : [`Wrong claims that decide nothing, in steps ${doubts.join(', ')}.`]
  const tally = `Of ${counts.steps} steps ${counts.correct} correct, ${counts.incorrect} incorrect, ${counts.unknown} unknown`
  return [
    head,
    ...lines,
    ...undecided,
    `${tally}${leftOut > 0 ? `, ${leftOut} not shown` : ''}. Looked: ${annotators.map((a) => a.name).join(', ') || 'nobody'}.`,
    ...problems.map((problem) => `Could not look: ${problem}`),
  ].join('\n')
}
