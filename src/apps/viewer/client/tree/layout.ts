import type { TreeJson } from '../../../../core/tree.ts'

/** What the height of a node stands for. */
export type Weight = 'leaves' | 'visits'

/**
 * A tree as columns of boxes: a node is a box in the column of its depth, its children divide its height among
 * themselves. Boxes never cross, text fits into them, and what matters most is largest.
 */
export interface Layout {
  size: number
  depth: Int32Array
  /** Deepest column. */
  columns: number
  /** Top and bottom in [0, 1]. */
  top: Float64Array
  bottom: Float64Array
  /** Nodes by column, within a column from top to bottom. */
  byColumn: Int32Array
  /** Where each column begins in `byColumn`; columns + 2 entries. */
  columnStart: Int32Array
  /** Share of the node's own runs that succeeded; NaN = none was tried. */
  value: Float32Array
  /** Nodes below, the node itself not counted. */
  below: Int32Array
  parent: Int32Array
  /** First node of each child list in drawing order, and the next sibling; -1 = none. */
  firstChild: Int32Array
  nextSibling: Int32Array
  previousSibling: Int32Array
}

/** In O(n log n): children have larger numbers than their parents, so one pass up and one down are enough. */
export function layout(tree: TreeJson, weight: Weight): Layout {
  const size = tree.parent.length
  const parent = Int32Array.from(tree.parent)
  const depth = new Int32Array(size)
  const below = new Int32Array(size)
  const mass = new Float64Array(size)
  const value = new Float32Array(size)
  let columns = 0
  for (let n = 0; n < size; n++) {
    if (n > 0) depth[n] = depth[parent[n]!]! + 1
    columns = Math.max(columns, depth[n]!)
    value[n] = tree.trials[n]! > 0 ? tree.successes[n]! / tree.trials[n]! : Number.NaN
  }
  for (let n = size - 1; n >= 0; n--) {
    // A leaf that nobody visited keeps a sliver, so that it can be seen and clicked.
    if (below[n] === 0) mass[n] = weight === 'leaves' ? 1 : Math.max(tree.visits[n]!, 0.25)
    if (n === 0) break
    below[parent[n]!]! += below[n]! + 1
    mass[parent[n]!]! += mass[n]!
  }
  const order = childOrder(parent, mass)
  const top = new Float64Array(size)
  const bottom = new Float64Array(size)
  const edge = new Float64Array(size)
  bottom[0] = 1
  const byColumn = new Int32Array(size)
  const columnStart = new Int32Array(columns + 2)
  for (let n = 0; n < size; n++) columnStart[depth[n]! + 1]!++
  for (let c = 0; c <= columns; c++) columnStart[c + 1]! += columnStart[c]!
  let filled = 1
  for (let c = 0; c <= columns; c++) {
    for (let i = columnStart[c]!; i < columnStart[c + 1]!; i++) {
      const n = byColumn[i]!
      edge[n] = top[n]!
      for (let child = order.first[n]!; child >= 0; child = order.next[child]!) {
        top[child] = edge[n]!
        bottom[child] = edge[n]! + ((bottom[n]! - top[n]!) * mass[child]!) / mass[n]!
        edge[n] = bottom[child]!
        byColumn[filled++] = child
      }
    }
  }
  return {
    size,
    depth,
    columns,
    top,
    bottom,
    byColumn,
    columnStart,
    value,
    below,
    parent,
    firstChild: order.first,
    nextSibling: order.next,
    previousSibling: order.previous,
  }
}

/** Heaviest child first; equal ones in order of insertion. */
function childOrder(
  parent: Int32Array,
  mass: Float64Array,
): { first: Int32Array; next: Int32Array; previous: Int32Array } {
  const nodes = Int32Array.from({ length: parent.length - 1 }, (_, i) => i + 1)
  nodes.sort((a, b) => parent[a]! - parent[b]! || mass[b]! - mass[a]! || a - b)
  const first = new Int32Array(parent.length).fill(-1)
  const next = new Int32Array(parent.length).fill(-1)
  const previous = new Int32Array(parent.length).fill(-1)
  nodes.forEach((n, i) => {
    const before = i > 0 ? nodes[i - 1]! : 0
    if (i === 0 || parent[before] !== parent[n]) first[parent[n]!] = n
    else {
      next[before] = n
      previous[n] = before
    }
  })
  return { first, next, previous }
}

/** The node whose box holds a point: column by depth, height in [0, 1]; null beside all boxes. */
export function nodeAt(l: Layout, column: number, height: number): number | null {
  if (column < 0 || column > l.columns) return null
  let low = l.columnStart[column]!
  let high = l.columnStart[column + 1]! - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const n = l.byColumn[middle]!
    if (height < l.top[n]!) high = middle - 1
    else if (height >= l.bottom[n]!) low = middle + 1
    else return n
  }
  return null
}

/** Nodes from the root down to this one, both included. */
export function pathTo(l: Pick<Layout, 'parent'>, node: number): number[] {
  const out: number[] = []
  for (let n = node; n >= 0; n = n === 0 ? -1 : l.parent[n]!) out.push(n)
  return out.reverse()
}
