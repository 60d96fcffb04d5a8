import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tree } from '../../../../core/tree.ts'
import { layout, nodeAt, pathTo } from './layout.ts'

/** Parents of nodes 1..n, each smaller than its child. */
const trees = fc.array(fc.nat(1_000_000), { maxLength: 120 }).map((picks) => {
  const tree = new Tree()
  picks.forEach((pick, i) => {
    const node = tree.add(pick % tree.size, `step ${i}`)
    if (pick % 3 > 0) tree.backUp(node, pick % 2)
  })
  return tree
})

describe('layout of a tree', () => {
  it('lets children fill their parent exactly, heaviest first, without a gap or an overlap', () => {
    fc.assert(
      fc.property(trees, fc.constantFrom('leaves' as const, 'visits' as const), (tree, weight) => {
        const l = layout(tree.toJSON(), weight)
        for (let n = 0; n < l.size; n++) {
          let edge = l.top[n]!
          let height = Number.POSITIVE_INFINITY
          for (let c = l.firstChild[n]!; c >= 0; c = l.nextSibling[c]!) {
            expect(l.top[c]).toBeCloseTo(edge, 9)
            expect(l.bottom[c]! - l.top[c]!).toBeLessThanOrEqual(height + 1e-9)
            height = l.bottom[c]! - l.top[c]!
            edge = l.bottom[c]!
          }
          if (l.firstChild[n]! >= 0) expect(edge).toBeCloseTo(l.bottom[n]!, 9)
          expect(l.below[n]).toBe(descendants(tree, n))
        }
      }),
    )
  })

  it('finds every node again by a point in its box', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const l = layout(tree.toJSON(), 'leaves')
        for (let n = 0; n < l.size; n++) {
          expect(nodeAt(l, l.depth[n]!, (l.top[n]! + l.bottom[n]!) / 2)).toBe(n)
          expect(pathTo(l, n).slice(1)).toEqual(tree.path(n))
        }
      }),
    )
  })

  it('knows the value of a node from its own runs, and that there is none without runs', () => {
    const tree = new Tree()
    const a = tree.add(0, 'a')
    tree.record(a, 1, 4)
    const { value } = layout(tree.toJSON(), 'leaves')
    expect(value[a]).toBe(0.25)
    expect(value[0]).toBeNaN()
  })
})

function descendants(tree: Tree, node: number): number {
  return tree.children(node).reduce((sum, child) => sum + 1 + descendants(tree, child), 0)
}
