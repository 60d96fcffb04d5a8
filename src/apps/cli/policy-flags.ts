import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { BudgetLimits } from '../../engine/budget.ts'
import { Engine } from '../../engine/engine.ts'
import { stopOnInterrupt } from '../../engine/interrupt.ts'
import { Progress, progressLine } from '../../engine/progress.ts'
import type { PolicySettings, PolicySpec } from '../pipeline/open-policy.ts'
import type { Terminal } from './verb.ts'

const budget = z.number().positive().optional()

/** Options of every verb that lets a policy write, beside `policy` itself. */
export const POLICY_FLAGS = {
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
} as const

/** Policies without a model. */
const BY_RULES = new Set<string>(['task', 'game24-random', 'inject'] satisfies PolicySpec['kind'][])

/** Rollouts of one prefix that one call may ask an endpoint for. */
export const ROLLOUTS_A_CALL = 16

const flags = z.object(POLICY_FLAGS)
export type PolicyFlags = z.output<typeof flags>

/**
 * @param spec null = the run has no policy
 * @param judged does the run ask another endpoint, which takes key and price too?
 * @throws GradusError GRD-CLI-002 for settings that the policy would not look at
 */
export function checkPolicyFlags(spec: PolicySpec | null, options: PolicyFlags, judged = false): void {
  const refuse = (field: string, found: string, expected: string): never => {
    throw new GradusError('GRD-CLI-002', { where: { field }, found, expected })
  }
  if (options.budgetCost !== undefined && !options.price) {
    refuse('--budget-cost', 'no price', '--price, in dollars for a million prompt and completion tokens')
  }
  if (options.template !== undefined && !options.template.includes('{prompt}')) {
    refuse('--template', options.template, 'a text that holds {prompt}')
  }
  const { kind } = spec ?? { kind: 'no policy' }
  const simulated = kind === 'no policy' || BY_RULES.has(kind)
  if (simulated && options.temperature !== undefined) refuse('--temperature', kind, 'a model')
  if (kind === 'http') return
  const ofServers = ['key', 'price'] as const
  const foreign = kind === 'gguf' ? ofServers : (['maxTokens', 'prompt', 'system', 'template', ...ofServers] as const)
  for (const name of foreign) {
    if (judged && (name === 'key' || name === 'price')) continue
    if (options[name] !== undefined) refuse(`--${name === 'maxTokens' ? 'max-tokens' : name}`, kind, 'an endpoint')
  }
}

/** @param more what only the verb knows; `builtIn` = problems of built-in tasks, whose text form policies know */
export function policySettings(
  options: PolicyFlags,
  { builtIn, ...more }: { builtIn: boolean } & Pick<PolicySettings, 'samples' | 'by' | 'task' | 'needsLogprobs'>,
): PolicySettings {
  const { seed, temperature, maxTokens, system, template, key } = options
  const price = priceOf(options)
  return {
    ...more,
    prompt: options.prompt ?? (builtIn ? 'text' : 'chat'),
    ...(seed !== undefined && { seed }),
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(system !== undefined && { system }),
    // A shell gives a line break as two characters.
    ...(template !== undefined && { template: template.replaceAll('\\n', '\n') }),
    ...(key !== undefined && { keyFrom: key }),
    ...(price && { price }),
  }
}

/** Dollars for a million tokens, where they were given. */
export function priceOf({ price }: PolicyFlags): { prompt: number; completion: number } | null {
  const [prompt, completion] = price ?? []
  return prompt === undefined || completion === undefined ? null : { prompt, completion }
}

/** What a run may spend, where that was said. */
export function budgetOf(options: PolicyFlags): BudgetLimits {
  const { budgetTokens: tokens, budgetCalls: calls, budgetCost: cost, budgetSeconds: seconds } = options
  return {
    ...(tokens !== undefined && { tokens }),
    ...(calls !== undefined && { calls }),
    ...(cost !== undefined && { cost }),
    ...(seconds !== undefined && { seconds }),
  }
}

/**
 * @param spec null = endpoints only are asked
 * @param run decides which runs share a budget and a journal
 */
export function engineOf(spec: PolicySpec | null, options: PolicyFlags, run: string): Engine {
  // A player by rules plays again for nothing.
  const keeps = (spec === null || !BY_RULES.has(spec.kind)) && options.cache !== false
  return new Engine({
    concurrency: options.jobs,
    run,
    budget: budgetOf(options),
    ...(keeps && options.cache !== false && { path: options.cache }),
  })
}

/**
 * Ctrl-C while an engine works: the first lets what is paid for arrive, the second gives it up.
 * @returns a signal that fires at the first, and what takes the listeners away
 */
export function leaveOnInterrupt(engine: Engine, terminal: Terminal): { signal: AbortSignal; forget(): void } {
  const leave = new AbortController()
  const forget = stopOnInterrupt(engine, process, (calls, second) => {
    leave.abort(new GradusError('GRD-RUN-002', { try: ['the same command again'] }))
    const waits = calls > 0 && !second ? `, waiting for ${calls} calls; again to give them up` : ''
    if (terminal.interactive) terminal.err(`\nstopping${waits}\n`)
  })
  return { signal: leave.signal, forget }
}

/** Between two looks at the run, milliseconds. */
const PROGRESS_MS = 500

/**
 * A line that renews itself, for a person.
 * @param total samples in all, null where nobody knows
 * @returns takes it away
 */
export function showProgress(engine: Engine, total: number | null, terminal: Terminal): () => void {
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
