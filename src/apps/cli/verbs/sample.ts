import { contentHash } from '../../../core/hash.ts'
import type { Engine } from '../../../engine/engine.ts'
import { traceWriter } from '../../../io/write.ts'
import { describeCapabilities } from '../../../models/endpoints/probe.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { hostOf, openPolicy, type PolicySpec, readPolicySpec } from '../../pipeline/open-policy.ts'
import { sampledTrace } from '../../pipeline/outcome.ts'
import { sampleTraces } from '../../pipeline/sample.ts'
import { checkManyFlags } from '../many-flags.ts'
import { checkPolicyFlags, engineOf, leaveOnInterrupt, policySettings, showProgress } from '../policy-flags.ts'
import { type ProblemSource, problemsOf } from '../problem-source.ts'
import { SAMPLE_OPTIONS, type SampleOptions } from '../sample-options.ts'
import { SampleSummary } from '../show/sample-summary.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

export const sample = verb({
  name: 'sample',
  summary: 'problems in, traces of a policy out',
  arguments: '[file]',
  options: SAMPLE_OPTIONS,
  examples: [
    'gradus sample --task game24:1 --policy embedded:game24 -n 4 -o traces.jsonl',
    'gradus sample --task arithmetic-chain --policy task:slip=.2,recovery=.5 --problems 1000 -o traces.parquet',
    'gradus sample gsm8k.jsonl --policy https://api.example.com/v1#model --key API_KEY -n 8 -o traces.jsonl',
  ],
  async run(files, options, terminal) {
    const spec = readPolicySpec(options.policy)
    checkPolicyFlags(spec, options)
    checkManyFlags(options)
    const source = await problemsOf(files, options, 'gradus sample')
    if (options.dryRun) {
      terminal.out(dryRun(spec, source, options))
      return EXIT.done
    }
    if (options.engine !== 'local') {
      const { sampleOnMany } = await import('../sample-on-many.ts')
      return await sampleOnMany(files, spec, source, options, terminal)
    }
    const engine = engineOf(
      spec,
      options,
      `sample ${contentHash([spec, source.name, options.seed ?? null]).slice(0, 16)}`,
    )
    const { signal, forget } = leaveOnInterrupt(engine, terminal)
    try {
      return await sampled(spec, source, engine, options, signal, terminal)
    } catch (error) {
      if (!signal.aborted) throw error
      terminal.err('interrupted before anything was sampled\n')
      return EXIT.interrupted
    } finally {
      forget()
      await engine.close()
    }
  },
})

async function sampled(
  spec: PolicySpec,
  source: ProblemSource,
  engine: Engine,
  options: SampleOptions,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<ExitCode> {
  const settings = policySettings(options, {
    builtIn: source.builtIn,
    samples: options.samples,
    by: 'gradus sample',
  })
  const { policy, probe } = await openPolicy(spec, engine, settings, signal)
  if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
  const { dataset, licence } = source
  const summary = new SampleSummary(policy.name, source.problems.length * options.samples)
  const writer = await traceWriter(options.output)
  const stopProgress = showProgress(engine, summary.asked, terminal)
  try {
    const traces = sampleTraces(source.problems, {
      engine,
      policy,
      n: options.samples,
      verifier: taskOf,
      source: { dataset, licence },
    })
    for await (const one of traces) {
      if (!one.ok) {
        summary.lose(one.error)
        continue
      }
      const trace = await sampledTrace(one.trace, policy, options.code)
      summary.add(trace)
      await writer.write([trace])
    }
  } catch (error) {
    await writer.abandon()
    throw error
  } finally {
    stopProgress()
  }
  if (summary.traces > 0) await writer.close()
  else await writer.abandon()
  const ended = {
    rejected: source.rejected,
    stopped: engine.stopped,
    counts: engine.counts,
    spent: engine.budget.spent,
  }
  const own = options.output === '-' ? terminal.err : terminal.out
  if (options.json) own(`${JSON.stringify({ ...summary.toJSON(ended), ...(probe && { probe }) })}\n`)
  else own(summary.text(ended, options.output))
  for (const error of summary.errors(ended)) terminal.err(`${error}\n`)
  if (engine.stopped?.code === 'GRD-RUN-002') return EXIT.interrupted
  if (summary.traces === 0 && summary.lost > 0 && !engine.stopped) return EXIT.failed
  return summary.traces < summary.asked || source.rejected.length > 0 ? EXIT.lost : EXIT.done
}

/** What would be sent where; nothing is asked, not even a probe. */
function dryRun(spec: PolicySpec, { name, problems }: ProblemSource, options: SampleOptions): string {
  const host = hostOf(spec)
  const samples = problems.length * options.samples
  const characters = problems.reduce((sum, problem) => sum + problem.prompt.length, 0)
  const plan = {
    policy: options.policy,
    host,
    problems: problems.length,
    from: name,
    samples,
    calls: ['http', 'gguf', 'embedded'].includes(spec.kind) ? samples : 0,
    characters,
  }
  if (options.json) return `${JSON.stringify(plan)}\n`
  const rows: [string, string][] = [
    ['policy', plan.policy],
    ['host', host ?? 'this process; nothing is sent'],
    [
      'problems',
      `${problems.length.toLocaleString('en-US')} from ${name}, ${characters.toLocaleString('en-US')} characters`,
    ],
    ['samples', samples.toLocaleString('en-US')],
    ['calls', `at most ${plan.calls.toLocaleString('en-US')}${host === null ? '' : ', and some for the probe'}`],
  ]
  return `${rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}`).join('\n')}\n  nothing was sent\n`
}
