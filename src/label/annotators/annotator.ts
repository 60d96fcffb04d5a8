import { GradusError } from '../../core/errors.ts'
import type { Method } from '../../core/method.ts'
import type { Node, TreeJson } from '../../core/tree.ts'
import type { Evidence, Problem, Step, Trace, Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import type { Reliability, Verifier, VerifyContext } from '../../worlds/verifiers/verifier.ts'

/** What an annotator cannot work without; checked before anything is spent. */
export type Need =
  /** Somebody who continues prefixes, and a check of the ends. */
  | 'policy'
  /** A model that says how probable a given text is. */
  | 'logprobs'
  /** A reward model of the annotator's name. */
  | 'reward'
  | 'answer'
  | 'reference'

/** What an annotator may use beside the trace. */
export interface AnnotateContext extends VerifyContext {
  /** Who continues prefixes or weighs texts; present where the annotator needs `policy` or `logprobs`. */
  policy?: StepWriter
  /** Decides whether a continuation ends right; present where the annotator needs `policy`. */
  check?: OutcomeCheck
  /** Values states in place of rollouts, for searches that can do with either. */
  value?: RewardModel
  /** Looks at the steps that a search writes, in place of the verifier that an annotator's options name. */
  tool?: StepTool
  /** Reward models by name and options; present where the annotator needs `reward`. */
  rewards?: (name: string, options: unknown) => RewardModel | undefined
  /** Names every random choice. */
  seed: string
  /** Called with what was spent, as it is spent. @param by annotator, where known */
  spend(usage: Usage, by?: string): void
  /** Called where a trace got no evidence because a model failed on it. */
  failed?(error: GradusError): void
  /** Called with what a tool saw of a step that it does not decide: it is no vote, and not kept. */
  undecided?(evidence: Evidence & { kind: 'tool' }): void
  /** Called with each tree when it is grown, by annotators that grow one; absent where nobody keeps them. */
  grown?(tree: GrownTree): void
}

/** Why a problem teaches nothing: every run from the start ends alike, or none came to an end. */
export type Skipped = 'all-right' | 'all-wrong' | 'no-rollouts'

/** A run from the start to an answer, taken out of a tree. */
export interface ExploredRun {
  steps: Step[]
  answer: string
  outcome: 0 | 1
  /**
   * What the tree knows of each step. Steps that several runs share have the same evidence in each; what it cost
   * (`usage`) stands in the first of them only.
   */
  evidence: Evidence[]
}

/** What a search over one problem brought. */
export interface Explored {
  runs: ExploredRun[]
  /** Why the search was not made, where it was not. */
  skipped?: Skipped
}

/** The tree that an annotator grew around a trace, or over a problem. */
export interface GrownTree {
  /** Of the trace, or of the problem. */
  id: string
  annotator: string
  problem: Problem
  tree: TreeJson
  /** Nodes of the trace, from its first step; over a problem, of the first run that was taken out of the tree. */
  path: Node[]
  /** Over a problem: nodes of each run that was taken out of the tree, in the order of their traces. */
  runs?: Node[][]
  /** Nodes of the line that the search would follow, where it has one. */
  best?: Node[]
}

/** What is sent to a reward model at most, retries left out. */
export interface Sent {
  calls: number
  characters: number
  /** Tokens that it may write. */
  completion: number
  /** Secrets that are taken out before. */
  secrets: number
}

/** The part of a verifier that a search needs; also what a simulated tool is. */
export type StepTool = Pick<Verifier, 'name' | 'runsCode' | 'applies' | 'verify'>

/** A method that looks at a trace and stores what it saw; it never makes a label. */
export interface Annotator extends Method {
  needs: readonly Need[]
  /** Name of the label rule that reads its evidence, where nobody names one. */
  rule: string
  /** Runs code of the trace; left out by default where no isolating sandbox is there. */
  runsCode: boolean
  /** Hands each tree that it grows to the context. */
  growsTree?: true
  /** How far its tool evidence may be trusted; without it `tool-reliability` leaves the evidence out. */
  reliability?: Reliability
  /** Cheap: can it say anything about such a trace? */
  applies(trace: Trace): boolean
  /** Why it cannot look at a trace that lacks what it needs, for people; such traces are counted by code. */
  refuses?(trace: Trace): GradusError | null
  /**
   * Upper bound of what a trace costs: rollouts, given texts that are weighed, what a reward model reads; absent where
   * nothing is spent. Of a trace without steps: what exploring its problem costs.
   */
  expect?(trace: Trace, options?: unknown): { rollouts: number; texts?: number; sent?: Sent }
  /** @param options as `options` has them, defaults where left out */
  annotate(trace: Trace, context: AnnotateContext, options?: unknown): Promise<Evidence[]>
  /**
   * Searches a problem by itself, without a trace, and takes runs with their evidence out of the tree; absent where the
   * annotator only looks at what others wrote. Equal policies, checks and options give equal runs.
   * @param most runs at most
   */
  explore?(problem: Problem, most: number, context: AnnotateContext, options?: unknown): Promise<Explored>
}

/** For searches whose nodes are texts: why a trace with an empty step is left out. */
export function emptyStep({ steps }: Trace): GradusError | null {
  const at = steps.findIndex((step) => step.text.trim() === '')
  if (at < 0) return null
  return new GradusError('GRD-LABEL-002', {
    found: `step ${at} without text`,
    expected: 'steps with something in them',
  })
}

/**
 * Policy and check of a context, for annotators that need them. Not its signal: when a run ends the engine starts no
 * further call, and those under way are paid for and waited for.
 * @throws GradusError GRD-LABEL-004
 */
export function policyOf(context: AnnotateContext): Required<Pick<AnnotateContext, 'policy' | 'check' | 'spend'>> {
  const { policy, check, spend } = context
  if (policy && check) return { policy, check, spend }
  throw new GradusError('GRD-LABEL-004', {
    found: `no ${policy ? 'answer check' : 'policy'}`,
    expected: 'a policy that continues traces and a check of its answers',
    try: ['--policy task   (traces of built-in tasks)'],
  })
}
