import type { GradusError } from '../../core/errors.ts'
import { canonicalJson } from '../../core/hash.ts'
import { type Node, ROOT, Tree } from '../../core/tree.ts'
import type { Evidence, Step, Trace, Usage } from '../../core/words.ts'
import { addUsage, NO_USAGE } from '../../core/words.ts'
import type { RolloutEnd, Written } from '../../engine/rollout.ts'
import { type AggregatorName, aggregate } from '../../models/rewards/aggregators.ts'
import type { RewardModel, Scored } from '../../models/rewards/reward.ts'
import type { Candidate } from './candidates.ts'
import { verdictsOf } from './choice.ts'
import { Purse } from './purse.ts'
import type { SearchContext } from './search.ts'

/** A line of steps that a search has come to. */
export interface Path {
  /** In the tree of the explorer; lines of the same text share it. */
  node: Node
  steps: readonly Step[]
  /** One a step; empty for the start and where no reward model looked. */
  scores: readonly (number | null)[]
  /** The aggregate; null for the start and where the model cannot say. */
  score: number | null
  /** Why it does not go on; null = it may. */
  end: RolloutEnd | 'refuted' | null
  /** The step that the veto refutes, from 0; present exactly when the end is `refuted`. */
  refuted?: number
  /** What stands behind the scores, where the reward model says more than numbers. */
  evidence?: Evidence[]
  answer: string | null
  /** Of the policy for these very steps. */
  usage: Usage
}

/**
 * Writes, scores and checks steps for the searches that look at single steps, and keeps the tree and the books.
 *
 * The same line is never asked for the same sample twice: samples of a line are numbered on, whoever asks.
 */
export class Explorer {
  readonly tree = new Tree()
  readonly purse: Purse
  readonly context: SearchContext
  /** The last call that failed, while nothing came back at all. */
  failure: GradusError | undefined
  #reward: RewardModel
  #how: AggregatorName
  /** By node: samples of the next step asked for. */
  #asked: number[] = []
  #keepsStatistics: boolean

  /** @param statistics `own`: the search itself writes the visits and values of the tree */
  constructor(context: SearchContext, reward: RewardModel, statistics: 'scores' | 'own' = 'scores') {
    this.context = context
    this.#reward = reward
    this.#keepsStatistics = statistics === 'scores'
    this.#how = context.aggregate ?? reward.aggregate
    this.purse = new Purse(context.budget)
  }

  start(): Path {
    return { node: ROOT, steps: [], scores: [], score: null, end: null, answer: null, usage: NO_USAGE }
  }

  /**
   * `count` samples of the next step of each line, scored; fewer where the budget ends or calls fail. Steps that the
   * veto refutes come with the end `refuted` and without a score.
   */
  async expand(wanted: readonly { path: Path; count: number }[]): Promise<Path[][]> {
    const children: Path[][] = wanted.map(() => [])
    const asks = wanted.flatMap(({ path, count }, of) => {
      const from = this.#asked[path.node] ?? 0
      this.#asked[path.node] = from + count
      return Array.from({ length: count }, (_, i) => ({ path, of, sample: from + i }))
    })
    for (let at = 0; at < asks.length; ) {
      const granted = this.purse.grant(asks.length - at)
      if (granted === 0) break
      const block = asks.slice(at, at + granted)
      at += granted
      const { policy, problem, signal } = this.context
      const written = await Promise.all(
        block.map(({ path, sample }) => policy.next(problem, path.steps, sample, signal)),
      )
      const paths = await this.#scored(
        block.map(({ path }, i) => this.#grown(path, written[i]!)),
        written,
      )
      for (const [i, child] of paths.entries()) if (child) children[block[i]!.of]?.push(child)
    }
    return children
  }

