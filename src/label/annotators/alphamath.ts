import { z } from 'zod'
import { type Node, ROOT } from '../../core/tree.ts'
import type { Evidence, Problem, Trace } from '../../core/words.ts'
import { type AlphaTree, alphaSearch, bestLine } from './alphamath-search.ts'
import { type AnnotateContext, type Annotator, emptyStep, policyOf } from './annotator.ts'
import { inTurn, takeRuns } from './explore.ts'
import { keyOf, rolloutEvidence } from './rollout-counts.ts'

const Options = z.object({
  iterations: z.number().int().min(0).default(40).describe('nodes that are expanded'),
  children: z.number().int().min(1).default(5).describe('next steps drawn at each'),
  sweep: z.number().int().min(0).default(4).describe('looks at each step of the trace before the search'),
  depth: z.number().int().min(1).default(8).describe('steps of a run at most, those of the trace at least'),
  cPuct: z.number().min(0).default(1.25).describe('weight of exploration'),
  tokens: z.number().int().min(1).optional().describe('completion tokens for one trace, at most'),
  keep: z.number().int().min(0).default(1).describe('completions kept for each step'),
})

/**
 * AlphaMath for a trace: values backed up over a tree that grows around it.
 *
 * Evidence about each step: what the search backed up through it, as a `value` with the number of looks, and rollouts
 * from that very step, kept apart. Of a problem the runs that ended with an answer are taken. Values may be read by a step beam as they are (`soft`); the rollouts by any rule.
 * @see papers/alphamath.md
 */
export const alphamath: Annotator = {
  name: 'alphamath',
  summary: 'values of steps, backed up over a tree of next steps (PUCT)',
  paper: 'alphamath',
  options: Options,
  needs: ['policy', 'answer'],
  rule: 'soft',
  runsCode: false,
  growsTree: true,
  applies: (trace) => trace.steps.length > 0 && emptyStep(trace) === null,
  refuses: emptyStep,
  expect(trace, given) {
    const { iterations, children, sweep } = Options.parse(given ?? {})
    // A step drawn is a part of a rollout only; counted whole, it is an upper bound.
    return { rollouts: sweep * trace.steps.length + iterations * (1 + children) }
  },
  async annotate(trace: Trace, context, given): Promise<Evidence[]> {
    const { keep, ...options } = Options.parse(given ?? {})
    const depth = Math.max(options.depth, trace.steps.length)
    const found = await alphaSearch(searchingOf(trace.problem, context), { ...options, depth }, trace.steps)
    const { tree } = found
    const path = tree.path(tree.addPath(trace.steps.map(keyOf)))
    context.grown?.({
      id: trace.id,
      annotator: alphamath.name,
      problem: trace.problem,
      tree: tree.toJSON(),
      path,
      best: bestLine(tree),
    })
    return [ROOT, ...path].flatMap((at, length) => evidenceOf(found, at, length, keep))
  },
  async explore(problem, most, context, given) {
    const { keep, ...options } = Options.parse(given ?? {})
    const searching = searchingOf(problem, context)
    const found = await alphaSearch(searching, options)
    const { tree, steps, endings, right } = found
    // Cut off or without an answer is no wrong answer.
    const ended = new Map<Node, boolean>()
    for (const [at, verdict] of right.entries()) {
      if (endings[at] === 'answered' && typeof verdict === 'boolean') ended.set(at, verdict)
    }
    return takeRuns({
      annotator: alphamath.name,
      problem,
      context,
      check: searching.check,
      tree,
      steps,
      ends: inTurn(ended, most),
      right: (end) => ended.get(end) ?? false,
      evidence: (at, length) => evidenceOf(found, at, length, keep),
      best: bestLine(tree),
    })
  },
}

function searchingOf(problem: Problem, context: AnnotateContext) {
  const { value } = context
  return { ...policyOf(context), problem, ...(value && { value }) }
}

/** What the search backed up through a node, and apart from it rollouts from the step itself. */
function evidenceOf({ tree, own }: AlphaTree, at: Node, length: number, keep: number): Evidence[] {
  const swept = own.get(at)
  const counted = swept?.counted
  const rolled = counted && rolloutEvidence(alphamath.name, length, counted, keep)
  // Looks that are rollouts stand as such; those of a value model and of the search stand here.
  const sum = tree.successes(at) - (counted ? (swept?.sum ?? 0) : 0)
  const visits = tree.trials(at) - (counted ? (swept?.looks ?? 0) : 0)
  const value = Math.min(1, Math.max(0, sum / visits))
  return [
    ...(rolled ? [rolled] : []),
    ...(visits > 0 ? [{ kind: 'value', source: alphamath.name, step: length - 1, value, visits } as const] : []),
  ]
}
