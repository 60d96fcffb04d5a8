import { explain } from '../../core/errors.ts'
import { SharedLedger } from '../../engine/distributed/shared-ledger.ts'
import { Engine } from '../../engine/engine.ts'
import { describeCapabilities } from '../../models/endpoints/probe.ts'
import type { SampleConfig } from '../pipeline/jobs/sample-job.ts'
import { openPolicy, type PolicySpec } from '../pipeline/open-policy.ts'
import { inputDigests, runMany } from './many.ts'
import { budgetOf, policySettings } from './policy-flags.ts'
import type { ProblemSource } from './problem-source.ts'
import type { SampleOptions } from './sample-options.ts'
import type { ExitCode, Terminal } from './verb.ts'

/** Rejected problems that are shown whole. */
const SHOWN = 3

/** `gradus sample` as shards, for workers here or elsewhere. */
export async function sampleOnMany(
  files: readonly string[],
  spec: PolicySpec,
  source: ProblemSource,
  options: SampleOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { dataset, licence, problems, rejected, builtIn } = source
  const settings = policySettings(options, { builtIn, samples: options.samples, by: 'gradus sample' })
  const config: SampleConfig = {
    policy: options.policy,
    settings,
    n: options.samples,
    source: { dataset, licence },
    code: options.code,
  }
  const inputs = options.task === undefined ? await inputDigests(files) : [`${source.name} ${options.seed ?? 0}`]
  const { seconds, ...budget } = budgetOf(options)
  const ended = await runMany(
    options,
    {
      spec: { kind: 'sample', config, inputs: [...inputs, String(problems.length)] },
      settings: { budget },
      ...(seconds !== undefined && { seconds }),
      concurrency: options.jobs,
      items: () => problems,
      // Before anything is planned: an endpoint that lacks what is needed is refused here.
      async prepare(database, job) {
        if (spec.kind !== 'http') return
        const engine = new Engine({ ledger: new SharedLedger(database, job), concurrency: options.jobs })
        try {
          const { probe } = await openPolicy(spec, engine, settings, new AbortController().signal)
          if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
        } finally {
          await engine.close()
        }
      },
      inputs: options.task === undefined ? files : [],
      output: options.output,
      json: options.json,
      leftOut: () => rejected.length,
    },
    terminal,
  )
  for (const error of rejected.slice(0, SHOWN)) terminal.err(`${explain(error)}\n`)
  if (rejected.length > SHOWN) terminal.err(`${rejected.length - SHOWN} more problems were left out.\n`)
  return ended
}
