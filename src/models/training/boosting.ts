import { type FittedHead, type Head, meanLoss, type Rows, sigmoid } from './rows.ts'
import type { Weights } from './transformer/params.ts'

export interface BoostingOptions {
  /** Trees at most. */
  trees: number
  /** Leaves of a tree at most; grown best first. */
  leaves: number
  /** Rows in a leaf at least. */
  minRows: number
  /** Share of each tree's step that is taken. */
  rate: number
  /** Added to the curvature of a leaf: shrinks leaves of few rows. */
  l2: number
  /** Trees without a better held-out loss before it stops; the best number is kept. */
  patience: number
}

const DEFAULTS: BoostingOptions = { trees: 200, leaves: 15, minRows: 10, rate: 0.1, l2: 1, patience: 10 }

/** Values of a column are put into so many bins of like size at most: their numbers fit a byte. */
const BINS = 255

interface Node {
  /** Column that decides; -1 = a leaf. */
  column: number
  /** Rows with at most this value go left. */
  threshold: number
  left: number
  right: number
  /** Of a leaf: what it adds to the log-odds. */
  value: number
}

/**
 * Gradient boosting of regression trees on the log loss (Friedman 2001) with second-order leaves (Chen and Guestrin
 * 2016) on histograms of binned columns (Ke et al. 2017). Without randomness: the same rows give the same trees.
 *
 * @param held rows of other problems, for early stopping
 * @returns rounds = trees kept
 */
export function fitBoosting(rows: Rows, options: Partial<BoostingOptions> = {}, held?: Rows): FittedHead {
  const settings = { ...DEFAULTS, ...options }
  const { targets } = rows
  const count = targets.length
  const weights = rows.weights ?? new Float32Array(count).fill(1)
  const columns = Array.from({ length: rows.width }, (_, column) => binned(rows, column))
  const base = Math.fround(baseLogit(targets, weights))
  const logits = new Float64Array(count).fill(base)
  const heldLogits = held && new Float64Array(held.targets.length).fill(base)
  const gradients = new Float64Array(count)
  const curvatures = new Float64Array(count)
  const trees: Node[][] = []
  const heldLosses: number[] = []
  let best = { trees: 0, loss: held && heldLogits ? meanLoss(heldLogits, held, 'bce') : 0 }
  while (trees.length < settings.trees && trees.length - best.trees < settings.patience) {
    for (let row = 0; row < count; row++) {
      const p = sigmoid(logits[row]!)
      gradients[row] = weights[row]! * (p - targets[row]!)
      curvatures[row] = weights[row]! * p * (1 - p)
    }
    const tree = grow(columns, gradients, curvatures, settings)
    if (tree.length === 1) break
    trees.push(tree)
    for (let row = 0; row < count; row++) logits[row]! += leafOf(tree, 0, rows.features, row * rows.width)
    if (!held || !heldLogits) {
      best = { trees: trees.length, loss: 0 }
      continue
    }
    for (let row = 0; row < heldLogits.length; row++) {
      heldLogits[row]! += leafOf(tree, 0, held.features, row * held.width)
    }
    const loss = meanLoss(heldLogits, held, 'bce')
    heldLosses.push(loss)
    if (loss < best.loss) best = { trees: trees.length, loss }
  }
  return {
    head: boostingHead(tensorsOf(rows.width, base, trees.slice(0, best.trees))),
    rounds: best.trees,
    heldLosses,
  }
}

/** The trees of `fitBoosting` from their tensors. */
export function boostingHead(tensors: Weights): Head {
  const [base = 0, width = 0] = tensors['boosting.base']!.data
  const roots = tensors['boosting.roots']!.data
  const data = tensors['boosting.nodes']!.data
  const nodes = Array.from({ length: data.length / FIELDS }, (_, i): Node => {
    const [column = -1, threshold = 0, left = 0, right = 0, value = 0] = data.subarray(i * FIELDS, (i + 1) * FIELDS)
    return { column, threshold, left, right, value }
  })
  return {
    width,
    logits: (features) =>
      Float32Array.from({ length: features.length / width }, (_, row) => {
        let sum = base
        for (const root of roots) sum += leafOf(nodes, root, features, row * width)
        return sum
      }),
    tensors,
  }
}

const FIELDS = 5

function tensorsOf(width: number, base: number, trees: readonly Node[][]): Weights {
  const roots: number[] = []
  const fields: number[] = []
  for (const tree of trees) {
    const from = fields.length / FIELDS
    roots.push(from)
    for (const { column, threshold, left, right, value } of tree) {
      fields.push(column, threshold, from + left, from + right, value)
    }
  }
  return {
    'boosting.base': { shape: [2], data: Float32Array.of(base, width) },
    'boosting.roots': { shape: [roots.length], data: Float32Array.from(roots) },
    'boosting.nodes': { shape: [fields.length / FIELDS, FIELDS], data: Float32Array.from(fields) },
  }
}

