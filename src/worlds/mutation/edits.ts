import type { Node } from 'web-tree-sitter'
import { parserFor } from '../../io/steps/code-statement.ts'

/** A simple statement, or the head of one that has a block. */
export interface Statement {
  /** Characters of the program, end excluded. */
  start: number
  end: number
  /** From 1. */
  line: number
  lastLine: number
}

/** Another text for one statement: a mutation is meant to change what the program does, a refactoring is not. */
export interface Edit {
  kind: 'mutation' | 'refactoring'
  operator: string
  /** Index of the statement. */
  statement: number
  /** The statement as it reads then. */
  candidate: string
  program: string
}

export interface Editable {
  statements: Statement[]
  edits: Edit[]
}

/** Enough to try every operator on a usual line; long literals would otherwise give a mutant for each number. */
const PER_STATEMENT = { mutation: 5, refactoring: 3 }

/** Statements and single-statement edits of a Python program by fixed rules; null where it does not parse. */
export async function pythonEdits(code: string): Promise<Editable | null> {
  const parser = await parserFor('python')
  const tree = parser.parse(code)
  if (!tree) return null
  try {
    if (tree.rootNode.hasError) return null
    const editor = new Editor(code)
    editor.visit(tree.rootNode, -1, null)
    editor.finish()
    return { statements: editor.statements, edits: editor.edits }
  } finally {
    tree.delete()
  }
}

const STATEMENTS =
  /^(expression|return|if|while|for|assert|raise|delete|break|continue|with|import|import_from|global|nonlocal)_statement$|^(elif_clause|function_definition|class_definition)$/

const COMPARISONS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  in: 'not in',
  'not in': 'in',
}
const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }
const OPERATORS: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '+',
  '/': '*',
  '//': '/',
  '%': '*',
  '**': '*',
}

/** Programs that look their own names up cannot be renamed by rule. */
const REFLECTION = /\b(locals|globals|vars|eval|exec|__dict__)\b/

const FRESH = 'gradus_value'

class Editor {
  readonly statements: Statement[] = []
  readonly edits: Edit[] = []
  private readonly code: string
  private readonly pendingRenames: { name: string; places: [number, number][] }[] = []

  constructor(code: string) {
    this.code = code
  }

  /** @param statement index of the statement that the node belongs to, @param scope names of the function around it */
  visit(node: Node, statement: number, scope: Scope | null): void {
    const at = STATEMENTS.test(node.type) ? this.open(node) : statement
    if (at !== statement) this.wholeStatement(node, at, scope)
    else if (at >= 0) this.inside(node, at)
    const inner = node.type === 'function_definition' ? this.scopeOf(node) : scope
    for (const child of node.namedChildren) if (child) this.visit(child, at, inner)
  }

  private open(node: Node): number {
    const block = node.childForFieldName('body') ?? node.childForFieldName('consequence')
    const end = block ? this.code.slice(0, block.startIndex).trimEnd().length : node.endIndex
    const lastLine = this.code.slice(0, end).split('\n').length
    this.statements.push({ start: node.startIndex, end, line: node.startPosition.row + 1, lastLine })
    return this.statements.length - 1
  }

  private wholeStatement(node: Node, at: number, scope: Scope | null): void {
    const condition = node.childForFieldName('condition')
    if (condition) {
      this.replace('mutation', 'negated condition', at, condition, `not (${condition.text})`)
      this.replace('refactoring', 'double negation', at, condition, `not not (${condition.text})`)
    }
    const only = node.namedChildren[0]
    if (node.type === 'return_statement' && only) {
      this.replace('mutation', 'returns nothing', at, only, 'None')
      // Behind a colon on the same line a second statement would still belong to the branch.
      if (scope)
        this.replace('refactoring', 'temporary variable', at, node, `${FRESH} = (${only.text}); return ${FRESH}`)
    }
    if (node.type === 'expression_statement' && only && only.type !== 'string') {
      this.replace('mutation', 'dropped statement', at, node, 'pass')
    }
    if (node.type === 'break_statement') this.replace('mutation', 'continue for break', at, node, 'continue')
    if (node.type === 'continue_statement') this.replace('mutation', 'break for continue', at, node, 'break')
    if (scope && node.type !== 'function_definition') this.wrongVariable(node, at, scope)
  }

  private inside(node: Node, at: number): void {
    const [left, sign, right] = node.children
    if (node.type === 'comparison_operator' && node.childCount === 3 && left && sign && right) {
      const other = COMPARISONS[sign.type]
      if (other) this.replace('mutation', 'other comparison', at, sign, other)
      const turned = TURNED[sign.type]
      if (turned && isPlain(left) && isPlain(right)) {
        this.replace('refactoring', 'turned comparison', at, node, `${right.text} ${turned} ${left.text}`)
      }
    }
    const operator = node.childForFieldName('operator')
    if (node.type === 'binary_operator' && operator) {
      const other = OPERATORS[operator.type]
      if (other) this.replace('mutation', 'other operator', at, operator, other)
    }
    if (node.type === 'boolean_operator' && operator) {
      this.replace('mutation', 'other connective', at, operator, operator.type === 'and' ? 'or' : 'and')
    }
    if (node.type === 'integer' && /^\d+$/.test(node.text)) {
      this.replace('mutation', 'off by one', at, node, String(BigInt(node.text) + 1n))
    }
    if (node.type === 'augmented_assignment' && operator && left?.type === 'identifier' && right) {
      const value = node.childForFieldName('right')
      const plainSign = operator.type.slice(0, -1)
      // Only with a number on the right: on lists += changes the object itself.
      if (value?.type === 'integer') {
        this.replace(
          'refactoring',
          'assignment in full',
          at,
          node,
          `${left.text} = ${left.text} ${plainSign} ${value.text}`,
        )
      }
      const other = OPERATORS[plainSign]
      if (other) this.replace('mutation', 'other operator', at, operator, `${other}=`)
    }
  }

