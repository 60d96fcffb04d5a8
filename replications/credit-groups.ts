import { random } from '../src/core/seeds.ts'
import { mean } from '../src/core/stats/index.ts'
import type { Problem, Step } from '../src/core/words.ts'
import type { StepWriter } from '../src/engine/rollout.ts'
import { type Attempt, type Credit, isDead } from '../src/improve/credit/credit.ts'
import { taskCompleter } from '../src/models/policies/task-completer.ts'
import type { CompleterOptions, Task } from '../src/worlds/tasks/task.ts'

/** A line that the policy wrote, with all that is known of it. */
export interface Drawn {
  id: string
  text: string
  tokens: number
  state: string
  /** Q - V: P(success) after the line minus P(success) before it. */
  truth: number
  scores: { exact: number; flipped: number; random: number }
  values: { exact: number; few: number | null; many: number | null }
}

export interface Run {
  outcome: number
  steps: Drawn[]
}

export interface Group {
  runs: Run[]
  /** P(success) of the start. */
  start: Drawn['values']
  /** Tokens (characters) of the attempts, and of the rollouts for values. A line that several share was written once. */
  tokens: { written: number; few: number; many: number }
}

/** How attempts are drawn. */
export interface Plan {
  task: Task
  options: CompleterOptions
  /** Attempts of a group of chains. */
  group: number
  /** Where the tree forks, and into how many. */
  forks: readonly { after: number; children: number }[]
  /** What lines have come to, in words; the lines themselves where not given. */
  stateAfter?: (texts: readonly string[]) => string
}

/** Rollouts from each step; the smaller number is the first of the larger. */
export const FEW = 4
export const MANY = 16
const FLIPPED = 0.2
/** Advantages and truths below are 0. */
const NOTHING = 1e-9

/** Draws attempts at one problem by a policy whose chance of success is known after every line. */
export class Drawer {
  readonly #plan: Plan
  readonly #problem: Problem
  readonly #policies: Record<'chains' | 'tree' | 'rollouts', StepWriter>
  readonly #scores: ReturnType<typeof random>
  readonly #start: number
  #number = 0

  constructor(plan: Plan, problem: Problem, name: string) {
    const { task, options } = plan
    const policy = (what: string): StepWriter => taskCompleter({ task, ...options, seed: `${name}/${what}` })
    this.#plan = plan
    this.#problem = problem
    this.#policies = { chains: policy('chains'), tree: policy('tree'), rollouts: policy('rollouts') }
    this.#scores = random(`${name}/scores`)
    // A line that cannot be read changes nothing, so that the value after it is that of the start.
    this.#start = task.oracle(problem, [''], options)[0]?.value ?? Number.NaN
  }

  async chains(n = this.#plan.group): Promise<Group> {
    return this.#groupOf(await inTurn(n, (i) => this.#write('chains', [], i)))
  }

