/** One sign of mathematical text; `spaced` tells whether white space stood before it. */
export interface Token {
  kind: 'number' | 'symbol' | 'function' | 'operator' | 'command' | 'text' | 'end'
  s: string
  spaced: boolean
}

/** Raised where text is no mathematics that this folder reads. */
export class NotMath extends Error {}

export const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'sin cos tan cot sec csc arcsin arccos arctan asin acos atan sinh cosh tanh ln log lg exp sqrt cbrt abs floor ceil ' +
    'min max gcd lcm cis'
  ).split(' '),
)
const GREEK: ReadonlySet<string> = new Set(
  (
    'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau ' +
    'upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell'
  ).split(' '),
)
/** Commands and characters that stand for one operator. */
const OPERATORS: Readonly<Record<string, string>> = {
  cdot: '*',
  times: '*',
  ast: '*',
  div: '/',
  le: '<=',
  leq: '<=',
  leqslant: '<=',
  ge: '>=',
  geq: '>=',
  geqslant: '>=',
  lt: '<',
  gt: '>',
  ne: '!=',
  neq: '!=',
  in: 'in',
  cup: 'cup',
  cap: 'cap',
  setminus: 'setminus',
  backslash: 'setminus',
  pm: '+-',
  mp: '-+',
  lbrace: '\\{',
  rbrace: '\\}',
  vert: '|',
  lvert: '|',
  rvert: '|',
  lfloor: 'lfloor',
  rfloor: 'rfloor',
  lceil: 'lceil',
  rceil: 'rceil',
  infty: 'inf',
  circ: 'circ',
  degree: 'circ',
  prime: "'",
  lor: 'or',
  vee: 'or',
  land: 'and',
  wedge: 'and',
  langle: '(',
  rangle: ')',
  lbrack: '[',
  rbrack: ']',
  ldots: '...',
  dots: '...',
  cdots: '...',
  dotsc: '...',
  to: 'NOT',
}
const SIGNS: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '×': '*',
  '·': '*',
  '⋅': '*',
  '∗': '*',
  '÷': '/',
  '∕': '/',
  '⁄': '/',
  '≤': '<=',
  '⩽': '<=',
  '≥': '>=',
  '⩾': '>=',
  '≠': '!=',
  '∈': 'in',
  '∪': 'cup',
  '∩': 'cap',
  '±': '+-',
  '∓': '-+',
  '∞': 'inf',
  '°': 'circ',
  '…': '...',
  '√': 'sqrt',
  π: 'pi',
  θ: 'theta',
  α: 'alpha',
  β: 'beta',
  λ: 'lambda',
  φ: 'phi',
  ω: 'omega',
  '′': "'",
}
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const FRACTIONS: Readonly<Record<string, string>> = { '½': '1/2', '⅓': '1/3', '⅔': '2/3', '¼': '1/4', '¾': '3/4' }
/** Two-letter runs that are words or units, not products. */
const WORDS: ReadonlySet<string> = new Set(
  'no is of to in at it or am pm cm mm km kg mg ml ft oz lb hr an as by be he we so up my me us do go if on'.split(' '),
)

/** A run of letters outside any command: product of symbols, or null where it reads as a word. */
function letters(run: string): string[] | null {
  if (run.length === 1) return [run]
  if (run.length === 2) return WORDS.has(run.toLowerCase()) ? null : [...run]
  if (run === 'abc' || run === 'abcd' || (run.length <= 4 && !/[aeiou]/i.test(run) && run === run.toLowerCase())) {
    return [...run]
  }
  return null
}

/**
 * Signs of LaTeX or plain mathematical text.
 * @param thousands how `1,234` reads inside brackets and outside: one number or two items
 * @returns the tokens, ended by one of kind `end`, and whether a comma could have been read in two ways
 * @throws NotMath for words and unknown commands
 */
