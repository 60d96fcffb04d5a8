import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Trace, Usage } from '../../../core/words.ts'
import { addUsage, NO_USAGE } from '../../../core/words.ts'
import type { AnnotateContext } from '../../../label/annotators/annotator.ts'
import { type LabelConfig, labelJob, recoveryOnce } from '../jobs/label-job.ts'
import { labelEach } from '../label.ts'
import { labelCost } from '../label-cost.ts'
import { labelPlan } from '../label-plan.ts'
import { readPolicySpec } from '../open-policy.ts'
import { readJudgeSpec, rewardName } from '../open-reward.ts'
import { openRewards } from '../open-rewards.ts'
import { rolloutCheck } from '../rollout-check.ts'
import { type RunContext, type RunPolicies, tracesOf, writeTraces } from './context.ts'
import { TRAIN_FILE } from './sample-stage.ts'
import type { StageJobs } from './stage-jobs.ts'

/** Evidence and labels for every training trace; prefixes are continued by the run's own policy. */
export async function labelStage(context: RunContext, policies: RunPolicies): Promise<void> {
  const { config, folder, engine, say, signal } = context
  await folder.stage('label steps', async (tick) => {
    const traces = await tracesOf(folder.file(TRAIN_FILE))
    const policy = await policies.of(0)
    const spec = readPolicySpec(config.policy)
    const check = rolloutCheck(spec, config.seed)
    const rewards = config.judge === undefined ? [] : [readJudgeSpec(config.judge)]
    const names = [...config.annotators, ...rewards.map((one) => `reward:${rewardName(one)}`)]
    const rewardSettings = {
      seed: config.seed,
      by: 'gradus run',
      ...(config.key !== undefined && { keyFrom: config.key }),
    }
    const plan = labelPlan({
      with: names,
      rule: config.rule,
      check,
      rewards: rewards.map(rewardName),
    })
    let usage = NO_USAGE
    const spend = (one: Usage): void => {
      usage = addUsage(usage, one)
    }
    const rate = await plan.prepare(traces, policy, spend)
    if (rate && rate.trials > 0) {
      folder.state.facts['recovery'] = rate.rate
      say(`wrong prefixes still end right in ${(100 * rate.rate.value).toFixed(1)} % of rollouts`)
      const warning = plan.warning(rate)
      if (warning !== null) say(`warning: ${warning}`)
    }
    let failed = 0
    const annotate: AnnotateContext = {
      policy,
      allowCode: true,
      allowLocalExec: false,
      seed: config.seed,
      spend,
      failed: () => {
        failed++
      },
      signal,
    }
    if (rewards.length > 0) {
      const { rewards: cost } = await labelCost(together(traces), plan, { spec, check, rewards }, NO_PRICES)
      if (cost) {
        const tokens = cost.tokens.prompt + cost.tokens.completion
        say(
          `judge ${cost.hosts.join(', ')}: ${count(cost.traces)} traces are sent there, at most ${count(cost.calls)} calls and some ${count(tokens)} tokens; ${count(cost.secrets)} secrets are taken out before`,
        )
      }
      annotate.rewards = await openRewards(rewards, engine, rewardSettings, signal)
    }
    async function* here(): AsyncGenerator<Trace> {
      let done = 0
      const all = labelEach(traces, { annotators: plan.annotators, context: annotate, rule: plan.rule, engine })
      for await (const one of all) {
        if (!one.ok) throw one.error
        tick(++done, traces.length)
        yield one.trace
      }
      if (engine.stopped) throw engine.stopped
    }
    async function* byWorkers(jobs: StageJobs): AsyncGenerator<Trace> {
      await recoveryOnce(engine, async () => rate)
      const after = jobs.of(TRAIN_FILE)
      const own: LabelConfig = {
        ...(after !== undefined && { after }),
        with: names,
        rule: config.rule,
        policy: config.policy,
        settings: policies.settings(0),
        ...(config.judge !== undefined && { rewards: { judge: config.judge, settings: rewardSettings } }),
        seed: config.seed,
        split: 'existing',
        code: true,
        allowLocalExec: false,
      }
      const spec = { kind: labelJob.name, config: own, inputs: [contentHash(traces)] }
      const { job, lost, counts, spent } = await jobs.do('labelled.jsonl', spec, traces, (n) => tick(n, traces.length))
      for (const { count: n, first } of Object.values(lost)) {
        if ((counts['traces'] ?? 0) < traces.length) throw GradusError.fromJSON(first)
        failed += n
      }
      usage = addUsage(usage, spent)
      yield* jobs.traces(job)
    }
    await writeTraces(folder.file('labelled.jsonl'), context.jobs ? byWorkers(context.jobs) : here())
    if (failed > 0) say(`the judge failed on ${count(failed)} traces, which have no verdict of it`)
    folder.state.facts['label usage'] = usage
  })
}

const NO_PRICES = { policy: null, rewards: null }

const count = (n: number): string => n.toLocaleString('en-US')

async function* together(traces: readonly Trace[]): AsyncGenerator<readonly Trace[]> {
  yield traces
}
