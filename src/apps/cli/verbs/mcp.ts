import { Console } from 'node:console'
import { z } from 'zod'
import { Engine, SERVER_REOPEN_MS } from '../../../engine/engine.ts'
import type { Services } from '../../mcp/tool.ts'
import { version } from '../../package-root.ts'
import { corePacer } from '../../pipeline/label.ts'
import { labelPlan } from '../../pipeline/label-plan.ts'
import { rewardHost, rewardName, rewardSpecs } from '../../pipeline/open-reward.ts'
import { openRewards } from '../../pipeline/open-rewards.ts'
import { budgetOf, checkPolicyFlags, POLICY_FLAGS } from '../policy-flags.ts'
import { REWARD_FLAGS, rewardSettings } from '../reward-flags.ts'
import { EXIT, verb } from '../verb.ts'

const { seed, key, price, budgetTokens, budgetCalls, budgetCost, budgetSeconds, jobs } = POLICY_FLAGS
const Options = z.object({
  root: z.string().optional().describe('folder below which clients may name files; the current one where not given'),
  with: z
    .array(z.string())
    .optional()
    .describe('annotators of calls that name none; where not given those that gradus label takes'),
  ...REWARD_FLAGS,
  code: z.boolean().default(true).describe('do not run code of traces at all'),
  allowLocalExec: z.boolean().default(false).describe('run code of traces even where no isolating sandbox is there'),
  key,
  price,
  budgetTokens: budgetTokens.describe('tokens at most, while the server runs'),
  budgetCalls: budgetCalls.describe('calls of models at most, while the server runs'),
  budgetCost: budgetCost.describe('dollars at most, while the server runs; needs --price'),
  budgetSeconds: budgetSeconds.describe('seconds from the start in which models may be asked'),
  jobs,
  seed,
})
type Options = z.output<typeof Options>

export const mcp = verb({
  name: 'mcp',
  summary: 'tools for coding agents and other clients of the Model Context Protocol, over standard input and output',
  arguments: '',
  options: Options,
  examples: [
    'gradus mcp',
    'gradus mcp --root runs --with arithmetic,tool-schema',
    'gradus mcp --reward model.json',
    'gradus mcp --judge http://127.0.0.1:8000/v1#NAME --budget-tokens 200000',
  ],
  async run(_, options, terminal) {
    // Standard output belongs to the protocol: what a library prints goes to the log.
    globalThis.console = new Console(process.stderr)
    const { rootFolder } = await import('../../mcp/files.ts')
    const { serveMcp, toolsOf } = await import('../../mcp/server.ts')
    const root = await rootFolder(options.root, process.cwd())
    const log = (line: string): void => terminal.err(`gradus mcp: ${line}\n`)
    const { services, close } = await openServices(options, root, log)
    const leave = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leave.abort())
    // One call that fails out of turn must not end the others.
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) =>
        log(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      )
    }
    // A client that does not want the log is served all the same.
    process.stderr.on('error', () => undefined)
    const names = toolsOf(services).map((t) => t.name)
    log(`${names.join(', ')}; files below ${root ?? 'no folder (--root names one)'}`)
    if (process.stdin.isTTY) log('waits for messages of a client; docs/mcp.md says how to add it to one')
    const { stdin: input, stdout: output } = process
    await serveMcp({ services, version: await version(), input, output, log, close }, leave.signal)
    // The threads of the numerical backend would keep the process alive.
    process.exit(EXIT.done)
  },
})

/** Answers of models that are kept in memory: the same run asked about again costs nothing. */
const REMEMBERED = 20_000

async function openServices(
  options: Options,
  root: string | null,
  log: (line: string) => void,
): Promise<{ services: Services; close(): Promise<void> }> {
  const specs = rewardSpecs(options)
  const policyFlags = { ...options, cache: false } as const
  checkPolicyFlags(null, policyFlags, specs.length > 0)
  const rewards = specs.map(rewardName)
  // A wrong name is said now, not at the first call.
  labelPlan({ with: options.with, rewards })
  const hosts = new Set(specs.flatMap((spec) => rewardHost(spec) ?? []))
  const services: Services = {
    root,
    ...(options.with && { annotators: options.with }),
    rewards,
    sends: hosts.size > 0,
    allowCode: options.code,
    allowLocalExec: options.allowLocalExec,
    seed: String(options.seed ?? 0),
    pace: corePacer(),
  }
  if (specs.length === 0) return { services, close: async () => undefined }
  for (const host of hosts) log(`sends problems and steps to ${host}`)
  const engine = new Engine({
    concurrency: options.jobs,
    budget: budgetOf(policyFlags),
    remember: REMEMBERED,
    reopenMs: SERVER_REOPEN_MS,
  })
  const settings = rewardSettings(options, { seed: services.seed, by: 'gradus mcp' })
  const { signal } = new AbortController()
  services.openRewards = await openRewards(specs, engine, settings, signal)
  const scorer = options.reward === undefined ? undefined : services.openRewards(rewards.at(-1) ?? '', undefined)
  if (scorer) services.scorer = scorer
  return { services, close: () => engine.close() }
}
