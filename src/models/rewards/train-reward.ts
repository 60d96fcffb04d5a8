import { createHash } from 'node:crypto'
import { GradusError } from '../../core/errors.ts'
import { canonicalJson } from '../../core/hash.ts'
import { part, questionKey, questionOf } from '../../core/split.ts'
import { auroc, brier, expectedCalibrationError, mean } from '../../core/stats/index.ts'
import type { Trace } from '../../core/words.ts'
import { type Learner, learnerNamed } from '../training/learners.ts'
import { fitLogistic } from '../training/logistic.ts'
import type { FittedHead, Rows } from '../training/rows.ts'
import { packageVersions } from '../versions.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from './aggregators.ts'
import type { Body, Lesson } from './bodies/body.ts'
import { calibrated, firstErrorF1, firstErrorThreshold, type Located, logLoss, temperatureOf } from './calibrate.ts'
import type { Line } from './reward.ts'
import type { RewardCard } from './reward-card.ts'
import { type RewardKind, type TargetOptions, type TracedTargets, targetsOf } from './targets.ts'
import { type TrainedReward, trainedReward } from './trained.ts'

export interface TrainRewardOptions extends TargetOptions {
  traces: readonly Trace[]
  kind: RewardKind
  body: Body
  /** Who learns the head: a name of `LEARNERS`; logistic on step features and likelihoods, else mlp. A body that tunes itself needs none. */
  learner?: string
  /** Of the learner; its defaults where left out. */
  learnerOptions?: Record<string, unknown>
  /** Both classes weigh the same while learning; scores stay probabilities. True for `process` where not given. */
  balance?: boolean
  /** How steps become a score of the whole; min for correctness, last for values and outcomes where not given. */
  aggregate?: AggregatorName
  /** For `source` and people; made of kind and body where not given. */
  name?: string
  /** Names every random choice; '0' where not given. */
  seed?: string
  signal?: AbortSignal
}

export interface TrainingResult {
  model: TrainedReward
  card: RewardCard
  /** Traces of questions that nothing was learnt or chosen on. */
  test: Trace[]
  /** Source of the labels that were learnt from; null for outcomes. */
  source: string | null
}

/** Of the questions of the traces: tenths 1 and 2 stop and calibrate, tenth 0 reports, the rest is learnt from. */
const PARTS = 10
/** Of the rest, where the body learns without a head: from here on its head is fitted, before it the body. */
const HEAD_FROM = 8
/** Fewer questions leave too little in a tenth; then all is learnt from and nothing is measured. */
const ENOUGH_QUESTIONS = 30

type Part = 'fit' | 'tune' | 'test'

interface Learnt {
  trace: Trace
  part: Part
  /** Number of the tenth. */
  tenth: number
  steps: TracedTargets['steps']
  features: Float32Array
}

/**
 * Learns a reward model from labelled traces, measures it on questions that it has not seen, and writes its card.
 *
 * Parts are made by question, so early stopping, calibration and figures never see a problem that was learnt from.
 * @throws GradusError GRD-TRAIN-001 where labels cannot be learnt from; the first error of the body where it can read none
 * of the traces
 */
