import { useMemo } from 'preact/hooks'
import { valueColour } from './colour.ts'

interface Props {
  /** One character a step: '0' to '9', '-' = cannot say. */
  risk: string
  /** First wrong step; marked below its cell. */
  first: number | null
  /** Steps of the trace: more than cells where the strip is a summary. */
  steps: number
  width: number
  height: number
}

/** One cell a step: the higher and darker, the more likely wrong. */
export function RiskStrip({ risk, first, steps, width, height }: Props) {
  const paths = useMemo(() => pathsOf(risk, width, height - 3), [risk, width, height])
  const cell = cellWidth(risk, width)
  const marked = cellOf(first, steps, risk.length)
  return (
    <svg class="strip" width={width} height={height} role="img" aria-label={described(risk, first)}>
      {paths.map(({ level, d }) => (
        <path key={level} d={d} fill={valueColour(level < 0 ? Number.NaN : 1 - level / 9)} />
      ))}
      {marked >= 0 && (
        <rect x={marked * cell} y={height - 2} width={Math.max(cell - 1, 2)} height={2} fill={valueColour(0)} />
      )}
    </svg>
  )
}

/** One path a level: lists show thousands of cells, and few elements are drawn faster than many. */
function pathsOf(risk: string, width: number, tall: number): { level: number; d: string }[] {
  const cell = cellWidth(risk, width)
  const wide = Math.max(cell - (cell >= 4 ? 1 : 0), 0.5)
  const byLevel = new Map<number, string>()
  for (let i = 0; i < risk.length; i++) {
    const code = risk.charCodeAt(i) - 48
    const level = code >= 0 && code <= 9 ? code : -1
    const h = level < 0 ? 2 : Math.round(3 + ((tall - 3) * level) / 9)
    byLevel.set(level, `${byLevel.get(level) ?? ''}M${i * cell} ${tall}v${-h}h${wide}v${h}z`)
  }
  return Array.from(byLevel, ([level, d]) => ({ level, d }))
}

function cellWidth(risk: string, width: number): number {
  return Math.min(10, width / Math.max(1, risk.length))
}

/** A long trace has several steps a cell. */
function cellOf(first: number | null, steps: number, cells: number): number {
  if (first === null || first < 0) return -1
  return cells < steps ? Math.floor((first * cells) / steps) : first
}

function described(risk: string, first: number | null): string {
  const worst = Math.max(-1, ...Array.from(risk, (c) => (c === '-' ? -1 : Number(c))))
  const top = worst < 0 ? 'no risk known' : `highest risk ${worst / 10} to ${(worst + 1) / 10}`
  return first !== null && first >= 0 ? `${top}; first wrong step ${first + 1}` : top
}
