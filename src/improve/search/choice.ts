import type { Trace } from '../../core/words.ts'
import type { StepTool } from '../../label/annotators/annotator.ts'
import type { Candidate } from './candidates.ts'
import type { Purse } from './purse.ts'
import type { SearchContext, SearchFlag, Solution } from './search.ts'

/** The candidates with the first step that the veto refutes, where there is a veto and it refutes one. */
export async function examined(candidates: readonly Candidate[], context: SearchContext): Promise<Candidate[]> {
  const { veto, signal } = context
  if (!veto) return [...candidates]
  return Promise.all(
    candidates.map(async (candidate) => {
      const refuted = (await verdictsOf(veto, candidate.trace, signal)).indexOf('incorrect')
      return refuted < 0 ? candidate : { ...candidate, refuted }
    }),
  )
}

/** What the tool says of each step; nothing where it does not apply. */
export async function verdictsOf(veto: StepTool, trace: Trace, signal?: AbortSignal): Promise<string[]> {
  if (!veto.applies(trace)) return []
  // Who passes a tool that runs code lets it; the sandbox still isolates.
  const context = { allowCode: veto.runsCode, allowLocalExec: false, ...(signal && { signal }) }
  return (await veto.verify(trace, context)).map((finding) => finding.verdict)
}

/** Candidates that may be chosen: those that state an answer and are not refuted, or all that state one. */
export function eligible(candidates: readonly Candidate[]): number[] {
  const stating = candidates.flatMap(({ trace }, i) => (trace.answer === undefined ? [] : [i]))
  const standing = stating.filter((i) => candidates[i]?.refuted === undefined)
  return standing.length > 0 ? standing : stating
}

/** Number of the highest score among those that may be chosen; equal scores: the earlier; null where none may be. */
export function best(candidates: readonly Candidate[]): number | null {
  let at: number | null = null
  for (const i of eligible(candidates)) {
    if (at === null || scoreOf(candidates[i]) > scoreOf(candidates[at])) at = i
  }
  return at
}

/** Higher scores first, no score last; a stable sort keeps the order of equal ones. */
export function compareDescending(a: { score: number | null }, b: { score: number | null }): number {
  if (a.score === b.score) return 0
  return a.score === null || (b.score !== null && b.score > a.score) ? 1 : -1
}

/** A score in [0, 1]: a sum of log-odds as the probability that it stands for. */
export function inUnit(score: number, { aggregate, reward }: Pick<SearchContext, 'aggregate' | 'reward'>): number {
  return (aggregate ?? reward?.aggregate) === 'log-odds' ? 1 / (1 + Math.exp(-score)) : score
}

const scoreOf = (candidate: Candidate | undefined): number => candidate?.score ?? Number.NEGATIVE_INFINITY

/** What a choice among candidates is as a solution. */
export function solution(
  candidates: Candidate[],
  chosen: number | null,
  purse: Purse,
  { tree = null, flags = [] }: Partial<Pick<Solution, 'tree' | 'flags'>> = {},
): Solution {
  const refuted = candidates.length > 0 && candidates.every((candidate) => candidate.refuted !== undefined)
  return {
    answer: chosen === null ? null : (candidates[chosen]?.trace.answer ?? null),
    chosen,
    candidates,
    tree,
    usage: purse.usage,
    outOfBudget: purse.out,
    flags: refuted ? [...flags, 'all-refuted'] : flags,
  }
}

/** `unscored` where scores were wanted and no candidate that stands has one. */
export function scoreFlags(candidates: readonly Candidate[]): SearchFlag[] {
  const standing = candidates.filter(({ refuted }) => refuted === undefined)
  return standing.length > 0 && standing.every(({ score }) => score === null) ? ['unscored'] : []
}