export function tokenise(
  text: string,
  thousands: { inside: boolean; outside: boolean },
): { tokens: Token[]; ambiguous: boolean } {
  const tokens: Token[] = []
  let ambiguous = false
  let depth = 0
  let at = 0
  let spaced = false
  const push = (kind: Token['kind'], s: string): void => {
    tokens.push({ kind, s, spaced })
    spaced = false
  }
  const word = (run: string): void => {
    const lower = run.toLowerCase()
    if (FUNCTIONS.has(run) || (FUNCTIONS.has(lower) && run.length > 2)) push('function', lower)
    else if (run === 'pi' || run === 'Pi') push('symbol', 'pi')
    else if (GREEK.has(run)) push('symbol', run)
    else if (/^(oo|inf|infty|infinity|Infinity)$/.test(run)) push('operator', 'inf')
    else if (run === 'or' || run === 'and') push('operator', run)
    else if (run === 'union' || (run === 'U' && depth === 0)) push('operator', 'cup')
    else {
      const split = letters(run)
      if (split === null) throw new NotMath(`the word ${run}`)
      for (const letter of split) push('symbol', letter)
    }
  }

  while (at < text.length) {
    const c = text[at] as string
    if (/\s/.test(c)) {
      spaced = true
      at++
      continue
    }
    if (c >= '0' && c <= '9' ? true : c === '.' && /\d/.test(text[at + 1] ?? '')) {
      const rest = text.slice(at, at + 20_000)
      const grouped = /^\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)(?:\.\d+)?/.exec(rest)
      const tight = /^\d+(?:\{,\}\d{3})+(?!\d)(?:\.\d+)?/.exec(rest)
      const plain = /^(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+(?![\d.]))?/.exec(rest) as RegExpExecArray
      let match = plain[0]
      if (tight) match = tight[0]
      else if (grouped) {
        ambiguous = true
        if (depth > 0 ? thousands.inside : thousands.outside) match = grouped[0]
      }
      push('number', match.replace(/[{},]/g, ''))
      at += match.length
      continue
    }
    if (c === '\\') {
      const name = /^[A-Za-z]+/.exec(text.slice(at + 1, at + 40))?.[0]
      if (name === undefined) {
        const sign = text[at + 1] ?? ''
        at += 2
        if (sign === '{' || sign === '}') {
          depth += sign === '{' ? 1 : -1
          push('operator', `\\${sign}`)
        } else if (sign === '\\') push('command', '\\')
        else if (sign === '%') push('operator', '%')
        else if (sign === '|') push('operator', '|')
        else if (',;:! '.includes(sign)) spaced = true
        else throw new NotMath(`\\${sign}`)
        continue
      }
      at += name.length + 1
      if (name === 'left' || name === 'right' || /^[bB]igg?[lrm]?$/.test(name)) {
        if (text[at] === '.') at++
        continue
      }
      if (/^(displaystyle|textstyle|limits|quad|qquad|mathopen|mathclose)$/.test(name)) {
        spaced = true
        continue
      }
      if (
        /^(text|mbox|mathrm|textbf|mathbf|textrm|textit|mathit|operatorname|mathbb|mathcal|boldsymbol|rm|bf)$/.test(
          name,
        )
      ) {
        const open = /^\s*\{/.exec(text.slice(at, at + 20))
        if (!open) {
          spaced = true
          continue
        }
        const close = closing(text, at + open[0].length)
        const inner = text.slice(at + open[0].length, close)
        at = close + 1
        if (/^\s*(or|and)\s*$/.test(inner)) push('operator', inner.trim())
        else if (/^\s*(if|for|when|where)\b/.test(inner)) throw new NotMath(inner)
        else if (name === 'mathbb') push('text', `bb:${inner.trim()}`)
        else if (/^[A-Za-z]$/.test(inner)) push('symbol', inner)
        else if (FUNCTIONS.has(inner)) push('function', inner)
        else if (/^[\d.,\s()+-]+$/.test(inner) && /\d/.test(inner)) {
          const nested = tokenise(inner, thousands)
          for (const token of nested.tokens) if (token.kind !== 'end') tokens.push(token)
        } else if (inner.trim() === '') spaced = true
        else push('text', inner.trim())
        continue
      }
      const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
      if (operator === 'NOT') throw new NotMath(`\\${name}`)
      if (operator !== undefined) {
        if (operator === '\\{' || operator === '(' || operator === '[') depth++
        if (operator === '\\}' || operator === ')' || operator === ']') depth--
        push('operator', operator)
      } else if (name === 'pi') push('symbol', 'pi')
      else if (GREEK.has(name)) push('symbol', name === 'varepsilon' ? 'epsilon' : name === 'varphi' ? 'phi' : name)
      else if (name === 'sqrt' && /^\s*\d\d/.test(text.slice(at, at + 10))) {
        // TeX puts one digit under the root, the writer probably meant all.
        throw new NotMath('\\sqrt before several digits')
      } else if (FUNCTIONS.has(name)) push('function', name)
      else if (/^[dtc]?frac$/.test(name)) push('command', 'frac')
      else if (/^[dt]?binom$/.test(name)) push('command', 'binom')
      else if (name === 'begin' || name === 'end') {
        const environment = /^\s*\{([a-zA-Z]+)\*?\}(?:\{[clr|\s]*\})?/.exec(text.slice(at, at + 60))
        if (!environment) throw new NotMath(`\\${name}`)
        at += environment[0].length
        push('command', name)
        push('text', environment[1] as string)
      } else if (name === 'emptyset' || name === 'varnothing') push('command', 'emptyset')
      else if (name === 'overline' || name === 'bar') push('command', 'overline')
      else throw new NotMath(`\\${name}`)
      continue
    }
    if (/[A-Za-z]/.test(c)) {
      // One letter after a LaTeX symbol or a digit is common; longer runs are names or words.
      const run = (/^[A-Za-z]+/.exec(text.slice(at, at + 40)) as RegExpExecArray)[0]
      word(run)
      at += run.length
      continue
    }
    const superscript = SUPERSCRIPTS.indexOf(c)
    if (superscript >= 0) {
      let digits = ''
      while (at < text.length && SUPERSCRIPTS.includes(text[at] as string)) {
        digits += String(SUPERSCRIPTS.indexOf(text[at] as string))
        at++
      }
      push('operator', '^')
      push('number', digits)
      continue
    }
    if (Object.hasOwn(FRACTIONS, c)) {
      const [n, d] = (FRACTIONS[c] as string).split('/') as [string, string]
      push('command', 'frac')
      push('number', n)
      push('number', d)
      at++
      continue
    }
    if (Object.hasOwn(SIGNS, c)) {
      const sign = SIGNS[c] as string
      if (sign === 'sqrt') push('function', 'sqrt')
      else push(/^[a-z]{2,}$/.test(sign) && (sign === 'pi' || GREEK.has(sign)) ? 'symbol' : 'operator', sign)
      at++
      continue
    }
    if (c === '∅') {
      push('command', 'emptyset')
      at++
      continue
    }
    const operator = /^(<=|>=|!=|\+-|\+\/-|\*\*|\.\.\.|==|=<|=>|[-+*/^_=<>()[\]{},;|!%'&:~])/.exec(
      text.slice(at, at + 3),
    )?.[0]
    if (operator === undefined) throw new NotMath(`the sign ${c}`)
    at += operator.length
    if (operator === '(' || operator === '[') depth++
    if (operator === ')' || operator === ']') depth--
    if (operator === '~') spaced = true
    else if (operator === '**') push('operator', '^')
    else if (operator === '==') push('operator', '=')
    else if (operator === '+/-') push('operator', '+-')
    else if (operator === '=<' || operator === '=>') throw new NotMath(operator)
    else push('operator', operator)
  }
  push('end', '')
  return { tokens, ambiguous }
}

/** Index of the brace that closes the group whose content begins at `from`; the end of the text where none does. */
export function closing(text: string, from: number): number {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '{') depth++
    else if (text[i] === '}' && --depth === 0) return i
  }
  return text.length
}
