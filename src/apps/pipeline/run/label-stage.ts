import type { Trace, Usage } from '../../../core/words.ts'
import { addUsage, NO_USAGE } from '../../../core/words.ts'
import { labelEach } from '../label.ts'
import { labelPlan } from '../label-plan.ts'
import { readPolicySpec } from '../open-policy.ts'
import { rolloutCheck } from '../rollout-check.ts'
import { type RunContext, type RunPolicies, tracesOf, writeTraces } from './context.ts'

/** Evidence and labels for every training trace; prefixes are continued by the run's own policy. */
export async function labelStage(context: RunContext, policies: RunPolicies): Promise<void> {
  const { config, folder, engine, say, signal } = context
  await folder.stage('label steps', async (tick) => {
    const traces = await tracesOf(folder.file('traces.jsonl'))
    const policy = await policies.of(0)
    const check = rolloutCheck(readPolicySpec(config.policy), config.seed)
    const plan = labelPlan({ with: config.annotators, rule: config.rule, check })
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
    const annotate = { policy, allowCode: true, allowLocalExec: false, seed: config.seed, spend, signal }
    let done = 0
    async function* labelled(): AsyncGenerator<Trace> {
      const all = labelEach(traces, { annotators: plan.annotators, context: annotate, rule: plan.rule, engine })
      for await (const one of all) {
        if (!one.ok) throw one.error
        tick(++done, traces.length)
        yield one.trace
      }
      if (engine.stopped) throw engine.stopped
    }
    await writeTraces(folder.file('labelled.jsonl'), labelled())
    folder.state.facts['label usage'] = usage
  })
}
