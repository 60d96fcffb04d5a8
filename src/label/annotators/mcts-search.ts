import { type Node, ROOT, Tree } from '../../core/tree.ts'
import { addUsage, NO_USAGE, type Step, type Trace, type Usage } from '../../core/words.ts'
import { hasEnded } from '../../engine/rollout.ts'
import { type Finding, UNKNOWN, type VerifyContext } from '../../worlds/verifiers/verifier.ts'
import { type HybridWeights, hybridReward, type Sign } from '../hybrid-reward.ts'
import type { StepTool } from './annotator.ts'
import { inTurn } from './explore.ts'
import { addCounts, type CountContext, type Counted, countRollouts, keyOf } from './rollout-counts.ts'

export interface MctsOptions extends HybridWeights {
  /** Rollouts from every step of a given line before the search chooses; the search itself begins at the start. */
  sweep: number
  /** Simulations after them. */
  simulations: number
  /** Rollouts from a node before the search goes below it: this times the root of its visits. */
  width: number
  select: 'puct' | 'uct'
  /** Weight of exploration. */
  c: number
  /** A node that its own verdict refutes gets the lowest reward, whatever follows. */
  veto: boolean
  /** Rollouts at most. */
  rollouts: number
  /** Completion tokens at most. */
  tokens?: number | undefined
  /**
   * Runs that are taken out of the tree, 0 where not given. Then a rollout becomes nodes with all its steps and not
   * with its first alone, runs that have ended are not gone through again, and those that are taken are swept.
   */
  runs?: number
}

export interface MctsContext extends CountContext {
  tool: StepTool
  verify: VerifyContext
}

/** What all rollouts of a problem came to; a group that ends alike everywhere teaches nothing by its outcomes. */
export type Group = 'all-right' | 'all-wrong' | 'mixed' | 'no-rollouts'

/** What a search over one problem found. Lists are by node; the root has no step, reward or finding. */
export interface MctsTree {
  /** `visits` = simulations through a node; `trials` and `successes` = rollouts from that very node. */
  tree: Tree
  steps: (Step | undefined)[]
  findings: (Finding | undefined)[]
  /** Sums of hybrid rewards. */
  rewards: number[]
  /** How many rollouts brought a reward. */
  rewarded: number[]
  counted: Map<Node, Counted>
  simulations: number
  rollouts: number
  usage: Usage
  group: Group
  /** Last nodes of the runs that are nodes with all their steps, and whether they end right; in order of discovery. */
  ended: Map<Node, boolean>
  /** Of these the ones that were taken. */
  taken: Node[]
}

/** Q + c sqrt(ln N(s) / N(s, a)), infinite for what was never tried (papers/groundedprm.md). */
export function uct(q: number, parentVisits: number, visits: number, c: number): number {
  return visits === 0 ? Number.POSITIVE_INFINITY : q + c * Math.sqrt(Math.log(parentVisits) / visits)
}

/** Q + c P(s, a) sqrt(N(s)) / (1 + N(s, a)) (papers/omegaprm.md has the same term). */
export function puct(q: number, prior: number, parentVisits: number, visits: number, c: number): number {
  return q + (c * prior * Math.sqrt(parentVisits)) / (1 + visits)
}

/**
 * Monte Carlo tree search over one problem, with a tool's verdict at every node and the hybrid reward as value.
 *
 * One simulation: go down from the root by the highest score until a node has few rollouts for its visits; let the
 * policy finish the run from there; its first step becomes a node; the tool looks at the whole run; every node on the
 * way gets its own hybrid reward. A node that states an answer is checked, not continued. The prior of a child is how
 * often the policy began with it, one added to each. Nothing is drawn at random here: equal policies and tools give
 * equal trees. Rollouts that fail or are cut off bring no reward. It ends before a budget is passed; for tokens the
 * longest rollout so far must still fit.
 * @param line a run that is in the tree from the start, swept first
 * @throws GradusError GRD-CORE-001 for a step without text in the line
 */
