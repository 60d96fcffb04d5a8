import { type Random, random } from '../src/core/seeds.ts'
import type { Problem, Step, Trace } from '../src/core/words.ts'
import type { OutcomeCheck, StepWriter, Written } from '../src/engine/rollout.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'
import { nearby } from '../src/worlds/tasks/walk.ts'

type Operator = '+' | '-'

interface State {
  total: number
  /** Operations done. */
  done: number
  /** What two operations come to together, worked out but not yet added; its size as stated. */
  pending: number | null
  answered: boolean
}

export interface RouteOptions {
  /** Chance that two operations in a row are put together first: another route to the same total. */
  alternative: number
  /** Chance that a line is wrong. */
  slip: number
  /** Chance that a rollout from a wrong prefix comes back to the right line. */
  rescue: number
  seed: string
}

/** A solution with the index of its first wrong step, -1 = none. */
export interface Routed {
  trace: Trace
  firstError: number
}

interface Line {
  a: number
  operator: Operator
  b: number
}

const LEVEL = 4

const compute = ({ a, operator, b }: Line): number => (operator === '+' ? a + b : a - b)
const text = (line: Line, result = compute(line)): string => `${line.a}${line.operator}${line.b}=${result}`
const thought = (said: string): Step => ({ text: said, kind: 'thought' })

/**
 * Arithmetic chains of eight sums whose solver, by chance, first puts two operations together: `17+28-9` as `28-9=19`,
 * `17+19=36`. The reference is the chain from left to right; both reach the same totals.
 *
 * One writer makes the traces and continues their prefixes, so a tree search meets a policy that knows its own routes.
 */
export class RouteChain implements OutcomeCheck {
  readonly #options: RouteOptions
  /** States of all prefixes of the traces and rollouts made so far, which rollouts start from. */
  readonly #states = new Map<string, State>()
  readonly writer: StepWriter

  constructor(options: RouteOptions) {
    this.#options = options
    this.writer = {
      name: 'route-chain',
      identity: { ...options },
      next: async (problem, steps, sample) => this.#write(problem, steps, sample, 1),
      complete: async (problem, steps, sample) => this.#write(problem, steps, sample),
    }
  }

  answerOf(steps: readonly string[]): string | null {
    const said = steps.find((step) => step.startsWith('='))
    return said === undefined ? null : said.slice(1)
  }

  check(problem: Problem, answer: string): boolean {
    return answer === problem.answer
  }

  /** n problems with one sampled solution each. */
  traces(n: number): Routed[] {
    return arithmeticChain.generate(this.#options.seed, LEVEL, n).map((problem) => this.#trace(problem))
  }

  #trace(problem: Problem): Routed {
    const rng = random(`${this.#options.seed}/trace/${problem.id}`)
    const operations = operationsOf(problem)
    const steps: Step[] = []
    let state = start(problem)
    let firstError = -1
    this.#states.set(prefixKey(problem, steps), state)
    while (!state.answered) {
      const line = this.#line(problem, state, operations, rng)
      if (line.wrong && firstError < 0) firstError = steps.length
      steps.push(thought(line.text))
      state = line.after
      this.#states.set(prefixKey(problem, steps), state)
    }
    const answer = this.answerOf(steps.map((step) => step.text)) ?? ''
    const outcome = this.check(problem, answer) ? 1 : 0
    const source = { generator: this.writer.name, dataset: 'route-chain', licence: 'MIT' }
    return { trace: { id: problem.id, problem, steps, answer, outcome, source }, firstError }
  }

