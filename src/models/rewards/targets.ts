import { GradusError } from '../../core/errors.ts'
import type { Label, StepLabel, Trace } from '../../core/words.ts'
import type { RewardModel } from './reward.ts'

export const REWARD_KINDS = ['process', 'outcome', 'value'] as const
/** `process`: labels of steps; `outcome`: how the run ended, at its last step; `value`: the same at every step (OVM). */
export type RewardKind = (typeof REWARD_KINDS)[number]

export interface TargetOptions {
  /** Source of the labels (`hard`, `tool-reliability`, ...) where the traces have several. */
  labels?: string
  /** Meaning of the labels where the source has both. */
  meaning?: RewardModel['meaning']
  /** Makes labels hard: 1 where the value is above this. */
  harden?: number
}

/** What the steps of one trace should score; steps that nobody labels are left out. */
export interface TracedTargets {
  /** Index of the trace. */
  trace: number
  steps: { step: number; target: number }[]
}

export interface Targets {
  traces: TracedTargets[]
  meaning: RewardModel['meaning']
  /** For the card: where the targets come from. */
  rule: string
  /** Source of the labels; null for outcomes. */
  source: string | null
  /** Traces without a target, by reason. */
  left: Record<string, number>
}

/**
 * Targets of a training run. For `process` a label of a first error stands for its steps where the source labels no
 * steps: right before it, wrong at it, nothing after it.
 * @throws GradusError GRD-TRAIN-001 where there is nothing to learn from or it is not clear from which labels
 */
export function targetsOf(traces: readonly Trace[], kind: RewardKind, options: TargetOptions = {}): Targets {
  const targets = kind === 'process' ? fromLabels(traces, options) : fromOutcomes(traces, kind)
  const values = new Set(targets.traces.flatMap(({ steps }) => steps.map(({ target }) => target)))
  if (values.size < 2) {
    const [only] = values
    throw new GradusError('GRD-TRAIN-001', {
      found: only === undefined ? `no targets (${targets.rule})` : `only targets of ${only} (${targets.rule})`,
      expected: 'steps of both classes',
      try:
        kind === 'process'
          ? ['gradus label traces.jsonl -o labelled.jsonl']
          : ['gradus sample   (traces with outcomes)'],
    })
  }
  return targets
}

function fromOutcomes(traces: readonly Trace[], kind: 'outcome' | 'value'): Targets {
  const left: Record<string, number> = {}
  const found = traces.flatMap((trace, at): TracedTargets[] => {
    if (trace.outcome === undefined || trace.steps.length === 0) {
      const reason = trace.steps.length === 0 ? 'no steps' : 'no outcome'
      left[reason] = (left[reason] ?? 0) + 1
      return []
    }
    const last = trace.steps.length - 1
    const steps = trace.steps.map((_, step) => ({ step, target: trace.outcome! }))
    return [{ trace: at, steps: kind === 'outcome' ? steps.slice(last) : steps }]
  })
  const rule = kind === 'outcome' ? 'outcome at the last step' : 'outcome at every step'
  return { traces: found, meaning: 'value', rule, source: null, left }
}

function fromLabels(traces: readonly Trace[], options: TargetOptions): Targets {
  const { source, meaning, whole } = chosen(traces, options)
  const { harden } = options
  const left: Record<string, number> = {}
  const found = traces.flatMap((trace, at): TracedTargets[] => {
    const own = (trace.labels ?? []).filter((label) => label.source === source)
    const steps = (whole ? stepsOfFirstError(own, trace.steps.length) : stepsOf(own, meaning))
      .filter(({ step }) => step < trace.steps.length)
      .map(({ step, target }) => ({ step, target: harden === undefined ? target : Number(target > harden) }))
    if (steps.length > 0) return [{ trace: at, steps }]
    left['no labels'] = (left['no labels'] ?? 0) + 1
    return []
  })
  const hard = harden === undefined ? '' : `, 1 above ${harden}`
  const rule = `labels of ${source}${whole ? ' (first error)' : ''}${hard}`
  return { traces: found, meaning, rule, source, left }
}

/** Which labels: the named ones or the only ones there are; step labels before those of first errors. */
function chosen(
  traces: readonly Trace[],
  options: TargetOptions,
): { source: string; meaning: RewardModel['meaning']; whole: boolean } {
  const counts = new Map<string, number>()
  for (const { labels = [] } of traces) {
    for (const label of labels) {
      if (label.value === null || label.meaning === 'progress' || label.meaning === 'preference') continue
      const key = `${label.meaning}\n${label.source}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  const all = [...counts].map(([key, n]) => {
    const [meaning = '', source = ''] = key.split('\n')
    return { meaning, source, n }
  })
  const wanted = all.filter(({ source }) => options.labels === undefined || source === options.labels)
  const ofSteps = wanted.filter(({ meaning }) => meaning === (options.meaning ?? meaning) && meaning !== 'first-error')
  const ofTraces = wanted.filter(({ meaning }) => meaning === 'first-error' && options.meaning !== 'value')
  const candidates = ofSteps.length > 0 ? ofSteps : ofTraces
  const [first, ...more] = candidates
  if (first && more.length === 0) {
    const meaning = first.meaning === 'value' ? 'value' : 'correctness'
    return { source: first.source, meaning, whole: first.meaning === 'first-error' }
  }
  const seen = all.map(({ meaning, source, n }) => `${source} (${meaning}, ${n.toLocaleString('en-US')})`).join(', ')
  throw new GradusError('GRD-TRAIN-001', {
    found: candidates.length === 0 ? `no labels to learn from${seen === '' ? '' : ` among ${seen}`}` : seen,
    expected: 'labels of one source and one meaning',
    try: first ? [`--labels ${first.source}`] : ['gradus label traces.jsonl -o labelled.jsonl'],
  })
}

function stepsOf(labels: readonly Label[], meaning: StepLabel['meaning']): TracedTargets['steps'] {
  return labels.flatMap((label) =>
    label.meaning === meaning && label.value !== null ? [{ step: label.step, target: label.value }] : [],
  )
}

function stepsOfFirstError(labels: readonly Label[], count: number): TracedTargets['steps'] {
  const label = labels.find((each) => each.meaning === 'first-error' && each.value !== null)
  if (label?.meaning !== 'first-error' || label.value === null) return []
  if (label.value === -1) return Array.from({ length: count }, (_, step) => ({ step, target: 1 }))
  return Array.from({ length: label.value + 1 }, (_, step) => ({ step, target: Number(step < label.value!) }))
}
