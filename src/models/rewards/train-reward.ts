import { questionKey, questionOf } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'
import { type Learner, learnerNamed } from '../training/learners.ts'
import type { FittedHead, Rows } from '../training/rows.ts'
import { packageVersions } from '../versions.ts'
import type { AggregatorName } from './aggregators.ts'
import type { Body, Lesson } from './bodies/body.ts'
import { calibrated, firstErrorThreshold, type Located, temperatureOf } from './calibrate.ts'
import { balanced, type Classes, checkClasses, classWeights, weighed } from './classes.ts'
import { firstErrorOf, hashOf, type Learnt, lineOf, type Part, partOf, readBy, rowsOf } from './learnt.ts'
import type { RewardCard } from './reward-card.ts'
import { metricsOf } from './reward-metrics.ts'
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

/** Of the rest, where the body learns without a head: from here on its head is fitted, before it the body. */
const HEAD_FROM = 8
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
    const even = (rows: Rows): Rows => (classes ? balanced(rows, classes) : rows)
    fitted = learner.fit(
      even(rowsOf(toFit, body.width)),
      held.targets.length > 0 ? even(held) : undefined,
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

function lessonOf(trace: Trace, steps: TracedTargets['steps'], classes: Classes | null): Lesson {
  return {
    line: lineOf(trace),
    steps: steps.map(({ step, target }) => ({ step, ...(classes ? weighed(target, classes) : { target, weight: 1 }) })),
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

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of [...names].sort()) counts[name || 'unknown'] = (counts[name || 'unknown'] ?? 0) + 1
  return counts
}
