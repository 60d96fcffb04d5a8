import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ROOT, Tree, type TreeJson } from './tree.ts'

/** Few texts, so that lines share prefixes. */
const text = fc.constantFrom('a', 'b', 'c', 'a b', 'b"\\', '7+1=8')
const lines = fc.array(fc.array(text, { maxLength: 6 }), { maxLength: 60 })

describe('Tree', () => {
  it('holds exactly the prefixes of the lines that were added, each once', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const tree = new Tree()
        const ends = all.map((line) => tree.addPath(line))
        const prefixes = new Set(all.flatMap((line) => line.map((_, i) => JSON.stringify(line.slice(0, i + 1)))))
        expect(tree.size).toBe(prefixes.size + 1)
        all.forEach((line, i) => {
          expect(tree.texts(ends[i] ?? -1)).toEqual(line)
          expect(tree.depth(ends[i] ?? -1)).toBe(line.length)
          expect(tree.addPath(line)).toBe(ends[i])
        })
        for (let node = 1; node < tree.size; node++) {
          const parent = tree.parent(node) ?? Number.NaN
          expect(parent).toBeLessThan(node)
          expect(tree.children(parent)).toContain(node)
          expect(tree.child(parent, tree.text(node))).toBe(node)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('backs a run up to the root, and keeps what belongs to one prefix at that prefix', () => {
    const tree = new Tree()
    const deep = tree.addPath(['a', 'b'])
    const side = tree.addPath(['a', 'c'])
    tree.backUp(deep, 1)
    tree.backUp(side, 0)
    tree.record(deep, 3, 8)
    const of = (n: number) => [tree.visits(n), tree.successes(n), tree.trials(n)]
    expect([ROOT, 1, deep, side].map(of)).toEqual([
      [2, 1, 2],
      [2, 1, 2],
      [1, 4, 9],
      [1, 0, 1],
    ])
    expect(tree.successRate(deep)).toBeCloseTo(4 / 9, 12)
    expect(tree.successRate(tree.add(deep, 'x'))).toBeNull()
  })

  it('comes back from JSON as it was', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const tree = new Tree()
        all.forEach((line, i) => {
          tree.backUp(tree.addPath(line), i % 2)
        })
        const written = JSON.stringify(tree)
        expect(JSON.stringify(Tree.fromJSON(JSON.parse(written)))).toBe(written)
      }),
      { numRuns: 40 },
    )
  })

  it('refuses empty steps, unknown nodes, impossible counts and JSON that would be no tree', () => {
    const tree = new Tree()
    const good: TreeJson = {
      texts: ['', 'a', 'b'],
      text: [0, 1, 2],
      parent: [-1, 0, 1],
      visits: [0, 0, 0],
      trials: [0, 0, 0],
      successes: [0, 0, 0],
    }
    const cycle = { ...good, parent: [-1, 2, 1] }
    const twice = { ...good, text: [0, 1, 1], parent: [-1, 0, 0] }
    const short = { ...good, visits: [0] }
    const rootless = { ...good, parent: [0, 0, 1] }
    for (const act of [
      () => tree.add(ROOT, ' \n'),
      () => tree.add(1, 'a'),
      () => tree.text(-1),
      () => tree.record(ROOT, 2, 1),
      ...[cycle, twice, short, rootless].map((json) => () => Tree.fromJSON(json)),
    ]) {
      expect(act).toThrow(/GRD-CORE-001/)
    }
    expect(Tree.fromJSON(good).texts(2)).toEqual(['a', 'b'])
  })

  it('writes Graphviz with escaped, shortened texts', () => {
    const tree = new Tree()
    tree.record(tree.add(ROOT, `say "hi" ${'x'.repeat(60)}`), 1, 4)
    const dot = tree.toDot(12)
    expect(dot).toContain('n1 [label="say \\"hi\\" xx…\\n1/4"')
    expect(dot).toContain('n0 -> n1;')
  })
})
