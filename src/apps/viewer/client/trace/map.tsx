import { useLayoutEffect, useRef } from 'preact/hooks'
import { valueColour } from '../parts/colour.ts'
import { isDark } from '../theme.ts'

interface Props {
  risk: readonly (number | null)[]
  steps: number
  first: number | null
  cursor: number
  onSelect: (step: number) => void
}

const WIDTH = 22

/** The whole trace at a glance: a cell a step from top to bottom; a click goes there. Keys have j, k and f for it. */
export function StepMap({ risk, steps, first, cursor, onSelect }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = isDark()
  useLayoutEffect(() => {
    const at = canvas.current
    if (at === null) return
    const paint = (): void => draw(at, risk, steps, first, cursor)
    paint()
    const watch = new ResizeObserver(paint)
    watch.observe(at.parentElement!)
    return () => watch.disconnect()
  }, [risk, steps, first, cursor, dark])
  return (
    <div class="step-map" aria-hidden="true">
      <canvas
        ref={canvas}
        onClick={(e) => {
          const { cell } = scaleOf(e.currentTarget.parentElement!, steps)
          onSelect(Math.floor(e.offsetY / cell))
        }}
      />
    </div>
  )
}

function scaleOf(box: HTMLElement, steps: number): { cell: number; height: number } {
  const cell = Math.min(18, box.clientHeight / Math.max(1, steps))
  return { cell, height: cell * steps }
}

function draw(
  canvas: HTMLCanvasElement,
  risk: readonly (number | null)[],
  steps: number,
  first: number | null,
  cursor: number,
): void {
  const { cell, height } = scaleOf(canvas.parentElement!, steps)
  canvas.width = WIDTH * devicePixelRatio
  canvas.height = Math.max(1, height * devicePixelRatio)
  canvas.style.width = `${WIDTH}px`
  canvas.style.height = `${height}px`
  const ctx = canvas.getContext('2d')!
  ctx.scale(devicePixelRatio, devicePixelRatio)
  const gap = cell >= 4 ? 1 : 0
  for (let i = 0; i < steps; i++) {
    const r = risk[i] ?? null
    ctx.fillStyle = valueColour(r === null ? Number.NaN : 1 - r)
    ctx.fillRect(6, i * cell, r === null ? 6 : 6 + 10 * r, Math.max(cell - gap, 0.5))
  }
  if (first !== null && first >= 0) {
    ctx.fillStyle = valueColour(0)
    ctx.fillRect(0, first * cell, 4, Math.max(cell - gap, 3))
  }
  if (cursor >= 0) {
    ctx.strokeStyle = getComputedStyle(canvas).color
    ctx.lineWidth = 1.5
    ctx.strokeRect(4.5, cursor * cell - 0.5, WIDTH - 5.5, Math.max(cell, 3))
  }
}
