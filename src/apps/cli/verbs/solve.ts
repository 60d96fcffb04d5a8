import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Engine } from '../../../engine/engine.ts'
import { SEARCHES } from '../../../improve/search/index.ts'
import type { Search, SearchContext } from '../../../improve/search/search.ts'
import { recordWriter } from '../../../io/write.ts'
import { describeCapabilities } from '../../../models/endpoints/probe.ts'
import { AGGREGATORS, type AggregatorName } from '../../../models/rewards/aggregators.ts'
import { VERIFIERS } from '../../../worlds/verifiers/index.ts'
import type { Verifier } from '../../../worlds/verifiers/verifier.ts'
import { openPolicy, POLICY_FORMS, type PolicySpec, readPolicySpec } from '../../pipeline/open-policy.ts'
import { openReward, REWARD_FORMS, type RewardSpec, readRewardSpec, rewardHost } from '../../pipeline/open-reward.ts'
import { solveProblems } from '../../pipeline/solve.ts'
import { parseSpec, type Spec, specOptions } from '../../pipeline/spec.ts'
import {
  checkPolicyFlags,
  engineOf,
  leaveOnInterrupt,
  POLICY_FLAGS,
  policySettings,
  priceOf,
  showProgress,
} from '../policy-flags.ts'
import { type ProblemSource, problemsOf } from '../problem-source.ts'
import { SolveSummary, showSolved } from '../show/solve-summary.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  search: z
    .string()
    .default('best-of-n')
    .describe('how, with options: step-beam:k=16,beam=4; see gradus methods searches'),
  policy: z.string().default('embedded').describe(`who writes: ${POLICY_FORMS}`),
  reward: z
    .string()
    .optional()
    .describe(`who scores: ${REWARD_FORMS}; an oracle knows the truth of built-in tasks, an upper bound`),
  aggregate: z
    .enum(Object.keys(AGGREGATORS) as [AggregatorName, ...AggregatorName[]])
    .optional()
    .describe("how step scores become one score; the reward model's own way where not given"),
  veto: z.string().optional().describe('verifier whose "wrong" prunes a step: arithmetic, algebra, ...'),
  task: z.string().optional().describe('problems of a built-in task instead of a file: name[:level], levels from 0'),
  problems: z.number().int().positive().optional().describe('problems at most: 100 of a task, all of a file'),
  tokens: z.number().int().positive().optional().describe('tokens at most for one problem'),
  calls: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('steps and samples asked of the policy at most for one problem'),
  maxSteps: z.number().int().positive().optional().describe('steps of a line at most (default 200)'),
  output: z
    .string()
    .optional()
    .describe('one JSON object a problem: answer, candidates, tree, usage; - for standard output'),
  format: z.string().optional().describe('format of the problems where detection is wrong'),
  ...POLICY_FLAGS,
  code: z.boolean().default(true).describe('do not run code of answers against tests'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})
type Options = z.output<typeof Options>

/** Problems that a person is shown one by one. */
const SHOWN = 3

export const solve = verb({
  name: 'solve',
  summary: 'problems in, answers chosen by search out',
  arguments: '[file]',
  options: Options,
  examples: [
    'gradus solve --task arithmetic-chain:3 --policy task:slip=.3 --reward oracle --search step-beam:k=16,beam=4 --problems 3',
    'gradus solve --task game24:1 --policy embedded:game24 --reward logprob --search best-of-n:n=8 -o solved.jsonl',
    'gradus solve gsm8k.jsonl --policy http://127.0.0.1:8000/v1#NAME --search majority:n=16 --veto arithmetic -o solved.jsonl',
  ],
  async run(files, options, terminal) {
    const spec = readPolicySpec(options.policy)
    const how = searchNamed(options)
    checkPolicyFlags(spec, options, how.reward !== null && rewardHost(how.reward) !== null)
    const source = await problemsOf(files, options, 'gradus solve')
    const run = `solve ${contentHash([spec, source.name, options.search, options.seed ?? null]).slice(0, 16)}`
    const engine = engineOf(spec, options, run)
    const { signal, forget } = leaveOnInterrupt(engine, terminal)
    try {
      return await solved(spec, how, source, engine, options, signal, terminal)
    } catch (error) {
      if (!signal.aborted) throw error
      terminal.err('interrupted before anything was solved\n')
      return EXIT.interrupted
    } finally {
      forget()
      await engine.close()
    }
  },
})

