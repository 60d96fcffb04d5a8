import { z } from 'zod'
import { mean } from '../../core/stats/index.ts'
import { type Node, ROOT } from '../../core/tree.ts'
import { puct } from '../../label/annotators/mcts-search.ts'
import { type Beams, plainSamples, stepEvent } from './beam.ts'
import { best, inUnit, scoreFlags, solution } from './choice.ts'
import { checkWorked, Explorer, type Path } from './explorer.ts'
import { comparing, rewardOf, type Search, type SearchContext, type SearchEvent, settingsOf } from './search.ts'

const Options = z.object({
  iterations: z.number().int().min(1).default(40).describe('lines that are gone down and opened'),
  children: comparing(5, 'next steps that are written where a line is opened'),
  c: z.number().min(0).default(1.25).describe('weight of exploration'),
  leaf: z
    .enum(['value', 'rollout'])
    .default('value')
    .describe('what a new step is worth: its score, or the score of a run that is finished from it'),
})

/**
 * Monte Carlo tree search with PUCT.
 *
 * One iteration: from the start down by the highest Q + c P sqrt(N(s)) / (1 + N(s, a)) to a line that is not yet open;
 * open it with `children` samples of the next step; back the worth of each up to the start. Q is the mean worth on the
 * scale from -1 to 1, as in the paper. P is the step's exp(mean token log-probability), or, where the policy gives
 * none, the share of the samples that wrote it. A line that has ended is never chosen again; one without an answer or
 * refuted by the veto is worth -1. The answer is found by going down once more by the highest Q among what leads to
 * an answer. Equal values: the earlier step.
 *
 * @see papers/alphamath.md, papers/groundedprm.md
 */
export const mcts: Search = {
  name: 'mcts',
  summary: 'Monte Carlo tree search by PUCT, leaves by a value model or by runs to the end',
  paper: 'alphamath',
  options: Options,
  needs: ['reward'],
  async *solve(context, given) {
    const { iterations, children, c, leaf } = settingsOf(mcts.name, Options, given)
    const search = new PuctTree(new Explorer(context, rewardOf(mcts.name, context), 'own'), c)
    const { explorer } = search
    for (let i = 0; i < iterations && !explorer.purse.out; i++) {
      const path = search.select()
      if (!path) break
      const [grown = []] = await explorer.expand([{ path, count: children }])
      const fresh = search.open(path, grown)
      for (const child of fresh) yield stepEvent(child, child.end !== 'refuted')
      const ends = leaf === 'rollout' ? await runsFrom(explorer, fresh) : fresh
      for (const [at, end] of ends.entries()) if (end) yield* search.close(fresh[at]!, end, context)
    }
    checkWorked(explorer)
    const { finished, flags } = await search.ends()
    const candidates = finished.map((path) => explorer.candidate(path))
    if (flags.length > 0) for (const candidate of candidates) yield { kind: 'candidate', candidate }
    const { purse, tree } = explorer
    return solution(candidates, search.walk(), purse, {
      tree: tree.toJSON(),
      flags: [...flags, ...scoreFlags(candidates)],
    })
  },
}

/** Each line to its end; one that has ended stays. */
async function runsFrom(explorer: Explorer, fresh: readonly Path[]): Promise<(Path | null)[]> {
  const open = fresh.filter(({ end }) => end === null)
  const ran = await explorer.complete(open)
  return fresh.map((path) => (path.end === null ? (ran[open.indexOf(path)] ?? null) : path))
}

/** The bookkeeping of a search by PUCT; visits and worth, in [0, 1], are in the tree. */
class PuctTree {
  readonly explorer: Explorer
  readonly finished: Path[] = []
  #c: number
  #paths = new Map<Node, Path>()
  #priors = new Map<Node, number>()
  #opened = new Set<Node>()
  /** Nothing below is left to be looked at. */
  #closed = new Set<Node>()

  constructor(explorer: Explorer, c: number) {
    this.explorer = explorer
    this.#c = c
    this.#paths.set(ROOT, explorer.start())
  }