export async function mctsSearch(
  context: MctsContext,
  options: MctsOptions,
  line: readonly Step[] = [],
): Promise<MctsTree> {
  const { problem, check, policy, tool } = context
  const tree = new Tree()
  const found: MctsTree = {
    tree,
    steps: [undefined],
    findings: [undefined],
    rewards: [0],
    rewarded: [0],
    counted: new Map(),
    simulations: 0,
    rollouts: 0,
    usage: NO_USAGE,
    group: 'no-rollouts',
    ended: new Map(),
    taken: [],
  }
  const { runs = 0 } = options
  /** By node: rollouts from its parent that began with it. */
  const written = [0]
  const ended = { right: 0, wrong: 0 }
  let longest = 0

  function node(parent: Node, step: Step): Node {
    const at = tree.add(parent, keyOf(step))
    if (found.steps[at] === undefined) {
      found.steps[at] = step
      found.rewards[at] = 0
      found.rewarded[at] = 0
      written[at] = 0
    }
    return at
  }

  const stepsTo = (at: Node): Step[] => tree.path(at).flatMap((n) => found.steps[n] ?? [])
  const answered = (at: Node): boolean => hasEnded(check, stepsTo(at))

  /** Rollouts asked for, those that failed or were cut off included. */
  function asked(at: Node): number {
    const seen = found.counted.get(at)
    return seen ? seen.trials + seen.unfinished + seen.failed : 0
  }

  const affordable = (): boolean =>
    found.rollouts < options.rollouts &&
    (options.tokens === undefined || found.usage.completionTokens + longest <= options.tokens)

  async function look(steps: readonly Step[]): Promise<Finding[]> {
    const source = { generator: policy.name, dataset: '', licence: 'unknown' }
    const trace: Trace = { id: problem.id, problem, steps: [...steps], source }
    return tool.applies(trace)
      ? tool.verify(trace, context.verify)
      : steps.map(() => UNKNOWN('the tool does not apply'))
  }

  /** Findings of a whole run, and what it earns each of its nodes. */
  async function backUp(end: Node, run: readonly Step[], outcome: Sign): Promise<void> {
    const findings = await look(run)
    const verdicts = findings.map((finding): Sign => signOf(finding))
    for (const [i, at] of tree.path(end).entries()) {
      found.findings[at] ??= findings[i]
      const refuted = options.veto && verdicts[i] === -1
      const reward = refuted ? -(1 + options.beta) : hybridReward(verdicts, i, outcome, options)
      found.rewards[at] = (found.rewards[at] ?? 0) + reward
      found.rewarded[at] = (found.rewarded[at] ?? 0) + 1
    }
  }

  /** One rollout from a node and all that follows from it. */
  async function simulate(at: Node): Promise<void> {
    const prefix = stepsTo(at)
    const known = answered(at) ? found.counted.get(at) : undefined
    const one = known ?? (await countRollouts(context, prefix, { from: asked(at), count: 1 }))
    if (!known) record(at, one)
    const done = one.completions[0]
    let end = at
    if (done) {
      const whole = runs > 0 && done.steps.every(hasText)
      for (const step of whole ? done.steps : done.steps.slice(0, 1).filter(hasText)) {
        end = node(end, step)
        written[end] = (written[end] ?? 0) + 1
      }
      if (whole && end !== at) found.ended.set(end, done.right)
      await backUp(end, [...prefix, ...done.steps], done.right ? 1 : -1)
    }
    tree.visit(ROOT)
    for (const n of tree.path(end)) tree.visit(n)
  }

  function record(at: Node, one: Counted): void {
    const before = found.counted.get(at)
    found.counted.set(at, before ? addCounts(before, one) : one)
    tree.record(at, one.successes, one.trials)
    found.usage = addUsage(found.usage, one.usage)
    if (answered(at)) return
    const count = one.trials + one.unfinished + one.failed
    longest = Math.max(longest, one.usage.completionTokens / Math.max(1, count))
    found.rollouts += count
    ended.right += one.successes
    ended.wrong += one.trials - one.successes
  }

  function score(parent: Node, child: Node, siblings: number): number {
    const rewarded = found.rewarded[child] ?? 0
    const q = rewarded === 0 ? 0 : (found.rewards[child] ?? 0) / rewarded
    const [all, own] = [tree.visits(parent), tree.visits(child)]
    if (options.select === 'uct') return uct(q, all, own, options.c)
    return puct(q, ((written[child] ?? 0) + 1) / (asked(parent) + siblings), all, own, options.c)
  }

  function select(): Node {
    let at = ROOT
    for (;;) {
      const children = tree.children(at).filter((child) => !found.ended.has(child))
      if (children.length === 0 || asked(at) < options.width * Math.sqrt(tree.visits(at))) return at
      // the earliest of several with the same score
      const scores = children.map((child) => score(at, child, children.length))
      const best = children[scores.indexOf(Math.max(...scores))]
      if (best === undefined) return at
      at = best
    }
  }

  const spine: Node[] = [ROOT]
  for (const step of line) spine.push(node(spine.at(-1) ?? ROOT, step))
  for (const [i, finding] of (line.length > 0 ? await look(line) : []).entries()) {
    const at = spine[i + 1]
    if (at !== undefined) found.findings[at] = finding
  }
  const end = spine.at(-1)
  if (end !== undefined && end !== ROOT && answered(end)) await simulate(end)
  for (let round = 0; round < options.sweep; round++) {
    for (const at of spine.slice(1)) if (!answered(at) && affordable()) await simulate(at)
  }
  while (found.simulations < options.simulations && affordable()) {
    await simulate(select())
    found.simulations++
  }
  found.taken = inTurn(
    [...found.ended].filter(([last]) => check.answerOf(stepsTo(last).map((step) => step.text)) !== null),
    runs,
  )
  for (const last of found.taken) {
    for (const at of tree.path(last)) {
      // An answer is checked, once.
      const missing = at === last ? 1 - asked(at) : options.sweep - asked(at)
      const count = at === last ? missing : Math.min(missing, options.rollouts - found.rollouts)
      if (count < 1 || (at !== last && !affordable())) continue
      record(at, await countRollouts(context, stepsTo(at), { from: asked(at), count }))
    }
  }
  if (ended.right + ended.wrong > 0) {
    found.group = ended.wrong === 0 ? 'all-right' : ended.right === 0 ? 'all-wrong' : 'mixed'
  }
  return found
}

/** Mean hybrid reward of a node, null where no run through it came to an end. */
export function meanReward(found: MctsTree, at: Node): number | null {
  const rewarded = found.rewarded[at] ?? 0
  return at === ROOT || rewarded === 0 ? null : (found.rewards[at] ?? 0) / rewarded
}

const hasText = (step: Step): boolean => step.text.trim() !== ''

function signOf({ verdict }: Finding): Sign {
  return verdict === 'unknown' ? 0 : verdict === 'correct' ? 1 : -1
}
