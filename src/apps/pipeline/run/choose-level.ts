import { mean } from '../../../core/stats/index.ts'
import type { Trace } from '../../../core/words.ts'
import { findWeights, USUAL_WEIGHTS } from '../../../models/policies/embedded/cards.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import { taskOf } from '../../../worlds/tasks/task-of.ts'
import { readPolicySpec } from '../open-policy.ts'
import { sampleTraces } from '../sample.ts'
import { readTaskSpec, taskProblems } from '../task-problems.ts'
import type { RunContext, RunPolicies } from './context.ts'

/** Where voting is not good enough and a right answer is nearly always there. */
const AIM = { passAt1: 0.3, overMajority: 0.1 } as const
/** Problems and samples that a level is judged on. */
const LOOK = { problems: 60, samples: 16 } as const

interface Rates {
  task: string
  passAt1: number
  majority: number
  passAtN: number
}

/**
 * The task and level at which a better choice among samples can show: pass@1 nearest .30 among those whose pass@16 is
 * at least 10 points above the majority of 16. Looked at on problems of their own.
 */
export async function chooseLevel(
  context: RunContext,
  policies: RunPolicies,
): Promise<{ task: string; figure: FigureData }> {
  const spec = readPolicySpec(context.config.policy)
  const known = spec.kind === 'embedded' ? findWeights(spec.name ?? USUAL_WEIGHTS).card.measured.rates : []
  const rates: Rates[] = []
  for (const { task, level } of known) {
    rates.push(await ratesOf(context, policies, `${task}:${level}`))
    context.say(describe(rates.at(-1)!))
  }
  const fit = rates.filter((r) => r.passAtN - r.majority >= AIM.overMajority)
  const [best] = (fit.length > 0 ? fit : rates).toSorted(
    (a, b) => Math.abs(a.passAt1 - AIM.passAt1) - Math.abs(b.passAt1 - AIM.passAt1),
  )
  const chosen = best?.task ?? 'self-repairing-chain:1'
  return {
    task: chosen,
    figure: {
      id: 'levels',
      title: 'Which difficulty',
      kind: 'table',
      columns: ['task and level', 'pass@1', 'majority of 16', 'pass@16', ''],
      rows: rates.map((r) => [r.task, r.passAt1, r.majority, r.passAtN, r.task === chosen ? 'chosen' : '']),
      note: `${LOOK.problems} problems of their own, ${LOOK.samples} samples each; pass@1 nearest .30 where pass@16 is at least 10 points above the majority.`,
    },
  }
}

async function ratesOf(context: RunContext, policies: RunPolicies, task: string): Promise<Rates> {
  const { engine, config, signal } = context
  const problems = taskProblems(readTaskSpec(task), `${config.seed}/run/level`, LOOK.problems)
  const policy = await policies.of(0)
  const byProblem = new Map<string, Trace[]>()
  for await (const one of sampleTraces(problems, { engine, policy, n: LOOK.samples, verifier: taskOf, signal })) {
    if (!one.ok) throw one.error
    byProblem.set(one.problem.id, [...(byProblem.get(one.problem.id) ?? []), one.trace])
  }
  const groups = [...byProblem.values()]
  return {
    task,
    passAt1: mean(groups.map((traces) => mean(traces.map((t) => t.outcome ?? 0)))),
    majority: mean(groups.map((traces) => majority(traces)?.outcome ?? 0)),
    passAtN: mean(groups.map((traces) => Math.max(...traces.map((t) => t.outcome ?? 0)))),
  }
}

/** A trace with the answer that most state, the first where several answers are equally common. */
function majority(traces: readonly Trace[]): Trace | undefined {
  const groups = [...Map.groupBy(traces, (t) => t.answer ?? null)].filter(([answer]) => answer !== null)
  return groups.toSorted(([, a], [, b]) => b.length - a.length)[0]?.[1][0]
}

function describe({ task, passAt1, majority: vote, passAtN }: Rates): string {
  const percent = (x: number): string => `${(100 * x).toFixed(0)} %`
  return `${task}: pass@1 ${percent(passAt1)}, majority of ${LOOK.samples} ${percent(vote)}, pass@${LOOK.samples} ${percent(passAtN)}`
}
