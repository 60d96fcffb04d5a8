import { GradusError } from '../../core/errors.ts'
import { questionKey, questionOf } from '../../core/split.ts'
import type { Step, StepLabel, Trace } from '../../core/words.ts'
import type { Attempt, Credit, Credited, CreditFlag, CreditStep } from '../../improve/credit/credit.ts'
import { pooledRollouts, pooledValues } from '../../label/rules/pooled.ts'
import { estimateTokens } from '../../models/endpoints/wire.ts'

/** Whose labels a method reads, by their `source`. */
export interface CreditSources {
  /** Of correctness; `verdict` = 1 - risk. null = nobody's. */
  scores: string | null
  /** Of value; `rollouts` = what rollouts and searches stored. null = nobody's. */
  values: string | null
}

/** One attempt as a trainer reads it. */
export interface CreditRecord {
  id: string
  /** Attempts of one group are at the same problem. */
  group: string
  prompt: string
  /** The steps, a line break between them. */
  completion: string
  outcome: number | null
  flags: CreditFlag[]
  /** Steps with their place in `completion`: [from, to) in UTF-16 units. */
  steps: { from: number; to: number; own: boolean; advantage: number; parts: Record<string, number> }[]
  /** Token by token, where the traces hold the tokens of every step; the names are those of a verl batch. */
  tokens?: { response_ids: number[]; response_mask: number[]; old_log_probs: number[]; advantages: number[] }
  licence: string
}

/** Log-probabilities by a reference: for each trace one list a step. */
export type References = readonly (readonly number[][])[]

/** Advantages of all attempts, in the order of the traces; those at the same problem are a group. */
export function creditTraces(
  traces: readonly Trace[],
  credit: Credit,
  options: unknown,
  sources: CreditSources,
  references?: References,
): { records: CreditRecord[]; groups: { size: number; dead: boolean }[] } {
  const groups = Map.groupBy(traces.keys(), (i) => questionKey(questionOf(traces[i]?.problem ?? { prompt: '' })))
  const records: CreditRecord[] = []
  const told: { size: number; dead: boolean }[] = []
  for (const members of groups.values()) {
    const own = members.flatMap((i) => traces[i] ?? [])
    const found = credit.credit(
      members.flatMap((i) => (traces[i] ? attemptOf(traces[i], sources, references?.[i]) : [])),
      options,
    )
    told.push({ size: own.length, dead: found.some(({ flags }) => flags.includes('dead-group')) })
    for (const [m, i] of members.entries()) {
      const [trace, one] = [own[m], found[m]]
      if (trace && one) records[i] = recordOf(trace, one)
    }
  }
  return { records, groups: told }
}

/**
 * The source to read where none is named: the only one there is.
 * @throws GradusError GRD-LABEL-004 where there are several, with their names
 */
export function creditSources(
  traces: readonly Trace[],
  given: { scores?: string | undefined; values?: string | undefined },
): CreditSources {
  const choose = (meaning: StepLabel['meaning'], flag: string, wanted: string | undefined, instead: string | null) => {
    const names = new Set<string>()
    for (const { labels } of traces) {
      for (const label of labels ?? []) if (label.meaning === meaning) names.add(label.source)
    }
    if (wanted !== undefined && (names.has(wanted) || wanted === instead)) return wanted
    if (wanted === undefined && names.size <= 1) return [...names][0] ?? instead
    const all = [...names, ...(instead === null ? [] : [instead])]
    throw new GradusError('GRD-LABEL-004', {
      where: { field: flag },
      found: wanted === undefined ? `labels of ${[...names].join(', ')}` : wanted,
      expected: all.length === 0 ? `labels of ${meaning}; the traces have none` : `one of ${all.join(', ')}`,
      try: all.length === 0 ? ['gradus score, gradus label: either writes such labels'] : [`${flag} '${all[0]}'`],
    })
  }
  const hasVerdict = traces.some(({ verdict }) => verdict !== undefined)
  const hasValues = traces.some(({ evidence }) => evidence?.some(({ kind }) => kind === 'rollouts' || kind === 'value'))
  return {
    scores: choose('correctness', '--scores', given.scores, hasVerdict ? 'verdict' : null),
    values: choose('value', '--values', given.values, hasValues ? 'rollouts' : null),
  }
}

export function attemptOf(trace: Trace, sources: CreditSources, reference?: readonly number[][]): Attempt {
  const { steps, evidence = [], outcome } = trace
  const scores = scoresOf(trace, sources.scores)
  const values =
    sources.values === 'rollouts' ? pooledValues(steps.length, evidence) : labelsOf(trace, sources.values, 'value')
  const { start } = pooledRollouts(steps.length, evidence)
  return {
    id: trace.id,
    outcome: outcome ?? null,
    startValue: start && start.trials > 0 ? start.successes / start.trials : null,
    steps: steps.map((step, t): CreditStep => {
      const tokens = isOwn(step) ? (step.tokens?.ids.length ?? Math.max(1, estimateTokens(step.text.length))) : 0
      return {
        text: step.text,
        tokens,
        score: scores[t] ?? null,
        value: values[t] ?? null,
        ...(tokens > 0 && step.tokens && { logprobs: step.tokens.logprobs }),
        ...(tokens > 0 && reference?.[t] && { reference: reference[t] }),
      }
    }),
  }
}

/** Did the policy write it? */
export function isOwn(step: Step): boolean {
  return step.kind !== 'observation'
}

function scoresOf(trace: Trace, source: string | null): (number | null)[] {
  if (source === 'verdict') return (trace.verdict?.risk ?? []).map((risk) => (risk === null ? null : 1 - risk))
  return labelsOf(trace, source, 'correctness')
}

function labelsOf(
  { steps, labels = [] }: Trace,
  source: string | null,
  meaning: StepLabel['meaning'],
): (number | null)[] {
  const out: (number | null)[] = steps.map(() => null)
  for (const label of labels) {
    if (label.meaning === meaning && label.source === source && 'step' in label) out[label.step] = label.value
  }
  return out
}

function recordOf(trace: Trace, { advantages, parts, tokens, flags }: Credited): CreditRecord {
  const { steps, problem, source } = trace
  let at = 0
  const places = steps.map((step, t) => {
    const from = at
    at += step.text.length + 1
    const own = Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, rounded(values[t] ?? 0)]))
    return { from, to: from + step.text.length, own: isOwn(step), advantage: rounded(advantages[t] ?? 0), parts: own }
  })
  const byToken = steps.every((step) => step.tokens)
  return {
    id: trace.id,
    group: problem.id,
    prompt: problem.prompt,
    completion: steps.map(({ text }) => text).join('\n'),
    outcome: trace.outcome ?? null,
    flags,
    steps: places,
    ...(byToken && {
      tokens: {
        response_ids: steps.flatMap((step) => step.tokens?.ids ?? []),
        response_mask: steps.flatMap((step) => (step.tokens?.ids ?? []).map(() => (isOwn(step) ? 1 : 0))),
        old_log_probs: steps.flatMap((step) => step.tokens?.logprobs ?? []),
        advantages: steps.flatMap((step, t) =>
          (step.tokens?.ids ?? []).map((_, i) => rounded(tokens?.[t]?.[i] ?? advantages[t] ?? 0)),
        ),
      },
    }),
    licence: source.licence,
  }
}

/** Equal inputs give equal bytes, whatever the last bits of a sum. */
function rounded(x: number): number {
  const short = Number(x.toFixed(9))
  return short === 0 ? 0 : short
}
