import { z } from 'zod'
import { ROOT } from '../../core/tree.ts'
import type { Evidence, Trace } from '../../core/words.ts'
import { alphaSearch, bestLine } from './alphamath-search.ts'
import { type Annotator, emptyStep, policyOf } from './annotator.ts'
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
 * from that very step, kept apart. Values may be read by a step beam as they are (`soft`); the rollouts by any rule.
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
    const { value, signal } = context
    const searching = {
      ...policyOf(context),
      problem: trace.problem,
      ...(value && { value }),
      ...(signal && { signal }),
    }
    const depth = Math.max(options.depth, trace.steps.length)
    const found = await alphaSearch(searching, { ...options, depth }, trace.steps)
    const { tree, own } = found
    const path = tree.path(tree.addPath(trace.steps.map(keyOf)))
    context.grown?.({
      id: trace.id,
      annotator: alphamath.name,
      problem: trace.problem,
      tree: tree.toJSON(),
      path,
      best: bestLine(tree),
    })
    const evidence: Evidence[] = []
    for (const [length, at] of [ROOT, ...path].entries()) {
      const swept = own.get(at)
      const counted = swept?.counted
      const rolled = counted && rolloutEvidence(alphamath.name, length, counted, keep)
      if (rolled) evidence.push(rolled)
      // Looks that are rollouts stand as such; those of a value model and of the search stand here.
      const sum = tree.successes(at) - (counted ? (swept?.sum ?? 0) : 0)
      const visits = tree.trials(at) - (counted ? (swept?.looks ?? 0) : 0)
      if (visits > 0) {
        const mean = Math.min(1, Math.max(0, sum / visits))
        evidence.push({ kind: 'value', source: alphamath.name, step: length - 1, value: mean, visits })
      }
    }
    return evidence
  },
}
