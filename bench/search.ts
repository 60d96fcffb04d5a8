/**
 * Search with a policy that costs nothing: `node bench/search.ts [problems]`.
 *
 * One step expansion = a next step written by the policy, scored, looked at for an answer and put into the tree; the
 * time of the policy is in the figure. Step beam with 16 next steps in all, 4 lines kept. Expansions a processor
 * second, the median of five rounds, for the reference completer and for the random player of the Game of 24; beside
 * it what the policy alone can write, which no search can pass.
 */
import { NO_USAGE, type Problem } from '../src/core/words.ts'
import type { StepWriter } from '../src/engine/rollout.ts'
import { searchContext } from '../src/improve/search/context.ts'
import { solveWith } from '../src/improve/search/search.ts'
import { stepBeam } from '../src/improve/search/step-beam.ts'
import { game24RandomPolicy } from '../src/models/policies/simulated.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'
import { game24 } from '../src/worlds/tasks/game24.ts'

const PROBLEMS = Number(process.argv[2] ?? 200)
const ROUNDS = 5
const OPTIONS = { k: 16, beam: 4 }

/** Free, and different for different lines. */
const reward: RewardModel = {
  name: 'length',
  identity: 'length',
  meaning: 'value',
  aggregate: 'last',
  score: async (lines) =>
    lines.map(({ steps }) => ({ ok: true, scores: steps.map(({ text }) => (text.length % 7) / 7), usage: NO_USAGE })),
}

async function measure(name: string, policy: StepWriter, problems: readonly Problem[]): Promise<void> {
  const rates: number[] = []
  const alone: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    let steps = 0
    const counting: StepWriter = {
      ...policy,
      next: (...args) => {
        steps++
        return policy.next(...args)
      },
    }
    const searched = await timed(async () => {
      for (const problem of problems)
        await solveWith(stepBeam, searchContext({ problem, policy: counting, reward }), OPTIONS)
    })
    rates.push(steps / searched)
    const asked = steps
    const written = await timed(async () => {
      for (let i = 0; i < asked; i++) await policy.next(problems[i % problems.length]!, [], i)
    })
    alone.push(asked / written)
  }
  const [rate, most] = [median(rates), median(alone)]
  console.log(JSON.stringify({ policy: name, expansionsPerCpuSecond: rate, policyAlonePerCpuSecond: most }))
  console.log(
    `| step beam, ${name} | ${rate.toLocaleString('en-US')} step expansions per processor second | the policy alone, at the start: ${most.toLocaleString('en-US')} |`,
  )
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

const median = (values: number[]): number => Math.round(values.sort((a, b) => a - b)[values.length >> 1] ?? 0)

await measure(
  'reference completer',
  taskCompleter({ task: arithmeticChain, slip: 0.2, recovery: 0, seed: 'bench' }),
  arithmeticChain.generate('bench', 3, PROBLEMS),
)
await measure('game24-random', game24RandomPolicy('bench'), game24.generate('bench', 2, PROBLEMS))
