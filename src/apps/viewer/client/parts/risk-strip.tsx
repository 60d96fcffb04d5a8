import { useLayoutEffect, useRef } from 'preact/hooks'
import { isDark } from '../theme.ts'
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

/** One cell a step: the higher and darker, the more likely wrong. Drawn, not built of elements: lists have thousands. */
export function RiskStrip({ risk, first, steps, width, height }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = isDark()
  useLayoutEffect(() => {
    if (canvas.current !== null) draw(canvas.current, risk, cellOf(first, steps, risk.length), width, height)
  }, [risk, first, steps, width, height, dark])
  return <canvas ref={canvas} class="strip" role="img" aria-label={described(risk, first)} />
}

function draw(canvas: HTMLCanvasElement, risk: string, first: number, width: number, height: number): void {
  const scale = devicePixelRatio
  canvas.width = width * scale
  canvas.height = height * scale
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  const ctx = canvas.getContext('2d')!
  ctx.scale(scale, scale)
  const cell = Math.min(10, width / Math.max(1, risk.length))
  const gap = cell >= 4 ? 1 : 0
  const tall = height - 3
  for (let i = 0; i < risk.length; i++) {
    const level = risk.charCodeAt(i) - 48
    const known = level >= 0 && level <= 9
    const h = known ? 3 + ((tall - 3) * level) / 9 : 2
    ctx.fillStyle = valueColour(known ? 1 - level / 9 : Number.NaN)
    ctx.fillRect(i * cell, tall - h, Math.max(cell - gap, 0.5), h)
  }
  if (first >= 0) {
    ctx.fillStyle = valueColour(0)
    ctx.fillRect(first * cell, height - 2, Math.max(cell - gap, 2), 2)
  }
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