  /** The line to open next; null where all have ended. */
  select(): Path | null {
    let at = ROOT
    if (this.#closed.has(at)) return null
    while (this.#opened.has(at)) at = this.#best(at)
    return this.#paths.get(at) ?? null
  }

  /** New lines below a line, each once. */
  open(path: Path, grown: readonly Path[]): Path[] {
    this.#opened.add(path.node)
    const fresh = new Map<Node, Path>()
    for (const child of grown) if (!fresh.has(child.node)) fresh.set(child.node, child)
    for (const [node, child] of fresh) {
      // Where the policy stops without a word the line ends where it stands.
      if (node === path.node) continue
      this.#paths.set(node, child)
      if (child.end !== null) this.#closed.add(node)
      const written = grown.filter((one) => one.node === node).length / grown.length
      this.#priors.set(node, confidence(child) ?? written)
    }
    this.#closeAbove(path.node)
    return [...fresh.values()]
  }

  /** Backs up what a new line is worth by the end that was seen of it. */
  *close(path: Path, end: Path, context: SearchContext): Generator<SearchEvent, void, void> {
    const { tree } = this.explorer
    const dead = end.end !== null && end.answer === null
    if (dead) tree.backUp(path.node, 0)
    else if (end.score !== null) tree.backUp(path.node, Math.min(1, Math.max(0, inUnit(end.score, context))))
    if (dead || end.end === null) return
    this.finished.push(end)
    yield { kind: 'candidate', candidate: this.explorer.candidate(end) }
  }

  /** Lines that were finished; a whole sample where there is none, as long as the budget lasts. */
  async ends(): Promise<Beams> {
    if (this.finished.length > 0 || this.explorer.purse.out) return { finished: this.finished, flags: [] }
    const sampled = await plainSamples(this.explorer, 1)
    this.finished.push(...sampled.finished)
    return sampled
  }

  /** The finished line that is reached by the highest mean worth at every step; its number among `finished`. */
  walk(): number | null {
    const { tree } = this.explorer
    let left = this.finished.map(({ node }, number) => ({ number, way: tree.path(node) }))
    for (let depth = 0; left.length > 1 && left.some(({ way }) => this.#paths.has(way[depth] ?? -1)); depth++) {
      const reached = left.filter(({ way }) => this.#paths.has(way[depth] ?? -1))
      const top = reached.reduce((a, b) => (this.#q(b.way[depth]!) > this.#q(a.way[depth]!) ? b : a))
      left = reached.filter(({ way }) => way[depth] === top.way[depth])
    }
    const found = best(left.map(({ number }) => this.explorer.candidate(this.finished[number]!)))
    return found === null ? null : (left[found]?.number ?? null)
  }

  #best(parent: Node): Node {
    const { tree } = this.explorer
    const all = tree.visits(parent)
    let top: Node = parent
    let score = Number.NEGATIVE_INFINITY
    for (const child of tree.children(parent)) {
      if (!this.#paths.has(child) || this.#closed.has(child)) continue
      const own = puct(this.#q(child), this.#priors.get(child) ?? 0, all, tree.visits(child), this.#c)
      if (own > score) {
        score = own
        top = child
      }
    }
    return top
  }

  /** From -1 to 1; 0 where nothing is known. */
  #q(node: Node): number {
    const worth = this.explorer.tree.successRate(node)
    return worth === null ? 0 : 2 * worth - 1
  }

  #closeAbove(from: Node): void {
    const { tree } = this.explorer
    for (let at: Node | null = from; at !== null; at = tree.parent(at)) {
      const below = tree.children(at).filter((child) => this.#paths.has(child))
      if (!this.#closed.has(at) && below.some((child) => !this.#closed.has(child))) return
      this.#closed.add(at)
    }
  }
}

/** exp(mean token log-probability) of the last step; null where its tokens are not known. */
function confidence({ steps }: Path): number | null {
  const logprobs = steps.at(-1)?.tokens?.logprobs ?? []
  return logprobs.length === 0 ? null : Math.exp(mean(logprobs))
}
