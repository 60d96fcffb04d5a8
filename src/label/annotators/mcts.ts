import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { type Node, ROOT, type Tree } from '../../core/tree.ts'
import type { Evidence, Problem, Trace } from '../../core/words.ts'
import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import type { Finding } from '../../worlds/verifiers/verifier.ts'
import { type AnnotateContext, type Annotator, emptyStep, policyOf, type StepTool } from './annotator.ts'
import { takeRuns } from './explore.ts'
import { type MctsTree, mctsSearch, meanReward } from './mcts-search.ts'
import { keyOf, rolloutEvidence } from './rollout-counts.ts'

const Options = z.object({
  tool: z.string().default('arithmetic').describe('verifier that looks at every step'),
  sweep: z
    .number()
    .int()
    .min(0)
    .default(4)
    .describe('rollouts from each step of a trace before the search chooses, of a run taken from the tree after it'),
  simulations: z.number().int().min(0).default(32).describe('simulations after them'),
  width: z.number().positive().default(1).describe('rollouts from a node before going below it, times sqrt(visits)'),
  select: z.enum(['puct', 'uct']).default('puct').describe('score by which a child is chosen'),
  c: z.number().min(0).default(1).describe('weight of exploration'),
  beta: z.number().min(0).default(0.5).describe('weight of the outcome in the reward'),
  gamma: z.number().min(0).max(1).default(0.9).describe('discount of a verdict for each step of distance'),
  veto: z.boolean().default(true).describe('a refuted step gets the lowest reward, whatever follows'),
  rollouts: z.number().int().min(1).default(1000).describe('rollouts for one trace, at most'),
  tokens: z.number().int().min(1).optional().describe('completion tokens for one trace, at most'),
  maxSteps: z.number().int().min(1).default(200).describe('steps of a rollout, prefix included'),
  keep: z.number().int().min(0).default(1).describe('completions kept for each step'),
})

/**
 * GroundedPRM for a trace: tree search around it, with a tool's verdict at every node.
 *
 * The trace is the first line of the tree. Evidence about each of its steps: rollouts from that very step (so that
 * k of n stays an estimate of the policy's own chance, which the search's choice of children would bend), and the
 * tool's verdict with a rationale in words; mean reward and visits are its `detail`. Verdict and rollouts are kept
 * apart, so that `tool-veto`, `averaged` and every other rule can fuse them again without a rollout. Of a problem whole
 * runs are nodes of the tree; those that are taken have `sweep` rollouts from every step at least.
 * @see papers/groundedprm.md
 */
export const mcts: Annotator = {
  name: 'mcts',
  summary: 'tree search with a tool verdict at every step, and why',
  paper: 'groundedprm',
  options: Options,
  needs: ['policy', 'answer'],
  rule: 'tool-veto',
  runsCode: false,
  growsTree: true,
  applies: (trace) => trace.steps.length > 0 && emptyStep(trace) === null,
  refuses: emptyStep,
  expect(trace, given) {
    const { sweep, simulations, rollouts } = Options.parse(given ?? {})
    // How long the runs of a problem are nobody knows before.
    if (trace.steps.length === 0) return { rollouts }
    return { rollouts: Math.min(rollouts, sweep * trace.steps.length + simulations) }
  },
  async annotate(trace: Trace, context, given): Promise<Evidence[]> {
    const { searching, tool, options } = settingsOf(trace.problem, context, given)
    const found = await mctsSearch(searching, options, trace.steps)
    const path = found.tree.path(found.tree.addPath(trace.steps.map(keyOf)))
    context.grown?.({
      id: trace.id,
      annotator: mcts.name,
      problem: trace.problem,
      tree: found.tree.toJSON(),
      path,
      best: mostVisited(found.tree),
    })
    return [ROOT, ...path].flatMap((at, length) => evidenceOf(found, tool, at, length, options.keep))
  },
  async explore(problem, most, context, given) {
    const { searching, tool, options } = settingsOf(problem, context, given)
    const found = await mctsSearch(searching, { ...options, runs: most })
    const { tree, steps, taken, ended } = found
    return takeRuns({
      annotator: mcts.name,
      problem,
      context,
      check: searching.check,
      tree,
      steps,
      ends: taken,
      right: (end) => ended.get(end) ?? false,
      evidence: (at, length) => evidenceOf(found, tool, at, length, options.keep),
      best: mostVisited(tree),
    })
  },
}

function settingsOf(problem: Problem, context: AnnotateContext, given: unknown) {
  const { tool: name, maxSteps, ...options } = Options.parse(given ?? {})
  const tool = toolOf(name, context)
  const { allowCode, allowLocalExec, signal } = context
  const verify = { allowCode, allowLocalExec, ...(signal && { signal }) }
  const searching = { ...policyOf(context), problem, maxSteps, tool, verify }
  return { searching, tool, options }
}

/** Rollouts from a node and the tool's verdict about its step. */
function evidenceOf(found: MctsTree, tool: StepTool, at: Node, length: number, keep: number): Evidence[] {
  const counted = found.counted.get(at)
  const rolled = counted && rolloutEvidence(mcts.name, length, counted, keep)
  const finding = found.findings[at]
  return [...(rolled ? [rolled] : []), ...(finding ? [toolEvidence(tool, length - 1, finding, found, at)] : [])]
}

/** From the root always the child that most simulations went through, the earliest of several. */
function mostVisited(tree: Tree): Node[] {
  const line: Node[] = []
  for (let at: Node = ROOT; ; ) {
    const children = tree.children(at).filter((child) => tree.visits(child) > 0)
    const visits = children.map((child) => tree.visits(child))
    const best = children[visits.indexOf(Math.max(...visits))]
    if (best === undefined) return line
    line.push(best)
    at = best
  }
}

/** @throws GradusError GRD-LABEL-001 for a verifier that there is not, GRD-LABEL-004 for one that may not run code */
function toolOf(name: string, context: AnnotateContext): StepTool {
  const tool = context.tool ?? VERIFIERS.find((verifier) => verifier.name === name)
  if (!tool) {
    throw new GradusError('GRD-LABEL-001', {
      found: name,
      expected: `one of ${VERIFIERS.map((verifier) => verifier.name).join(', ')}`,
      try: ['gradus methods verifiers'],
    })
  }
  if (!tool.runsCode || context.allowCode) return tool
  throw new GradusError('GRD-LABEL-004', { found: `${tool.name} without leave to run code`, expected: 'code allowed' })
}

function toolEvidence(tool: StepTool, step: number, finding: Finding, found: MctsTree, at: Node): Evidence {
  const reward = meanReward(found, at)
  const detail = {
    tool: tool.name,
    visits: found.tree.visits(at),
    ...(reward !== null && { reward }),
    ...(finding.detail !== undefined && { claims: finding.detail }),
  }
  const reason = rationale(tool.name, finding, found, at)
  const level = finding.level !== undefined && { level: finding.level }
  return { kind: 'tool', source: mcts.name, step, verdict: finding.verdict, reason, detail, ...level }
}

/** What the tool and the search have to say of a step, for people and as the target of a generative reward model. */
function rationale(tool: string, finding: Finding, { tree }: MctsTree, at: Node): string {
  const said = `${tool}: ${finding.reason.replace(/\.$/, '')}`
  const trials = tree.trials(at)
  return trials === 0 ? said : `${said}; ${tree.successes(at)} of ${trials} runs from here end right`
}
