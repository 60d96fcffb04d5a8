/** sum of coefficient * variable + constant. */
export interface LinearSum {
  terms: ReadonlyMap<string, number>
  constant: number
}

/** A longer or deeper sum is no line of a model that a person wrote; keeps hostile text cheap. */
const MAX_CHARS = 20_000
const MAX_DEPTH = 50

/** `3 x + 2*(y - 1) + z/2`; null where the text is anything else, products of variables included. */
export function readSum(text: string): LinearSum | null {
  if (text.length > MAX_CHARS) return null
  const tokens =
    text.match(/\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])|\d[\d,]*(?:\.\d+)?|\.\d+|[A-Za-z_][\w.]*|[-+*/()]|\S/g) ?? []
  const reader = new SumReader(tokens)
  const sum = reader.sum(0)
  return sum !== null && reader.done() && tokens.length > 0 ? sum : null
}

class SumReader {
  private at = 0
  private readonly tokens: readonly string[]

  constructor(tokens: readonly string[]) {
    this.tokens = tokens
  }

  done(): boolean {
    return this.at === this.tokens.length
  }

  sum(depth: number): LinearSum | null {
    let total: LinearSum = { terms: new Map(), constant: 0 }
    let sign = 1
    let first = true
    for (;;) {
      let signs = 0
      while (this.peek() === '+' || this.peek() === '-') {
        if (this.take() === '-') sign = -sign
        signs++
      }
      if (signs === 0 && !first) return total
      const term = this.product(depth)
      if (term === null) return null
      total = added(total, term, sign)
      sign = 1
      first = false
    }
  }

  private product(depth: number): LinearSum | null {
    let left = this.factor(depth)
    while (left !== null) {
      const next = this.peek()
      if (next === undefined || /^[-+)]$/.test(next)) return left
      const divide = next === '/'
      if (next === '*' || divide) this.take()
      const right = this.factor(depth)
      if (right === null) return null
      left = divide ? times(left, inverse(right)) : times(left, right)
    }
    return left
  }

  private factor(depth: number): LinearSum | null {
    const token = this.take()
    if (token === undefined || depth > MAX_DEPTH) return null
    if (/^[\d.]/.test(token)) return { terms: new Map(), constant: Number(token.replaceAll(',', '')) }
    if (/^[A-Za-z_]/.test(token)) return { terms: new Map([[token, 1]]), constant: 0 }
    if (token !== '(') return null
    const inner = this.sum(depth + 1)
    return this.take() === ')' ? inner : null
  }

  private peek(): string | undefined {
    return this.tokens[this.at]
  }

  private take(): string | undefined {
    return this.tokens[this.at++]
  }
}

function added(a: LinearSum, b: LinearSum, sign: number): LinearSum {
  const terms = new Map(a.terms)
  for (const [name, c] of b.terms) terms.set(name, (terms.get(name) ?? 0) + sign * c)
  return { terms, constant: a.constant + sign * b.constant }
}

function times(a: LinearSum, b: LinearSum | null): LinearSum | null {
  if (b === null || (a.terms.size > 0 && b.terms.size > 0)) return null
  const [sum, factor] = a.terms.size > 0 ? [a, b.constant] : [b, a.constant]
  return { terms: new Map([...sum.terms].map(([n, c]) => [n, c * factor])), constant: sum.constant * factor }
}

function inverse(a: LinearSum): LinearSum | null {
  return a.terms.size > 0 || a.constant === 0 ? null : { terms: new Map(), constant: 1 / a.constant }
}
