import { expect, it } from 'vitest'
import { Tree } from '../../../../core/tree.ts'
import { layout } from './layout.ts'
import { clamp, fit, reveal, wrap, zoomAt } from './view.ts'

const tree = new Tree()
for (let i = 0; i < 500; i++) tree.addPath([`a${i % 7}`, `b${i % 50}`, `c${i}`])
const l = layout(tree.toJSON(), 'leaves')

it('keeps the point under the pointer where it is while zooming', () => {
  const view = { ...fit(l, 900, 600), zoom: 2_000, y: 300 }
  const zoomed = zoomAt(view, 120, 3)
  expect((zoomed.y + 120) / zoomed.zoom).toBeCloseTo((view.y + 120) / view.zoom, 12)
})

it('never loses the tree out of sight', () => {
  for (const wild of [-1e9, 0, 1e9]) {
    const view = clamp({ zoom: wild, x: wild, y: wild, column: 100 }, l, 900, 600)
    expect(view.zoom).toBeGreaterThanOrEqual(600)
    expect(view.y).toBeGreaterThanOrEqual(0)
    expect(view.y).toBeLessThanOrEqual(view.zoom - 600)
  }
})

it('brings any node into sight, large enough to read', () => {
  const start = fit(l, 300, 600)
  for (let node = 0; node < l.size; node += 13) {
    const view = reveal(start, l, node, 300, 600)
    const [top, bottom] = [l.top[node]! * view.zoom - view.y, l.bottom[node]! * view.zoom - view.y]
    expect(bottom - top).toBeGreaterThan(40)
    expect(Math.min(bottom, 600) - Math.max(top, 0)).toBeGreaterThan(40)
    const left = l.depth[node]! * view.column - view.x
    expect(left).toBeGreaterThanOrEqual(0)
    expect(left + view.column).toBeLessThanOrEqual(300)
  }
})

it('breaks text at words, marks what is cut and never loops', () => {
  expect(wrap('one two three', 8, 3)).toEqual(['one two', 'three'])
  expect(wrap('one two three four', 8, 2)).toEqual(['one two', 'three…'])
  expect(wrap('x'.repeat(100), 10, 2)).toEqual(['xxxxxxxxxx', 'xxxxxxxxx…'])
  expect(wrap('  ', 10, 2)).toEqual([])
  expect(wrap('abc', 0, 2).length).toBeLessThanOrEqual(2)
})