  /** The first name that the statement reads becomes the next name of the function. */
  private wrongVariable(node: Node, at: number, scope: Scope): void {
    const statement = this.statements[at]
    if (!statement || scope.names.length < 2) return
    const read = identifiers(node).find(
      (n) => n.endIndex <= statement.end && scope.names.includes(n.text) && !isTarget(n) && !isLabel(n),
    )
    if (!read) return
    const other = scope.names[(scope.names.indexOf(read.text) + 1) % scope.names.length] ?? read.text
    this.replace('mutation', 'other variable', at, read, other)
  }

  private scopeOf(definition: Node): Scope {
    const all = identifiers(definition)
    const parameters = definition.childForFieldName('parameters')
    const assigned = [...new Set(all.filter(isTarget).map((n) => n.text))]
    const own = parameters ? identifiers(parameters).map((n) => n.text) : []
    this.renames(
      definition,
      all,
      assigned.filter((name) => !own.includes(name)),
    )
    return { names: [...new Set([...own.filter((name) => name !== 'self'), ...assigned])] }
  }

  /** Local variables renamed throughout; the edit belongs to the statement in which the name first stands. */
  private renames(definition: Node, all: readonly Node[], names: readonly string[]): void {
    if (REFLECTION.test(this.code) || /\b(global|nonlocal)\b/.test(definition.text)) return
    for (const name of names) {
      const places = all.filter((n) => n.text === name && !isAttribute(n))
      if (places.some(isLabel)) continue
      this.pendingRenames.push({ name, places: places.map((n) => [n.startIndex, n.endIndex]) })
    }
  }

  /** Renames wait until all statements are known. */
  finish(): void {
    for (const { name, places } of this.pendingRenames) {
      const first = places[0]?.[0] ?? -1
      const at = this.statements.findIndex((s) => s.start <= first && first < s.end)
      if (at >= 0) this.add('refactoring', 'renamed variable', at, places, `${name}_renamed`)
    }
  }

  private replace(kind: Edit['kind'], operator: string, at: number, node: Node, text: string): void {
    this.add(kind, operator, at, [[node.startIndex, node.endIndex]], text)
  }

  /** A space where words would run together: `while(x)` has none. */
  private apart(start: number, text: string, end: number): string {
    const before = /\w$/.test(this.code.slice(Math.max(0, start - 1), start)) && /^\w/.test(text) ? ' ' : ''
    const after = /\w$/.test(text) && /^\w/.test(this.code.slice(end, end + 1)) ? ' ' : ''
    return before + text + after
  }

  private add(kind: Edit['kind'], operator: string, at: number, places: [number, number][], text: string): void {
    const statement = this.statements[at]
    if (!statement || (places[0]?.[0] ?? 0) >= statement.end) return
    if (this.edits.filter((e) => e.statement === at && e.kind === kind).length >= PER_STATEMENT[kind]) return
    let program = ''
    let from = 0
    let candidateEnd = statement.end
    for (const [start, end] of places) {
      const apart = this.apart(start, text, end)
      program += this.code.slice(from, start) + apart
      if (end <= statement.end) candidateEnd += apart.length - (end - start)
      from = end
    }
    program += this.code.slice(from)
    if (program === this.code) return
    this.edits.push({ kind, operator, statement: at, candidate: program.slice(statement.start, candidateEnd), program })
  }
}

/** Parameters and assigned names of a function, in order of appearance. */
interface Scope {
  names: string[]
}

function identifiers(node: Node): Node[] {
  return node.descendantsOfType('identifier').filter((n) => n !== null)
}

const isPlain = (node: Node): boolean => node.type === 'identifier' || node.type === 'integer'

function isAttribute(node: Node): boolean {
  return node.parent?.type === 'attribute' && node.parent.childForFieldName('attribute')?.startIndex === node.startIndex
}

/** Name of a keyword argument, an attribute or a function: no variable. */
function isLabel(node: Node): boolean {
  const { parent } = node
  if (isAttribute(node)) return true
  return (
    (parent?.type === 'keyword_argument' ||
      parent?.type === 'function_definition' ||
      parent?.type === 'class_definition') &&
    parent.childForFieldName('name')?.startIndex === node.startIndex
  )
}

/** Is the name assigned here, by `=` or as a loop variable? */
function isTarget(node: Node): boolean {
  let child = node
  let { parent } = node
  while (parent && /^(pattern_list|tuple_pattern|list_pattern)$/.test(parent.type)) {
    child = parent
    parent = parent.parent
  }
  if (!parent || !/^(assignment|for_statement)$/.test(parent.type)) return false
  return parent.childForFieldName('left')?.startIndex === child.startIndex
}
