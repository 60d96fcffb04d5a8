import { join } from 'node:path'
import { z } from 'zod'
import { Engine } from '../../../engine/engine.ts'
import { checkedConfig, type RunConfig, readRunConfig, runHash } from '../../pipeline/run/config.ts'
import { RunFolder } from '../../pipeline/run/folder.ts'
import { runAll } from '../../pipeline/run/run.ts'
import { checkManyFlags, MANY_FLAGS } from '../many-flags.ts'
import { shownRun } from '../show/shown-run.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const budget = z.number().positive().optional()
const Options = z.object({
  folder: z
    .string()
    .optional()
    .describe('folder of the run; one in gradus-out, named by the settings, where not given'),
  policy: z.string().optional().describe('who writes traces, as in gradus sample; embedded:chains where not given'),
  task: z.string().optional().describe('built-in task of the problems, name[:level], or choose'),
  problems: z.string().optional().describe('file of problems instead of a task'),
  judge: z.string().optional().describe('model that criticises steps beside the annotators: http://host/v1#model'),
  reward: z.string().optional().describe('a trained process reward model instead of training one'),
  size: z.enum(['quick', 'full']).optional().describe('how much is done; quick where not given'),
  seed: z.string().optional().describe('names every random choice; 0 where not given'),
  key: z.string().optional().describe('NAME of the environment variable with the key of the endpoint'),
  budgetTokens: budget.describe('tokens at most, over all runs in the folder'),
  budgetCalls: budget.describe('calls at most, over all runs in the folder'),
  budgetSeconds: budget.describe('seconds at most'),
  jobs: z.number().int().positive().optional().describe('calls under way at most; 64 where not given'),
  ...MANY_FLAGS,
  dryRun: z.boolean().default(false).describe('print the settings as they would be used, and stop'),
  json: z.boolean().default(false).describe('figures and state as one JSON object'),
})
export type RunOptions = z.output<typeof Options>

export const run = verb({
  name: 'run',
  summary: 'from problems to proof: traces, labels, a reward model, better answers, a report',
  arguments: '[config]',
  options: Options,
  examples: [
    'gradus run',
    'gradus run --size full --task choose',
    'gradus run gradus.yaml --folder runs/first',
    'gradus run --problems gsm8k.jsonl --policy http://127.0.0.1:8000/v1#model --budget-tokens 5000000',
    'gradus run --engine postgres --results /shared/results --policy http://models.example.com/v1#model',
  ],
  async run([file], options, terminal) {
    const config = await configOf(file, options)
    checkManyFlags(options)
    if (options.dryRun) {
      terminal.out(`${JSON.stringify(config, null, 2)}\n`)
      return EXIT.done
    }
    const path = options.folder ?? runFolderOf('gradus-out', config)
    if (options.engine === 'local') return await runIn(path, config, terminal, options.json)
    const { runManyIn } = await import('../run-on-many.ts')
    return await runManyIn(path, config, options, terminal)
  },
})

/** Equal settings go on in the same folder. */
export function runFolderOf(parent: string, config: RunConfig): string {
  return join(parent, `run-${runHash(config).slice(0, 8)}`)
}

/** A run in a folder, by this process alone, shown to whoever watches. */
export async function runIn(path: string, config: RunConfig, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const folder = await RunFolder.open(path, config)
  const engine = new Engine({
    path: folder.file('cache.sqlite'),
    run: `run ${folder.state.hash.slice(0, 16)}`,
    concurrency: config.jobs,
    budget: config.budget,
  })
  return await shownRun({ folder, engine, terminal, json }, (signal, _, say) =>
    runAll({ config, folder, engine, signal, say }),
  )
}

async function configOf(file: string | undefined, options: RunOptions): Promise<RunConfig> {
  const { policy, task, problems, judge, reward, size, seed, key, jobs } = options
  const given = file === undefined ? {} : await readRunConfig(file)
  const flags = Object.entries({ policy, task, problems, judge, reward, size, seed, key, jobs })
  const budgetFlags = Object.entries({
    tokens: options.budgetTokens,
    calls: options.budgetCalls,
    seconds: options.budgetSeconds,
  }).filter(([, value]) => value !== undefined)
  const asked = Object.fromEntries(flags.filter(([, value]) => value !== undefined))
  const limits = { ...given.budget, ...Object.fromEntries(budgetFlags) }
  return checkedConfig({ ...given, ...asked, ...(Object.keys(limits).length > 0 && { budget: limits }) }, file)
}
