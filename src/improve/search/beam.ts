import { compareDescending } from './choice.ts'
import type { Explorer, Path } from './explorer.ts'
import { refused, type SearchContext, type SearchEvent, type SearchFlag } from './search.ts'

export const DEDUPS = ['none', 'text', 'state'] as const

export interface BeamShape {
  /** Beams that know nothing of each other. */
  trees: number
  /** Lines that a beam keeps. */
  beam: number
  /** Samples of the next step of each line that is kept; the start gets `beam` times as many. */
  each: number
  /** Further steps that are written, scored and thrown away before a step is judged. */
  lookAhead: number
  /** Which lines count as the same when a beam is filled. */
  dedup: (typeof DEDUPS)[number]
}

/** What beams came to. */
export interface Beams {
  /** Finished lines that were kept. */
  finished: Path[]
  flags: SearchFlag[]
}

interface Beam {
  alive: Path[]
  /** Lines that may still be kept; a finished one keeps its place. */
  places: number
}

/**
 * Beams that are carried on side by side until all their lines have ended or the budget has.
 *
 * Each round every line that is alive is given `each` next steps, and the best by score take the places of the beam;
 * equal scores: the earlier line, then the earlier sample. Where no line that was kept states an answer, the best one
 * that was not kept is taken, and where there is none either, `beam` whole samples.
 */
export async function* beams(explorer: Explorer, shape: BeamShape): AsyncGenerator<SearchEvent, Beams, void> {
  const { context } = explorer
  const { trees, beam, each, lookAhead } = shape
  const all: Beam[] = Array.from({ length: trees }, () => ({ alive: [explorer.start()], places: beam }))
  const finished: Path[] = []
  const spare: Path[] = []
  for (let round = 0; all.some(({ alive }) => alive.length > 0) && !explorer.purse.out; round++) {
    const count = round === 0 ? each * beam : each
    const wanted = all.flatMap(({ alive }) => alive.map((path) => ({ path, count })))
    const children = await explorer.expand(wanted)
    let at = 0
    for (const one of all) {
      const grown = children.slice(at, at + one.alive.length).flat()
      at += one.alive.length
      const ranked = await byPromise(explorer, grown, lookAhead)
      const kept = firstOf(ranked, one.places, shape.dedup, context)
      for (const path of grown) yield stepEvent(path, kept.has(path))
      one.alive = ranked.filter((path) => kept.has(path) && path.end === null)
      const ended = ranked.filter((path) => kept.has(path) && path.end !== null)
      one.places -= ended.length
      for (const path of ended) {
        finished.push(path)
        yield { kind: 'candidate', candidate: explorer.candidate(path) }
      }
      spare.push(...ranked.filter((path) => !kept.has(path) && path.answer !== null))
    }
  }
  if (finished.some(({ answer }) => answer !== null)) return { finished, flags: [] }
  const spared = spare.sort(compareDescending).slice(0, 1)
  if (spared.length === 0 && explorer.purse.out) return { finished, flags: [] }
  const instead: Beams =
    spared.length > 0 ? { finished: spared, flags: ['dead-end'] } : await plainSamples(explorer, beam)
  for (const path of instead.finished) yield { kind: 'candidate', candidate: explorer.candidate(path) }
  return { ...instead, finished: [...finished, ...instead.finished] }
}

/** Whole samples, where a search has come to no end. */
export async function plainSamples(explorer: Explorer, n: number): Promise<Beams> {
  const sampled = await explorer.complete(Array.from({ length: n }, () => explorer.start()))
  return { finished: sampled.filter((path) => path !== null), flags: ['plain-sampling'] }
}

/** Lines that are not refuted, the most promising first. */
async function byPromise(explorer: Explorer, grown: readonly Path[], lookAhead: number): Promise<Path[]> {
  const standing = grown.filter(({ end }) => end !== 'refuted')
  const ahead = [...standing]
  for (let k = 0; k < lookAhead; k++) {
    const open = ahead.flatMap((path, i) => (path.end === null ? [{ path, i }] : []))
    const further = await explorer.expand(open.map(({ path }) => ({ path, count: 1 })))
    for (const [j, { i }] of open.entries()) ahead[i] = further[j]?.[0] ?? ahead[i]!
  }
  const order = standing.map((path, i) => ({ path, score: ahead[i]?.score ?? null }))
  return order.sort(compareDescending).map(({ path }) => path)
}

/** The first `places` lines of different text or state, then repeats. */
function firstOf(
  ranked: readonly Path[],
  places: number,
  dedup: BeamShape['dedup'],
  context: SearchContext,
): Set<Path> {
  if (dedup === 'none') return new Set(ranked.filter(isFresh()).slice(0, places))
  const key = ({ node, steps }: Path): unknown => (dedup === 'state' ? context.stateOf?.(steps) : node)
  const seen = new Set<unknown>()
  const different = ranked.filter((path) => {
    const own = key(path)
    return !seen.has(own) && seen.add(own)
  })
  const kept = new Set(different.slice(0, places))
  for (const path of ranked) {
    if (kept.size >= places) break
    kept.add(path)
  }
  return kept
}

/** A finished line takes one place, however often it was written. */
function isFresh(): (path: Path) => boolean {
  const ended = new Set<number>()
  return ({ node, end }) => end === null || (!ended.has(node) && ended.add(node) !== null)
}

/** A line as the event of its last step. */
export function stepEvent(path: Path, kept: boolean): SearchEvent {
  const step = path.steps.at(-1) ?? { text: '', kind: 'thought' as const }
  const score = path.end === 'refuted' ? null : (path.scores.at(-1) ?? null)
  return { kind: 'step', depth: path.steps.length, step, score, kept }
}

/**
 * Next steps of each of so many lines, from k in all.
 * @throws GradusError GRD-SEARCH-001 with the two nearest k that can be, and where states are not known
 */
export function eachOf(
  search: string,
  { k, parts, dedup }: { k: number; parts: number; dedup: BeamShape['dedup'] },
  context: SearchContext,
): number {
  if (k % parts !== 0) {
    const below = k - (k % parts)
    const near = [below, below + parts].filter((n) => n > 0)
    throw refused(search, 'k', `k=${k}`, `a multiple of ${parts}: k=${near.join(' or k=')}`)
  }
  if (dedup === 'state' && !context.stateOf) {
    throw refused(search, 'dedup', 'dedup=state', 'a problem whose states are known (`stateOf`), or dedup=text')
  }
  return k / parts
}
