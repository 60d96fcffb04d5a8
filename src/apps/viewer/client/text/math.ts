import temml from 'temml'
import { type FormulaTree, formulaNodes } from './formula-nodes.ts'
import { marks } from './marks.ts'

interface Typesetter {
  __renderToMathMLTree: (tex: string, options: temml.Options) => FormulaTree
}

/** The package's types describe its CommonJS build; the module that a browser gets names this function otherwise. */
const { __renderToMathMLTree: treeOf } = temml as unknown as Typesetter

/** Formulas repeat within a trace and between attempts; the oldest are dropped. */
const KEPT = 600
const kept = new Map<string, Node | null>()

/** A formula as MathML, or null where it is none: what cannot be typeset is shown as it was written. */
export function mathNodes(tex: string, display: boolean): Node | null {
  const key = `${display ? 'd' : 'i'}${tex}`
  let nodes = kept.get(key)
  if (nodes === undefined) {
    nodes = typeset(tex, display)
    kept.set(key, nodes)
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
  }
  return nodes === null ? null : nodes.cloneNode(true)
}

function typeset(tex: string, display: boolean): Node | null {
  // Hidden characters are named in text; within a formula nobody would see them.
  if (marks(tex).length > 1) return null
  try {
    const options: temml.Options = {
      displayMode: display,
      throwOnError: true,
      trust: false,
      maxExpand: 200,
      maxSize: [40, 40],
    }
    return formulaNodes(treeOf(tex, options))
  } catch {
    return null
  }
}
