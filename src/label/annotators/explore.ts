import { type Node, ROOT, type Tree } from '../../core/tree.ts'
import type { Evidence, Problem, Step } from '../../core/words.ts'
import type { OutcomeCheck } from '../../engine/rollout.ts'
import type { AnnotateContext, Explored, ExploredRun } from './annotator.ts'

/**
 * At most so many ended runs of a tree, half of them wrong and half right (papers/alphamath.md takes up to four of
 * each): in turn, a wrong one first, each kind in the order in which the search found it.
 * @param ended last node of each run, and whether it ended right
 */
export function inTurn(ended: Iterable<readonly [Node, boolean]>, most: number): Node[] {
  const of = { wrong: [] as Node[], right: [] as Node[] }
  for (const [at, right] of ended) (right ? of.right : of.wrong).push(at)
  const half = Math.ceil(most / 2)
  return Array.from({ length: half }, (_, i) => [of.wrong[i], of.right[i]])
    .flat()
    .slice(0, most)
    .filter((at) => at !== undefined)
}

interface Taken {
  annotator: string
  problem: Problem
  context: AnnotateContext
  check: OutcomeCheck
  tree: Tree
  /** By node. */
  steps: readonly (Step | undefined)[]
  /** Last nodes of the runs. */
  ends: readonly Node[]
  /** Did the run that ends here end right? */
  right(end: Node): boolean
  /** Evidence of the state after `length` steps. */
  evidence(at: Node, length: number): Evidence[]
  best?: Node[]
}

/** The runs of a tree with their evidence; the tree goes to whoever keeps trees. */
export function takeRuns(taken: Taken): Explored {
  const { annotator, problem, context, check, tree, ends, best } = taken
  const lines = ends.map((end) => tree.path(end))
  context.grown?.({
    id: problem.id,
    annotator,
    problem,
    tree: tree.toJSON(),
    path: lines[0] ?? [],
    runs: lines,
    ...(best && { best }),
  })
  const told = new Set<Node>()
  const runs = lines.map((line): ExploredRun => {
    const steps = line.flatMap((at) => taken.steps[at] ?? [])
    const evidence = [ROOT, ...line].flatMap((at, length) => {
      const own = taken.evidence(at, length)
      if (told.has(at)) return own.map(withoutUsage)
      told.add(at)
      return own
    })
    return {
      steps,
      answer: check.answerOf(steps.map((step) => step.text)) ?? '',
      outcome: taken.right(line.at(-1) ?? ROOT) ? 1 : 0,
      evidence,
    }
  })
  return { runs }
}

function withoutUsage(evidence: Evidence): Evidence {
  if (!('usage' in evidence)) return evidence
  const { usage: _, ...rest } = evidence
  return rest
}
