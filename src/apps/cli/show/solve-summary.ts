import { explain, type GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Usage } from '../../../core/words.ts'
import type { SearchFlag } from '../../../improve/search/search.ts'
import { decimal } from '../../../prove/report/text.ts'
import type { Solved } from '../../pipeline/solve.ts'
import type { Terminal } from '../verb.ts'
import { count, oneLine, paint } from './style.ts'
import { treeView } from './tree-view.ts'

/** Candidates that are shown of a search without a tree. */
const SHOWN = 4

/** Counts of a run of `gradus solve`; nothing is left out silently. */
export class SolveSummary {
  readonly asked: number
  solved = 0
  lost = 0
  #right = 0
  #wrong = 0
  #candidates = 0
  #outOfBudget = 0
  #flags = new Map<SearchFlag, number>()
  #usage: Usage = NO_USAGE
  #errors = new Map<string, { count: number; first: GradusError }>()
  #about: { search: string; policy: string; reward: string | null }

  constructor(about: { search: string; policy: string; reward: string | null }, asked: number) {
    this.#about = about
    this.asked = asked
  }

  add(one: Solved): void {
    if (!one.ok) {
      this.lost++
      const seen = this.#errors.get(one.error.code)
      this.#errors.set(one.error.code, { count: (seen?.count ?? 0) + 1, first: seen?.first ?? one.error })
      return
    }
    const { solution, right } = one
    this.solved++
    this.#right += Number(right === true)
    this.#wrong += Number(right === false)
    this.#candidates += solution.candidates.length
    this.#outOfBudget += Number(solution.outOfBudget)
    for (const flag of solution.flags) this.#flags.set(flag, (this.#flags.get(flag) ?? 0) + 1)
    this.#usage = addUsage(this.#usage, solution.usage)
  }

  toJSON(): object {
    return {
      ...this.#about,
      asked: this.asked,
      solved: this.solved,
      right: this.#right,
      wrong: this.#wrong,
      notDecided: this.solved - this.#right - this.#wrong,
      candidates: this.#candidates,
      outOfBudget: this.#outOfBudget,
      flags: Object.fromEntries(this.#flags),
      usage: this.#usage,
      lost: Object.fromEntries([...this.#errors].map(([code, { count: n }]) => [code, n])),
    }
  }

  text(): string {
    const { calls, promptTokens, completionTokens } = this.#usage
    const { search, policy, reward } = this.#about
    const flags = [...this.#flags].map(([flag, n]) => `${flag} ${count(n)}`)
    const budget = this.#outOfBudget > 0 ? [`budget ended ${count(this.#outOfBudget)}`] : []
    const odd = [...budget, ...flags]
    return [
      `  ${search}   policy ${policy}   reward ${reward ?? 'none'}`,
      `  ${count(this.solved)} of ${count(this.asked)} problems   ${count(this.#right)} right   ${count(this.#wrong)} wrong   ${count(this.solved - this.#right - this.#wrong)} not decided`,
      `  ${count(this.#candidates)} candidates   ${count(calls)} calls   ${count(promptTokens + completionTokens)} tokens, as if nothing had been cached`,
      ...(odd.length > 0 ? [`  ${odd.join('   ')}`] : []),
      '',
    ].join('\n')
  }

  /** What was lost, by code, with the first error of each. */
  errors(): string[] {
    return [...this.#errors.values()].map(
      ({ count: n, first }) => `${explain(first)}\n  ${count(n)} problems were lost like this.`,
    )
  }
}

/** One solved problem for a person: the answer, whether it is right, and the tree or the best candidates. */
export function showSolved({ problem, solution, right }: Solved & { ok: true }, terminal: Terminal): string {
  const { answer, candidates, chosen, usage, tree } = solution
  const verdict = right === null ? '' : right ? paint(terminal, 'green', 'right') : paint(terminal, 'red', 'wrong')
  const spent = `${count(candidates.length)} candidates   ${count(usage.calls)} calls   ${count(usage.promptTokens + usage.completionTokens)} tokens`
  const head = `  ${paint(terminal, 'bold', oneLine(problem.id, 28).padEnd(28))} ${oneLine(answer ?? 'no answer', 40)}   ${verdict}`
  if (tree) return [head, `    ${spent}`, ...treeView(tree, terminal.columns), '', ''].join('\n')
  const ranked = [...candidates.entries()].sort(([i, a], [j, b]) => (b.score ?? -1) - (a.score ?? -1) || i - j)
  const rows = ranked.slice(0, SHOWN).map(([i, { trace, score, refuted }]) => {
    const about = `${score === null ? '   -' : decimal(score)}  ${oneLine(trace.answer ?? 'no answer', 60)}`
    return `    ${i === chosen ? '▸' : ' '} ${about}${refuted === undefined ? '' : `   step ${refuted + 1} refuted`}`
  })
  return [head, `    ${spent}`, ...rows, '', ''].join('\n')
}
