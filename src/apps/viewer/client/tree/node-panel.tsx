import type { TreeAnswer } from '../api.generated.ts'
import { valueColour } from '../parts/colour.ts'
import { count, counted, share } from '../parts/words.ts'
import { Plain, Rich } from '../text/rich.tsx'
import { type Layout, pathTo } from './layout.ts'

interface PanelProps {
  layout: Layout
  tree: TreeAnswer['tree']
  node: number
  textOf: (node: number) => string
  best: ReadonlySet<number>
  path: ReadonlySet<number>
  select: (node: number) => void
}

/** Children that are listed; the arrow keys reach the others. */
const CHILDREN = 40

/** The chosen node as text: what a screen reader and a reader of formulas need. */
export function NodePanel({ layout: l, tree, node, textOf, best, path, select }: PanelProps) {
  const children: number[] = []
  for (let c = l.firstChild[node]!; c >= 0 && children.length < CHILDREN; c = l.nextSibling[c]!) children.push(c)
  const marks = [
    ...(best.has(node) ? ['on the best line'] : []),
    ...(path.has(node) ? ['looked at by the search'] : []),
  ]
  return (
    <aside class="sidebar" aria-label="The chosen node">
      <section aria-live="polite">
        <h2>{node === 0 ? 'Problem' : `Step ${l.depth[node]}`}</h2>
        <Rich text={textOf(node).slice(0, 6_000)} />
        <dl class="facts">
          <div>
            <dt>Runs</dt>
            <dd>
              {tree.trials[node] === 0
                ? 'none'
                : `${count(round(tree.successes[node]!))} of ${count(tree.trials[node]!)} succeeded (${share(l.value[node]!)})`}
            </dd>
          </div>
          <div>
            <dt>Visits</dt>
            <dd>{count(tree.visits[node]!)}</dd>
          </div>
          <div>
            <dt>Below</dt>
            <dd>{counted(l.below[node]!, 'node')}</dd>
          </div>
          {marks.length > 0 && (
            <div>
              <dt>Mark</dt>
              <dd>{marks.join(', ')}</dd>
            </div>
          )}
        </dl>
      </section>
      <section>
        <h3>Path from the problem</h3>
        <NodeList layout={l} nodes={pathTo(l, node)} current={node} textOf={textOf} select={select} />
      </section>
      {children.length > 0 && (
        <section>
          <h3>Next steps</h3>
          <NodeList layout={l} nodes={children} current={node} textOf={textOf} select={select} />
        </section>
      )}
    </aside>
  )
}

/** Backed-up rewards may be parts of a success. */
function round(successes: number): number {
  return Number(successes.toFixed(2))
}

type ListProps = Pick<PanelProps, 'layout' | 'textOf' | 'select'> & { nodes: readonly number[]; current: number }

function NodeList({ layout: l, nodes, current, textOf, select }: ListProps) {
  return (
    <ol class="nodes">
      {nodes.map((n) => (
        <li key={n}>
          <button type="button" aria-current={n === current} onClick={() => select(n)}>
            <span class="swatch" aria-hidden="true" style={{ background: valueColour(l.value[n]!) }} />
            <span class="soft">{Number.isNaN(l.value[n]) ? '–' : share(l.value[n]!)}</span>
            <span class="name">
              <Plain text={textOf(n).slice(0, 120)} />
            </span>
          </button>
        </li>
      ))}
    </ol>
  )
}
