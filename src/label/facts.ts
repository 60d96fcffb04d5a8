/** Calculations that a step of reasoning states: `17+28=45`, `a=5+7=12`, `<<48/2=24>>`, `A: 72`. */

export type Expr =
  | { kind: 'number'; value: number }
  | { kind: 'operation'; operator: '+' | '-' | '*' | '/'; left: Expr; right: Expr }

export interface Fact {
  /** What is computed; null where a value is only stated as the answer. */
  expr: Expr | null
  value: number
  /** Name that the value is given to: a register. */
  target: string | null
  /** Stated as the answer of the problem. */
  answer: boolean
  /** As a person would write it. */
  text: string
}

/** Longer texts are no single step, characters. */
const STEP_CHARS = 20_000

/** No calculation that people write has a longer side; bounds the depth of brackets. */
const SIDE_CHARS = 300

/** Calculator annotation of GSM8K. */
const MARK = /<<([^<>=]{1,200})=([^<>]{1,60})>>/g
const ASSIGNMENT = /^\s*(?:fix\s+)?([A-Za-z])\s*=\s*(?=[-\d])/
const ANSWER = /(?:^\s*=\s*|^\s*A:\s*|####\s*|\banswer\s*(?:is|:|=)\s*)[^\d\n-]{0,10}(-?\d[\d,]*(?:\.\d+)?)/i
/** Everything that can stand in a chain of equations, as far as it goes: read once, so that long texts cost little. */
const CHAIN = /[-+*/().%\d =]+/g

/** All calculations of a step, in order. A step without any gives none: it cannot be compared. */
export function factsOf(text: string): Fact[] {
  if (text.length > STEP_CHARS) return []
  const marks = [...text.matchAll(MARK)].flatMap((m) => chainFact([m[1] ?? '', m[2] ?? ''], null))
  const answer = answerFact(text)
  if (marks.length > 0) return [...marks, ...answer]
  const target = ASSIGNMENT.exec(text)
  const body = plain(target ? text.slice(target[0].length) : text)
  if (target && !body.includes('=')) {
    const expr = parse(body)
    return expr === null ? [] : [assigned(expr, valueOfExpr(expr), target[1] ?? '')]
  }
  const chains = [...body.matchAll(CHAIN)]
    .filter((m) => isWhole(body, m.index, m.index + m[0].length))
    .flatMap((m) =>
      chainFact(
        m[0].split('=').filter((side) => side.trim() !== ''),
        target?.[1] ?? null,
      ),
    )
  return [...chains, ...answer]
}

/** Is nothing with letters, as `5s - 4 = 6s`, cut off on either side? */
const isWhole = (text: string, from: number, to: number): boolean =>
  !/^\s*(?:[-+*/]\s+|[+*/])/.test(text.slice(from, from + 8)) && !/\S[A-Za-z]/.test(text.slice(to - 1, to + 1))

/** Numbers that a problem gives, in digits and in the words for numbers that questions use. */
export function numbersOf(text: string): number[] {
  const digits = [...plain(text).matchAll(/\d+(?:\.\d+)?/g)].map((m) => Number(m[0]))
  const words = text.toLowerCase().match(/[a-z]+/g) ?? []
  const known = words.some((word) => word.length > 2) ? KNOWN : []
  return [...digits, ...words.flatMap((word) => WORDS.get(word) ?? []), ...known]
}

/** What a question in words need not say: halves, days, months, hours, minutes, percent, thousands. */
const KNOWN = [1, 2, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1_000]

const WORDS = new Map<string, number[]>([
  ...'zero one two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, n): [string, number[]] => [word, [n]]),
  ['half', [2, 0.5]],
  ['twice', [2]],
  ['double', [2]],
  ['triple', [3]],
  ['dozen', [12]],
  ['third', [3]],
  ['quarter', [4, 0.25]],
])

/** Digits with separators and units taken off, all signs of multiplication and division as `*` and `/`. */
function plain(text: string): string {
  return (
    text
      .replace(/\\frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}/g, '($1)/($2)')
      .replace(/\\times|\\cdot|×|·/g, '*')
      .replace(/\\div|÷/g, '/')
      .replace(/\\[()[\]]/g, ' ')
      .replace(/[$€£\\]/g, '')
      .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
      .replace(/([\d)%])\s*x\s*(?=[\d(])/g, '$1*')
      .replace(/(\d)\s+[A-Za-z]{2,}(?=\s*[-+*/=)])/g, '$1')
      .replace(/[–−]/g, '-')
      // the number of a list item and the end of a sentence are no part of a calculation
      .replace(/^\s*\d+[.)]\s+/, '')
      .replace(/\.(?=\s|$)/g, '\n')
  )
}

function answerFact(text: string): Fact[] {
  const said = ANSWER.exec(text)?.[1]?.replaceAll(',', '')
  if (said === undefined) return []
  return [{ expr: null, value: Number(said), target: null, answer: true, text: said }]
}

const assigned = (expr: Expr, value: number, target: string): Fact => ({
  expr,
  value,
  target,
  answer: false,
  text: `${target} = ${numberText(value)}`,
})