/** A search with all that it needs but the policy. */
interface How {
  search: Search
  settings: Record<string, unknown>
  reward: RewardSpec | null
  veto: Verifier | null
}

/** @throws GradusError GRD-CLI-002 for names that there are not, GRD-SEARCH-001 where the search lacks what it needs */
function searchNamed(options: Options): How {
  const spec: Spec = parseSpec(options.search)
  const search = SEARCHES.find(({ name }) => name === spec.name)
  const unknown = (field: string, found: string, expected: string): GradusError =>
    new GradusError('GRD-CLI-002', { where: { field }, found, expected })
  if (!search) throw unknown('--search', spec.name, `one of ${SEARCHES.map(({ name }) => name).join(', ')}`)
  const reward = options.reward === undefined ? null : readRewardSpec(options.reward)
  const veto = VERIFIERS.find(({ name }) => name === options.veto) ?? null
  if (options.veto !== undefined && !veto) {
    throw unknown('--veto', options.veto, `one of ${VERIFIERS.map(({ name }) => name).join(', ')}`)
  }
  if (search.needs.includes('reward') && !reward) {
    throw new GradusError('GRD-SEARCH-001', {
      where: { field: '--reward' },
      found: `${search.name} without a reward model`,
      expected: REWARD_FORMS,
      try: ['--search majority   (needs none)'],
    })
  }
  return { search, settings: specOptions(spec, search.options), reward, veto }
}

async function solved(
  spec: PolicySpec,
  { search, settings, reward: rewardSpec, veto }: How,
  source: ProblemSource,
  engine: Engine,
  options: Options,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<ExitCode> {
  const opening = policySettings(options, { builtIn: source.builtIn, samples: 1, by: 'gradus solve' })
  const { policy, probe } = await openPolicy(spec, engine, opening, signal)
  if (probe && !options.json) terminal.err(`${describeCapabilities(probe)}\n\n`)
  const host = rewardSpec && rewardHost(rewardSpec)
  if (host && !options.json) terminal.err(`  sends    problems and candidates to ${host}, to be scored\n`)
  const { key } = options
  const price = priceOf(options)
  const scoring = { by: 'gradus solve', ...(key !== undefined && { keyFrom: key }), ...(price && { price }) }
  const reward = rewardSpec && (await openReward(rewardSpec, engine, scoring, signal))
  const about = { search: options.search, policy: policy.name, reward: reward?.name ?? null }
  const summary = new SolveSummary(about, source.problems.length)
  const { tokens, calls, maxSteps, aggregate } = options
  const budget: SearchContext['budget'] = { ...(tokens && { tokens }), ...(calls && { calls }) }
  const done = solveProblems(source.problems, {
    engine,
    policy,
    search,
    settings,
    budget,
    seed: String(options.seed ?? 0),
    code: options.code,
    signal,
    ...(maxSteps !== undefined && { maxSteps }),
    ...(aggregate && { aggregate }),
    ...(reward && { reward }),
    ...(veto && { veto }),
  })
  const out = options.output === undefined ? null : await recordWriter(options.output)
  const own = options.output === '-' ? terminal.err : terminal.out
  const stopProgress = showProgress(engine, null, terminal)
  try {
    for await (const one of done) {
      summary.add(one)
      if (!one.ok) continue
      const { problem, right, solution } = one
      await out?.write([{ id: problem.id, ...solution, right, problem, ...about }])
      if (summary.solved <= SHOWN && !options.json) own(showSolved(one, terminal))
    }
  } catch (error) {
    await out?.abandon()
    throw error
  } finally {
    stopProgress()
    reward?.dispose?.()
  }
  if (summary.solved > 0) await out?.close()
  else await out?.abandon()
  const { stopped } = engine
  own(options.json ? `${JSON.stringify({ ...summary.toJSON(), ...(stopped && { stopped }) })}\n` : summary.text())
  for (const error of [...summary.errors(), ...source.rejected.slice(0, SHOWN).map((e) => e.message)])
    terminal.err(`${error}\n`)
  if (stopped?.code === 'GRD-RUN-002') return EXIT.interrupted
  if (summary.solved === 0 && summary.lost > 0 && !stopped) return EXIT.failed
  return summary.solved < summary.asked || source.rejected.length > 0 ? EXIT.lost : EXIT.done
}
