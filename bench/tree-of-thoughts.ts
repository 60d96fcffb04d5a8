/**
 * The logged tree-of-thoughts run on 100 Games of 24, replayed through Gradus' breadth-first search:
 * `node bench/tree-of-thoughts.ts`. Proposals and values are the log's, so that only propose, value, select is judged.
 * A step has text, so that the three blank lines that the log took for proposals are read as `(blank)`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { NO_USAGE, type Problem, type Step } from '../src/core/words.ts'
import type { StepWriter } from '../src/engine/rollout.ts'
import { searchContext } from '../src/improve/search/context.ts'
import { solveWith } from '../src/improve/search/search.ts'
import { treeOfThoughts } from '../src/improve/search/tree-of-thoughts.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import { dataFile, noData } from '../src/testing/data.ts'
import { game24 } from '../src/worlds/tasks/game24.ts'

const LOG = ['tree-of-thoughts', 'logs', 'game24', 'gpt-4_0.7_propose1_value3_greedy5_start900_end1000.json.gz']

/** One puzzle of the log; a state is the text of all lines so far. */
interface Logged {
  idx: number
  steps: { x: string; ys: string[]; new_ys: string[]; values: number[]; select_new_ys: string[] }[]
  infos: { r: number }[]
}

/** Lines that the run keeps (`greedy5`). */
const BEAM = 5

export interface Replayed {
  idx: number
  /** States selected after each step, by the search and by the log. */
  selected: string[][]
  logged: string[][]
  /** By any of the states at the end, and by the first of them. */
  solved: { any: boolean; top: boolean }
  loggedSolved: { any: boolean; top: boolean }
}

export function readLog(): Logged[] {
  return JSON.parse(gunzipSync(readFileSync(dataFile(...LOG))).toString('utf8'))
}

export async function replay({ idx, steps, infos }: Logged): Promise<Replayed> {
  const problem: Problem = { id: `game24/${idx}`, prompt: steps[0]?.x ?? '', domain: 'game24' }
  const { policy, asked, width } = policyOf(steps)
  const context = searchContext({
    problem,
    policy,
    reward: rewardOf(steps),
    maxSteps: steps.length,
    answerOf: (lines) => (lines.length < steps.length ? null : answerIn(lines.at(-1))),
  })
  const found = await solveWith(treeOfThoughts, context, { proposals: width, beam: BEAM })
  const last = found.candidates.map(({ trace }) => textOf(trace.steps))
  const right = found.candidates.map(({ trace }) => game24.check(problem, trace.answer ?? ''))
  const logged = infos.map(({ r }) => r === 1)
  return {
    idx,
    selected: [...asked.slice(1), last],
    logged: steps.map((step) => step.select_new_ys.map(stateOf)),
    solved: { any: right.includes(true), top: right[0] === true },
    loggedSolved: { any: logged.includes(true), top: logged[0] === true },
  }
}

const stateOf = (logged: string): string => logged.replace(/\n$/, '').replace(/(^|\n)$/, '$1(blank)')
const textOf = (steps: readonly Step[]): string => steps.map(({ text }) => text).join('\n')
const answerIn = (step: Step | undefined): string | null => /^answer: (.*)$/i.exec(step?.text ?? '')?.[1] ?? null

/** Proposes what the log proposes; a state that was selected twice was also asked twice. */
function policyOf(steps: Logged['steps']): { policy: StepWriter; asked: string[][]; width: number } {
  /** By depth and state: the proposals of each time that it was asked. */
  const proposals = steps
    .map(({ ys, new_ys }) => {
      const groups = ys.map(() => [] as string[])
      let at = 0
      for (const y of new_ys) {
        while (!y.startsWith(ys[at] ?? '')) at++
        groups[at]?.push(stateOf(y.slice(ys[at]?.length ?? 0)))
      }
      return Map.groupBy(ys.keys(), (i) => (ys[i] === '' ? '' : stateOf(ys[i]!)))
        .entries()
        .map(([state, all]) => [state, all.map((i) => groups[i]!)] as const)
    })
    .map((entries) => new Map(entries))
  const width = Math.max(...proposals.flatMap((states) => [...states.values()].flat().map((list) => list.length)))
  const asked: string[][] = steps.map(() => [])
  const policy: StepWriter = {
    name: 'log',
    identity: 'log',
    async next(_, lines, sample) {
      const state = textOf(lines)
      if (sample % width === 0) asked[lines.length]?.push(state)
      const text = proposals[lines.length]?.get(state)?.[Math.floor(sample / width)]?.[sample % width]
      if (text === undefined) return { ok: true, steps: [], end: 'stop', usage: NO_USAGE }
      return { ok: true, steps: [{ text, kind: 'thought' }], end: 'step', usage: NO_USAGE }
    },
    complete: () => Promise.reject(new Error('a log knows no whole samples')),
  }
  return { policy, asked, width }
}

/** The log's values, pressed into [0, 1] in the same order. */
function rewardOf(steps: Logged['steps']): RewardModel {
  const values = steps.map(({ new_ys, values: all }) => {
    const first = new Map<string, number>()
    for (const [i, y] of new_ys.entries()) {
      const state = stateOf(y)
      if (!first.has(state)) first.set(state, all[i] ?? 0)
    }
    return first
  })
  return {
    name: 'log',
    identity: 'log',
    meaning: 'value',
    aggregate: 'last',
    score: async (lines) =>
      lines.map((line) => {
        const own = line.steps.map((_, i) => values[i]?.get(textOf(line.steps.slice(0, i + 1))) ?? null)
        return { ok: true, scores: own.map((v) => (v === null ? null : v / (1 + v))), usage: NO_USAGE }
      }),
  }
}

if (import.meta.main) {
  if (noData('tree-of-thoughts')) throw new Error('GRADUS_DATA has no tree-of-thoughts')
  const done = await Promise.all(readLog().map(replay))
  const same = done.filter((one) => JSON.stringify(one.selected) === JSON.stringify(one.logged)).length
  const any = done.filter((one) => one.solved.any).length
  const top = done.filter((one) => one.solved.top).length
  console.log(
    `| tree of thoughts, logged run replayed | ${same} of ${done.length} puzzles with the same states at every depth | solved ${any}, by the top state ${top} |`,
  )
}
