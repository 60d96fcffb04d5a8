import { explain, type GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Trace, type Usage } from '../../../core/words.ts'
import type { Counts } from '../../../engine/engine.ts'
import { count } from './style.ts'

/** How a sampling ended, as the engine and the reader know it. */
export interface Ended {
  rejected: readonly GradusError[]
  stopped: GradusError | undefined
  counts: Counts
  /** By all runs of this command. */
  spent: Usage
}

/** Errors that are shown whole. */
const SHOWN = 3

/** Counts of a sampling; nothing is left out silently. */
export class SampleSummary {
  readonly asked: number
  traces = 0
  #right = 0
  #wrong = 0
  #usage: Usage = NO_USAGE
  #policy: string
  #lost = new Map<string, { count: number; first: GradusError }>()

  constructor(policy: string, asked: number) {
    this.#policy = policy
    this.asked = asked
  }

  add(trace: Trace): void {
    this.traces++
    if (trace.outcome !== undefined) {
      if (trace.outcome >= 0.5) this.#right++
      else this.#wrong++
    }
    this.#usage = addUsage(this.#usage, trace.usage ?? NO_USAGE)
  }

  lose(error: GradusError): void {
    const seen = this.#lost.get(error.code)
    if (seen) seen.count++
    else this.#lost.set(error.code, { count: 1, first: error })
  }

  /** Samples that were begun and failed. */
  get lost(): number {
    return [...this.#lost.values()].reduce((sum, { count: n }) => sum + n, 0)
  }

  toJSON({ rejected, stopped, counts, spent }: Ended): object {
    return {
      policy: this.#policy,
      asked: this.asked,
      traces: this.traces,
      right: this.#right,
      wrong: this.#wrong,
      noOutcome: this.traces - this.#right - this.#wrong,
      usage: this.#usage,
      lost: Object.fromEntries([...this.#lost].map(([code, { count: n }]) => [code, n])),
      rejectedProblems: rejected.length,
      requests: counts.requests,
      fromCache: counts.cached,
      spent,
      ...(stopped && { stopped }),
    }
  }

  text({ counts, spent, stopped }: Ended, output: string): string {
    const unknown = this.traces - this.#right - this.#wrong
    const { promptTokens, completionTokens } = spent
    const cost = spent.cost === undefined ? '' : `   $${spent.cost.toFixed(2)}`
    return [
      `  ${count(this.traces)} of ${count(this.asked)} traces   ${count(this.#right)} right   ${count(this.#wrong)} wrong   ${count(unknown)} not decided`,
      `  ${count(counts.requests)} calls now, ${count(counts.cached)} samples from the cache   ${count(promptTokens + completionTokens)} tokens in all${cost}`,
      ...(stopped ? [`  stopped: ${stopped.message}`] : []),
      ...(output === '-' || this.traces === 0 ? [] : [`  ${output}   next: gradus label ${output} -o labelled.jsonl`]),
      '',
    ].join('\n')
  }

  /** What was lost, by code, with the first error of each. */
  errors({ rejected, stopped }: Ended): string[] {
    const lost = [...this.#lost.values()]
      .filter(({ first }) => first.code !== stopped?.code)
      .map(({ count: n, first }) => `${explain(first)}\n  ${count(n)} samples were lost like this.`)
    const problems = rejected.slice(0, SHOWN).map(explain)
    const rest = rejected.length - problems.length
    return [...lost, ...problems, ...(rest > 0 ? [`${count(rest)} more problems were left out.`] : [])]
  }
}