  #write(problem: Problem, prefix: readonly Step[], sample: number, most = Number.POSITIVE_INFINITY): Written {
    const key = prefixKey(problem, prefix)
    const { rescue, seed } = this.#options
    const rng = random(`${seed}/rollout/${sample}/${key}`)
    const operations = operationsOf(problem)
    let state = this.#states.get(key)
    if (state === undefined) throw new RangeError('rollouts start from prefixes of what was written here')
    const steps: Step[] = []
    if (isLost(state, problem, operations) && rng.next() < rescue) steps.push(thought(`=${problem.answer}`))
    else {
      while (!state.answered && steps.length < most) {
        const line = this.#line(problem, state, operations, rng)
        steps.push(thought(line.text))
        state = line.after
        this.#states.set(prefixKey(problem, [...prefix, ...steps]), state)
      }
    }
    const completionTokens = steps.reduce((sum, step) => sum + step.text.length + 1, 0)
    const usage = { calls: 1, promptTokens: 0, completionTokens, cachedTokens: 0, seconds: 0 }
    return { ok: true, steps, end: steps.length === most ? 'step' : 'stop', usage }
  }

  /** The next line. A slip never mends an earlier one by luck, as with the completers of the built-in tasks. */
  #line(problem: Problem, state: State, operations: readonly [Operator, number][], rng: Random) {
    const wrong = rng.next() < this.#options.slip
    if (state.done >= operations.length) {
      const slips = nearby(state.total).filter((answer) => String(answer) !== problem.answer)
      return { text: `=${wrong ? rng.pick(slips) : state.total}`, wrong, after: { ...state, answered: true } }
    }
    const next = this.#next(state, operations, rng)
    const read = (said: string): State => next.after(Number(said.split('=')[1]))
    const slips = wrong ? slipsOf(next.line).filter((said) => isLost(read(said), problem, operations)) : []
    const said = wrong ? rng.pick(slips) : text(next.line)
    return { text: said, wrong, after: read(said) }
  }

  #next(state: State, operations: readonly [Operator, number][], rng: Random) {
    const [operator, b] = operations[state.done] ?? ['+', 0]
    const second = operations[state.done + 1]
    if (second !== undefined) {
      const [other, c] = second
      const net = (operator === '+' ? b : -b) + (other === '+' ? c : -c)
      if (state.pending !== null) {
        const line: Line = { a: state.total, operator: net > 0 ? '+' : '-', b: state.pending }
        return { line, after: (total: number): State => ({ ...state, total, done: state.done + 2, pending: null }) }
      }
      if (net !== 0 && rng.next() < this.#options.alternative) {
        const same = operator === other
        const line: Line = {
          a: same ? b : Math.max(b, c),
          operator: same ? '+' : '-',
          b: same ? c : Math.min(b, c),
        }
        return { line, after: (pending: number): State => ({ ...state, pending }) }
      }
    }
    const after = (total: number): State => ({ ...state, total, done: state.done + 1 })
    return { line: { a: state.total, operator, b }, after }
  }
}

/** Wrong sums, other numbers, the other sign and wrong copies; never with the right result. */
function slipsOf(line: Line): string[] {
  const right = compute(line)
  const wrong = [
    ...nearby(right).map((result) => text(line, result)),
    ...nearby(line.b, 1).map((b) => text({ ...line, b })),
    ...nearby(line.a).map((a) => text({ ...line, a })),
    text({ ...line, operator: line.operator === '+' ? '-' : '+' }),
  ]
  return wrong.filter((said) => Number(said.split('=')[1]) !== right)
}

const start = (problem: Problem): State => ({
  total: Number(/^\d+/.exec(problem.prompt)?.[0]),
  done: 0,
  pending: null,
  answered: false,
})

const operationsOf = (problem: Problem): [Operator, number][] =>
  [...problem.prompt.matchAll(/([+-])(\d+)/g)].map((m) => [m[1] === '-' ? '-' : '+', Number(m[2])])

const prefixKey = (problem: Problem, steps: readonly Step[]): string =>
  [problem.id, ...steps.map((step) => step.text)].join('\n')

function isLost(state: State, problem: Problem, operations: readonly [Operator, number][]): boolean {
  const sum = (all: readonly [Operator, number][]) => all.reduce((n, [sign, b]) => n + (sign === '+' ? b : -b), 0)
  const net = Math.abs(sum(operations.slice(state.done, state.done + 2)))
  if (state.pending !== null && state.pending !== net) return true
  return state.total + sum(operations.slice(state.done)) !== Number(problem.answer)
}
