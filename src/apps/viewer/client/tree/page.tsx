import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { TreeAnswer } from '../api.generated.ts'
import { useKeys } from '../keys.tsx'
import { Empty, Trouble, Waiting } from '../parts/bits.tsx'
import { valueColour } from '../parts/colour.ts'
import { count, counted } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { go, route, session } from '../state.ts'
import { Plain } from '../text/rich.tsx'
import { loadTypesetter } from '../text/typeset.ts'
import { isDark } from '../theme.ts'
import { useAnswer } from '../use-answer.ts'
import { draw } from './draw.ts'
import { type Layout, layout, nodeAt, type Weight } from './layout.ts'
import { NodePanel } from './node-panel.tsx'
import { clamp, fit, reveal, type View, zoomAt } from './view.ts'

/** Trees of the run, or one of them: `#/trees`, `#/trees/<at>?node=<n>`. */
export function TreesPage() {
  const at = route.value.path[1]
  return at === undefined ? <TreeList /> : <TreePage at={Number(at)} />
}

function TreeList() {
  const version = session.value?.version ?? 0
  const trees = useAnswer(`trees ${version}`, async () => (await get('/api/trees', {})).trees)
  if (trees.refused !== null) return <Trouble refused={trees.refused} />
  if (trees.value === null) return <Waiting />
  if (trees.value.length === 0) {
    return (
      <Empty>There are no trees here. A tree search or a rollout run of `gradus run` or `label` writes them.</Empty>
    )
  }
  return (
    <div class="page">
      <h1>Trees</h1>
      <table>
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Problem</th>
            <th scope="col">Nodes</th>
          </tr>
        </thead>
        <tbody>
          {trees.value.map((t) => (
            <tr key={t.at}>
              <td>
                <a href={formatRoute(['trees', t.at])}>
                  <Plain text={t.id} />
                </a>
              </td>
              <td dir="auto">
                <Plain text={t.problem} />
              </td>
              <td class="figure">{count(t.nodes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function TreePage({ at }: { at: number }) {
  const tree = useAnswer(`tree ${at}`, async () => {
    const [answered] = await Promise.all([get('/api/trees/{at}', { path: { at } }), loadTypesetter()])
    return answered
  })
  if (tree.refused !== null) return <Trouble refused={tree.refused} />
  if (tree.value === null || !tree.fresh) return <Waiting />
  return <TreeView key={at} answer={tree.value} />
}

/** How much one turn of the wheel or one key changes the zoom. */
const ZOOM = { wheel: 0.002, key: 1.5 }

function TreeView({ answer: { tree, id, problem, path = [], best = [] } }: { answer: TreeAnswer }) {
  const [weight, setWeight] = useState<Weight>('leaves')
  const l = useMemo(() => layout(tree, weight), [tree, weight])
  const asked = Number(route.value.query['node'] ?? 0)
  const [selected, setSelected] = useState(Number.isInteger(asked) && asked >= 0 && asked < l.size ? asked : 0)
  const canvas = useRef<HTMLCanvasElement>(null)
  const view = useRef<View | null>(null)
  const frame = useRef(0)
  const marks = useMemo(() => ({ best: new Set(best), path: new Set(path) }), [best, path])
  const textOf = (node: number): string => (node === 0 ? problem : tree.texts[tree.text[node]!]!)
  const dark = isDark()

  const size = (): [number, number] => [canvas.current?.clientWidth ?? 800, canvas.current?.clientHeight ?? 600]
  const repaint = (): void => {
    cancelAnimationFrame(frame.current)
    frame.current = requestAnimationFrame(() => {
      const at = canvas.current
      if (at === null || view.current === null) return
      const style = getComputedStyle(at)
      const colours = { page: style.backgroundColor, line: style.color }
      draw(at.getContext('2d', { alpha: false })!, l, textOf, view.current, { selected, ...marks }, colours)
    })
  }
  const look = (to: View): void => {
    view.current = clamp(to, l, ...size())
    repaint()
  }
  const select = (node: number | null | undefined): void => {
    if (node === null || node === undefined || node < 0) return
    setSelected(node)
    if (view.current !== null) view.current = reveal(view.current, l, node, ...size())
    go(route.peek().path, { ...route.peek().query, node }, 'replace')
  }

  useLayoutEffect(() => {
    const at = canvas.current!
    const resize = (): void => {
      at.width = Math.max(1, at.clientWidth * devicePixelRatio)
      at.height = Math.max(1, at.clientHeight * devicePixelRatio)
      look(view.current ?? fit(l, ...size()))
    }
    const watch = new ResizeObserver(resize)
    watch.observe(at)
    resize()
    return () => watch.disconnect()
  }, [l])
  useEffect(repaint, [selected, dark, l])

  const parent = selected === 0 ? null : l.parent[selected]
  useKeys('Tree', [
    { keys: ['ArrowLeft', 'h'], does: 'parent', run: () => select(parent) },
    { keys: ['ArrowRight', 'l'], does: 'first child', run: () => select(l.firstChild[selected]) },
    { keys: ['ArrowDown', 'j'], does: 'next sibling', run: () => select(beside(l, selected, 1)) },
    { keys: ['ArrowUp', 'k'], does: 'previous sibling', run: () => select(beside(l, selected, -1)) },
    { keys: ['b'], does: 'end of the best line', run: () => select(best.at(-1)) },
    { keys: ['s'], does: 'next node that the search looked at', run: () => select(after(path, selected)) },
    { keys: ['+', '='], does: 'zoom in', run: () => look(zoomAt(view.current!, size()[1] / 2, ZOOM.key)) },
    { keys: ['-'], does: 'zoom out', run: () => look(zoomAt(view.current!, size()[1] / 2, 1 / ZOOM.key)) },
    { keys: ['0'], does: 'the whole tree', run: () => look(fit(l, ...size())) },
    {
      keys: ['w'],
      does: 'height by leaves or by visits',
      run: () => setWeight(weight === 'leaves' ? 'visits' : 'leaves'),
    },
    { keys: ['Escape', 'u'], does: 'back to the list', run: () => go(['trees']) },
  ])

  return (
    <div class="tree-page">
      <section class="tree" aria-label={`Tree ${id}`}>
        <header>
          <h1>
            <Plain text={id} />
          </h1>
          <span class="soft">{counted(l.size, 'node')}</span>
          <Legend hasBest={best.length > 0} hasPath={path.length > 0} />
          <button type="button" onClick={() => setWeight(weight === 'leaves' ? 'visits' : 'leaves')}>
            height: {weight}
          </button>
          <button type="button" onClick={() => look(fit(l, ...size()))}>
            fit
          </button>
        </header>
        <TreeCanvas canvas={canvas} view={view} look={look} pick={(x, y) => select(hit(l, view.current!, x, y))} />
      </section>
      <NodePanel
        layout={l}
        tree={tree}
        node={selected}
        textOf={textOf}
        best={marks.best}
        path={marks.path}
        select={select}
      />
    </div>
  )
}

function hit(l: Layout, view: View, x: number, y: number): number | null {
  return nodeAt(l, Math.floor((x + view.x) / view.column), (y + view.y) / view.zoom)
}

/** The sibling on that side, else the node of the same column that stands there. */
function beside(l: Layout, node: number, by: 1 | -1): number | null {
  const sibling = by > 0 ? l.nextSibling[node]! : l.previousSibling[node]!
  if (sibling >= 0) return sibling
  const column = l.depth[node]!
  const at = l.byColumn.indexOf(node, l.columnStart[column])
  const to = at + by
  return to >= l.columnStart[column]! && to < l.columnStart[column + 1]! ? l.byColumn[to]! : null
}

function after(path: readonly number[], node: number): number | undefined {
  return path[(path.indexOf(node) + 1) % Math.max(1, path.length)]
}

interface CanvasProps {
  canvas: { current: HTMLCanvasElement | null }
  view: { current: View | null }
  look: (view: View) => void
  pick: (x: number, y: number) => void
}

/** Wheel zooms, dragging moves, a click picks. */
function TreeCanvas({ canvas, view, look, pick }: CanvasProps) {
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null)
  const act = useRef({ look, pick })
  act.current = { look, pick }
  useEffect(() => {
    // Registered by hand: a wheel listener must say that it keeps the page from scrolling.
    const wheel = (e: WheelEvent): void => {
      e.preventDefault()
      const now = view.current!
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
        act.current.look({ ...now, x: now.x + (e.deltaX || e.deltaY) })
      } else act.current.look(zoomAt(now, e.offsetY, Math.exp(-e.deltaY * ZOOM.wheel)))
    }
    const at = canvas.current!
    at.addEventListener('wheel', wheel, { passive: false })
    return () => at.removeEventListener('wheel', wheel)
  }, [])
  return (
    <canvas
      ref={canvas}
      class="tree-canvas"
      role="img"
      aria-label="The tree as boxes; the panel beside it holds the chosen node, its path and its children as text"
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId)
        drag.current = { x: e.clientX, y: e.clientY, moved: false }
      }}
      onPointerMove={(e) => {
        const from = drag.current
        if (from === null) return
        const [dx, dy] = [e.clientX - from.x, e.clientY - from.y]
        if (!from.moved && Math.abs(dx) + Math.abs(dy) < 4) return
        drag.current = { x: e.clientX, y: e.clientY, moved: true }
        look({ ...view.current!, x: view.current!.x - dx, y: view.current!.y - dy })
      }}
      onPointerUp={(e) => {
        if (drag.current?.moved === false) pick(e.offsetX, e.offsetY)
        drag.current = null
      }}
    />
  )
}

function Legend({ hasBest, hasPath }: { hasBest: boolean; hasPath: boolean }) {
  return (
    <p class="legend">
      <span class="soft">success rate</span> 0
      <span class="scale" aria-hidden="true">
        {[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1].map((v) => (
          <span key={v} style={{ background: valueColour(v) }} />
        ))}
      </span>
      1
      <span class="swatch" aria-hidden="true" style={{ background: valueColour(Number.NaN) }} /> no runs
      {hasBest && <span class="line solid">best line</span>}
      {hasPath && <span class="line dashed">looked at by the search</span>}
    </p>
  )
}
