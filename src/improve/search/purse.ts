import { addUsage, NO_USAGE, type Usage } from '../../core/words.ts'

/** What a search may spend; the first limit that is reached ends it with what it has. */
export interface SearchBudget {
  /**
   * Prompt and completion tokens of the policy and of the reward model together. Passed at most by what the steps
   * under way cost more than the dearest before them.
   */
  tokens?: number
  /** Steps and whole samples asked of the policy. */
  calls?: number
}

/** What one search has spent, and what it may still ask for. */
export class Purse {
  usage: Usage = NO_USAGE
  /** Was something refused for lack of budget? */
  out = false
  #budget: SearchBudget
  #asked = 0
  #paid = 0
  #dearest = 0

  constructor(budget: SearchBudget) {
    this.#budget = budget
  }

  /**
   * How many of n more steps or samples may be asked for now; 0 = the budget is used up.
   *
   * Under a limit of tokens the first is asked for alone, since nobody knows yet what one costs, and then as many as
   * fit if none is dearer than the dearest so far.
   */
  grant(n: number): number {
    const { calls, tokens } = this.#budget
    let granted = n
    if (calls !== undefined) granted = Math.min(granted, calls - this.#asked)
    if (tokens !== undefined) granted = Math.min(granted, this.#affordable(tokens - tokensOf(this.usage), n))
    granted = Math.max(0, granted)
    if (granted === 0 && n > 0) this.out = true
    this.#asked += granted
    return granted
  }

  /** What one step or sample cost, its scoring included. */
  pay(usage: Usage): void {
    this.add(usage)
    this.#paid++
    this.#dearest = Math.max(this.#dearest, tokensOf(usage))
  }

  /** Costs that belong to no step of their own. */
  add(usage: Usage): void {
    // Wall time would make two equal searches differ.
    this.usage = addUsage(this.usage, { ...usage, seconds: 0 })
  }

  #affordable(left: number, n: number): number {
    if (left <= 0) return 0
    if (this.#paid === 0) return 1
    return this.#dearest === 0 ? n : Math.max(1, Math.floor(left / this.#dearest))
  }
}

export const tokensOf = (usage: Usage): number => usage.promptTokens + usage.completionTokens
