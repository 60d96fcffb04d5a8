import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Problem } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { stopOnInterrupt } from '../../../engine/interrupt.ts'
import { Progress, progressLine } from '../../../engine/progress.ts'
import { readProblems } from '../../../io/problems/read.ts'
import { traceWriter } from '../../../io/write.ts'
import { describeCapabilities } from '../../../models/endpoints/probe.ts'
import { hostOf, openPolicy, type PolicySettings, type PolicySpec, readPolicySpec } from '../../pipeline/open-policy.ts'
import { judged, taskOf } from '../../pipeline/outcome.ts'
import { sampleTraces } from '../../pipeline/sample.ts'
import { readTaskSpec, taskProblems } from '../../pipeline/task-problems.ts'
import { SampleSummary } from '../show/sample-summary.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const budget = z.number().positive().optional()

const Options = z.object({
  policy: z
    .string()
    .default('embedded')
    .describe('who writes: embedded[:name], game24-random, task[:slip,recovery] or http://host/v1#model'),
  task: z.string().optional().describe('problems of a built-in task instead of a file: name[:level], levels from 0'),
  problems: z.number().int().positive().optional().describe('problems at most: 100 of a task, all of a file'),
  samples: z.number().int().positive().default(1).describe('traces of each problem'),
  output: z.string().default('-').describe('native traces, one a line; .gz and .parquet by name'),
  format: z.string().optional().describe('format of the problems where detection is wrong'),
  seed: z.number().int().min(0).optional().describe('of every draw; an endpoint gets one only where given'),
  temperature: z.number().min(0).optional().describe('of a model; 1 or what the endpoint takes where not given'),
  maxTokens: z.number().int().positive().optional().describe('of one answer of an endpoint'),
  prompt: z
    .enum(['chat', 'text'])
    .optional()
    .describe('what an endpoint reads: messages, or a text with a step a line; text for a task, else chat'),
  system: z.string().optional().describe('first message of a chat'),
  template: z.string().optional().describe('what stands before the steps of a text; holds {prompt}'),
  key: z.string().optional().describe('NAME of the environment variable with the key of the endpoint'),
  price: z.array(z.number().min(0)).length(2).optional().describe('dollars for a million prompt, completion tokens'),
  budgetTokens: budget.describe('tokens at most, over all runs of this command'),
  budgetCalls: budget.describe('calls at most, over all runs of this command'),
  budgetCost: budget.describe('dollars at most, over all runs of this command; needs --price'),
  budgetSeconds: budget.describe('seconds at most'),
  cache: z
    .union([z.string(), z.literal(false)])
    .default('.gradus/cache.sqlite')
    .describe('file that keeps what was sampled: the same command goes on where it stopped'),
  jobs: z.number().int().positive().default(64).describe('calls under way at most'),
  code: z.boolean().default(true).describe('do not run code of traces against tests'),
  dryRun: z.boolean().default(false).describe('say what would be sent where, and stop'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})
type Options = z.output<typeof Options>

/** Problems of a task where nobody says how many. */
const TASK_PROBLEMS = 100
/** Between two looks at the run, milliseconds. */
const PROGRESS_MS = 500

export const sample = verb({
  name: 'sample',
  summary: 'problems in, traces of a policy out',
  arguments: '[file]',
  options: Options,
  examples: [
    'gradus sample --task game24:1 --policy embedded:game24 -n 4 -o traces.jsonl',
    'gradus sample --task arithmetic-chain --policy task:0.2,0.5 --problems 1000 -o traces.parquet',
    'gradus sample gsm8k.jsonl --policy https://api.example.com/v1#model --key API_KEY -n 8 -o traces.jsonl',
  ],
  async run(files, options, terminal) {
    const spec = readPolicySpec(options.policy)
    checkSettings(spec, options)
    const source = await problemsOf(files, options)
    if (options.dryRun) {
      terminal.out(dryRun(spec, source, options))
      return EXIT.done
    }
    const keeps = (spec.kind === 'http' || spec.kind === 'embedded') && options.cache !== false
    const engine = new Engine({
      concurrency: options.jobs,
      run: `sample ${contentHash([spec, source.name, options.seed ?? null]).slice(0, 16)}`,
      budget: limitsOf(options),
      ...(keeps && options.cache !== false && { path: options.cache }),
    })
    const leave = new AbortController()
    const forget = stopOnInterrupt(engine, process, (calls, second) => {
      leave.abort(new GradusError('GRD-RUN-002', { try: ['the same command again'] }))
      const waits = calls > 0 && !second ? `, waiting for ${calls} calls; again to give them up` : ''
      if (terminal.interactive) terminal.err(`\nstopping${waits}\n`)
    })
    try {
      return await sampled(spec, source, engine, options, leave.signal, terminal)
    } catch (error) {
      if (!leave.signal.aborted) throw error
      terminal.err('interrupted before anything was sampled\n')
      return EXIT.interrupted
    } finally {
      forget()
      await engine.close()
    }
  },
})

interface ProblemSource {
  /** Data set or task with its level. */
  name: string
  dataset: string
  licence: string
  problems: Problem[]
  rejected: GradusError[]
  /** Are these problems of built-in tasks, whose text form policies know? */
  builtIn: boolean
}

async function sampled(
  spec: PolicySpec,
  source: ProblemSource,
  engine: Engine,
  options: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<ExitCode> {
  const { policy, probe } = await openPolicy(spec, engine, settingsOf(source, options), signal)
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
      const trace = await judged(one.trace, options.code)
      const extra = { ...trace.extra, policy: policy.identity }
      summary.add(trace)
      await writer.write([{ ...trace, extra }])
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

async function problemsOf(files: readonly string[], options: Options): Promise<ProblemSource> {
  const [file, ...more] = files
  if ((file === undefined) === (options.task === undefined) || more.length > 0) {
    throw new GradusError('GRD-CLI-001', {
      found: file === undefined ? 'no problems' : more.length > 0 ? 'several files' : 'a file and a task',
      expected: 'one file with problems, or --task',
      try: ['gradus sample --help'],
    })
  }
  if (options.task !== undefined) {
    const wanted = readTaskSpec(options.task)
    const { name } = wanted.task
    const seed = `sample/${options.seed ?? 0}`
    const problems = taskProblems(wanted, seed, options.problems ?? TASK_PROBLEMS)
    return { name: `${name}:${wanted.level}`, dataset: name, licence: 'MIT', problems, rejected: [], builtIn: true }
  }
  const { format, problems, rejected } = await readProblems(file ?? '-', {
    ...(options.format !== undefined && { format: options.format }),
    ...(options.problems !== undefined && { most: options.problems }),
  })
  if (problems.length === 0) throw rejected[0] ?? new GradusError('GRD-IO-009', { where: { file: file ?? '-' } })
  const builtIn = problems.every((problem) => taskOf(problem) !== undefined)
  const dataset = format.name === 'gradus' ? '' : format.name
  return { name: file ?? '-', dataset, licence: format.licence, problems, rejected, builtIn }
}

/** @throws GradusError GRD-CLI-002 for settings that the policy would not look at */
function checkSettings(spec: PolicySpec, options: Options): void {
  const refuse = (field: string, found: string, expected: string): never => {
    throw new GradusError('GRD-CLI-002', { where: { field }, found, expected })
  }
  if (options.budgetCost !== undefined && !options.price) {
    refuse('--budget-cost', 'no price', '--price, in dollars for a million prompt and completion tokens')
  }
  if (options.template !== undefined && !options.template.includes('{prompt}')) {
    refuse('--template', options.template, 'a text that holds {prompt}')
  }
  const simulated = spec.kind === 'task' || spec.kind === 'game24-random'
  if (simulated && options.temperature !== undefined) refuse('--temperature', options.policy, 'a model')
  if (spec.kind === 'http') return
  for (const name of ['maxTokens', 'prompt', 'system', 'template', 'key', 'price'] as const) {
    if (options[name] !== undefined)
      refuse(`--${name === 'maxTokens' ? 'max-tokens' : name}`, options.policy, 'an endpoint')
  }
}

function settingsOf(source: ProblemSource, options: Options): PolicySettings {
  const { seed, temperature, maxTokens, system, template, key, price, samples } = options
  const [promptPrice = 0, completionPrice = 0] = price ?? []
  return {
    prompt: options.prompt ?? (source.builtIn ? 'text' : 'chat'),
    samples,
    ...(seed !== undefined && { seed }),
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(system !== undefined && { system }),
    // A shell gives a line break as two characters.
    ...(template !== undefined && { template: template.replaceAll('\\n', '\n') }),
    ...(key !== undefined && { keyFrom: key }),
    ...(price && { price: { prompt: promptPrice, completion: completionPrice } }),
  }
}

function limitsOf(options: Options): NonNullable<ConstructorParameters<typeof Engine>[0]>['budget'] & object {
  const { budgetTokens: tokens, budgetCalls: calls, budgetCost: cost, budgetSeconds: seconds } = options
  return {
    ...(tokens !== undefined && { tokens }),
    ...(calls !== undefined && { calls }),
    ...(cost !== undefined && { cost }),
    ...(seconds !== undefined && { seconds }),
  }
}

/** What would be sent where; nothing is asked, not even a probe. */
function dryRun(spec: PolicySpec, { name, problems }: ProblemSource, options: Options): string {
  const host = hostOf(spec)
  const samples = problems.length * options.samples
  const characters = problems.reduce((sum, problem) => sum + problem.prompt.length, 0)
  const plan = {
    policy: options.policy,
    host,
    problems: problems.length,
    from: name,
    samples,
    calls: spec.kind === 'task' || spec.kind === 'game24-random' ? 0 : samples,
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

/** A line that renews itself, for a person. @returns takes it away */
function showProgress(engine: Engine, total: number, terminal: Terminal): () => void {
  if (!terminal.interactive) return () => undefined
  const progress = new Progress(total)
  const timer = setInterval(() => {
    const state = progress.look(performance.now() / 1000, engine.counts, engine.inFlight, engine.budget.spent)
    terminal.err(`\r\u001b[K  ${progressLine(state)}`)
  }, PROGRESS_MS)
  return () => {
    clearInterval(timer)
    terminal.err('\r\u001b[K')
  }
}