/** `16-3-4=9`, also the other way round and over more than one step; nothing where a side cannot be read. */
function chainFact(sides: readonly string[], target: string | null): Fact[] {
  const read = sides.map((side) => parse(plain(side).trim()))
  if (read.length < 2 || read.some((side) => side === null)) return []
  const exprs = read.flatMap((side) => side ?? [])
  const [first, last] = [exprs[0], exprs.at(-1)]
  if (first === undefined || last === undefined) return []
  const computed = exprs.find((e) => e.kind === 'operation')
  if (computed === undefined) return []
  const value = last.kind === 'number' ? last.value : valueOfExpr(first)
  const head = target === null ? '' : `${target} = `
  return [{ expr: computed, value, target, answer: false, text: `${head}${showExpr(computed)} = ${numberText(value)}` }]
}

/** Reads `2*(3+4)/7`; null for anything else. `20%` is .2. */
export function parse(text: string): Expr | null {
  if (text.length > SIDE_CHARS) return null
  const tokens = text.replace(/\s+/g, ' ').match(/\d*\.?\d+%?|[-+*/()]|[^\s]/g) ?? []
  let at = 0
  const operation = (operator: '+' | '-' | '*' | '/', left: Expr, right: Expr): Expr => ({
    kind: 'operation',
    operator,
    left,
    right,
  })
  function atom(): Expr | null {
    const token = tokens[at++]
    if (token === '-') {
      const inner = atom()
      return inner?.kind === 'number' ? { kind: 'number', value: -inner.value } : null
    }
    if (token === '(') {
      const inner = sum()
      return tokens[at++] === ')' ? inner : null
    }
    if (token === undefined || !/^\d*\.?\d+%?$/.test(token)) return null
    const value = token.endsWith('%') ? Number(token.slice(0, -1)) / 100 : Number(token)
    return { kind: 'number', value }
  }
  function level(operators: readonly string[], below: () => Expr | null): Expr | null {
    let left = below()
    while (left !== null && operators.includes(tokens[at] ?? '')) {
      const operator = tokens[at++] as '+' | '-' | '*' | '/'
      const right = below()
      left = right === null ? null : operation(operator, left, right)
    }
    return left
  }
  const product = (): Expr | null => level(['*', '/'], atom)
  const sum = (): Expr | null => level(['+', '-'], product)
  const read = sum()
  return at === tokens.length ? read : null
}

/** NaN or infinite for a division by 0. */
export function valueOfExpr(expr: Expr): number {
  if (expr.kind === 'number') return expr.value
  const [a, b] = [valueOfExpr(expr.left), valueOfExpr(expr.right)]
  if (expr.operator === '+') return a + b
  if (expr.operator === '-') return a - b
  return expr.operator === '*' ? a * b : a / b
}

/** Numbers of an expression, from the left. */
export function leavesOf(expr: Expr): number[] {
  return expr.kind === 'number' ? [expr.value] : [...leavesOf(expr.left), ...leavesOf(expr.right)]
}

/** The expression with other numbers, given from the left. */
export function withLeaves(expr: Expr, leaves: readonly number[]): Expr {
  let at = 0
  const fill = (e: Expr): Expr => {
    if (e.kind === 'number') return { kind: 'number', value: leaves[at++] ?? e.value }
    const left = fill(e.left)
    return { ...e, left, right: fill(e.right) }
  }
  return fill(expr)
}

/** The same text for expressions that differ by the order of terms or factors only. */
export function canonical(expr: Expr): string {
  if (expr.kind === 'number') return numberText(expr.value)
  const additive = expr.operator === '+' || expr.operator === '-'
  const parts: string[] = []
  const collect = (e: Expr, inverse: boolean): void => {
    const same = e.kind === 'operation' && (e.operator === '+' || e.operator === '-') === additive
    if (!same) {
      parts.push((inverse ? '~' : '') + canonical(e))
      return
    }
    collect(e.left, inverse)
    collect(e.right, inverse !== (e.operator === '-' || e.operator === '/'))
  }
  collect(expr, false)
  return `${additive ? '+' : '*'}(${parts.sort().join(',')})`
}

/** Do two numbers count as one value? Eight digits, so that sums of decimals compare. */
export const sameValue = (a: number, b: number): boolean => numberText(a) === numberText(b)

/** Is a stated number the exact one, or the exact one rounded to the decimals that are shown? */
export function agrees(stated: number, exact: number): boolean {
  if (sameValue(stated, exact)) return true
  const decimals = /\.(\d+)$/.exec(String(stated))?.[1]?.length ?? 0
  return decimals >= 1 && Math.abs(stated - exact) <= 0.500_001 * 10 ** -decimals
}

/** One text for numbers that count as equal. */
export const numberText = (value: number): string => String(Number(value.toPrecision(8)))

export function showExpr(expr: Expr): string {
  if (expr.kind === 'number') return numberText(expr.value)
  const side = (e: Expr): string => (e.kind === 'number' ? showExpr(e) : `(${showExpr(e)})`)
  return `${side(expr.left)} ${expr.operator} ${side(expr.right)}`
}
