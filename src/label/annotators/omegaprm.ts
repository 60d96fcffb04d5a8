import { z } from 'zod'
import { type Node, ROOT, Tree } from '../../core/tree.ts'
import { addUsage, type Evidence, NO_USAGE, type Step, type Trace, type Usage } from '../../core/words.ts'
import { plainBisection } from '../first-error-locator.ts'
import { type Annotator, emptyStep, policyOf, type Skipped } from './annotator.ts'
import { inTurn, takeRuns } from './explore.ts'
import { type CountContext, type Counted, countRollouts, keyOf, rolloutEvidence } from './rollout-counts.ts'

const Options = z.object({
  k: z.number().int().min(1).default(8).describe('rollouts from each probed prefix'),
  searches: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('binary searches: 1 for a trace, which is the first that is searched; 8 for a problem'),
  rollouts: z.number().int().min(1).default(1000).describe('rollouts for one problem, at most'),
  tokens: z.number().int().min(1).optional().describe('completion tokens for one problem, at most'),
  alpha: z.number().min(0).max(1).default(0.5).describe('how much a prefix with many successes is preferred'),
  beta: z.number().min(0).max(1).default(0.9).describe('how much short wrong rollouts are preferred'),
  length: z.number().min(1).default(500).describe('length unit L of the preference, tokens'),
  cPuct: z.number().min(0).default(0.125).describe('weight of exploration'),
  maxSteps: z.number().int().min(1).default(200).describe('steps of a rollout, prefix included'),
  keep: z.number().int().min(0).default(1).describe('completions kept for each prefix'),
})
type Options = z.output<typeof Options>

/** Searches of a problem: a wrong run and a right one of each, the four and four of papers/alphamath.md twice. */
const SEARCHES = 8

/** What a tree search over one problem found. */
export interface OmegaTree {
  tree: Tree
  /** The step that leads to each node; the root has none. */
  steps: (Step | undefined)[]
  /** Rollouts of each probed node. */
  counted: Map<Node, Counted>
  skipped: Skipped | null
  /** Of each finished search: the end of its wrong run, and the last prefix of it from which some rollout succeeded. */
  searched: { end: Node; good: Node }[]
  searches: number
  rollouts: number
  usage: Usage
}

/** Q + U of a pair (prefix, wrong rollout). */
export interface Score {
  q: number
  u: number
}

/**
 * Q = alpha^(1 - MC) * beta^(length / L), U = c_puct * sqrt(sum of N) / (1 + N).
 *
 * @param pair successRate of the prefix, length of the rollout in tokens, visits N of the prefix and of all prefixes
 * @see papers/omegaprm.md (formula and golden values)
 */
export function omegaScore(
  pair: { successRate: number; length: number; visits: number; allVisits: number },
  options: Pick<Options, 'alpha' | 'beta' | 'length' | 'cPuct'>,
): Score {
  return {
    q: options.alpha ** (1 - pair.successRate) * options.beta ** (pair.length / options.length),
    u: (options.cPuct * Math.sqrt(pair.allVisits)) / (1 + pair.visits),
  }
}

/** A wrong rollout of a prefix that may still succeed. */
interface Candidate {
  node: Node
  steps: Step[]
  /** Tokens, words where the policy counts none. */
  length: number
}

/**
 * OmegaPRM: a tree over one problem, grown by binary searches for the first step of a wrong rollout after which no
 * rollout succeeds.
 *
 * A node that was probed once is not probed again. Ends after `searches`, when the next probe would go over a budget,
 * or with an empty pool. Rollouts that were cut off are neither right nor wrong.
 * @param first a wrong run of the problem that is searched first
 */