  async tree(): Promise<Group> {
    let paths: Drawn[][] = [[]]
    let sample = 0
    const { forks } = this.#plan
    for (const [i, { children }] of forks.entries()) {
      const next: Drawn[][] = []
      for (const path of paths) {
        for (let child = 0; child < children; child++) {
          next.push([...path, ...(await this.#write('tree', path, sample++, forks[i + 1]?.after))])
        }
      }
      paths = next
    }
    return this.#groupOf(paths)
  }

  /** Values of the start and after every line but the last of each attempt, by rollouts of their own. */
  async value(group: Group): Promise<void> {
    const tried = async (prefix: readonly string[], from: number): Promise<{ few: number; many: number }> => {
      const rests = await inTurn(MANY, (i) => this.#completed('rollouts', prefix, from + i))
      const right = rests.map((rest) => this.#rightness([...prefix, ...rest]))
      const lengths = rests.map((rest) => rest.reduce((sum, text) => sum + text.length + 1, 0))
      for (const [i, length] of lengths.entries()) {
        group.tokens.many += length
        group.tokens.few += i < FEW ? length : 0
      }
      return { few: mean(right.slice(0, FEW)), many: mean(right) }
    }
    Object.assign(group.start, await tried([], 0))
    for (const [i, { steps }] of group.runs.entries()) {
      const texts = steps.map(({ text }) => text)
      for (const [t, { values }] of steps.slice(0, -1).entries()) {
        Object.assign(values, await tried(texts.slice(0, t + 1), i * MANY))
      }
    }
  }

  /** Lines that a policy adds to a prefix, up to `upTo` lines in all. */
  async #write(by: 'chains' | 'tree', prefix: readonly Drawn[], sample: number, upTo = Number.POSITIVE_INFINITY) {
    const { task, options, stateAfter = (lines) => JSON.stringify(lines) } = this.#plan
    const before = prefix.map(({ text }) => text)
    const texts = [...before, ...(await this.#completed(by, before, sample))].slice(0, upTo)
    const truths = task.oracle(this.#problem, texts, options)
    return texts.slice(prefix.length).map((text, i): Drawn => {
      const t = prefix.length + i
      const [correct, value] = [Number(truths[t]?.correct), truths[t]?.value ?? Number.NaN]
      return {
        id: String(this.#number++),
        text,
        tokens: text.length + 1,
        state: stateAfter(texts.slice(0, t + 1)),
        truth: value - (t === 0 ? this.#start : (truths[t - 1]?.value ?? Number.NaN)),
        scores: {
          exact: correct,
          flipped: this.#scores.next() < FLIPPED ? 1 - correct : correct,
          random: this.#scores.next(),
        },
        values: { exact: value, few: null, many: null },
      }
    })
  }

  #groupOf(all: Drawn[][]): Group {
    const runs = all.map((steps) => ({ outcome: this.#rightness(steps.map(({ text }) => text)), steps }))
    const written = new Set(all.flat()).values().reduce((sum, { tokens }) => sum + tokens, 0)
    return { runs, start: { exact: this.#start, few: null, many: null }, tokens: { written, few: 0, many: 0 } }
  }

  async #completed(by: 'chains' | 'tree' | 'rollouts', prefix: readonly string[], sample: number): Promise<string[]> {
    const steps = prefix.map((text): Step => ({ text, kind: 'thought' }))
    const written = await this.#policies[by].complete(this.#problem, steps, sample)
    if (!written.ok) throw written.error
    return written.steps.map(({ text }) => text)
  }

  #rightness(texts: readonly string[]): number {
    const { task } = this.#plan
    return Number(task.check(this.#problem, task.answerOf(texts) ?? ''))
  }
}

async function inTurn<T>(n: number, one: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let i = 0; i < n; i++) all.push(await one(i))
  return all
}

/** A credit method and what it reads of a group. */
export interface CreditArm {
  credit: Credit
  options?: Record<string, unknown>
  /** Does every line that was written count as a text of its own, as in free text? */
  apart?: boolean
  scores?: keyof Drawn['scores']
  values?: keyof Drawn['values']
}

/** What an arm adds up to on one group; `a` = advantage, `t` = truth of the n steps. */
const ZERO = {
  ...{ n: 0, a: 0, t: 0, aa: 0, tt: 0, at: 0 },
  /** Steps whose truth is above 0, and those of them with a positive advantage; the same below 0. */
  ...{ up: 0, upSeen: 0, down: 0, downSeen: 0 },
  /** Steps of failed attempts, and those of them with a positive advantage. */
  ...{ failed: 0, praised: 0 },
  dead: 0,
  tokens: 0,
}
export type Sums = typeof ZERO

/**
 * Advantages beside the truth. A step that several attempts share counts once, with the mean of its advantages.
 * @throws Error where progress by exact values is not the truth
 */
export function measured({ runs, start, tokens }: Group, { scores, values, apart, credit, options }: CreditArm): Sums {
  const group = runs.map(
    ({ outcome, steps }, i): Attempt => ({
      id: String(i),
      outcome,
      startValue: values ? start[values] : null,
      steps: steps.map((drawn) => ({
        text: apart ? drawn.id : drawn.text,
        tokens: drawn.tokens,
        score: scores ? drawn.scores[scores] : null,
        value: values ? drawn.values[values] : null,
        state: drawn.state,
      })),
    }),
  )
  const sums: Sums = { ...ZERO }
  const own = new Map<Drawn, number[]>()
  for (const [i, { advantages }] of credit.credit(group, options).entries()) {
    const run = runs[i]
    for (const [t, drawn] of run?.steps.entries() ?? []) {
      const advantage = advantages[t] ?? Number.NaN
      own.set(drawn, [...(own.get(drawn) ?? []), advantage])
      if (run?.outcome === 1) continue
      sums.failed++
      sums.praised += Number(advantage > NOTHING)
    }
  }
  for (const [{ truth }, advantages] of own) {
    const a = mean(advantages)
    if (values === 'exact' && Math.abs(a - truth) > NOTHING) {
      throw new Error(`exact progress ${a} is not Q - V ${truth}`)
    }
    sums.n++
    sums.a += a
    sums.t += truth
    sums.aa += a * a
    sums.tt += truth * truth
    sums.at += a * truth
    sums.up += Number(truth > NOTHING)
    sums.upSeen += Number(truth > NOTHING && a > NOTHING)
    sums.down += Number(truth < -NOTHING)
    sums.downSeen += Number(truth < -NOTHING && a < -NOTHING)
  }
  sums.dead = Number(isDead(group))
  sums.tokens = tokens.written + (values === 'few' || values === 'many' ? tokens[values] : 0)
  return sums
}

/** Pearson's, over all steps of all groups. */
export function correlation(items: readonly Sums[]): number {
  const [n, a, t, aa, tt, at] = [
    total(items, 'n'),
    total(items, 'a'),
    total(items, 't'),
    total(items, 'aa'),
    total(items, 'tt'),
    total(items, 'at'),
  ]
  const spread = (n * aa - a * a) * (n * tt - t * t)
  return spread > NOTHING ? (n * at - a * t) / Math.sqrt(spread) : Number.NaN
}

export function total(items: readonly Sums[], key: keyof Sums): number {
  return items.reduce((sum, item) => sum + item[key], 0)
}
