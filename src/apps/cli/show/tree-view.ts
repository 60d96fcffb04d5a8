import { ROOT, Tree, type TreeJson } from '../../../core/tree.ts'
import { decimal } from '../../../prove/report/text.ts'
import { oneLine } from './style.ts'

/** Children of a step that are shown; the most visited. */
const WIDTH = 3
/** Lines of a tree at most. */
const LINES = 16

/** The most visited part of a tree: each step with its mean score and how often it was written. */
export function treeView(json: TreeJson, columns: number): string[] {
  const tree = Tree.fromJSON(json)
  const lines: string[] = []
  const show = (node: number, indent: string): void => {
    const children = tree.children(node).sort((a, b) => tree.visits(b) - tree.visits(a) || a - b)
    for (const [i, child] of children.slice(0, WIDTH).entries()) {
      if (lines.length === LINES) return
      const last = i === Math.min(WIDTH, children.length) - 1
      const score = tree.successRate(child)
      const about = `${score === null ? '   -' : decimal(score)}  ${tree.visits(child)}x`
      const room = Math.max(20, columns - indent.length - about.length - 8)
      lines.push(`${indent}${last ? '└' : '├'} ${about}  ${oneLine(tree.text(child), room)}`)
      show(child, `${indent}${last ? ' ' : '│'} `)
    }
  }
  show(ROOT, '    ')
  const hidden = tree.size - 1 - lines.length
  return hidden > 0 ? [...lines, `    ${hidden.toLocaleString('en-US')} more steps`] : lines
}
