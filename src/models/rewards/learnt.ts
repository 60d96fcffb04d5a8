import { createHash } from 'node:crypto'
import type { GradusError } from '../../core/errors.ts'
import { canonicalJson } from '../../core/hash.ts'
import { part, questionKey, questionOf } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'
import type { Rows } from '../training/rows.ts'
import type { Body } from './bodies/body.ts'
import type { Line } from './reward.ts'
import type { TracedTargets } from './targets.ts'

/** Of the questions of the traces: tenths 1 and 2 stop and calibrate, tenth 0 reports, the rest is learnt from. */
const PARTS = 10
/** Fewer questions leave too little in a tenth; then all is learnt from and nothing is measured. */
const ENOUGH_QUESTIONS = 30

export type Part = 'fit' | 'tune' | 'test'

/** A trace as it is learnt from. */
export interface Learnt {
  trace: Trace
  part: Part
  /** Number of the tenth. */
  tenth: number
  steps: TracedTargets['steps']
  features: Float32Array
}

/** What a body reads of the traces, and how many it cannot read by reason. @throws the first reason where it can read none */
export async function readBy(
  body: Body,
  wanted: readonly { trace: Trace; steps: TracedTargets['steps'] }[],
  signal: AbortSignal | undefined,
): Promise<{ learnt: Learnt[]; dropped: Record<string, number> }> {
  const questions = new Set(wanted.map(({ trace }) => questionKey(questionOf(trace.problem))))
  const parts = questions.size >= ENOUGH_QUESTIONS
  const featured = await body.features(
    wanted.map(({ trace }) => lineOf(trace)),
    signal,
  )
  const dropped: Record<string, number> = {}
  let error: GradusError | undefined
  const learnt = wanted.flatMap(({ trace, steps }, i): Learnt[] => {
    const one = featured[i]!
    const tenth = part(questionOf(trace.problem), PARTS)
    if (one.ok) return [{ trace, steps, features: one.features, part: parts ? partNamed(tenth) : 'fit', tenth }]
    error ??= one.error
    dropped[one.error.code] = (dropped[one.error.code] ?? 0) + 1
    return []
  })
  if (learnt.length === 0 && error) throw error
  return { learnt, dropped }
}

function partNamed(tenth: number): Part {
  return tenth === 0 ? 'test' : tenth <= 2 ? 'tune' : 'fit'
}

export function lineOf({ problem, steps, evidence }: Trace): Line {
  return { problem, steps, ...(evidence && { evidence }) }
}

/** One row a labelled step. */
export function rowsOf(learnt: readonly Learnt[], width: number): Rows {
  const count = learnt.reduce((sum, { steps }) => sum + steps.length, 0)
  const features = new Float32Array(count * width)
  const targets = new Float32Array(count)
  let row = 0
  for (const { steps, features: all } of learnt) {
    for (const { step, target } of steps) {
      features.set(all.subarray(step * width, (step + 1) * width), row * width)
      targets[row++] = target
    }
  }
  return { width, features, targets }
}

/** First step whose target is below .5, -1 where all steps are labelled and none is; null where labels have holes before. */
export function firstErrorOf({ trace, steps }: Learnt): number | null {
  for (let at = 0; at < trace.steps.length; at++) {
    const own = steps.find(({ step }) => step === at)
    if (!own) return null
    if (own.target < 0.5) return at
  }
  return -1
}

export function partOf(learnt: readonly Learnt[], name: Part): { traces: number; steps: number } {
  const own = learnt.filter((one) => one.part === name)
  return { traces: own.length, steps: own.reduce((sum, { steps }) => sum + steps.length, 0) }
}

export function hashOf(learnt: readonly Learnt[]): string {
  const hash = createHash('sha256')
  for (const { trace, steps } of learnt) {
    hash.update(canonicalJson([trace.problem.prompt, trace.steps.map(({ text }) => text), steps]))
  }
  return hash.digest('hex')
}
