import { type Node, ROOT, Tree } from '../../core/tree.ts'
import { addUsage, NO_USAGE, type Step, type Usage } from '../../core/words.ts'
import { hasEnded } from '../../engine/rollout.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { puct } from './mcts-search.ts'
import { addCounts, type CountContext, type Counted, countRollouts, keyOf } from './rollout-counts.ts'

export interface AlphaOptions {
  /** Nodes that are expanded, each after a way down from the root. */
  iterations: number
  /** Next steps that are drawn at an expansion. */
  children: number
  /** Steps of a run at most. */
  depth: number
  /** Weight of exploration. */
  cPuct: number
  /** Looks at every step of a given line before the search begins. */
  sweep: number
  /** Completion tokens at most. */
  tokens?: number | undefined
}

export interface AlphaContext extends CountContext {
  /** Values states; one rollout each where there is none (the first round of the published loop). */
  value?: RewardModel
}

/** How a run ended; only `answered` may be worth anything. */
export type Ending = 'answered' | 'no-answer' | 'too-deep' | 'context-full'

/** What a search over one problem found. Lists are by node; the root has no step. */
export interface AlphaTree {
  /** `trials` = values that were backed up through a node, `successes` their sum, each from 0 (lost) to 1. */
  tree: Tree
  steps: (Step | undefined)[]
  /** Probability of the step under the policy, per token; else the share of draws that gave it. */
  priors: number[]
  endings: (Ending | undefined)[]
  /** Of ended nodes, whether the answer is right; null = cannot be decided. */
  right: (boolean | null | undefined)[]
  /** Looks at the steps of the given line that were not backed up. */
  own: Map<Node, { sum: number; looks: number; counted?: Counted }>
  iterations: number
  usage: Usage
}

/**
 * AlphaMath's tree search over one problem: PUCT over next steps, values backed up to the root.
 *
 * One iteration goes down from the root by Q + c P sqrt(N(s)) / (1 + N(s, a)) over children that have not ended, to a
 * node that has none; draws some next steps from there, each text once; values the node (by the value model, else by
 * one rollout) and each run that ended (right 1, anything else 0), and backs all of it up. Q is the mean on the
 * scale from -1 to 1 of the paper; what is stored is the same from 0 to 1. A branch in which everything has ended is
 * not entered again. Equal policies and value models give equal trees. A draw that fails makes no child.
 *
 * The steps of a given line are looked at `sweep` times each; these looks count for the step itself and not for those
 * before it, which would otherwise be blamed for every step of a line that nobody chose.
 * @param line a run that is in the tree from the start
 * @throws GradusError GRD-RUN-* when the run has ended, GRD-CORE-001 for a step without text in the line
 * @see papers/alphamath.md
 */