function leafOf(nodes: readonly Node[], root: number, features: Float32Array, from: number): number {
  let node = nodes[root]!
  while (node.column >= 0) node = nodes[features[from + node.column]! <= node.threshold ? node.left : node.right]!
  return node.value
}

function baseLogit(targets: Float32Array, weights: Float32Array): number {
  let [yes, all] = [0, 0]
  for (let row = 0; row < targets.length; row++) {
    yes += weights[row]! * targets[row]!
    all += weights[row]!
  }
  // Rows of one class alone: the log-odds of one row more of each.
  const share = Math.min(1 - 1 / (all + 2), Math.max(1 / (all + 2), yes / all))
  return Math.log(share / (1 - share))
}

interface Column {
  /** Largest value of each bin but the last, ascending: where a split may be. */
  edges: Float32Array
  /** Bin of each row. */
  bins: Uint8Array
}

/** A bin a distinct value where there are few, else bins of about equal numbers of rows. */
function binned({ width, features, targets }: Rows, column: number): Column {
  const values = Float32Array.from(targets, (_, row) => features[row * width + column]!)
  const sorted = values.slice().sort()
  let edges = [...new Set(sorted)]
  if (edges.length > BINS) {
    const at = (bin: number): number => sorted[Math.floor((bin * sorted.length) / BINS)]!
    edges = [...new Set(Array.from({ length: BINS - 1 }, (_, bin) => at(bin + 1)))]
    if (edges.at(-1) !== sorted.at(-1)) edges.push(sorted.at(-1)!)
  }
  const bins = Uint8Array.from(values, (value) => {
    let [low, high] = [0, edges.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= edges[middle]!) high = middle
      else low = middle + 1
    }
    return low
  })
  return { edges: Float32Array.from(edges.slice(0, -1)), bins }
}

interface Leaf {
  node: number
  rows: Int32Array
  gradient: number
  curvature: number
  split: { gain: number; column: number; bin: number } | null
}

function grow(
  columns: readonly Column[],
  gradients: Float64Array,
  curvatures: Float64Array,
  options: BoostingOptions,
): Node[] {
  const nodes: Node[] = []
  const leafAt = (rows: Int32Array): Leaf => {
    let [gradient, curvature] = [0, 0]
    for (const row of rows) {
      gradient += gradients[row]!
      curvature += curvatures[row]!
    }
    const value = Math.fround((-options.rate * gradient) / (curvature + options.l2))
    const node = nodes.push({ column: -1, threshold: 0, left: 0, right: 0, value }) - 1
    return { node, rows, gradient, curvature, split: null }
  }
  const withSplit = (leaf: Leaf): Leaf => ({ ...leaf, split: bestSplit(leaf, columns, gradients, curvatures, options) })
  const leaves = [withSplit(leafAt(Int32Array.from(gradients.keys())))]
  while (leaves.length < options.leaves) {
    const at = leaves.reduce((top, leaf, i) => ((leaf.split?.gain ?? 0) > (leaves[top]!.split?.gain ?? 0) ? i : top), 0)
    const { node, rows, split } = leaves[at]!
    if (!split) break
    const { edges, bins } = columns[split.column]!
    const left = leafAt(rows.filter((row) => bins[row]! <= split.bin))
    const right = leafAt(rows.filter((row) => bins[row]! > split.bin))
    const threshold = edges[split.bin]!
    nodes[node] = { column: split.column, threshold, left: left.node, right: right.node, value: 0 }
    leaves.splice(at, 1, withSplit(left), withSplit(right))
  }
  return nodes
}

/** The split that lowers the second-order loss most; the first column and bin where several do. */
function bestSplit(
  { rows, gradient, curvature }: Leaf,
  columns: readonly Column[],
  gradients: Float64Array,
  curvatures: Float64Array,
  { minRows, l2 }: BoostingOptions,
): Leaf['split'] {
  if (rows.length < 2 * minRows) return null
  const whole = gradient ** 2 / (curvature + l2)
  let best: Leaf['split'] = null
  const sums = new Float64Array(3 * (BINS + 1))
  columns.forEach(({ edges, bins }, column) => {
    sums.fill(0, 0, 3 * (edges.length + 1))
    for (const row of rows) {
      const at = 3 * bins[row]!
      sums[at]! += gradients[row]!
      sums[at + 1]! += curvatures[row]!
      sums[at + 2]!++
    }
    let [g, h, n] = [0, 0, 0]
    for (let bin = 0; bin < edges.length; bin++) {
      g += sums[3 * bin]!
      h += sums[3 * bin + 1]!
      n += sums[3 * bin + 2]!
      if (n < minRows || rows.length - n < minRows) continue
      const gain = g ** 2 / (h + l2) + (gradient - g) ** 2 / (curvature - h + l2) - whole
      if (gain > (best?.gain ?? 1e-9)) best = { gain, column, bin }
    }
  })
  return best
}
