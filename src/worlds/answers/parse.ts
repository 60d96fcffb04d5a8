import type { Expr } from './expression.ts'
import { integer, negated, number } from './expression.ts'
import { decimal, div, power, rational, sub } from './rational.ts'
import type { Token } from './tokens.ts'
import { NotMath, tokenise } from './tokens.ts'

/** Nesting that no written answer reaches. */
const MAX_DEPTH = 60
const RELATIONS: ReadonlySet<string> = new Set(['=', '<', '>', '<=', '>=', '!=', 'in'])
const ALIASES: Readonly<Record<string, string>> = { arcsin: 'asin', arccos: 'acos', arctan: 'atan' }

/**
 * Reads LaTeX or plain mathematical text by precedence climbing: list, relation, set operation, sum, product, power.
 *
 * @throws NotMath where the text is something else; TooLarge for numbers past the limits
 */
export function parse(text: string, thousands = { inside: false, outside: true }): { expr: Expr; ambiguous: boolean } {
  const { tokens, ambiguous } = tokenise(text, thousands)
  const expr = new Reader(tokens).whole()
  return { expr, ambiguous }
}

class Reader {
  private readonly tokens: readonly Token[]
  private at = 0
  private depth = 0
  /** Open absolute-value bars, which end a product. */
  private bars = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  whole(): Expr {
    const out = this.list('')
    if (this.peek().kind !== 'end') throw new NotMath(`after the end: ${this.peek().s}`)
    return out
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token
  }
  private is(s: string): boolean {
    const token = this.peek()
    return token.s === s && (token.kind === 'operator' || token.kind === 'command')
  }
  private take(s: string): boolean {
    if (!this.is(s)) return false
    this.at++
    return true
  }
  private expect(s: string): void {
    if (!this.take(s)) throw new NotMath(`${s} expected, not ${this.peek().s}`)
  }

  /** Items up to a closing sign; a single one stands for itself where nothing encloses it. */
  private list(open: '' | '{'): Expr {
    if (++this.depth > MAX_DEPTH) throw new NotMath('nested too deeply')
    const items = [this.relation()]
    const joints = new Set<string>()
    for (;;) {
      const joint = [',', ';', 'or', 'and'].find((s) => this.take(s))
      if (joint === undefined) break
      joints.add(this.is('or') || this.is('and') ? this.peek().s : joint)
      if (this.is('or') || this.is('and')) this.at++
      if (this.peek().kind === 'end') break
      items.push(this.relation())
    }
    this.depth--
    if (items.length === 1) return items[0] as Expr
    if (items.every(isInequality) && joints.size === 1) {
      if (joints.has('or')) return { t: 'set', op: 'cup', a: items }
      if (joints.has('and')) return { t: 'set', op: 'cap', a: items }
    }
    return { t: 'list', open, close: open === '{' ? '}' : '', items }
  }

  private relation(): Expr {
    const sides = [this.setOperation()]
    const ops: string[] = []
    while (this.peek().kind === 'operator' && RELATIONS.has(this.peek().s)) {
      ops.push(this.peek().s)
      this.at++
      sides.push(this.setOperation())
    }
    return ops.length === 0 ? (sides[0] as Expr) : { t: 'relation', ops, sides }
  }

  private setOperation(): Expr {
    let left = this.ratio()
    for (const op of ['cup', 'cap', 'setminus'] as const) {
      while (this.take(op)) left = { t: 'set', op, a: [left, this.ratio()] }
    }
    if (this.is('cup') || this.is('cap')) throw new NotMath('mixed set operations')
    return left
  }

  private ratio(): Expr {
    const items = [this.sum()]
    while (this.take(':')) items.push(this.sum())
    return items.length === 1 ? (items[0] as Expr) : { t: 'ratio', a: items }
  }

  private sum(): Expr {
    const items: Expr[] = []
    let op = this.signOf()
    items.push(this.signed(op ?? '+', this.product()))
    for (;;) {
      op = this.signOf()
      if (op === null) break
      items.push(this.signed(op, this.product()))
    }
    return items.length === 1 ? (items[0] as Expr) : { t: 'sum', a: items }
  }
  private signOf(): string | null {
    let out: string | null = null
    while (this.peek().kind === 'operator' && ['+', '-', '+-', '-+'].includes(this.peek().s)) {
      const s = this.peek().s
      if (out === null) out = s
      else if (out === '+') out = s
      else if (out === '-' && (s === '+' || s === '-')) out = s === '-' ? '+' : '-'
      else throw new NotMath('signs side by side')
      this.at++
    }
    return out
  }
  private signed(op: string, x: Expr): Expr {
    if (op === '+') return x
    if (op === '-') return negated(x)
    return { t: 'choice', sign: op === '+-' ? 1 : -1, x }
  }