export async function trainReward(options: TrainRewardOptions): Promise<TrainingResult> {
  const { traces, kind, signal } = options
  const seed = options.seed ?? '0'
  const targets = targetsOf(traces, kind, options)
  const wanted = targets.traces.map(({ trace, steps }) => ({ trace: traces[trace]!, steps }))
  const { learnt, dropped } = await readBy(options.body, wanted, signal)
  const rowsOfPart = (name: Part, width: number): Rows =>
    rowsOf(
      learnt.filter((one) => one.part === name),
      width,
    )
  const reread = async (): Promise<void> => {
    const again = await body.features(
      learnt.map(({ trace }) => lineOf(trace)),
      signal,
    )
    learnt.forEach((one, i) => {
      const featured = again[i]!
      if (featured.ok) one.features = featured.features
    })
  }
  checkClasses(rowsOfPart('fit', options.body.width))
  const balance = options.balance ?? kind === 'process'
  const classes = balance ? classWeights(rowsOfPart('fit', options.body.width)) : null
  const lessonsOf = (some: readonly Learnt[]): Lesson[] =>
    some.map(({ trace, steps }) => ({ ...lessonOf(trace, steps, classes), whole: kind === 'outcome' }))
  const lessons = (name: Part): Lesson[] => lessonsOf(learnt.filter((one) => one.part === name))

  const learner = learnerOf(options)
  let body = options.body
  let fitted: FittedHead
  let toFit = learnt.filter((one) => one.part === 'fit')
  if (body.adapt) {
    const forHead = toFit.filter(({ tenth }) => tenth >= HEAD_FROM)
    const forBody = toFit.filter(({ tenth }) => tenth < HEAD_FROM)
    // Before the minutes that the body takes.
    checkClasses(rowsOf(forHead, body.width), `the ${forHead.length} traces kept for the head`)
    checkClasses(rowsOf(forBody, body.width), `the ${forBody.length} traces kept for the body`)
    body = await body.adapt(lessonsOf(forBody), `${seed}/body`)
    toFit = forHead
    await reread()
  }
  if (body.tune) {
    const tuned = await body.tune(lessons('fit'), lessons('tune'), `${seed}/tune`)
    body = tuned.body
    fitted = tuned.fitted
    await reread()
  } else {
    const held = rowsOfPart('tune', body.width)
    const weighed = (rows: Rows): Rows => (classes ? balanced(rows, classes) : rows)
    fitted = learner.fit(
      weighed(rowsOf(toFit, body.width)),
      held.targets.length > 0 ? weighed(held) : undefined,
      options.learnerOptions,
      `${seed}/head`,
    )
  }
  const { head, rounds } = fitted
  const tune = rowsOfPart('tune', body.width)
  const shift = classes ? Math.log(classes.right / classes.wrong) : 0
  const logits = head.logits(tune.features).map((logit) => logit - shift)
  const calibration = { shift, temperature: temperatureOf(logits, tune.targets) }
  const scoreOf = ({ features }: Learnt): number[] =>
    Array.from(head.logits(features), (z) => calibrated(z, calibration))
  const located = (name: Part): Located[] =>
    learnt.flatMap((one) => {
      const firstError = kind === 'process' ? firstErrorOf(one) : null
      return one.part === name && firstError !== null ? [{ scores: scoreOf(one), firstError }] : []
    })
  const threshold = firstErrorThreshold(located('tune'))
  const test = learnt.filter((one) => one.part === 'test')
  const card: RewardCard = {
    format: 'gradus-reward/1',
    name: options.name ?? `${kind}-${nameOf(body.spec)}`,
    kind,
    meaning: targets.meaning,
    aggregate: options.aggregate ?? (targets.meaning === 'correctness' ? 'min' : 'last'),
    threshold,
    body: body.spec,
    learner: {
      name: options.body.tune ? 'mlp' : learner.name,
      options: options.body.tune ? { units: 0 } : learner.options.parse(options.learnerOptions ?? {}),
      rounds,
    },
    calibration,
    labels: targets.rule,
    trainedOn: {
      parts: { fit: partOf(learnt, 'fit'), tune: partOf(learnt, 'tune'), test: partOf(learnt, 'test') },
      questions: new Set(learnt.map(({ trace }) => questionKey(questionOf(trace.problem)))).size,
      dropped: { ...targets.left, ...dropped },
      balanced: balance,
      datasets: counted(learnt.map(({ trace }) => trace.source.dataset)),
      generators: counted(learnt.map(({ trace }) => trace.source.generator)),
      dataHash: hashOf(learnt),
      seed,
    },
    metrics:
      test.length === 0 ? null : metricsOf(learnt, scoreOf, threshold === null ? null : located('test'), threshold),
    licence: Object.keys(counted(learnt.map(({ trace }) => trace.source.licence))).join(' AND '),
    versions: await packageVersions(),
    sha256: '',
  }
  return {
    model: trainedReward({ body, head, card }),
    card,
    test: test.map(({ trace }) => trace),
    source: targets.source,
  }
}

function nameOf(spec: Body['spec']): string {
  if (spec.kind === 'joined') return spec.parts.map(nameOf).join('-')
  return spec.kind === 'embedded' ? spec.model : spec.kind
}