export async function omegaSearch(
  context: Omit<CountContext, 'maxSteps'>,
  given: Partial<Options> = {},
  first?: readonly Step[],
): Promise<OmegaTree> {
  const options = Options.parse(given)
  const counting = { ...context, maxSteps: options.maxSteps }
  const tree = new Tree()
  const result: OmegaTree = {
    tree,
    steps: [undefined],
    counted: new Map(),
    skipped: null,
    searched: [],
    searches: 0,
    rollouts: 0,
    usage: NO_USAGE,
  }
  const pool: Candidate[] = []

  const stepsTo = (node: Node): Step[] => tree.path(node).flatMap((n) => result.steps[n] ?? [])
  const affordable = (): boolean =>
    result.rollouts + options.k <= options.rollouts &&
    (options.tokens === undefined || result.usage.completionTokens < options.tokens)

  /** Success rate of a node, by k rollouts where there are none yet; null when the budget is used up or none ended. */
  async function probe(node: Node): Promise<number | null> {
    if (!result.counted.has(node)) {
      if (!affordable()) return null
      const counted = await countRollouts(counting, stepsTo(node), { from: 0, count: options.k })
      result.counted.set(node, counted)
      result.rollouts += options.k
      result.usage = addUsage(result.usage, counted.usage)
      tree.record(node, counted.successes, counted.trials)
      offer(node, counted)
    }
    return tree.successRate(node)
  }

  /** A prefix that always or never succeeds gives no wrong rollout whose first error is to be found. */
  function offer(node: Node, counted: Counted): void {
    const rate = tree.successRate(node)
    if (rate === null || rate === 0 || rate === 1) return
    for (const { right, steps, tokens } of counted.completions) {
      if (right || steps.length === 0 || !steps.every(hasText)) continue
      pool.push({ node, steps, length: tokens > 0 ? tokens : words(steps) })
    }
  }

  /** The candidate with the largest Q + U, the earliest of several, taken out of the pool. */
  function select(): Candidate | undefined {
    let allVisits = 0
    for (let n = 0; n < tree.size; n++) allVisits += tree.visits(n)
    let best = -1
    let top = Number.NEGATIVE_INFINITY
    pool.forEach(({ node, length }, i) => {
      const successRate = tree.successRate(node) ?? 0
      const { q, u } = omegaScore({ successRate, length, visits: tree.visits(node), allVisits }, options)
      if (q + u > top) {
        top = q + u
        best = i
      }
    })
    return best < 0 ? undefined : pool.splice(best, 1)[0]
  }

  /** False when a probe could not be paid for or brought nothing. */
  async function search({ node, steps }: Candidate): Promise<boolean> {
    const nodes = [node, ...addSteps(result, node, steps)]
    const bisection = plainBisection(steps.length)
    for (let length = bisection.next(); length !== null; length = bisection.next()) {
      const rate = await probe(nodes[length] ?? node)
      if (rate === null) return false
      bisection.observe(length, rate, 1)
    }
    // The whole rollout is known to be wrong; nothing is rolled out from an answer.
    const end = nodes.at(-1)
    if (end !== undefined && bisection.firstError() === steps.length - 1 && tree.trials(end) === 0)
      tree.record(end, 0, 1)
    result.searched.push({ end: end ?? node, good: nodes[bisection.firstError()] ?? node })
    result.searches++
    tree.visit(node)
    return true
  }

  const start = await probe(ROOT)
  if (start === null || start === 0 || start === 1) {
    result.skipped = start === null ? 'no-rollouts' : start === 0 ? 'all-wrong' : 'all-right'
    // A run that is known to be wrong shows that not every run is right.
    if (start !== 1 || !first) return result
  }
  let next: Candidate | undefined = first ? { node: ROOT, steps: [...first], length: 0 } : select()
  while (next && result.searches < (options.searches ?? 1)) {
    if (!(await search(next))) break
    next = select()
  }
  return result
}

/** Steps below a node. @returns their nodes */
function addSteps({ tree, steps: known }: OmegaTree, from: Node, steps: readonly Step[]): Node[] {
  const nodes: Node[] = []
  for (const step of steps) {
    const child = tree.add(nodes.at(-1) ?? from, keyOf(step))
    known[child] = step
    nodes.push(child)
  }
  return nodes
}

/** Each probed prefix with its success rate: training examples with soft labels, in order of discovery. */
export function omegaExamples({ tree, counted }: OmegaTree): { steps: string[]; value: number; trials: number }[] {
  return [...counted.keys()].flatMap((node) => {
    const value = tree.successRate(node)
    return node === ROOT || value === null ? [] : [{ steps: tree.texts(node), value, trials: tree.trials(node) }]
  })
}

/**
 * OmegaPRM for a trace: binary search for its first error, in the tree of its problem.
 *
 * Only probed prefixes have evidence, the trace's outcome is evidence about its last step. A trace that ended right or
 * has one step is not searched. Of a problem each searched run is taken, and with it a right one that leaves it at its
 * first error.
 */