export async function alphaSearch(
  context: AlphaContext,
  options: AlphaOptions,
  line: readonly Step[] = [],
): Promise<AlphaTree> {
  const { problem, policy, check, value, spend, signal } = context
  const tree = new Tree()
  const found: AlphaTree = {
    tree,
    steps: [undefined],
    priors: [1],
    endings: [undefined],
    right: [undefined],
    own: new Map(),
    iterations: 0,
    usage: NO_USAGE,
  }
  const expanded = new Set<Node>()
  /** Below it everything has ended. */
  const closed = new Set<Node>()
  let longest = 0

  const pay = (usage: Usage): void => {
    found.usage = addUsage(found.usage, usage)
    longest = Math.max(longest, usage.completionTokens)
  }
  const stepsTo = (at: Node): Step[] => tree.path(at).flatMap((n) => found.steps[n] ?? [])
  const affordable = (): boolean =>
    options.tokens === undefined || found.usage.completionTokens + longest <= options.tokens

  function child(parent: Node, step: Step, prior: number): Node {
    const at = tree.add(parent, keyOf(step))
    if (found.steps[at] === undefined) {
      found.steps[at] = step
      found.priors[at] = prior
      found.endings[at] = undefined
      found.right[at] = undefined
    }
    return at
  }

  function end(at: Node, ending: Ending): void {
    const answer = ending === 'answered' ? check.answerOf(stepsTo(at).map((step) => step.text)) : null
    found.endings[at] = ending
    found.right[at] = answer === null ? false : check.check(problem, answer)
    closed.add(at)
  }

  /** Value in [0, 1] of a state; null where nothing came of looking. An answer is checked and not valued. */
  async function look(at: Node): Promise<{ value: number; counted?: Counted } | null> {
    const steps = stepsTo(at)
    const ending = found.endings[at]
    if (ending !== undefined && ending !== 'answered') return { value: 0 }
    // Before the first step there is nothing to score.
    if (value && steps.length > 0 && ending === undefined) {
      const [scored] = await value.score([{ problem, steps }], signal)
      if (scored) {
        spend(scored.usage)
        pay(scored.usage)
      }
      const score = scored?.ok ? (scored.scores.at(-1) ?? null) : null
      return score === null ? null : { value: score }
    }
    const before = found.own.get(at)
    const counted = await countRollouts(context, steps, { from: before?.looks ?? 0, count: 1 })
    pay(counted.usage)
    return counted.trials === 0 ? null : { value: counted.successes / counted.trials, counted }
  }

  /** A look at a step of the line, for that step alone. */
  async function sweep(at: Node): Promise<void> {
    const before = found.own.get(at) ?? { sum: 0, looks: 0 }
    const seen = await look(at)
    if (!seen) return
    const own = { ...before, sum: before.sum + seen.value, looks: before.looks + 1 }
    if (seen.counted) own.counted = before.counted ? addCounts(before.counted, seen.counted) : seen.counted
    found.own.set(at, own)
    tree.record(at, seen.value, 1)
  }

  async function expand(at: Node): Promise<void> {
    expanded.add(at)
    const prefix = stepsTo(at)
    const drawn = await Promise.all(
      Array.from({ length: options.children }, (_, sample) => policy.next(problem, prefix, sample, signal)),
    )
    const counts = new Map<Node, number>()
    for (const one of drawn) {
      spend(one.usage)
      pay(one.usage)
      if (!one.ok && one.error.code.startsWith('GRD-RUN-')) throw one.error
      const step = one.ok ? one.steps[0] : undefined
      if (!one.ok) continue
      if (!step || step.text.trim() === '') {
        // Nothing more to say: the state itself is an end without an answer.
        if (found.endings[at] === undefined && at !== ROOT) end(at, one.end === 'length' ? 'context-full' : 'no-answer')
        continue
      }
      const next = child(at, step, priorOf(step))
      counts.set(next, (counts.get(next) ?? 0) + 1)
      if (found.endings[next] !== undefined) continue
      const steps = stepsTo(next)
      if (hasEnded(check, steps)) end(next, 'answered')
      else if (one.end === 'length') end(next, 'context-full')
      else if (one.end !== 'step') end(next, 'no-answer')
      else if (steps.length >= options.depth) end(next, 'too-deep')
    }
    for (const [next, count] of counts) {
      if (found.steps[next]?.tokens === undefined) found.priors[next] = count / options.children
    }
    // A state that the policy sometimes leaves without an answer goes on where it does not.
    if (counts.size > 0 && found.endings[at] === 'no-answer') {
      found.endings[at] = undefined
      found.right[at] = undefined
      closed.delete(at)
    }
  }

  const open = (at: Node): Node[] => tree.children(at).filter((next) => !closed.has(next))

  function close(at: Node): void {
    for (let n: Node | null = at; n !== null; n = tree.parent(n)) {
      if (!closed.has(n) && (!expanded.has(n) || open(n).length > 0)) return
      closed.add(n)
    }
  }

  /** Q of the paper, from -1 to 1; 0 where nothing was backed up yet. */
  const qualityOf = (at: Node): number => 2 * (tree.successRate(at) ?? 0.5) - 1

  function select(): Node | null {
    let at = ROOT
    if (closed.has(ROOT)) return null
    while (expanded.has(at)) {
      const children = open(at)
      // the earliest of several with the same score
      const scores = children.map((next) =>
        puct(qualityOf(next), found.priors[next] ?? 0, tree.trials(at), tree.trials(next), options.cPuct),
      )
      const best = children[scores.indexOf(Math.max(...scores))]
      if (best === undefined) return null
      at = best
    }
    return at
  }

  const spine: Node[] = [ROOT]
  for (const step of line) spine.push(child(spine.at(-1) ?? ROOT, step, priorOf(step)))
  const last = spine.at(-1) ?? ROOT
  if (last !== ROOT) {
    end(last, hasEnded(check, line) ? 'answered' : 'no-answer')
    await sweep(last)
  }
  for (let round = 0; round < options.sweep; round++) {
    for (const at of spine.slice(1, -1)) if (affordable()) await sweep(at)
  }
  while (found.iterations < options.iterations && affordable()) {
    const at = select()
    if (at === null) break
    const before = new Set(tree.children(at))
    await expand(at)
    const seen = found.endings[at] === undefined && affordable() ? await look(at) : null
    if (seen) tree.backUp(at, seen.value)
    for (const next of [at, ...tree.children(at)]) {
      const right = found.right[next]
      if (!before.has(next) && right !== undefined && right !== null) tree.backUp(next, Number(right))
    }
    close(at)
    found.iterations++
  }
  return found
}

/** exp of the mean log-probability of the step's tokens; where they are not known, filled in from the draws. */
function priorOf(step: Step): number {
  const logprobs = step.tokens?.logprobs ?? []
  return logprobs.length === 0 ? 0 : Math.exp(logprobs.reduce((sum, l) => sum + l, 0) / logprobs.length)
}

/** The line that inference follows: from the root always the child of highest value, the earliest of several. */
export function bestLine(tree: Tree): Node[] {
  const line: Node[] = []
  for (let at: Node = ROOT; ; ) {
    const seen = tree.children(at).filter((next) => tree.trials(next) > 0)
    const rates = seen.map((next) => tree.successRate(next) ?? 0)
    const best = seen[rates.indexOf(Math.max(...rates))]
    if (best === undefined) return line
    line.push(best)
    at = best
  }
}
