/** What the typesetter makes of a formula: elements, or the text in them. */
export interface FormulaTree {
  /** Name of the MathML element; absent on a fragment and on text. */
  type?: string
  text?: string
  attributes?: Readonly<Record<string, string | number>>
  classes?: readonly string[]
  style?: Readonly<Record<string, string | number>>
  children?: readonly FormulaTree[]
}

const MATHML = 'http://www.w3.org/1998/Math/MathML'

/** Presentation elements of MathML; nothing that links, loads or runs. */
const ELEMENTS = new Set(
  (
    'math mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt mstyle msub msubsup ' +
    'msup mtable mtd mtext mtr munder munderover none semantics menclose'
  ).split(' '),
)
/** No colour: white text on a white page would hide what a trace says. */
const ATTRIBUTES = new Set(
  (
    'accent accentunder columnalign columnspan depth display displaystyle fence form height largeop linethickness lspace ' +
    'mathsize mathvariant maxsize minsize movablelimits notation rowspacing rspace scriptlevel separator stretchy ' +
    'symmetric voffset width'
  ).split(' '),
)
const STYLES = new Set(
  (
    'border border-bottom border-left border-right border-top display font-style font-weight height math-depth math-shift ' +
    'margin-left margin-right padding padding-bottom padding-left padding-right padding-top text-align transform width'
  ).split(' '),
)
/** Longer lengths would lay a formula over other text. */
const MOST_EM = 60
/** Deeper trees are no formula that anybody reads. */
const DEEPEST = 120

/**
 * The typesetter's tree as nodes, by lists of what is allowed. It never becomes markup, so there is nothing to escape
 * from, and styles are set through the object model, which the page's policy allows where it forbids attributes.
 * @throws RangeError for a tree that is too deep
 */
export function formulaNodes(tree: FormulaTree, depth = 0): Node {
  if (depth > DEEPEST) throw new RangeError('the formula is too deep')
  if (tree.text !== undefined) return document.createTextNode(tree.text)
  const type = tree.type ?? ''
  const node = ELEMENTS.has(type) ? document.createElementNS(MATHML, type) : document.createDocumentFragment()
  if (node instanceof MathMLElement) dress(node, tree)
  for (const child of tree.children ?? []) node.appendChild(formulaNodes(child, depth + 1))
  return node
}

function dress(node: MathMLElement, { attributes = {}, classes = [], style = {} }: FormulaTree): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (ATTRIBUTES.has(name) && isShort(String(value))) node.setAttribute(name, String(value))
  }
  const names = classes.filter((c) => /^[\w-]+$/.test(c))
  if (names.length > 0) node.setAttribute('class', names.join(' '))
  const inline = String(attributes['style'] ?? '')
    .split(';')
    .map((rule) => rule.split(':'))
  const rules = [...Object.entries(style), ...inline.map(([name = '', value = '']) => [name, value] as const)]
  for (const [name, value] of rules) {
    const property = name.trim().replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
    if (STYLES.has(property) && isShort(String(value))) node.style.setProperty(property, String(value).trim())
  }
}

/** Letters, numbers and units of a length or keyword; no function but those of `transform`. */
function isShort(value: string): boolean {
  if (!/^(?:scaleX|scale|translate)?[\w .,%#()+-]*$/.test(value) || /url|var|attr|env|expression/i.test(value))
    return false
  return (value.match(/\d+(?:\.\d+)?/g) ?? []).every((n) => Number(n) <= MOST_EM || /^\d{3}$/.test(value))
}
