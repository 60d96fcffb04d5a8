import type { z } from 'zod'
import { cohenKappa, expectedCalibrationError, reliability } from '../../core/stats/index.ts'
import type { Usage } from '../../core/words.ts'
import type { IndexReader } from '../../io/trace-index/index.ts'
import type { Figure as FigureSchema } from './schemas.ts'

type Figure = z.output<typeof FigureSchema>
type Counts = Pick<IndexReader, 'count'>

/** Bins of the position of a first error, as a share of the trace's steps. */
const POSITIONS = 10
/** Sources in the matrix of agreement; with more it cannot be read. */
const SOURCES = 8

/** Figures that follow from the index alone, without reading a trace; those without data are left out. */
export function computedFigures(counts: Counts, usage: Usage | null): Figure[] {
  return [
    confusion(counts),
    positions(counts),
    calibration(counts),
    annotators(counts),
    ...(usage === null ? [] : [costs(counts, usage)]),
  ].filter((figure) => figure !== null)
}

interface Pair {
  gold: number
  firstError: number | null
  n: number
}

/** Verdicts on the traces whose first error is known. */
function pairs(counts: Counts): Pair[] {
  return counts.count(['gold', 'firstError']).flatMap((row) => {
    const gold = numberOf(row['gold'])
    return gold === null ? [] : [{ gold, firstError: numberOf(row['firstError']), n: Number(row['n']) }]
  })
}

const OUTCOMES = ['no error', 'right step', 'earlier step', 'later step', 'cannot say'] as const

function confusion(counts: Counts): Figure | null {
  const all = pairs(counts)
  if (all.length === 0) return null
  const cells = new Map<string, number>()
  for (const { gold, firstError, n } of all) {
    const key = `${gold === -1 ? 'no error' : 'error'}/${outcomeOf(gold, firstError)}`
    cells.set(key, (cells.get(key) ?? 0) + n)
  }
  const rows = ['error', 'no error'].flatMap((gold) =>
    OUTCOMES.map((verdict) => [gold, verdict, cells.get(`${gold}/${verdict}`) ?? 0]),
  )
  return {
    id: 'confusion',
    title: 'Verdicts against known first errors',
    kind: 'heat',
    columns: ['people', 'verdict', 'traces'],
    rows,
    x: 'verdict',
    y: 'people',
    value: 'traces',
    note: 'Without an error every named step is a later step than "none": it counts as "later step".',
  }
}

function outcomeOf(gold: number, firstError: number | null): (typeof OUTCOMES)[number] {
  if (firstError === null) return 'cannot say'
  if (firstError === -1) return 'no error'
  if (firstError === gold) return 'right step'
  return gold >= 0 && firstError < gold ? 'earlier step' : 'later step'
}

function positions(counts: Counts): Figure | null {
  const rows: Figure['rows'] = []
  for (const [column, series] of [
    ['firstError', 'verdict'],
    ['gold', 'people or data set'],
  ] as const) {
    const bins = new Array<number>(POSITIONS).fill(0)
    for (const row of counts.count(['steps', column])) {
      const step = numberOf(row[column])
      if (step !== null && step >= 0) bins[Math.floor((step / Number(row['steps'])) * POSITIONS)]! += Number(row['n'])
    }
    const total = bins.reduce((a, b) => a + b, 0)
    if (total > 0) rows.push(...bins.map((n, bin) => [`${bin * 10} to ${(bin + 1) * 10} %`, series, n / total, n]))
  }
  if (rows.length === 0) return null
  return {
    id: 'first-error-position',
    title: 'Where the first wrong step stands',
    kind: 'bar',
    columns: ['position', 'source', 'share', 'traces'],
    rows,
    x: 'position',
    y: 'share',
    series: 'source',
    note: 'Position of the step as a share of the steps of its trace.',
  }
}

function calibration(counts: Counts): Figure | null {
  const stated: number[] = []
  const wrong: boolean[] = []
  for (const row of counts.count(['errorProb', 'gold'])) {
    const [p, gold] = [numberOf(row['errorProb']), numberOf(row['gold'])]
    if (p === null || gold === null) continue
    for (let i = Number(row['n']); i > 0; i--) {
      stated.push(p)
      wrong.push(gold >= 0)
    }
  }
  if (stated.length === 0) return null
  return {
    id: 'calibration',
    title: 'Stated and observed chance that a trace has an error',
    kind: 'line',
    columns: ['stated', 'observed', 'traces'],
    rows: reliability(stated, wrong).map((bin) => [bin.stated, bin.observed, bin.n]),
    x: 'stated',
    y: 'observed',
    note: `Ten bins of equal size; expected calibration error ${expectedCalibrationError(stated, wrong).toFixed(3)} on ${stated.length.toLocaleString('en-US')} traces. On the diagonal the verdict is as sure as it should be.`,
  }
}

/** Share of traces on which two sources name the same first error, and Cohen's kappa of that. */
function annotators(counts: Counts): Figure | null {
  const groups = counts.count(['said']).map((row) => ({
    said: JSON.parse(String(row['said'])) as Record<string, number>,
    n: Number(row['n']),
  }))
  const weight = new Map<string, number>()
  for (const { said, n } of groups) {
    for (const source of Object.keys(said)) weight.set(source, (weight.get(source) ?? 0) + n)
  }
  const byWeight = [...weight].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const sources = byWeight.slice(0, SOURCES).map(([source]) => source)
  if (sources.length < 2) return null
  const ratings = sources.map((source) =>
    Int32Array.from(groups.flatMap(({ said, n }) => new Array<number>(n).fill((said[source] ?? -2) + 1))),
  )
  const rows = sources.flatMap((a, i) =>
    sources.map((b, j) => {
      let [both, same] = [0, 0]
      ratings[i]!.forEach((x, k) => {
        const y = ratings[j]![k]!
        if (x < 0 || y < 0) return
        both++
        if (x === y) same++
      })
      const kappa = i === j ? 1 : cohenKappa(ratings[i]!, ratings[j]!)
      return [a, b, both === 0 ? null : same / both, Number.isFinite(kappa) ? kappa : null, both]
    }),
  )
  return {
    id: 'annotators',
    title: 'Agreement of sources on the first wrong step',
    kind: 'heat',
    columns: ['a', 'b', 'same', 'kappa', 'traces'],
    rows,
    x: 'a',
    y: 'b',
    value: 'same',
    note:
      byWeight.length > SOURCES
        ? `The ${SOURCES} sources with the most traces of ${byWeight.length}.`
        : 'Share of traces on which both name exactly the same step.',
  }
}

function costs(counts: Counts, usage: Usage): Figure | null {
  const located = pairs(counts).reduce((n, p) => (p.gold >= 0 && p.firstError === p.gold ? n + p.n : n), 0)
  if (located === 0) return null
  const total: [string, number | undefined][] = [
    ['model calls', usage.calls],
    ['tokens written', usage.completionTokens],
    ['tokens read', usage.promptTokens],
    ['seconds', usage.seconds],
    ['US dollars', usage.cost],
  ]
  return {
    id: 'cost',
    title: 'Cost of a correctly located first error',
    kind: 'table',
    columns: ['what', 'whole run', 'for each located error'],
    rows: total.flatMap(([what, n]) => (n === undefined ? [] : [[what, n, n / located]])),
    note: `${located.toLocaleString('en-US')} first errors are exactly where people or the data set say.`,
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
