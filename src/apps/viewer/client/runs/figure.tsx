import { useEffect, useRef, useState } from 'preact/hooks'
import type { Figure } from '../api.generated.ts'
import { Cells } from '../parts/cells.tsx'
import { Plain } from '../text/rich.tsx'
import { isDark } from '../theme.ts'
import { csv } from './csv.ts'

type Drawing = typeof import('./figure-nodes.ts') & typeof import('./plot.ts')

let drawing: Promise<Drawing> | null = null

/** Observable Plot is fetched with the first figure. */
function loadDrawing(): Promise<Drawing> {
  drawing ??= Promise.all([import('./figure-nodes.ts'), import('./plot.ts')]).then(([a, b]) => ({ ...a, ...b }))
  return drawing
}

/** A figure with its numbers behind it; both can be saved. */
export function FigureView({ figure }: { figure: Figure }) {
  const place = useRef<HTMLDivElement>(null)
  const [asTable, setAsTable] = useState(figure.kind === 'table')
  const [legend, setLegend] = useState<{ name: string; colour: string }[]>([])
  const mode = isDark() ? 'dark' : 'light'
  const content = JSON.stringify(figure)
  useEffect(() => {
    if (asTable) return
    let current = true
    void loadDrawing().then(({ figureNodes, legendOf }) => {
      if (!current || place.current === null) return
      const nodes = figureNodes(figure, Math.min(720, Math.max(320, place.current.clientWidth)), mode)
      if (nodes === null) setAsTable(true)
      else place.current.replaceChildren(nodes)
      setLegend(legendOf(figure, mode))
    })
    return () => {
      current = false
    }
  }, [content, asTable, mode])
  return (
    <figure class="figure-view">
      <figcaption>
        <h3>
          <Plain text={figure.title} />
        </h3>
        {figure.note !== undefined && (
          <p class="soft">
            <Plain text={figure.note} />
          </p>
        )}
      </figcaption>
      {asTable ? <Numbers figure={figure} /> : <div ref={place} class="plot-place" />}
      {!asTable && legend.length > 0 && (
        <p class="legend">
          {legend.map(({ name, colour }) => (
            <span key={name}>
              <span class="swatch" aria-hidden="true" style={{ background: colour }} /> <Plain text={name} />
            </span>
          ))}
        </p>
      )}
      <p class="buttons">
        {figure.kind !== 'table' && (
          <button type="button" class="quiet" onClick={() => setAsTable(!asTable)}>
            {asTable ? 'figure' : 'numbers'}
          </button>
        )}
        {figure.kind !== 'table' && (
          <button type="button" class="quiet" onClick={() => void saveSvg(figure)}>
            save SVG
          </button>
        )}
        <button type="button" class="quiet" onClick={() => save(`${figure.id}.csv`, 'text/csv', csv(figure))}>
          save CSV
        </button>
      </p>
    </figure>
  )
}

async function saveSvg(figure: Figure): Promise<void> {
  const { figureSvg } = await loadDrawing()
  const svg = figureSvg(figure)
  if (svg !== null) save(`${figure.id}.svg`, 'image/svg+xml', svg)
}

/** Hands a file to the browser; nothing leaves this machine. */
function save(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name.replace(/[^\w.-]+/g, '-')
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Rows of a table that are shown; the file has all. */
const MOST_ROWS = 500

function Numbers({ figure: { title, columns, rows } }: { figure: Figure }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <div class="scrolled" tabIndex={0} role="region" aria-label={title}>
      <Cells header={columns} rows={rows} most={MOST_ROWS} />
    </div>
  )
}
