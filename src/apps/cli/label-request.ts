import { z } from 'zod'
import type { Trace } from '../../core/words.ts'
import { openTraces, untilDamaged } from '../../io/read.ts'
import type { BoundRule } from '../pipeline/label.ts'
import { type LabelCost, labelCost } from '../pipeline/label-cost.ts'
import type { LabelPlan } from '../pipeline/label-plan.ts'
import { POLICY_FORMS, type PolicySpec } from '../pipeline/open-policy.ts'
import type { RewardSpec } from '../pipeline/open-reward.ts'
import type { RolloutCheck } from '../pipeline/rollout-check.ts'
import { MANY_FLAGS } from './many-flags.ts'
import { POLICY_FLAGS, priceOf } from './policy-flags.ts'
import { type ProblemSource, stubOf } from './problem-source.ts'
import { REWARD_FLAGS, rewardSettings } from './reward-flags.ts'

const { seed, ...policyFlags } = POLICY_FLAGS
export const LABEL_OPTIONS = z.object({
  with: z
    .array(z.string())
    .optional()
    .describe('annotators, by name, with options as in omegaprm:k=16; all that apply offline where not given'),
  policy: z.string().optional().describe(`who continues traces: ${POLICY_FORMS}`),
  ...REWARD_FLAGS,
  task: z
    .string()
    .optional()
    .describe('built-in task of the problems where their domain does not say; without a file, name[:level] to explore'),
  problems: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('problems to explore at most: 100 of a task, all of a file'),
  samples: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('traces of each problem that is explored, at most; 8 where not given'),
  rule: z
    .string()
    .optional()
    .describe('label rule, with options as in hard:threshold=.5; fits the annotators where not given'),
  relabel: z.string().optional().describe('label rule over the evidence that the traces carry; looks at nothing anew'),
  dryRun: z.boolean().default(false).describe('say what would be sent where and spent, and stop'),
  merge: z
    .string()
    .optional()
    .describe('label model that merges the labels of several files instead of looking at steps'),
  gold: z.string().optional().describe('file with some labels of people, for label models that use them'),
  output: z.string().optional().describe('native traces with evidence, labels and verdict, one a line'),
  report: z.string().optional().describe('write a self-contained HTML report'),
  audit: z
    .string()
    .optional()
    .describe('compare annotators and rules with the exact oracle of the built-in task: report.html or .json'),
  trees: z
    .string()
    .optional()
    .describe('folder for the trees that annotators grow: trees.jsonl, one a line (omegaprm, mcts, alphamath)'),
  dot: z.boolean().default(false).describe('with --trees, a Graphviz file for each tree too'),
  format: z.string().optional().describe('format of the input where detection is wrong'),
  split: z.string().default('existing').describe('where a step ends; cuts the steps of traces without labels'),
  strict: z.boolean().default(false).describe('stop at the first bad record'),
  allowLocalExec: z.boolean().default(false).describe('run code of traces even where no isolating sandbox is there'),
  code: z.boolean().default(true).describe('do not run code of traces at all'),
  seed: seed.describe('of every random choice; an endpoint gets one only where given'),
  ...policyFlags,
  ...MANY_FLAGS,
  show: z.number().int().min(0).default(3).describe('traces with a first wrong step to print'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})
export type LabelOptions = z.output<typeof LABEL_OPTIONS>

/** A labelling run as it was asked for. */
export interface LabelRequest {
  files: readonly string[]
  options: LabelOptions
  plan: LabelPlan
  /** The rule of a run that looks at nothing anew. */
  relabel: BoundRule | null
  spec: PolicySpec | null
  check: RolloutCheck | undefined
  rewards: readonly RewardSpec[]
  /** What is explored, where the run does not begin with traces. */
  problems: ProblemSource | null
}

/** Who makes evidence in a run. */
export const namesOf = ({ explorer, annotators }: LabelPlan): string[] =>
  [...(explorer ? [explorer] : []), ...annotators].map((a) => a.name)

/** How the files are read. */
export function readOptions({ strict, format }: LabelOptions): { strict: boolean; format?: string } {
  return { strict, ...(format !== undefined && { format }) }
}

/** What the run would send and spend. */
export async function costOf({
  files,
  options,
  plan,
  spec,
  check,
  rewards,
  problems,
}: LabelRequest): Promise<LabelCost> {
  async function* batches(): AsyncGenerator<Trace[]> {
    if (problems) yield problems.problems.map(stubOf)
    for (const file of problems ? [] : files) {
      const { report: reading, batches: read } = await openTraces(file, readOptions(options))
      yield* untilDamaged(read, reading, options.strict)
    }
  }
  const prices = { policy: priceOf(options), rewards: rewardSettings(options, {}).price ?? null }
  return await labelCost(batches(), plan, { spec, check, rewards }, prices)
}
