import { GradusError } from '../../core/errors.ts'

/** The vote of a source that does not vote. */
export const ABSTAIN = -1

/** Int8 cells hold class indices 0..126 beside the abstention. */
const MAX_CLASSES = 127

/**
 * What several sources say about the same items, in trace order: items of one trace stand together, by step.
 *
 * `votes[item * sources.length + source]` is an index into `classes` or {@link ABSTAIN}.
 */
export interface VoteMatrix {
  classes: readonly string[]
  sources: readonly string[]
  /** Number of items (rows). */
  items: number
  /** For each item the number of its trace, from 0, never falling. */
  trace: Int32Array
  /** For each item its position in the trace, from 0. */
  step: Int32Array
  votes: Int8Array
  /** Votes about whole traces (did it end well?), traces x sources, in the same classes; absent where nobody says. */
  outcomes?: Int8Array
  /** For each item the number of its domain, from 0; sources behave alike within one. Absent = one domain. */
  domain?: Int32Array
}

/** Votes of one source: trace id -> class name for each step; `null`, a missing step or a missing trace is no vote. */
export type SourceLabels = ReadonlyMap<string, readonly (string | null)[]>

/**
 * A vote matrix over the steps of traces.
 *
 * @throws GradusError GRD-LABEL-003 for a vote that names no class, more labels than steps, a trace id given twice or
 *   sources that are missing
 */
export function votesOfTraces(
  classes: readonly string[],
  traces: readonly { id: string; steps: number }[],
  sources: ReadonlyMap<string, SourceLabels>,
): VoteMatrix {
  const matrix = emptyMatrix(
    classes,
    [...sources.keys()],
    traces.reduce((sum, t) => sum + t.steps, 0),
  )
  const indexOf = new Map(classes.map((c, i) => [c, i]))
  const perItem = matrix.sources.length
  const seen = new Set<string>()
  let item = 0
  traces.forEach((trace, t) => {
    if (seen.has(trace.id)) throw new GradusError('GRD-LABEL-003', { found: `trace ${trace.id} twice` })
    seen.add(trace.id)
    let s = 0
    for (const [name, labels] of sources) {
      const said = labels.get(trace.id) ?? []
      if (said.length > trace.steps) {
        throw new GradusError('GRD-LABEL-003', {
          found: `${said.length} labels of ${name} for ${trace.id}`,
          expected: `at most ${trace.steps}, one a step`,
        })
      }
      said.forEach((label, step) => {
        if (label === null) return
        const k = indexOf.get(label)
        if (k === undefined) throw unknownClass(name, label, classes)
        matrix.votes[(item + step) * perItem + s] = k
      })
      s++
    }
    for (let step = 0; step < trace.steps; step++, item++) {
      matrix.trace[item] = t
      matrix.step[item] = step
    }
  })
  return matrix
}

/**
 * A vote matrix over items without order: every row is a trace of one step.
 *
 * @param rows class indices or {@link ABSTAIN}, one a source
 * @throws GradusError GRD-LABEL-003 for ragged rows and votes outside the classes
 */
export function votesOfRows(
  classes: readonly string[],
  sources: readonly string[],
  rows: readonly (readonly number[])[],
): VoteMatrix {
  const matrix = emptyMatrix(classes, sources, rows.length)
  rows.forEach((row, i) => {
    if (row.length !== sources.length) {
      throw new GradusError('GRD-LABEL-003', {
        found: `row ${i} with ${row.length} votes`,
        expected: `${sources.length}`,
      })
    }
    matrix.trace[i] = i
    row.forEach((vote, s) => {
      if (!Number.isInteger(vote) || vote < ABSTAIN || vote >= classes.length) {
        throw unknownClass(sources[s] ?? '', String(vote), classes)
      }
      matrix.votes[i * sources.length + s] = vote
    })
  })
  return matrix
}

/** The matrix with the items for which `keep` is true, order kept. */
export function filterItems(matrix: VoteMatrix, keep: (item: number) => boolean): VoteMatrix {
  const kept = Array.from({ length: matrix.items }, (_, i) => i).filter(keep)
  const m = matrix.sources.length
  const votes = new Int8Array(kept.length * m)
  kept.forEach((from, to) => {
    votes.set(matrix.votes.subarray(from * m, from * m + m), to * m)
  })
  return {
    ...matrix,
    items: kept.length,
    trace: Int32Array.from(kept, (i) => matrix.trace[i]!),
    step: Int32Array.from(kept, (i) => matrix.step[i]!),
    votes,
    ...(matrix.domain && { domain: Int32Array.from(kept, (i) => matrix.domain![i]!) }),
  }
}

/** Share of each class among all votes; uniform where nobody voted. */
export function voteShares(matrix: VoteMatrix): Float64Array {
  const shares = new Float64Array(matrix.classes.length)
  let total = 0
  for (const vote of matrix.votes) {
    if (vote < 0) continue
    shares[vote] = shares[vote]! + 1
    total++
  }
  return shares.map((n) => (total === 0 ? 1 / shares.length : n / total))
}

/** What each source votes: all classes that it ever names; empty for a source that never votes. */
export function polarities(matrix: VoteMatrix): Set<number>[] {
  const m = matrix.sources.length
  const out = matrix.sources.map(() => new Set<number>())
  matrix.votes.forEach((vote, cell) => {
    if (vote >= 0) out[cell % m]!.add(vote)
  })
  return out
}

/**
 * A note where sources only ever vote one class, else null: given that it votes, such a source says nothing about the
 * class to a model that reads abstentions as silence.
 */
export function onePolarityNote(matrix: VoteMatrix): { note: string; most: boolean } | null {
  const polarity = polarities(matrix)
  const one = matrix.sources.filter((_, s) => polarity[s]!.size === 1)
  if (one.length === 0) return null
  const voting = polarity.filter((p) => p.size > 0).length
  const note = `${one.join(', ')} vote for one class only, which a confusion matrix cannot use; majority or snorkel can`
  return { note, most: one.length * 2 > voting }
}

function emptyMatrix(classes: readonly string[], sources: readonly string[], items: number): VoteMatrix {
  if (classes.length < 2 || classes.length > MAX_CLASSES || new Set(classes).size !== classes.length) {
    throw new GradusError('GRD-LABEL-003', {
      found: `classes ${classes.join(', ')}`,
      expected: `2 to ${MAX_CLASSES} different ones`,
    })
  }
  if (sources.length === 0 || new Set(sources).size !== sources.length) {
    throw new GradusError('GRD-LABEL-003', {
      found: `sources ${sources.join(', ')}`,
      expected: 'at least one, all different',
    })
  }
  return {
    classes: [...classes],
    sources: [...sources],
    items,
    trace: new Int32Array(items),
    step: new Int32Array(items),
    votes: new Int8Array(items * sources.length).fill(ABSTAIN),
  }
}

function unknownClass(source: string, label: string, classes: readonly string[]): GradusError {
  return new GradusError('GRD-LABEL-003', {
    where: { field: source },
    found: `vote ${label}`,
    expected: `one of ${classes.join(', ')} or no vote`,
  })
}
