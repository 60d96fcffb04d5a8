import { availableParallelism } from 'node:os'
import { GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Trace, type Usage } from '../../../core/words.ts'
import type { JobKind } from '../../../engine/distributed/job.ts'
import type { Engine } from '../../../engine/engine.ts'
import { resplit, splitterNamed } from '../../../io/steps/resplit.ts'
import type { AnnotateContext, GrownTree } from '../../../label/annotators/annotator.ts'
import type { RecoveryRate } from '../../../label/recovery-rate.ts'
import { cardDigest } from '../../../models/rewards/model-file.ts'
import { labelTrace, pacedByCores, relabelTrace } from '../label.ts'
import { boundRuleNamed, labelPlan } from '../label-plan.ts'
import { openPolicy, type PolicySettings, readPolicySpec } from '../open-policy.ts'
import { type RewardSettings, type RewardSpec, rewardName, rewardSpecs } from '../open-reward.ts'
import { openRewards } from '../open-rewards.ts'
import { rolloutCheck, taskNamed } from '../rollout-check.ts'

/** Everything beside the traces that decides the labels of `gradus label`; absent = as there. */
export interface LabelConfig {
  with?: readonly string[]
  rule?: string
  relabel?: string
  /** As on the command line; with it come its settings. */
  policy?: string
  settings?: Omit<PolicySettings, 'task'>
  task?: string
  /** Reward models as on the command line, and their settings: names of keys, never keys. */
  rewards?: { judge?: string; reward?: string; settings: RewardSettings; sha256?: string }
  /** The job that sampled the traces, of the same run: what it has paid for is not asked again. */
  after?: string
  seed: string
  split: string
  code: boolean
  allowLocalExec: boolean
}

/** What annotators have spent on a trace, and the trees that they have grown: a line beside the output. */
export interface LabelBeside {
  spent: Record<string, Usage>
  trees: GrownTree[]
}

/** How often the policy recovers, found out once by the planner on the first traces; null = no method asks. */
export async function recoveryOnce(
  engine: Engine,
  measure: () => Promise<RecoveryRate | null>,
): Promise<RecoveryRate | null> {
  // What it costs is on the calls' own account.
  const find = async (): Promise<{ rate: RecoveryRate | null; usage: Usage }> => ({
    rate: await measure(),
    usage: NO_USAGE,
  })
  return (await engine.once('recovery', { calls: 0 }, find)).rate
}

/**
 * Of a trained reward model its card, which holds the checksum of the weights: it must be the same on all machines.
 * undefined where there is none.
 * @throws GradusError GRD-MODEL-004 where it cannot be read
 */
export async function rewardDigest(rewards: readonly RewardSpec[]): Promise<string | undefined> {
  const [file] = rewards.flatMap((spec) => (spec.kind === 'file' ? [spec.path] : []))
  return file === undefined ? undefined : await cardDigest(file)
}

async function sameReward(rewards: readonly RewardSpec[], planned: string | undefined): Promise<void> {
  const found = await rewardDigest(rewards)
  if (found === planned) return
  throw new GradusError('GRD-MODEL-003', {
    found: 'another reward model under this name than where the job was given',
    expected: 'the same files on all machines',
  })
}

/** An item is a trace; its line is the labelled trace. */
export const labelJob: JobKind = {
  name: 'label',
  // Rollouts from steps that two attempts share are asked for once.
  together: (item) => (item as Trace).problem.prompt,
  async open(config, engine) {
    const {
      with: names,
      rule,
      relabel,
      policy: policyText,
      settings,
      task,
      rewards: rewardConfig,
      after,
      seed,
      split,
      code,
      allowLocalExec,
    } = config as LabelConfig
    const spec = policyText === undefined ? null : readPolicySpec(policyText)
    const rewards = rewardConfig ? rewardSpecs(rewardConfig) : []
    const plan = labelPlan({
      with: names,
      rule,
      check: spec ? rolloutCheck(spec, seed, task) : undefined,
      rewards: rewards.map(rewardName),
    })
    const again = relabel === undefined ? null : boundRuleNamed(relabel)
    const splitter = splitterNamed(split)
    const context: Omit<AnnotateContext, 'spend'> = { allowCode: code, allowLocalExec, seed }
    if (spec && settings && !again) {
      const all = { ...settings, ...(task !== undefined && { task: taskNamed(task) }) }
      context.policy = (await openPolicy(spec, engine, all, new AbortController().signal)).policy
      const rate = await recoveryOnce(engine, async () => {
        throw new GradusError('GRD-CORE-001', { found: 'a job whose planner has measured no recovery rate' })
      })
      if (rate) plan.use(rate)
    }
    if (rewardConfig && !again) {
      await sameReward(rewards, rewardConfig.sha256)
      context.rewards = await openRewards(rewards, engine, rewardConfig.settings, new AbortController().signal)
    }
    const waits = context.policy !== undefined || context.rewards !== undefined
    const annotators = waits ? pacedByCores(plan.annotators) : plan.annotators
    return {
      // Where nothing is waited for, only code in the sandbox gains by more than one at a time.
      window: waits ? engine.concurrency : availableParallelism(),
      ...(after !== undefined && { after }),
      async run(item) {
        let usage = NO_USAGE
        const lost: GradusError[] = []
        const spent: LabelBeside['spent'] = {}
        const trees: GrownTree[] = []
        const own: AnnotateContext = {
          ...context,
          spend(more, by = '') {
            usage = addUsage(usage, more)
            spent[by] = addUsage(spent[by] ?? NO_USAGE, more)
          },
          failed: (error) => lost.push(error),
          grown: (tree) => trees.push(tree),
        }
        const trace = await resplit(item as Trace, splitter)
        const done = again ? relabelTrace(trace, again) : await labelTrace(trace, annotators, own, plan.rule)
        const first = done.verdict?.firstError ?? null
        return {
          lines: [JSON.stringify(done)],
          ...(usage.calls + trees.length > 0 && { beside: JSON.stringify({ spent, trees } satisfies LabelBeside) }),
          counts: {
            traces: 1,
            firstWrongStep: first !== null && first >= 0 ? 1 : 0,
            clean: first === -1 ? 1 : 0,
            cannotSay: first === null ? 1 : 0,
            steps: done.steps.length,
            modelCalls: usage.calls,
          },
          // What a reward model failed on is tried again; in the end the trace stands without its evidence.
          lost,
        }
      },
    }
  },
}
