/** Bracketed arithmetic over numbers and one-letter variables: tokens, values, and the runs of it in a text. */

export type Token = string

/** Lengths beyond which an expression is not evaluated; the longest of BIG-bench has 60 tokens. */
const MAX_TOKENS = 2_000
const MAX_DEPTH = 200

const TOKEN = /\d+(?:\.\d+)?|[A-Z](?![A-Za-z])|[-+*/()=^]/y
const SAME: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '×': '*',
  '·': '*',
  '∗': '*',
  '÷': '/',
  '[': '(',
  ']': ')',
}

/**
 * Maximal runs of arithmetic in a text, `=` included; words, commas, quotes and full stops end a run, and the end of a
 * line does between two operands: `1 + 2 = 3` and `3 + 4 = 7` below it are two equations.
 */
export function arithmeticRuns(text: string): Token[][] {
  const plain = text.replace(/[−–×·∗÷[\]]/g, (c) => SAME[c] ?? c)
  const runs: Token[][] = []
  let run: Token[] = []
  let at = 0
  let newLine = false
  while (at < plain.length) {
    TOKEN.lastIndex = at
    const afterLetter = at > 0 && /[A-Za-z]/.test(plain[at - 1] ?? '')
    const m = TOKEN.exec(plain)
    if (m && !(afterLetter && /[A-Z\d]/.test(m[0]))) {
      if (newLine && ENDS_OPERAND.test(run.at(-1) ?? '') && BEGINS_OPERAND.test(m[0])) {
        runs.push(run)
        run = []
      }
      newLine = false
      run.push(m[0])
      at += m[0].length
    } else {
      newLine ||= plain[at] === '\n'
      if (!/\s/.test(plain[at] ?? '') && run.length > 0) {
        runs.push(run)
        run = []
      }
      at++
    }
  }
  if (run.length > 0) runs.push(run)
  return runs
}

const ENDS_OPERAND = /[\dA-Z)]$/
const BEGINS_OPERAND = /^[\dA-Z(.]/

/** Parts of a run between equals signs; empty parts are left out. */
export function sides(run: readonly Token[]): Token[][] {
  const out: Token[][] = [[]]
  for (const t of run) {
    if (t === '=') out.push([])
    else out.at(-1)?.push(t)
  }
  return out.filter((side) => side.length > 0)
}

/**
 * Value of an expression; null where it is none, or holds a variable without a value, or divides by zero.
 * Brackets that close nothing or stay open are left out, as a reader would.
 */
export function evaluate(tokens: readonly Token[], variables: ReadonlyMap<string, number>): number | null {
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) return null
  const t = balanced(tokens)
  let at = 0
  let depth = 0
  const sum = (): number | null => {
    let value = product()
    while (value !== null && (t[at] === '+' || t[at] === '-')) {
      const sign = t[at++] === '+' ? 1 : -1
      const next = product()
      value = next === null ? null : value + sign * next
    }
    return value
  }
  const product = (): number | null => {
    let value = unary()
    while (value !== null && (t[at] === '*' || t[at] === '/' || t[at] === '(')) {
      const operator = t[at] === '(' ? '*' : t[at++]
      const next = unary()
      if (next === null || (operator === '/' && next === 0)) return null
      value = operator === '*' ? value * next : value / next
    }
    return value
  }
  const unary = (): number | null => {
    let sign = 1
    while (t[at] === '-' || t[at] === '+') if (t[at++] === '-') sign = -sign
    const value = power()
    return value === null ? null : sign * value
  }
  const power = (): number | null => {
    const base = atom()
    if (base === null || t[at] !== '^') return base
    at++
    const exponent = unary()
    return exponent === null ? null : base ** exponent
  }
  const atom = (): number | null => {
    const token = t[at++]
    if (token === undefined) return null
    if (/^\d/.test(token)) return Number(token)
    if (/^[A-Z]$/.test(token)) return variables.get(token) ?? null
    if (token !== '(' || ++depth > MAX_DEPTH) return null
    const inner = sum()
    depth--
    return inner !== null && t[at++] === ')' ? inner : null
  }
  const value = sum()
  return value !== null && at === t.length && Number.isFinite(value) ? value : null
}

function balanced(tokens: readonly Token[]): Token[] {
  const drop = new Set<number>()
  const open: number[] = []
  tokens.forEach((t, i) => {
    if (t === '(') open.push(i)
    else if (t === ')' && open.pop() === undefined) drop.add(i)
  })
  for (const i of open) drop.add(i)
  return tokens.filter((_, i) => !drop.has(i))
}

/** Equal up to rounding in the last places of a double. */
export const equalValues = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))

/** An expression as people write it. */
export const write = (tokens: readonly Token[]): string => {
  let out = ''
  tokens.forEach((t, i) => {
    const before = tokens[i - 1]
    const isSign = t === '-' && (before === undefined || /^[-+*/^(=]$/.test(before))
    const glued = before === undefined || before === '(' || t === ')' || (/^-$/.test(before) && signAt(tokens, i - 1))
    out += glued || (isSign && before === undefined) ? t : ` ${t}`
  })
  return out
}

const signAt = (tokens: readonly Token[], i: number): boolean => {
  const before = tokens[i - 1]
  return before === undefined || /^[-+*/^(=]$/.test(before)
}

/** Are these tokens, brackets aside, a stretch of those? */
export function isPartOf(part: readonly Token[], whole: readonly Token[]): boolean {
  const bare = (tokens: readonly Token[]): string => ` ${tokens.filter((t) => t !== '(' && t !== ')').join(' ')} `
  return bare(whole).includes(bare(part))
}