async function readBy(
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

function lineOf({ problem, steps, evidence }: Trace): Line {
  return { problem, steps, ...(evidence && { evidence }) }
}

function lessonOf(trace: Trace, steps: TracedTargets['steps'], classes: Classes | null): Lesson {
  return {
    line: lineOf(trace),
    steps: steps.map(({ step, target }) => ({ step, ...(classes ? weighed(target, classes) : { target, weight: 1 }) })),
  }
}

function rowsOf(learnt: readonly Learnt[], width: number): Rows {
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

/** @throws GradusError GRD-TRAIN-001 where the part to learn from has no two different targets */
function checkClasses({ targets }: Rows, where = 'what is learnt from'): void {
  if (targets.some((target) => target !== targets[0])) return
  throw new GradusError('GRD-TRAIN-001', {
    found: targets.length === 0 ? `nothing to learn from in ${where}` : `only targets of ${targets[0]} in ${where}`,
    expected: 'steps of both classes',
    try: ['more problems'],
  })
}

/** How much a whole right and a whole wrong row count. */
interface Classes {
  right: number
  wrong: number
}

/** Both classes with half of all weight; a soft target is a share of a right row and the rest of a wrong one. */
function classWeights({ targets }: Rows): Classes {
  const right = targets.reduce((sum, target) => sum + target, 0)
  return { right: targets.length / 2 / right, wrong: targets.length / 2 / (targets.length - right) }
}

function weighed(target: number, { right, wrong }: Classes): { target: number; weight: number } {
  const weight = target * right + (1 - target) * wrong
  return { target: (target * right) / weight, weight }
}

function balanced(rows: Rows, classes: Classes): Rows {
  const each = Array.from(rows.targets, (target) => weighed(target, classes))
  return {
    ...rows,
    targets: Float32Array.from(each, ({ target }) => target),
    weights: Float32Array.from(each, ({ weight }) => weight),
  }
}

function learnerOf({ learner: name, body }: TrainRewardOptions): Learner {
  return learnerNamed(name ?? (isPlain(body.spec) ? 'logistic' : 'mlp'))
}

/** Few columns, each of which says something by itself. */
function isPlain(spec: Body['spec']): boolean {
  if (spec.kind === 'joined') return spec.parts.every(isPlain)
  return spec.kind === 'features' || spec.kind === 'likelihood'
}

/** First step whose target is below .5, -1 where all steps are labelled and none is; null where labels have holes before. */
function firstErrorOf({ trace, steps }: Learnt): number | null {
  for (let at = 0; at < trace.steps.length; at++) {
    const own = steps.find(({ step }) => step === at)
    if (!own) return null
    if (own.target < 0.5) return at
  }
  return -1
}

function metricsOf(
  learnt: readonly Learnt[],
  scoreOf: (one: Learnt) => number[],
  located: readonly Located[] | null,
  threshold: number | null,
): RewardCard['metrics'] {
  const test = learnt.filter((one) => one.part === 'test')
  const targets = test.flatMap(({ steps }) => steps.map(({ target }) => target))
  const scores = test.flatMap((one) => {
    const all = scoreOf(one)
    return one.steps.map(({ step }) => all[step]!)
  })
  const plain = fitLogistic(plainRows(learnt.filter((one) => one.part === 'fit'))).head
  const baseline = Array.from(plain.logits(plainRows(test).features), (z) =>
    calibrated(z, { shift: 0, temperature: 1 }),
  )
  const clear = located !== null && threshold !== null && located.some((l) => l.firstError >= 0)
  return {
    model: ratesOf(scores, targets),
    baseline: ratesOf(baseline, targets),
    firstError:
      clear && located.some((l) => l.firstError < 0)
        ? { traces: located.length, ...rounded(firstErrorF1(located, threshold)) }
        : null,
    outcome: outcomeAurocs(test, scoreOf),
  }
}

/** Position and length: what can be known of a step without reading it. */
function plainRows(learnt: readonly Learnt[]): Rows {
  return rowsOf(
    learnt.map((one) => ({
      ...one,
      features: Float32Array.from(one.trace.steps.flatMap(({ text }, at) => [at + 1, Math.log1p(text.length)])),
    })),
    2,
  )
}

function ratesOf(scores: readonly number[], targets: readonly number[]) {
  const area = auroc(
    scores,
    targets.map((target) => target > 0.5),
  )
  return {
    steps: targets.length,
    auroc: Number.isNaN(area) ? null : round(area),
    ...rounded({
      share: mean(targets),
      brier: brier(scores, targets),
      logLoss: logLoss(scores, targets),
      calibrationError: expectedCalibrationError(scores, targets),
    }),
  }
}

function outcomeAurocs(test: readonly Learnt[], scoreOf: (one: Learnt) => number[]): Record<string, number> | null {
  const ended = test.filter(({ trace }) => trace.outcome !== undefined)
  const right = ended.map(({ trace }) => trace.outcome! > 0.5)
  if (!right.includes(true) || !right.includes(false)) return null
  const scores = ended.map(scoreOf)
  return Object.fromEntries(
    (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => [
      name,
      round(
        auroc(
          scores.map((s) => aggregate(name, s) ?? 0),
          right,
        ),
      ),
    ]),
  )
}

function partOf(learnt: readonly Learnt[], name: Part): { traces: number; steps: number } {
  const own = learnt.filter((one) => one.part === name)
  return { traces: own.length, steps: own.reduce((sum, { steps }) => sum + steps.length, 0) }
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of [...names].sort()) counts[name || 'unknown'] = (counts[name || 'unknown'] ?? 0) + 1
  return counts
}

function hashOf(learnt: readonly Learnt[]): string {
  const hash = createHash('sha256')
  for (const { trace, steps } of learnt) {
    hash.update(canonicalJson([trace.problem.prompt, trace.steps.map(({ text }) => text), steps]))
  }
  return hash.digest('hex')
}

function round(x: number): number {
  return Number(x.toFixed(4))
}

function rounded<T extends Record<string, number>>(figures: T): T {
  return Object.fromEntries(Object.entries(figures).map(([name, x]) => [name, round(x)])) as T
}