  private startsFactor(): boolean {
    const { kind, s } = this.peek()
    if (kind === 'number' || kind === 'symbol' || kind === 'function') return true
    if (kind === 'command') return s === 'frac' || s === 'binom' || s === 'begin' || s === 'overline'
    if (kind === 'operator')
      return ['(', '[', '{', 'inf', 'lfloor', 'lceil'].includes(s) || (s === '|' && this.bars === 0)
    return false
  }

  private product(juxtaposedOnly = false): Expr {
    let left = this.factor()
    for (;;) {
      if (!juxtaposedOnly && this.take('*')) left = { t: 'product', a: [left, this.unary()] }
      else if (!juxtaposedOnly && this.take('/')) left = { t: 'quotient', n: left, d: this.unary() }
      else if (this.startsFactor()) {
        if (juxtaposedOnly && this.peek().kind === 'function') return left
        const previous = this.peek(-1)
        if (this.peek().kind === 'number' && previous.kind === 'number') throw new NotMath('two numbers side by side')
        left = { t: 'product', a: [left, this.factor()] }
      } else return left
    }
  }

  private unary(): Expr {
    if (this.take('-')) return negated(this.unary())
    if (this.take('+')) return this.unary()
    return this.factor()
  }

  /** A primary with its powers, factorials, degrees and percent signs. */
  private factor(): Expr {
    let base = this.primary()
    for (;;) {
      if (this.take('^')) {
        if (this.take('circ')) base = degrees(base)
        else if (this.is('{') && this.peek(1).s === 'circ' && this.peek(2).s === '}') {
          this.at += 3
          base = degrees(base)
        } else base = { t: 'power', b: base, x: this.exponent() }
      } else if (this.take('circ')) base = degrees(base)
      else if (this.is('!') && this.peek(1).s !== '=') {
        this.at++
        base = { t: 'call', f: 'factorial', a: [base] }
      } else if (this.take('%')) base = { t: 'product', a: [base, number({ n: 1n, d: 100n })] }
      else return base
    }
  }

  private exponent(): Expr {
    if (this.take('-')) return negated(this.exponent())
    if (this.take('+')) return this.exponent()
    // TeX sets x^23 as x^2 3, but whoever types it means the 23rd power.
    let x = this.primary()
    if (this.take('^')) x = { t: 'power', b: x, x: this.exponent() }
    return x
  }

  private primary(): Expr {
    if (++this.depth > MAX_DEPTH) throw new NotMath('nested too deeply')
    const out = this.primaryInner()
    this.depth--
    return out
  }

  private primaryInner(): Expr {
    const token = this.peek()
    this.at++
    switch (token.kind) {
      case 'number':
        return this.number(token.s)
      case 'symbol':
        return this.symbol(token.s)
      case 'function':
        return this.call(token.s)
      case 'command':
        return this.command(token.s)
      case 'operator':
        return this.bracket(token.s)
      case 'text':
        if (token.s === 'bb:R') return { t: 'reals' }
        throw new NotMath(token.s)
      default:
        throw new NotMath('unexpected end')
    }
  }

  private number(s: string): Expr {
    if (this.is('_')) {
      this.at++
      const braced = this.take('{')
      const base = this.peek()
      this.at++
      if (braced && this.peek().kind === 'text') this.at++
      if (braced) this.expect('}')
      const b = Number(base.s)
      if (base.kind !== 'number' || !Number.isInteger(b) || b < 2 || b > 36) throw new NotMath('base')
      return { t: 'based', digits: s, base: b }
    }
    if (this.is('overline') && s.includes('.')) {
      this.at++
      return number(repeating(s, this.groupDigits()))
    }
    const value = decimal(s)
    if (!/^\d+$/.test(s)) return number(value)
    // Mixed numbers: 1\frac{4}{5} and 1 4/5, with a proper fraction of plain integers.
    const fraction = this.properFraction()
    return fraction === null ? number(value) : { t: 'sum', a: [number(value), fraction] }
  }