export const omegaprm: Annotator = {
  name: 'omegaprm',
  summary: 'binary search for the first step after which no rollout succeeds, in a tree of rollouts',
  paper: 'omegaprm',
  options: Options,
  needs: ['policy', 'answer'],
  rule: 'hard',
  runsCode: false,
  growsTree: true,
  applies: (trace) => trace.steps.length > 0 && emptyStep(trace) === null,
  refuses: emptyStep,
  expect(trace, given) {
    const { k, searches, rollouts, maxSteps } = Options.parse(given ?? {})
    const explores = trace.steps.length === 0
    const probes = Math.ceil(Math.log2(Math.max(2, explores ? maxSteps : trace.steps.length)))
    return { rollouts: Math.min(rollouts, k * (1 + (searches ?? (explores ? SEARCHES : 1)) * probes)) }
  },
  async annotate(trace: Trace, context, given): Promise<Evidence[]> {
    const options = Options.parse(given ?? {})
    const counting = { ...policyOf(context), problem: trace.problem }
    const whole = await countRollouts(counting, trace.steps, { from: 0, count: 1 })
    const last = rolloutEvidence(omegaprm.name, trace.steps.length, whole, 0)
    const wrong = whole.trials > 0 && whole.successes === 0
    if (trace.steps.length === 1) return last ? [last] : []
    const { tree, counted } = await omegaSearch(counting, options, wrong ? trace.steps : undefined)
    const path = tree.path(tree.addPath(trace.steps.map(keyOf)))
    context.grown?.({ id: trace.id, annotator: omegaprm.name, problem: trace.problem, tree: tree.toJSON(), path })
    const evidence: Evidence[] = []
    for (const [length, node] of [ROOT, ...path.slice(0, -1)].entries()) {
      const seen = counted.get(node)
      const one = seen ? rolloutEvidence(omegaprm.name, length, seen, options.keep) : null
      if (one) evidence.push(one)
    }
    return last ? [...evidence, last] : evidence
  },
  async explore(problem, most, context, given) {
    const options = Options.parse(given ?? {})
    const counting = { ...policyOf(context), problem }
    const found = await omegaSearch(counting, { ...options, searches: options.searches ?? SEARCHES })
    if (found.skipped) return { runs: [], skipped: found.skipped }
    const { tree, steps, counted } = found
    const ended = pairs(found)
    const answered = (end: Node): boolean =>
      counting.check.answerOf(tree.path(end).map((at) => steps[at]?.text ?? '')) !== null
    return takeRuns({
      annotator: omegaprm.name,
      problem,
      context,
      check: counting.check,
      tree,
      steps,
      ends: inTurn(
        [...ended].filter(([end]) => answered(end)),
        most,
      ),
      right: (end) => ended.get(end) ?? false,
      evidence(at, length) {
        const seen = counted.get(at) ?? (ended.has(at) ? outcomeOf(ended.get(at) ?? false) : undefined)
        const one = seen && rolloutEvidence(omegaprm.name, length, seen, options.keep)
        return one ? [one] : []
      },
    })
  },
}

/**
 * The end of each searched run, which is wrong, and behind it of a right run that shares with it all up to its first
 * error: the first rollout that succeeded from there and is not taken yet, now a line of the tree.
 */
function pairs(found: OmegaTree): Map<Node, boolean> {
  const ended = new Map<Node, boolean>()
  for (const { end, good } of found.searched) {
    ended.set(end, false)
    for (const { right, steps } of found.counted.get(good)?.completions ?? []) {
      const last = right && steps.every(hasText) ? addSteps(found, good, steps).at(-1) : undefined
      if (last === undefined || ended.has(last)) continue
      found.tree.record(last, 1, 1)
      ended.set(last, true)
      break
    }
  }
  return ended
}

const hasText = (step: Step): boolean => step.text.trim() !== ''

/** The end of a run, which is checked and not continued. */
function outcomeOf(right: boolean): Counted {
  const completions = [{ steps: [], right, tokens: 0 }]
  return { successes: Number(right), trials: 1, unfinished: 0, failed: 0, completions, usage: NO_USAGE }
}

function words(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + step.text.split(/\s+/).filter((word) => word !== '').length, 0)
}
