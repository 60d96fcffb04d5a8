import { z } from 'zod'
import { type Finding, UNKNOWN, type Verifier } from './verifier.ts'

/** One equation between numbers that a step states. */
export interface ArithmeticClaim {
  /** As written, without LaTeX dressing. */
  text: string
  left: number
  right: number
  holds: boolean
}

/**
 * Equations between numbers, in plain text and LaTeX: `3 * 4 = 12`, `\frac{1}{3} \times 18 = 6`, `<<2*8=16>>`.
 *
 * A stated result may be rounded: it holds when it is the value rounded to the decimals that are written. Only claims
 * without letters on either side are read; everything else is left to other verifiers.
 */
export const arithmetic: Verifier = {
  name: 'arithmetic',
  summary: 'recomputes equations between numbers in text and LaTeX',
  covers: 'equations with +, -, *, / and powers between numbers; nothing about why a number was chosen',
  options: z.object({}),
  runsCode: false,
  reliability: { incorrect: 0.8, correct: 0.9, scope: 'claims', measured: 'ProcessBench, tune half' },
  applies: (trace) => trace.steps.some((s) => /\d.*=.*\d/s.test(s.text)),
  verify: (trace) => trace.steps.map((step) => judge(arithmeticClaims(step.text))),
}

function judge(claims: readonly ArithmeticClaim[]): Finding {
  if (claims.length === 0) return UNKNOWN('no equation between numbers')
  const wrong = claims.find((c) => !c.holds)
  return wrong
    ? {
        verdict: 'incorrect',
        reason: `${wrong.text} does not hold: the left side is ${shown(wrong.left)}`,
        detail: { claims },
      }
    : {
        verdict: 'correct',
        reason: `${claims.length === 1 ? 'the equation holds' : `all ${claims.length} equations hold`}`,
        detail: { claims },
      }
}

/** The claims of a text, in order; chains `a = b = c` give one claim a sign. */
export function arithmeticClaims(text: string): ArithmeticClaim[] {
  const plain = plainMath(text)
  const claims: ArithmeticClaim[] = []
  for (const [run] of plain.matchAll(/[-+*/^().,\d\s=]*\d\s*=[-+*/^().,\d\s=]*\d\)?/g)) {
    const sides = run.split('=').map((s) => s.trim().replace(/[.,]$/, ''))
    for (let i = 0; i + 1 < sides.length; i++) {
      const left = evaluate(sides[i]!)
      const right = evaluate(sides[i + 1]!)
      if (left === null || right === null || !/[-+*/^]/.test(sides[i]!.slice(1) + sides[i + 1]!.slice(1))) continue
      claims.push({ text: `${sides[i]} = ${sides[i + 1]}`, left, right, holds: agrees(left, right, sides[i + 1]!) })
    }
  }
  return claims
}

function plainMath(text: string): string {
  return text
    .replace(/<<[^>]*>>/g, ' ; ')
    .replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, '(($1)/($2))')
    .replace(/\\(?:times|cdot)|×|·/g, '*')
    .replace(/\\div|÷/g, '/')
    .replace(/[−–]/g, '-')
    .replace(/\\[,;:! ]|\$|\\[()[\]]|\\left|\\right|\\%|[€£]/g, ' ')
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
}

/** A stated number may be rounded to its decimals; otherwise one part in 10^9. */
function agrees(left: number, right: number, stated: string): boolean {
  const decimals = /^-?\d+(?:\.(\d+))?$/.exec(stated)?.[1]?.length
  const tolerance = decimals === undefined ? 0 : 0.5 * 10 ** -decimals
  return Math.abs(left - right) <= Math.max(decimals ? tolerance : 0, 1e-9 * Math.max(1, Math.abs(left))) * (1 + 1e-9)
}

function shown(value: number): string {
  return Number(value.toPrecision(10)).toString()
}

/** Value of an expression of numbers, + - * / ^ and parentheses; null where it is not one. */
function evaluate(source: string): number | null {
  const tokens = source.match(/\d+(?:\.\d+)?|\.\d+|[-+*/^()]|\S/g) ?? []
  let at = 0
  const fail = Number.NaN
  const sum = (): number => {
    let value = product()
    while (tokens[at] === '+' || tokens[at] === '-')
      value = tokens[at++] === '+' ? value + product() : value - product()
    return value
  }
  const product = (): number => {
    let value = signed()
    while (tokens[at] === '*' || tokens[at] === '/') value = tokens[at++] === '*' ? value * signed() : value / signed()
    return value
  }
  const signed = (): number => {
    if (tokens[at] === '-') {
      at++
      return -signed()
    }
    const base = atom()
    if (tokens[at] !== '^') return base
    at++
    return base ** signed()
  }
  const atom = (): number => {
    const token = tokens[at++]
    if (token === '(') {
      const value = sum()
      return tokens[at++] === ')' ? value : fail
    }
    return token !== undefined && /\d/.test(token) ? Number(token) : fail
  }
  const value = sum()
  return at === tokens.length && Number.isFinite(value) ? value : null
}