  /** Whole samples from a line to the end, scored; numbered on like steps. */
  async complete(wanted: readonly Path[]): Promise<(Path | null)[]> {
    const out: (Path | null)[] = []
    while (out.length < wanted.length) {
      const granted = this.purse.grant(wanted.length - out.length)
      if (granted === 0) break
      const block = wanted.slice(out.length, out.length + granted)
      const { policy, problem, signal } = this.context
      const written = await Promise.all(
        block.map((path) => {
          const sample = this.#asked[path.node] ?? 0
          this.#asked[path.node] = sample + 1
          return policy.complete(problem, path.steps, sample, signal)
        }),
      )
      const grown = block.map((path, i) => this.#grown(path, written[i]!))
      out.push(...(await this.#scored(grown, written)))
    }
    return [...out, ...wanted.slice(out.length).map(() => null)]
  }

  /** A line as a finished attempt. */
  candidate(path: Path): Candidate {
    const { policy, problem } = this.context
    const trace: Trace = {
      id: `${problem.id}@${path.node}`,
      problem,
      steps: [...path.steps],
      ...(path.answer !== null && { answer: path.answer }),
      ...(path.evidence && { evidence: path.evidence }),
      usage: path.usage,
      source: { generator: policy.name, dataset: '', licence: 'unknown' },
      extra: { end: path.end ?? 'stop' },
    }
    const refuted = path.refuted !== undefined && { refuted: path.refuted }
    return { trace, scores: [...path.scores], score: path.score, ...refuted }
  }

  /** The line with what was written, and whether it goes on; null where the call failed. */
  #grown(path: Path, written: Written): Path | null {
    if (!written.ok) {
      this.failure = written.error
      return null
    }
    const { answerOf, ended, maxSteps } = this.context
    const added = written.steps.filter((step) => keyOf(step) !== '').slice(0, maxSteps - path.steps.length)
    let { node } = path
    for (const step of added) {
      node = this.tree.add(node, keyOf(step))
      if (this.#keepsStatistics) this.tree.visit(node)
    }
    const steps = [...path.steps, ...added]
    const stopped = written.end === 'step' ? (added.length === 0 ? 'stop' : null) : written.end
    const end = ended(steps) ? 'answer' : (stopped ?? (steps.length >= maxSteps ? 'max-steps' : null))
    // A line in the middle may close with a number that is no answer.
    const answer = end === null ? null : answerOf(steps)
    const usage = addUsage(path.usage, { ...written.usage, seconds: 0 })
    return { node, steps, scores: path.scores, score: path.score, end, answer, usage }
  }

  /** Lines with the verdict of the veto and, where they stand, their scores; pays for both. */
  async #scored(grown: readonly (Path | null)[], written: readonly Written[]): Promise<(Path | null)[]> {
    const { problem, veto, signal } = this.context
    const looked = veto ? await Promise.all(grown.map((path) => path && this.#refuted(path))) : grown
    const standing = looked.filter((path) => path !== null && path.end !== 'refuted') as Path[]
    const said =
      standing.length === 0
        ? []
        : await this.#reward.score(
            standing.map(({ steps }) => ({ problem, steps })),
            signal,
          )
    let at = 0
    return looked.map((path, i) => {
      const own = written[i]?.usage ?? NO_USAGE
      if (path === null || path.end === 'refuted') {
        this.purse.pay(own)
        return path
      }
      const scored = said[at++]!
      this.purse.pay(addUsage(own, scored.usage))
      return this.#withScores(path, scored)
    })
  }

  #withScores(path: Path, scored: Scored): Path {
    if (!scored.ok) {
      this.failure = scored.error
      return { ...path, scores: path.steps.map(() => null), score: null }
    }
    const last = scored.scores.at(-1) ?? null
    if (this.#keepsStatistics && last !== null && path.node !== ROOT) this.tree.record(path.node, last, 1)
    const { scores, evidence } = scored
    return { ...path, scores, score: aggregate(this.#how, scores), ...(evidence && { evidence }) }
  }

  async #refuted(path: Path): Promise<Path> {
    const { veto, signal } = this.context
    const from = path.scores.length
    const verdicts = veto ? await verdictsOf(veto, this.candidate(path).trace, signal) : []
    const refuted = verdicts.indexOf('incorrect', from)
    return refuted < 0 ? path : { ...path, end: 'refuted', refuted }
  }
}

/**
 * @throws GradusError of the last failure where nothing came back
 */
export function checkWorked({ tree, failure, purse }: Explorer): void {
  if (tree.size === 1 && failure && !purse.out) throw failure
}

/** What stands for a step in the tree; empty for a step that says nothing. */
export function keyOf(step: Step): string {
  const text = step.text.trim()
  return text !== '' || !step.action ? text : canonicalJson([step.action.tool, step.action.input])
}
