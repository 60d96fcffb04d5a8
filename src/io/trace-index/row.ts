import { createHash } from 'node:crypto'
import { questionKey, questionOf } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'

/** What is kept of a trace to list, filter, sort and draw it without reading it. */
export interface IndexRow {
  id: string
  /** First 200 characters, white space joined. */
  problem: string
  /** Equal for attempts at the same question: 16 hexadecimal digits. */
  question: string
  generator: string
  dataset: string
  task: string
  steps: number
  outcome: number | null
  /** Of the verdict; -1 = no error. */
  firstError: number | null
  /** By people, else by the data set. */
  gold: number | null
  /** First errors by source, -1 = no error. */
  said: Record<string, number>
  /** Share of pairs of sources that name different first errors, in [0, 1]; null with fewer than two. */
  disagreement: number | null
  maxRisk: number | null
  /** P(the trace has an error) by the verdict. */
  errorProb: number | null
  /** Expected information of a person's look, in [0, 1]. */
  doubt: number
  /** One character a step, '0' (below .1) to '9', '-' = cannot say. */
  risk: string
  tags: string[]
}

const PROBLEM_CHARS = 200
/** Cells of a risk strip; a longer trace shows the highest risk of each stretch. */
export const STRIP_CELLS = 400

export function rowOf(trace: Trace): IndexRow {
  const { problem, verdict, labels = [], source } = trace
  const said = saidOf(trace)
  const disagreement = disagreementOf(Object.values(said))
  const known = (verdict?.risk ?? []).filter((r) => r !== null)
  const gold =
    labels.find((l) => l.meaning === 'first-error' && l.source.startsWith('human:')) ??
    labels.find((l) => l.meaning === 'first-error' && l.source.startsWith('imported:'))
  return {
    id: trace.id,
    problem: problem.prompt
      .slice(0, 4 * PROBLEM_CHARS)
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, PROBLEM_CHARS),
    question: createHash('sha256')
      .update(questionKey(questionOf(problem)) || problem.id)
      .digest('hex')
      .slice(0, 16),
    generator: source.generator,
    dataset: source.dataset,
    task: problem.domain ?? '',
    steps: trace.steps.length,
    outcome: trace.outcome ?? null,
    firstError: verdict?.firstError ?? null,
    gold: gold?.value ?? null,
    said,
    disagreement,
    maxRisk: known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b)),
    errorProb: verdict === undefined ? null : 1 - verdict.firstErrorProb.at(-1)!,
    doubt: doubtOf(verdict?.firstErrorProb, disagreement),
    risk: stripOf(verdict?.risk ?? []),
    tags: tagsOf(trace),
  }
}

/**
 * First errors by source: labels as they stand; of judges and people without one the first step that they call wrong,
 * -1 where they call none wrong. Tools are left out, since their silence is no vote.
 */
function saidOf({ labels = [], evidence = [] }: Trace): Record<string, number> {
  const said: Record<string, number> = {}
  for (const e of evidence) {
    if ((e.kind !== 'judgement' && e.kind !== 'human') || e.verdict === null || e.step < 0) continue
    const before = said[e.source] ?? -1
    said[e.source] = e.verdict === 'incorrect' && (before < 0 || e.step < before) ? e.step : before
  }
  for (const label of labels) {
    if (label.meaning === 'first-error' && label.value !== null) said[label.source] = label.value
  }
  return said
}

function disagreementOf(said: readonly number[]): number | null {
  if (said.length < 2) return null
  let differ = 0
  let pairs = 0
  said.forEach((a, i) => {
    for (const b of said.slice(i + 1)) {
      pairs++
      if (a !== b) differ++
    }
  })
  return differ / pairs
}

/**
 * The larger of two doubts: entropy of the first error's distribution as a share of the most that it can be (1 where
 * there is no verdict), and the disagreement of the sources.
 */
function doubtOf(firstErrorProb: readonly number[] | undefined, disagreement: number | null): number {
  if (firstErrorProb === undefined) return 1
  const entropy = firstErrorProb.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)
  const most = Math.log(firstErrorProb.length)
  return Math.max(most === 0 ? 0 : Math.min(1, entropy / most), disagreement ?? 0)
}

function stripOf(risk: readonly (number | null)[]): string {
  const cells = Math.min(risk.length, STRIP_CELLS)
  return Array.from({ length: cells }, (_, cell) => {
    const from = Math.floor((cell * risk.length) / cells)
    const to = Math.floor(((cell + 1) * risk.length) / cells)
    let highest: number | null = null
    for (let i = from; i < to; i++) highest = risk[i] === null ? highest : Math.max(highest ?? 0, risk[i]!)
    return highest === null ? '-' : String(Math.min(9, Math.floor(highest * 10)))
  }).join('')
}

/** What a trace has, one word each; tags of the source (`extra.tags`) come along. */
function tagsOf(trace: Trace): string[] {
  const { steps, evidence = [], labels = [], verdict, outcome, problem, extra } = trace
  const tags = new Set<string>(evidence.map((e) => e.kind))
  if (steps.some((s) => s.action !== undefined)) tags.add('tools')
  if (new Set(steps.map((s) => s.agent ?? '')).size > 2) tags.add('several agents')
  if (problem.context?.some((c) => c.kind === 'images')) tags.add('images')
  if (problem.solution !== undefined) tags.add('reference')
  if (labels.some((l) => /^(human|imported):/.test(l.source))) tags.add('gold')
  if (verdict && verdict.firstError === null) tags.add('cannot say')
  const error = verdict?.firstError ?? null
  if (outcome !== undefined && error !== null && outcome >= 0.5 !== (error === -1)) tags.add('outcome against verdict')
  const own = extra?.['tags']
  if (Array.isArray(own)) {
    for (const tag of own.slice(0, 20))
      if (typeof tag === 'string' && tag.length <= 60) tags.add(tag.replaceAll('\n', ' '))
  }
  return [...tags].sort()
}