  private groupDigits(): string {
    const braced = this.take('{')
    const token = this.peek()
    if (token.kind !== 'number' || !/^\d+$/.test(token.s)) throw new NotMath('digits expected')
    this.at++
    if (braced) this.expect('}')
    return token.s
  }

  private properFraction(): Expr | null {
    const from = this.at
    try {
      if (this.is('frac')) {
        const x = this.primary()
        if (x.t === 'quotient' && x.n.t === 'number' && x.d.t === 'number' && x.n.v.n > 0n && x.n.v.n < x.d.v.n)
          return x
      } else if (
        this.peek().kind === 'number' &&
        this.peek().spaced &&
        this.peek(1).s === '/' &&
        this.peek(2).kind === 'number'
      ) {
        const [n, d] = [this.peek().s, this.peek(2).s]
        if (/^\d+$/.test(n) && /^\d+$/.test(d) && BigInt(n) < BigInt(d)) {
          this.at += 3
          return number(rational(BigInt(n), BigInt(d)))
        }
      }
    } catch (error) {
      if (!(error instanceof NotMath)) throw error
    }
    this.at = from
    return null
  }

  private symbol(s: string): Expr {
    let name = s
    if (this.is('_')) {
      this.at++
      name += `_${this.subscript()}`
    }
    while (this.take("'")) name += "'"
    if (name === 'pi' || name === 'e' || name === 'i') return { t: 'constant', name }
    if (/^[fgh]'*$/.test(name) && this.is('(') && !this.peek().spaced) {
      const a = this.primary()
      return { t: 'call', f: `apply ${name}`, a: a.t === 'list' ? a.items : [a] }
    }
    return { t: 'symbol', name }
  }

  private subscript(): string {
    if (!this.take('{')) return this.tokens[this.at++]?.s ?? ''
    let out = ''
    let open = 1
    for (; open > 0; this.at++) {
      const token = this.peek()
      if (token.kind === 'end') throw new NotMath('open subscript')
      if (token.s === '{') open++
      else if (token.s === '}') open--
      if (open > 0) out += token.s
    }
    return out
  }

  private call(name: string): Expr {
    const f = ALIASES[name] ?? name
    if (f === 'sqrt' || f === 'cbrt') {
      let degree: Expr = integer(f === 'sqrt' ? 2n : 3n)
      if (f === 'sqrt' && this.is('[')) {
        this.at++
        degree = this.sum()
        this.expect(']')
      }
      return { t: 'call', f: 'root', a: [this.argument(true), degree] }
    }
    let base: Expr | null = null
    let exponent: Expr | null = null
    if ((f === 'log' || f === 'lg') && this.take('_')) base = this.argument(true)
    if (this.take('^')) exponent = this.exponent()
    if (f === 'log' && base === null && this.take('_')) base = this.argument(true)
    if (exponent && isMinusOne(exponent)) {
      if (f !== 'sin' && f !== 'cos' && f !== 'tan') throw new NotMath('inverse function')
      return { t: 'call', f: `a${f}`, a: [this.argument(false)] }
    }
    const argument = this.argument(false)
    const items = argument.t === 'list' && argument.open === '(' ? argument.items : [argument]
    if (f === 'min' || f === 'max' || f === 'gcd' || f === 'lcm') {
      return { t: 'call', f, a: items }
    }
    if (items.length !== 1) throw new NotMath(`${f} of several`)
    let out: Expr
    if (f === 'exp') out = { t: 'power', b: { t: 'constant', name: 'e' }, x: argument }
    else if (f === 'log' || f === 'lg') {
      // Without a base the field's answers mean ln or log10 by context: kept apart from both.
      out = base === null ? { t: 'call', f: 'log', a: [argument] } : { t: 'quotient', n: ln(argument), d: ln(base) }
    } else out = { t: 'call', f, a: [argument] }
    return exponent ? { t: 'power', b: out, x: exponent } : out
  }

  /** What a function applies to: a bracket, a group or the factors up to the next operator. */
  private argument(tight: boolean): Expr {
    const token = this.peek()
    if (token.s === '(' || token.s === '{' || token.s === '[') return this.primary()
    if (!tight) return this.product(true)
    return this.primary()
  }

  private command(s: string): Expr {
    if (s === 'frac' || s === 'binom') {
      const n = this.texArgument()
      const d = this.texArgument()
      return s === 'frac' ? { t: 'quotient', n, d } : { t: 'call', f: 'binomial', a: [n, d] }
    }
    if (s === 'emptyset') return { t: 'list', open: '{', close: '}', items: [] }
    if (s === 'begin') return this.matrix()
    throw new NotMath(`\\${s}`)
  }

  /** One group or, as in \frac12, one digit. */
  private texArgument(): Expr {
    const token = this.peek()
    if (token.kind === 'number' && token.s.length > 1 && /^\d+$/.test(token.s)) {
      const list = this.tokens as Token[]
      list.splice(this.at, 1, { ...token, s: token.s[0] as string }, { ...token, s: token.s.slice(1), spaced: false })
    }
    if (token.kind === 'number') {
      this.at++
      return number(decimal(this.peek(-1).s))
    }
    return this.primary()
  }

  private matrix(): Expr {
    const name = this.environment()
    if (!/^(p|b|B|small)?matrix$/.test(name) && name !== 'array') throw new NotMath(name)
    const rows: Expr[][] = []
    let row: Expr[] = []
    for (;;) {
      if (this.take('end')) break
      row.push(this.relation())
      if (this.take('&')) continue
      rows.push(row)
      row = []
      if (!this.take('\\') && !this.is('end')) throw new NotMath('matrix')
    }
    if (row.length > 0) rows.push(row)
    this.environment()
    return { t: 'matrix', rows }
  }

  private environment(): string {
    const token = this.peek()
    if (token.kind !== 'text') throw new NotMath('environment')
    this.at++
    return token.s
  }

  private bracket(s: string): Expr {
    switch (s) {
      case 'inf':
        return { t: 'infinity' }
      case '...':
        return { t: 'dots' }
      case '|': {
        this.bars++
        const inner = this.sum()
        this.bars--
        this.expect('|')
        return { t: 'call', f: 'abs', a: [inner] }
      }
      case 'lfloor':
      case 'lceil': {
        const inner = this.sum()
        this.expect(s === 'lfloor' ? 'rfloor' : 'rceil')
        return { t: 'call', f: s.slice(1), a: [inner] }
      }
      case '{': {
        const held = this.bars
        this.bars = 0
        const inner = this.list('{')
        this.bars = held
        this.expect('}')
        return inner
      }
      case '\\{': {
        if (this.take('\\}')) return { t: 'list', open: '{', close: '}', items: [] }
        const inner = this.list('')
        this.expect('\\}')
        const items = inner.t === 'list' && inner.open === '' ? inner.items : [inner]
        return { t: 'list', open: '{', close: '}', items }
      }
      case '(':
      case '[': {
        const held = this.bars
        this.bars = 0
        const inner = this.list('')
        this.bars = held
        const close = this.peek().s
        if (close !== ')' && close !== ']') throw new NotMath('open bracket')
        this.at++
        if (inner.t === 'list' && inner.open === '') return { ...inner, open: s, close }
        if ((s === '(') !== (close === ')')) throw new NotMath('interval of one number')
        return inner
      }
      default:
        throw new NotMath(`unexpected ${s}`)
    }
  }
}

const isInequality = (x: Expr): boolean => x.t === 'relation' && x.ops.every((op) => op !== '=' && op !== 'in')
const ln = (x: Expr): Expr => ({ t: 'call', f: 'ln', a: [x] })
const degrees = (x: Expr): Expr => ({
  t: 'product',
  a: [x, { t: 'quotient', n: { t: 'constant', name: 'pi' }, d: integer(180n) }],
})
const isMinusOne = (x: Expr): boolean => x.t === 'number' && x.v.n === -1n && x.v.d === 1n

/** 0.1\overline{6}: the digits before the bar, then the period for ever. */
function repeating(head: string, period: string) {
  const places = BigInt(head.length - head.indexOf('.') - 1)
  const ten = { n: 10n, d: 1n }
  const long = decimal(head + period)
  const scale = power(ten, BigInt(period.length))
  const short = decimal(head.endsWith('.') ? head.slice(0, -1) : head)
  // long * 10^(p+q) - short * 10^p over 10^p (10^q - 1)
  const shifted = sub(
    { n: (long.n * 10n ** (places + BigInt(period.length))) / long.d, d: 1n },
    { n: (short.n * 10n ** places) / short.d, d: 1n },
  )
  return div(shifted, { n: 10n ** places * (scale.n - 1n), d: 1n })
}
